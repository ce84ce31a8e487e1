/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_NAMESPACES_OPS_H
#define LC_NAMESPACES_OPS_H

#include "../../sys/native/namespace.h"
#include "../../sys/native/op.h"

#ifdef __cplusplus
extern "C" {
#endif
extern const struct lc_op lc_namespaces_ops[];

/* What the kernel tells of a namespace: see inspectNamespace. */
struct lc_namespace {
	int64_t type, device, inode, owner, user_namespace, parent;
};
int64_t lc_describe_namespace(struct lc_ctx *c, int fd, struct lc_namespace *to);

/* The parts of the table, one file each. */
int64_t lc_op_open_namespace(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_set_namespace(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_set_process_namespaces(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_join_namespaces(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_inspect_namespace(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_read_namespace_maps(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_scan_namespaces(struct lc_ctx *c, const union lc_arg *a);
#ifdef __cplusplus
}
#endif
#endif
