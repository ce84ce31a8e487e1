/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second host: QuickJS-ng in one static executable. Everything that JavaScript gets from it is the module `lc:host`,
 * which src/quickjs/host.ts types; what the executable carries is told by three tables that the build writes.
 */
#ifndef LC_QUICKJS_HOST_H
#define LC_QUICKJS_HOST_H

#include <quickjs.h>

#include "../apply.h"
#include "../op.h"

/* A facility's table of ops, under the name that binding() asks for. */
struct lc_facility {
	const char *name;
	const struct lc_op *ops;
};

/* Bytes that the executable carries: the bytecode of a module, or a file such as `init`. */
struct lc_embedded {
	const char *name;
	const uint8_t *at, *end;
};

/* Each ends with { 0 }. */
extern const struct lc_facility lc_facilities[];
extern const struct lc_embedded lc_modules[];
extern const struct lc_embedded lc_files[];

/* memory.c */
extern const JSMallocFunctions lc_memory;

/* modules.c: loads and evaluates a module of the executable; a promise, or an exception. */
JSValue lc_run_module(JSContext *js, const char *name);
void lc_use_modules(JSRuntime *runtime);

/* exports.c: the module `lc:host`. */
int lc_add_host_module(JSContext *js, int argc, char **argv);

/* glue.c: { sync, async, apply } of a facility. */
JSValue lc_load_table(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);

/* text.c */
JSValue lc_encode_utf8(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);
JSValue lc_decode_utf8(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);
/* The same for C: what is not UTF-8 becomes U+FFFD. */
JSValue lc_text(JSContext *js, const char *bytes, size_t size);

/* loop.c */
JSValue lc_watch(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);
JSValue lc_timer(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);
JSValue lc_cancel(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);
/* Runs jobs, timers and watches until none is left. Ends the process when an error is caught by nobody. */
void lc_loop(JSContext *js);

/* uncaught.c */
void lc_track_rejections(JSRuntime *runtime);
/* Ends the process when a promise was rejected and nobody handled it. Called between turns of the loop. */
void lc_check_rejections(JSContext *js);
/* Prints the error, what can be done about it, and where a defect of ours arose; exits 1. */
_Noreturn void lc_uncaught(JSContext *js, JSValueConst error);

#endif
