/* SPDX-License-Identifier: Apache-2.0 */
/* What a descriptor of a namespace is, and the mounts that keep namespaces without a process in them. */
#ifndef LC_NAMESPACE_H
#define LC_NAMESPACE_H

#include "op.h"

/* The CLONE_NEW… flag of the namespace that a descriptor is, or -errno: EINVAL when it is none. */
int64_t lc_namespace_type(struct lc_ctx *c, int fd);

int64_t lc_op_namespace_type(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_bind_namespace(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_unbind_namespace(struct lc_ctx *c, const union lc_arg *a);

#endif
