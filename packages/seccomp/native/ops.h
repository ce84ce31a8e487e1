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

#ifdef __cplusplus
}
#endif
#endif
