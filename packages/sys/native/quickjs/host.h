/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second host: QuickJS-ng in one static executable. Everything that JavaScript gets from it is the module `lc:host`,
 * which src/quickjs/host.ts types; what the executable carries is told by three tables that the build writes.
 */
#ifndef LC_QUICKJS_HOST_H
#define LC_QUICKJS_HOST_H

#include <quickjs.h>

#include <stdbool.h>

#include "../apply.h"
#include "../op.h"

/* A facility's table of ops, under the name that binding() asks for. */
struct lc_facility {
	const char *name;
	const struct lc_op *ops;
};

/* Bytes that the executable carries: the bytecode of a module (none where there is an image), or a file such as `init`. */
struct lc_embedded {
	const char *name;
	const uint8_t *at, *end;
	size_t unpacked;	/* its size, where it is packed; else 0 */
};

/* Each ends with { 0 }. */
extern const struct lc_facility lc_facilities[];
extern const struct lc_embedded lc_modules[];
extern const struct lc_embedded lc_files[];

/* memory.c */
#define LC_SIZES 41

struct lc_memory {
	uint8_t *at, *end;			/* what is left of the chunk that blocks are cut from */
	struct lc_block *freed[LC_SIZES];	/* by class of size */
};

extern const JSMallocFunctions lc_memory_functions;

/* When the image is complete: what is free in it is for the run. */
void lc_settle_memory(void);

/*
 * The engine as it stood when the executable was built, with all modules of the program evaluated. The executable's own data holds it, at
 * the addresses at which it was made, so that a start makes no engine, reads no bytecode and evaluates no module: it calls `main`. The build
 * writes the assembly that reserves the place, runs the executable with `--write-image` and the modules as its input, and puts what it gets into the file: see
 * scripts/binary/image.mjs.
 */
struct lc_image {
	char mark[16];		/* how the build finds the place in the file */
	uint64_t used;		/* bytes of `heap`; 0: no image, the engine is made at every start */
	uint64_t peak;		/* bytes that it takes to make it: some are given back at the end */
	uint64_t making;	/* an image: all memory comes from its heap */
	uint64_t started;	/* `main` was called: what would differ from machine to machine is refused before */
	JSRuntime *runtime;
	JSContext *js;
	JSValue main;		/* the program's default export */
	JSValue on_start;	/* what host.ts does first */
	struct lc_tables *tables;
	struct lc_memory memory;
	struct lc_block *holes;	/* while it is made: what is free, by address */
	uint64_t requests;	/* and how many blocks were asked for */
	_Alignas(16) uint8_t heap[];
};

extern struct lc_image lc_image;
extern const uint8_t lc_image_end[];

/* The engine, as scripts/binary/pinned.mjs changes it: from now on no reference to what there is is counted. */
void lc_pin_objects(JSRuntime *runtime);

/* image.c: a status. */
int lc_write_image(void);
/* Throws, and answers false, while modules are evaluated: their results stay in the image. */
bool lc_started(JSContext *js, const char *what);

/* inflate.c: unpacks what has `size` bytes then; false for anything else. */
bool lc_inflate(const uint8_t *at, const uint8_t *end, uint8_t *to, size_t size);

/* modules.c: evaluates a module of the executable, unless it has been; its namespace. */
JSValue lc_evaluate_module(JSContext *js, const char *name);
void lc_use_modules(JSRuntime *runtime);
/* Takes the bytecode of all modules from standard input, for an image. */
int lc_take_modules(void);

/* exports.c: the module `lc:host`. */
int lc_add_host_module(JSContext *js);
/* Hands the command line to host.ts. An exception is thrown on. */
int lc_begin(JSContext *js, char **argv);

/* glue.c: makes functions of all tables; gives { sync, async, apply } of a facility. */
int lc_make_tables(JSContext *js);
JSValue lc_load_table(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);

/* text.c */
JSValue lc_encode_utf8(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);
JSValue lc_decode_utf8(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);
/* The same for C: what is not UTF-8 becomes U+FFFD. */
JSValue lc_text(JSContext *js, const char *bytes, size_t size);

/* become.c */
JSValue lc_become_program(JSContext *js, JSValueConst self, int argc, JSValueConst *argv);

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
