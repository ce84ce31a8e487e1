/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an op is: one act on the kernel, with plain arguments and an integer for an answer.
 *
 * A facility's native/ops.c exports one table of ops and knows of no engine. Three programs link it: the
 * facility's binding (Node-API), the static `init` of a container, and the static executable (QuickJS).
 * An op therefore allocates nothing, prints nothing and keeps no state: system calls and the stack only.
 */
#ifndef LC_OP_H
#define LC_OP_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lc_bytes {
	uint8_t *at;
	size_t size;
};

/* An argument. `s` ends with NUL; `b` is a buffer that the op reads or fills. */
union lc_arg {
	int64_t i;
	const char *s;
	struct lc_bytes b;
};

/* What an op may tell about its failure, beyond the errno: an op that makes several system calls says which. */
struct lc_ctx {
	const char *syscall;	/* the call that failed; NULL: the one that the op is named after */
	char detail[160];	/* what it was about, such as the component of a path; "" for nothing */
};

/*
 * signature: one letter an argument. `i` is an integer (a descriptor too), `s` a string, `b` bytes, `o` bytes that the op only writes, the answer many:
 * what is larger than what comes need not go to another thread and back.
 * The answer is the result (0 or more) or -errno.
 */
struct lc_op {
	const char *name;
	const char *signature;
	int64_t (*call)(struct lc_ctx *c, const union lc_arg *a);
	int lane;		/* where its off-thread form runs: 0 the pool, LC_SPAWNER the one thread that clones */
	int constant;		/* the answer is the program's, not the machine's: may be asked when the executable is built */
};

#define LC_SPAWNER 1

/* For `return lc_fail(c, "move_mount");` right after the call: errno is read before anything can change it. */
static inline int64_t lc_fail(struct lc_ctx *c, const char *syscall)
{
	int error = errno;

	c->syscall = syscall;
	return -(int64_t)error;
}

/* The same, for an errno that we found rather than got. */
static inline int64_t lc_refuse(struct lc_ctx *c, const char *syscall, int error)
{
	c->syscall = syscall;
	return -(int64_t)error;
}

/* A system call's own answer as an op's: -1 becomes -errno. */
static inline int64_t lc_check(int64_t result)
{
	return result < 0 ? -(int64_t)errno : result;
}

/* Copies as much of `text` as fits into c->detail; snprintf is not for `init`. */
static inline void lc_detail(struct lc_ctx *c, const char *text)
{
	size_t i = 0;

	for (; text[i] != 0 && i + 1 < sizeof(c->detail); i++)
		c->detail[i] = text[i];
	c->detail[i] = 0;
}

#ifdef __cplusplus
}
#endif
#endif
