/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_MOUNT_OPS_H
#define LC_MOUNT_OPS_H

#include "../../sys/native/op.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct lc_op lc_mount_ops[];

#ifdef __cplusplus
}
#endif

#endif
