/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_KEYS_OPS_H
#define LC_KEYS_OPS_H

#include "../../sys/native/op.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct lc_op lc_keys_ops[];

/* What `init` links of them. */
extern const struct lc_op lc_session_keyring_ops[];

#ifdef __cplusplus
}
#endif
#endif
