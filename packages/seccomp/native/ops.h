/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_SECCOMP_OPS_H
#define LC_SECCOMP_OPS_H

#include "../../sys/native/op.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct lc_op lc_seccomp_ops[];

#ifdef __cplusplus
}
#endif
#endif
