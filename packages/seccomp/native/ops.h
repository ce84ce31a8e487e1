/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_SECCOMP_OPS_H
#define LC_SECCOMP_OPS_H

#include "../../sys/native/op.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct lc_op lc_seccomp_ops[];

/* setSeccompFilter, for init: a hook in the container is filtered, too. */
int64_t lc_op_set_seccomp_filter(struct lc_ctx *c, const union lc_arg *a);

/*
 * The same where the filter answers a listener, which `hand` gives away: 0, or -errno. No process is left that has it, so the filter holds nobody
 * up whom nobody answers. `hand` runs beside the filter, on a small stack.
 */
int64_t lc_load_notifying_filter(struct lc_ctx *c, const union lc_arg *a, int64_t (*hand)(int listener));

/* What both do: EPERM in a process of several threads, and seccomp(2). */
int64_t lc_confirm_one_thread(struct lc_ctx *c);
int64_t lc_load_filter(struct lc_ctx *c, const union lc_arg *a);

/* notify.c: the listener's side. */
int64_t lc_op_receive_notification(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_send_notification(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_notification_valid(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_add_notification_fd(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_read_process_memory(struct lc_ctx *c, const union lc_arg *a);

#ifdef __cplusplus
}
#endif
#endif
