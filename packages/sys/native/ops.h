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
int64_t lc_op_overlay_fd(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_socket_pair(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_send_message(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_receive_message(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_listen_unix(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_connect_unix(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_accept(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_remove_tree(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_open_in_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_create_in_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_make_directories_in_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_symlink_in_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_reopen(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_open_procfs(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_open_in_procfs(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_get_attribute(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_set_attribute(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_list_attributes(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_remove_attribute(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_get_parent_death_signal(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_set_parent_death_signal(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_get_subreaper(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_set_subreaper(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_reap_others(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_clock_ticks(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_random_bytes(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_close_exec_from(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_try_call(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_landlock_version(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_read_heads(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_split_huge_pages(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_open_notices(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_watch(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_unwatch(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_read_notices(struct lc_ctx *c, const union lc_arg *a);
#ifdef __cplusplus
}
#endif
#endif
