/* SPDX-License-Identifier: Apache-2.0 */
/* Keys by raw calls: libc has none of them, and nobody links libkeyutils. */
#ifndef LC_KEYCTL_H
#define LC_KEYCTL_H

#include "../../sys/native/op.h"

/* keyctl(2): all arguments are longs to the kernel. `name` is what an error calls it. */
int64_t lc_keyctl(struct lc_ctx *c, const char *name, long command, long a, long b, long d, long e);

/* What is permitted, as KEYCTL_SETPERM takes it, and whether the effective user is the owner. */
int64_t lc_describe_key(struct lc_ctx *c, long key, uint32_t *permissions, int *is_own);

/* What is permitted becomes (old & keep) | add; answers the new permissions. */
int64_t lc_modify_key(struct lc_ctx *c, long key, uint32_t keep, uint32_t add);

#endif
