/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: jobs of promises, timers, and one ppoll(2) over the watched descriptors. The process ends when nothing of
 * these is left, as Node's does.
 */
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define NEVER INT64_MAX

/* One wait: a descriptor, or a moment. `watches` and `fds` go side by side, since ppoll wants its own array. */
struct wait {
	int64_t id;
	int64_t at;		/* nanoseconds of CLOCK_MONOTONIC; NEVER for a descriptor */
	JSValue callback;
	bool background;	/* does not keep the process alive */
};

static struct wait *waits;
static struct pollfd *fds;
static uint32_t count, room, foreground;
static int64_t last_id;

static int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static JSValue add(JSContext *js, int fd, short events, int64_t at, bool background, JSValueConst callback)
{
	if (!lc_started(js, "a wait"))
		return JS_EXCEPTION;
	if (!JS_IsFunction(js, callback))
		return JS_ThrowTypeError(js, "a wait needs a function to call");
	if (count == room) {
		uint32_t larger = room ? room * 2 : 16;
		struct wait *more_waits = js_realloc(js, waits, larger * sizeof(*waits));
		struct pollfd *more_fds;

		if (!more_waits)
			return JS_EXCEPTION;
		waits = more_waits;
		more_fds = js_realloc(js, fds, larger * sizeof(*fds));
		if (!more_fds)
			return JS_EXCEPTION;
		fds = more_fds;
		room = larger;
	}
	waits[count] = (struct wait){ .id = ++last_id, .at = at, .callback = JS_DupValue(js, callback), .background = background };
	fds[count] = (struct pollfd){ .fd = fd, .events = events };
	count++;
	foreground += !background;
	return JS_NewInt64(js, last_id);
}

/* Order is kept: timers of one moment fire in the order in which they were made. */
static JSValue take(uint32_t i)
{
	JSValue callback = waits[i].callback;

	count--;
	foreground -= !waits[i].background;
	memmove(waits + i, waits + i + 1, (count - i) * sizeof(*waits));
	memmove(fds + i, fds + i + 1, (count - i) * sizeof(*fds));
	return callback;
}

/* watch(fd, events, callback, background): calls once with the events that poll(2) saw. */
JSValue lc_watch(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	int32_t fd, events;

	(void)self;
	if (argc < 3 || JS_ToInt32(js, &fd, argv[0]) < 0 || JS_ToInt32(js, &events, argv[1]) < 0)
		return JS_HasException(js) ? JS_EXCEPTION : JS_ThrowTypeError(js, "watch: takes a descriptor, events and a function");
	return add(js, fd, (short)events, NEVER, argc > 3 && JS_ToBool(js, argv[3]) > 0, argv[2]);
}

/* timer(milliseconds, callback, background) */
JSValue lc_timer(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	double ms;
	int64_t wait;

	(void)self;
	if (argc < 2 || JS_ToFloat64(js, &ms, argv[0]) < 0)
		return JS_HasException(js) ? JS_EXCEPTION : JS_ThrowTypeError(js, "timer: takes milliseconds and a function");
	if (!(ms > 0))
		wait = 0;
	else
		wait = ms > 1e12 ? (int64_t)1e18 : (int64_t)(ms * 1e6);
	return add(js, -1, 0, clock_now() + wait, argc > 2 && JS_ToBool(js, argv[2]) > 0, argv[1]);
}

/* cancel(id): true when it had not fired. */
JSValue lc_cancel(JSContext *js, JSValueConst self, int argc, JSValueConst *argv)
{
	int64_t id;

	(void)self;
	if (argc < 1 || JS_ToInt64(js, &id, argv[0]) < 0)
		return JS_HasException(js) ? JS_EXCEPTION : JS_FALSE;
	for (uint32_t i = 0; i < count; i++) {
		if (waits[i].id == id) {
			JS_FreeValue(js, take(i));
			return JS_TRUE;
		}
	}
	return JS_FALSE;
}

static void run_jobs(JSContext *js)
{
	JSContext *at;
	int result;

	while ((result = JS_ExecutePendingJob(JS_GetRuntime(js), &at)) > 0)
		;
	if (result < 0)
		lc_uncaught(js, JS_GetException(at));
	lc_check_rejections(js);
}

static void fire(JSContext *js, uint32_t i, int32_t value)
{
	JSValue callback = take(i);
	JSValue argument = JS_NewInt32(js, value);
	JSValue result = JS_Call(js, callback, JS_UNDEFINED, 1, (JSValueConst *)&argument);

	if (JS_IsException(result))
		lc_uncaught(js, JS_GetException(js));
	JS_FreeValue(js, result);
	JS_FreeValue(js, callback);
	run_jobs(js);
}


/* The next timer that is due, in order of time; `count` for none. */
static uint32_t next_timer(int64_t before)
{
	uint32_t first = count;

	for (uint32_t i = 0; i < count; i++)
		if (waits[i].at <= before && (first == count || waits[i].at < waits[first].at))
			first = i;
	return first;
}

static uint32_t next_ready(void)
{
	uint32_t i = 0;

	while (i < count && fds[i].revents == 0)
		i++;
	return i;
}

static void wait_once(JSContext *js)
{
	uint32_t i = next_timer(NEVER - 1);
	struct timespec left = { 0 };
	int64_t now = clock_now();
	int ready;

	if (i < count && waits[i].at > now)
		left = (struct timespec){ .tv_sec = (waits[i].at - now) / 1000000000, .tv_nsec = (waits[i].at - now) % 1000000000 };
	ready = ppoll(fds, count, i < count ? &left : NULL, NULL);
	if (ready < 0 && errno != EINTR && errno != EAGAIN) {
		JS_ThrowInternalError(js, "ppoll: errno %d", errno);
		lc_uncaught(js, JS_GetException(js));
	}

	/* A callback may add waits and cancel any: so each search starts anew. What it adds is neither due nor ready yet. */
	now = clock_now();
	while ((i = next_timer(now)) < count)
		fire(js, i, 0);
	while ((i = next_ready()) < count)
		fire(js, i, fds[i].revents);
}

void lc_loop(JSContext *js)
{
	run_jobs(js);
	while (foreground > 0)
		wait_once(js);
}
