/* SPDX-License-Identifier: Apache-2.0 */
/* The session keyring of a process: the one act on keys that `init` does, in a table of its own. */
#include "keyctl.h"
#include "ops.h"

#include <linux/keyctl.h>

/*
 * joinSessionKeyring(name, permissions): the session keyring of that name which this user may search, else a new one. Permissions other
 * than 0 are added to it. The caller's own is out of reach from now on. It is the calling thread's alone: for `init`.
 */
static int64_t op_join_session_keyring(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t keyring = lc_keyctl(c, "keyctl(JOIN_SESSION_KEYRING)", KEYCTL_JOIN_SESSION_KEYRING, (long)a[0].s, 0, 0, 0);
	int64_t result;

	if (keyring < 0 || a[1].i == 0)
		return keyring;
	result = lc_modify_key(c, (long)keyring, ~0u, (uint32_t)a[1].i);
	return result < 0 ? result : keyring;
}

const struct lc_op lc_session_keyring_ops[] = {
	{ "joinSessionKeyring", "si", op_join_session_keyring },
	{ 0 },
};
