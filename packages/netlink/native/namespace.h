/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces: made without a process in them, kept by name, and entered by a program. */
#ifndef LC_NETLINK_NAMESPACE_H
#define LC_NETLINK_NAMESPACE_H

#include "../../sys/native/op.h"

int64_t lc_op_make_network_namespace(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_share_mounts(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_become_in_network_namespace(struct lc_ctx *c, const union lc_arg *a);

#endif
