/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_LABEL_H
#define LC_LABEL_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a process tells the kernel's security modules of itself: for `init`, and for a child that has none. */
extern const struct lc_op lc_label_ops[];

#ifdef __cplusplus
}
#endif
#endif
