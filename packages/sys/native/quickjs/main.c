/* SPDX-License-Identifier: Apache-2.0 */
/* The static executable: starts the engine with what the bundle needs, runs `main.js`, and then the loop until nothing is left. */
#include "host.h"

#include <signal.h>
#include <unistd.h>

#define UNSETTLED 13	/* as Node: the program awaits what nothing can bring any more */

/* No eval and no compiler, no dates beyond the clock, no proxies: each costs time at every start. */
static int add_intrinsics(JSContext *js)
{
	return JS_AddIntrinsicBaseObjects(js) < 0 || JS_AddIntrinsicRegExp(js) < 0 || JS_AddIntrinsicJSON(js) < 0 ||
	       JS_AddIntrinsicMapSet(js) < 0 || JS_AddIntrinsicTypedArrays(js) < 0 || JS_AddIntrinsicPromise(js) < 0 ||
	       JS_AddIntrinsicDate(js) < 0 ? -1 : 0;
}

static void signals(void)
{
	struct sigaction act = { .sa_handler = SIG_DFL };

	/* With SIG_IGN or SA_NOCLDWAIT, which an engine may have left us, the kernel would discard the status of every child. */
	sigaction(SIGCHLD, &act, NULL);
	/* As Node: a reader that has gone is EPIPE, an error that names what was being written. */
	act.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &act, NULL);
}

int main(int argc, char **argv)
{
	JSRuntime *runtime = JS_NewRuntime2(&lc_memory, NULL);
	JSContext *js = runtime ? JS_NewContextRaw(runtime) : NULL;
	JSValue done;

	if (!js || add_intrinsics(js) < 0 || lc_add_host_module(js, argc, argv) < 0)
		return 1;
	/* Commands live for milliseconds: collecting cycles before there is something to gain only costs. */
	JS_SetGCThreshold(runtime, 8u << 20);
	signals();
	lc_use_modules(runtime);
	lc_track_rejections(runtime);

	done = lc_run_module(js, "main.js");
	if (JS_IsException(done))
		lc_uncaught(js, JS_GetException(js));
	lc_loop(js);
	_exit(JS_PromiseState(js, done) == JS_PROMISE_PENDING ? UNSETTLED : 0);
}
