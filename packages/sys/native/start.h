/* SPDX-License-Identifier: Apache-2.0 */
/* A program after some steps: what starts one is an op of each facility that has steps for it, and of sys for those that every process has. */
#ifndef LC_START_H
#define LC_START_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The arguments of such an op, and where its off-thread form runs. */
#define LC_START_SIGNATURE "bbbbbbs"

/*
 * (request, result, plan, paths, argv, env, cwd): the child's pid; result is { i32 pid, i32 pidfd }. Without argv it ends after the plan. cwd is ""
 * for where the plan leaves it. The plan's ops are those of `facility`, if any, of label.c, and what asks the starter.
 */
int64_t lc_start_program(struct lc_ctx *c, const union lc_arg *a, const struct lc_op *facility);

#ifdef __cplusplus
}
#endif
#endif
