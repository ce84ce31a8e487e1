/* SPDX-License-Identifier: Apache-2.0 */
/* The static executable: takes the engine from its image, calls the program's `main`, and runs the loop until nothing is left. */
#include "host.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define UNSETTLED 13	/* as Node: the program awaits what nothing can bring any more */

/* The engine's own generator would start the same way every time, with the seed of the image. */
static JSValue random_number(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	uint64_t bits = 0;

	(void)self, (void)argc, (void)argv;
	if (!lc_started(js, "Math.random"))
		return JS_EXCEPTION;
	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		return JS_ThrowInternalError(js, "getrandom failed");
	return JS_NewFloat64(js, (double)(bits >> 11) * 0x1p-53);
}

/* No eval and no proxies: the core has no use for them. */
static int add_globals(JSContext *js)
{
	JSValue global, math;

	if (JS_AddIntrinsicBaseObjects(js) < 0 || JS_AddIntrinsicRegExp(js) < 0 || JS_AddIntrinsicJSON(js) < 0 ||
	    JS_AddIntrinsicMapSet(js) < 0 || JS_AddIntrinsicTypedArrays(js) < 0 || JS_AddIntrinsicPromise(js) < 0 ||
	    JS_AddIntrinsicDate(js) < 0 || JS_AddIntrinsicWeakRef(js) < 0 || lc_add_host_module(js) < 0 ||
	    lc_make_tables(js) < 0)
		return -1;
	global = JS_GetGlobalObject(js);
	math = JS_GetPropertyStr(js, global, "Math");
	JS_SetPropertyStr(js, math, "random", JS_NewCFunction(js, random_number, "random", 0));
	JS_FreeValue(js, math);
	JS_FreeValue(js, global);
	return 0;
}

/* Evaluates the program; for an image with all its parts that the executable does not carry, which then cost nothing when they are imported. */
static int evaluate(struct lc_image *image)
{
	JSValue exports = lc_evaluate_module(image->js, "main.js");

	if (JS_IsException(exports))
		return -1;
	image->main = JS_GetPropertyStr(image->js, exports, "default");
	JS_FreeValue(image->js, exports);
	if (!JS_IsFunction(image->js, image->main)) {
		JS_ThrowTypeError(image->js, "the program's default export must be the function to call when it starts");
		return -1;
	}
	for (int i = 0; image->making && lc_modules[i].name; i++) {
		if (lc_modules[i].end > lc_modules[i].at)
			continue;
		exports = lc_evaluate_module(image->js, lc_modules[i].name);
		if (JS_IsException(exports))
			return -1;
		JS_FreeValue(image->js, exports);
	}
	return 0;
}

static int make_engine(struct lc_image *image)
{
	image->main = image->on_start = JS_UNDEFINED;
	image->runtime = JS_NewRuntime2(&lc_memory_functions, NULL);
	image->js = image->runtime ? JS_NewContextRaw(image->runtime) : NULL;
	if (!image->js || add_globals(image->js) < 0)
		return -1;
	lc_use_modules(image->runtime);
	lc_track_rejections(image->runtime);
	if (evaluate(image) < 0)
		lc_uncaught(image->js, JS_GetException(image->js));
	JS_RunGC(image->runtime);
	/* Commands live for milliseconds: collecting cycles before there is something to gain only costs. */
	JS_SetGCThreshold(image->runtime, 8u << 20);
	return 0;
}

/* A stream that was closed would become the next file that is opened, and that file be read or written as if it were the stream. */
static void open_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			_exit(1);
}

static void set_signals(void)
{
	struct sigaction act = { .sa_handler = SIG_DFL };

	/* With SIG_IGN or SA_NOCLDWAIT, which an engine may have left us, the kernel would discard the status of every child. */
	sigaction(SIGCHLD, &act, NULL);
	/* As Node: a reader that has gone is EPIPE, an error that names what was being written. */
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);
}

/* The status: the number that `main` answers, if it does. */
static int status_of(JSContext *js, JSValueConst promise)
{
	JSValue value;
	int32_t status = 0;

	if (JS_PromiseState(js, promise) == JS_PROMISE_PENDING)
		return UNSETTLED;
	value = JS_IsPromise(promise) ? JS_PromiseResult(js, promise) : JS_DupValue(js, promise);
	return JS_IsNumber(value) && JS_ToInt32(js, &status, value) == 0 ? status & 0xff : 0;
}

int main(int argc, char **argv)
{
	struct lc_image *image = &lc_image;
	JSValue done;

	if (image->used == 0) {
		image->making = argc == 2 && strcmp(argv[1], "--write-image") == 0;
		if ((image->making && lc_take_modules() < 0) || make_engine(image) < 0)
			return 1;
		if (image->making)
			return lc_write_image();
	}
	JS_UpdateStackTop(image->runtime);
	open_streams();
	set_signals();
	image->started = 1;
	if (lc_begin(image->js, argv) < 0)
		lc_uncaught(image->js, JS_GetException(image->js));
	done = JS_Call(image->js, image->main, JS_UNDEFINED, 0, NULL);
	if (JS_IsException(done))
		lc_uncaught(image->js, JS_GetException(image->js));
	lc_loop(image->js);
	_exit(status_of(image->js, done));
}
