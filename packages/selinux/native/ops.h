/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_SELINUX_OPS_H
#define LC_SELINUX_OPS_H

#include "../../sys/native/op.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct lc_op lc_selinux_ops[];

/* relabel.c */
int64_t lc_op_relabel_directories(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_file_label(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_relabel_file(struct lc_ctx *c, const union lc_arg *a);

#ifdef __cplusplus
}
#endif
#endif
