/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_NETLINK_OPS_H
#define LC_NETLINK_OPS_H

#include "../../sys/native/op.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct lc_op lc_netlink_ops[];

/* What `init` links of them: see request.c. */
int64_t lc_op_request_netlink(struct lc_ctx *c, const union lc_arg *a);
#define LC_REQUEST_NETLINK { "requestNetlink", "bsi", lc_op_request_netlink, 0 }
extern const struct lc_op lc_netlink_request_ops[];

/* A socket made in a network namespace: see open.c. */
int64_t lc_op_open_netlink(struct lc_ctx *c, const union lc_arg *a);
/* What a path opens in a network namespace, such as /dev/net/tun, or a netlink socket where the path is NULL: never waits. */
int64_t lc_open_in_network_namespace(struct lc_ctx *c, int net, const char *path, int protocol);
/* A tun or tap device: see tun.c. */
int64_t lc_op_open_tun(struct lc_ctx *c, const union lc_arg *a);

#ifdef __cplusplus
}
#endif
#endif
