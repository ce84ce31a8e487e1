/* SPDX-License-Identifier: Apache-2.0 */
/* The session keyring of a process: the one act on keys that `init` does, in a table of its own. */
#include "keyctl.h"
#include "ops.h"

#include <linux/keyctl.h>

/* Search, for the owner, the group and everybody: what a keyring needs to be found by its name, and a new one has not. */
#define FOUND 0x00080808u

/* More than end at once under one name. */
#define TRIES 16

static int64_t join(struct lc_ctx *c, const char *name)
{
	return lc_keyctl(c, "keyctl(JOIN_SESSION_KEYRING)", KEYCTL_JOIN_SESSION_KEYRING, (long)name, 0, 0, 0);
}

/*
 * A new one of that name. The kernel would join whichever it finds, whoever has put it there, and share it. One of our own user is what a
 * container of this name has left, which lasts until all processors have noticed that it ended: revoked, it is found no more. Anybody else's,
 * and one that is our session already, ends it.
 */
static int64_t join_new(struct lc_ctx *c, const char *name)
{
	for (int i = 0; i < TRIES; i++) {
		int64_t keyring = join(c, name), result;
		uint32_t permissions;
		int is_own;

		if (keyring < 0)
			return keyring;
		/* The kernel answers so for what is our session keyring already. */
		if (keyring == 0)
			break;
		result = lc_describe_key(c, (long)keyring, &permissions, &is_own);
		if (result < 0)
			return result;
		if (!(permissions & FOUND))
			return keyring;
		if (!is_own)
			break;
		result = lc_keyctl(c, "keyctl(REVOKE)", KEYCTL_REVOKE, (long)keyring, 0, 0, 0);
		if (result < 0)
			return result;
	}
	lc_detail(c, name);
	return lc_refuse(c, "keyctl(JOIN_SESSION_KEYRING)", EEXIST);
}

/*
 * joinSessionKeyring(name, permissions): a new session keyring of that name, which gets these permissions beside its own; with 0 the one of that
 * name which this user may search, else a new one. The caller's own is out of reach from now on. It is the calling thread's alone: for `init`.
 */
static int64_t op_join_session_keyring(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t keyring = a[1].i == 0 ? join(c, a[0].s) : join_new(c, a[0].s);
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
