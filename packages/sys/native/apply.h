/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies an encoded plan: the interpreter that `init` and every host side batch share.
 *
 * The bytes come from src/plan.ts, which documents the layout; lc_plan_open() trusts none of them.
 */
#ifndef LC_APPLY_H
#define LC_APPLY_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LC_MAX_OPS 64	/* different ops a plan may name */
#define LC_MAX_SLOTS 64
#define LC_MAX_ARGS 8

/* What a slot holds: the result of a step, or what an answer to `ask` brought. */
struct lc_slot {
	int64_t i;
	struct lc_bytes b;	/* NUL-terminated beyond its size, so that it serves as a string too */
	uint8_t kind;		/* 0 empty, 1 integer, 2 bytes */
};

struct lc_plan {
	const uint8_t *at;
	size_t size;
	size_t tables;		/* where steps, arguments and alternatives end: bytes that ops write lie behind */
	uint32_t steps;		/* that run in order */
	uint32_t all;		/* with those reached by onError alone */
	uint32_t fail_at;	/* a step that fails on purpose (tests), or UINT32_MAX */
	uint32_t flags;
	const struct lc_op *ops[LC_MAX_OPS];
	struct lc_slot slots[LC_MAX_SLOTS];
};

#define LC_PLAN_TIMED 1u	/* record when each step ended */

/* Checks the bytes and finds the ops in `tables` (ended by NULL). 0, or -errno with the reason in `c`. */
int64_t lc_plan_open(struct lc_ctx *c, struct lc_plan *plan, const uint8_t *at, size_t size, const struct lc_op *const *tables);

/* Runs one step, with its alternatives. 0, or -errno. */
int64_t lc_plan_step(struct lc_ctx *c, struct lc_plan *plan, uint32_t step);

#ifdef __cplusplus
}
#endif
#endif
