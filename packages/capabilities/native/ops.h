/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_CAPABILITIES_OPS_H
#define LC_CAPABILITIES_OPS_H

#include "../../sys/native/op.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct lc_op lc_capabilities_ops[];

#ifdef __cplusplus
}
#endif
#endif
