/* SPDX-License-Identifier: Apache-2.0 */
/* Errors that nobody caught: told on standard error, and the end of the process with status 1, as in Node. */
#include "host.h"

#include <string.h>
#include <unistd.h>

#define CAUSES 8	/* of an error, and theirs */

struct rejection {
	JSValue promise, reason;
};

static struct rejection *rejections;
static uint32_t count, room;

static void say(const char *text, size_t size)
{
	while (size > 0) {
		ssize_t put = write(2, text, size);

		if (put <= 0)
			return;
		text += put;
		size -= (size_t)put;
	}
}

static void say_line(JSContext *js, const char *before, JSValueConst value)
{
	size_t size;
	const char *text = JS_ToCStringLen(js, &size, value);

	say(before, strlen(before));
	if (text)
		say(text, size);
	say("\n", 1);
	JS_FreeCString(js, text);
}

/* An error of ours has a code and a message that stands alone; any other is a defect, and where it arose matters. */
static void tell(JSContext *js, const char *before, JSValueConst error)
{
	JSValue code = JS_GetPropertyStr(js, error, "code");
	JSValue message = JS_GetPropertyStr(js, error, "message");
	JSValue hint = JS_GetPropertyStr(js, error, "hint");
	JSValue stack = JS_GetPropertyStr(js, error, "stack");

	if (JS_IsString(code) && JS_IsString(message)) {
		say_line(js, before, message);
		if (JS_IsString(hint))
			say_line(js, "hint: ", hint);
	} else {
		say_line(js, before, error);
		if (JS_IsString(stack))
			say_line(js, "", stack);
	}
	JS_FreeValues(js, code, message, hint, stack);
}

_Noreturn void lc_uncaught(JSContext *js, JSValueConst error)
{
	JSValue at = JS_DupValue(js, error);

	for (int depth = 0; depth < CAUSES && !JS_IsUndefined(at); depth++) {
		JSValue cause = JS_IsObject(at) ? JS_GetPropertyStr(js, at, "cause") : JS_UNDEFINED;

		tell(js, depth == 0 ? "" : "because: ", at);
		JS_FreeValue(js, at);
		at = cause;
	}
	_exit(1);
}

static void track(JSContext *js, JSValueConst promise, JSValueConst reason, bool handled, void *with)
{
	(void)with;
	if (handled) {
		for (uint32_t i = 0; i < count; i++) {
			if (!JS_IsStrictEqual(js, rejections[i].promise, promise))
				continue;
			JS_FreeValue(js, rejections[i].promise);
			JS_FreeValue(js, rejections[i].reason);
			rejections[i] = rejections[--count];
			return;
		}
		return;
	}
	if (count == room) {
		uint32_t larger = room ? room * 2 : 8;
		struct rejection *more = js_realloc(js, rejections, larger * sizeof(*more));

		if (!more)
			lc_uncaught(js, reason);
		rejections = more;
		room = larger;
	}
	rejections[count++] = (struct rejection){ JS_DupValue(js, promise), JS_DupValue(js, reason) };
}

void lc_track_rejections(JSRuntime *runtime)
{
	JS_SetHostPromiseRejectionTracker(runtime, track, NULL);
}

void lc_check_rejections(JSContext *js)
{
	if (count > 0)
		lc_uncaught(js, rejections[0].reason);
}
