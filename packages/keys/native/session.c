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

enum whose { MADE, OWN, FOREIGN };

/* Whether the join has made it, or found one of this user's or anybody's: one that hides what it is counts as the latter. */
static enum whose whose(struct lc_ctx *c, int64_t keyring)
{
	uint32_t permissions;
	int is_own;

	if (lc_describe_key(c, (long)keyring, &permissions, &is_own) < 0)
		return FOREIGN;
	return !(permissions & FOUND) ? MADE : is_own ? OWN : FOREIGN;
}

/*
 * joinSessionKeyring(name, permissions): a new session keyring of that name, which gets these permissions beside its own; with -1 the one of that
 * name which this user may search, else a new one. The caller's own is out of reach from now on. It is the calling thread's alone: for `init`.
 *
 * The kernel would join whichever it finds, whoever has put it there, and share it. Where a new one is wanted, one of our own user is what a
 * container of this name has left, which lasts until all processors have noticed that it ended: revoked, it is found no more. Anybody else's
 * ends it, and so does one that is our session already.
 */
static int64_t op_join_session_keyring(struct lc_ctx *c, const union lc_arg *a)
{
	int is_new = a[1].i >= 0;

	for (int i = 0; i < TRIES; i++) {
		int64_t keyring = join(c, a[0].s), result;
		enum whose of;

		/* 0: our session keyring has this name. */
		if (keyring < 0 || (keyring == 0 && !is_new))
			return keyring;
		of = keyring == 0 ? FOREIGN : whose(c, keyring);
		if (of == FOREIGN)
			break;
		if (!is_new)
			return keyring;
		result = of == MADE ? lc_modify_key(c, (long)keyring, ~0u, (uint32_t)a[1].i) :
				      lc_keyctl(c, "keyctl(REVOKE)", KEYCTL_REVOKE, (long)keyring, 0, 0, 0);
		if (result < 0 || of == MADE)
			return result < 0 ? result : keyring;
	}
	lc_detail(c, a[0].s);
	return lc_refuse(c, "keyctl(JOIN_SESSION_KEYRING)", EEXIST);
}

const struct lc_op lc_session_keyring_ops[] = {
	{ "joinSessionKeyring", "si", op_join_session_keyring },
	{ 0 },
};
