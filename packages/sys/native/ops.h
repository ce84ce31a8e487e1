/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_SYS_OPS_H
#define LC_SYS_OPS_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif
extern const struct lc_op lc_sys_ops[];

/* The parts of the table, one file each. */
int64_t lc_op_spawn(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_program_fd(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_socket_pair(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_send_message(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_receive_message(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_listen_unix(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_connect_unix(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_accept(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_remove_tree(struct lc_ctx *c, const union lc_arg *a);
#ifdef __cplusplus
}
#endif
#endif
