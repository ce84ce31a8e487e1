/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and keyrings, for the host. */
#include "keyctl.h"
#include "ops.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef KEYCTL_MOVE
#define KEYCTL_MOVE 30
#endif
#ifndef KEYCTL_CAPABILITIES
#define KEYCTL_CAPABILITIES 31
#endif

static int64_t op_add_key(struct lc_ctx *c, const union lc_arg *a)
{
	long key = syscall(SYS_add_key, a[0].s, a[1].s, a[2].b.size ? a[2].b.at : NULL, a[2].b.size, a[3].i);

	return key < 0 ? lc_fail(c, "add_key") : key;
}

static int64_t op_request_key(struct lc_ctx *c, const union lc_arg *a)
{
	long key = syscall(SYS_request_key, a[0].s, a[1].s, a[3].i ? a[2].s : NULL, a[4].i);

	return key < 0 ? lc_fail(c, "request_key") : key;
}

static int64_t op_search_keyring(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(SEARCH)", KEYCTL_SEARCH, (long)a[0].i, (long)a[1].s, (long)a[2].s, (long)a[3].i);
}

/* Never creates one: that would be the calling thread's alone. */
static int64_t op_keyring_id(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(GET_KEYRING_ID)", KEYCTL_GET_KEYRING_ID, (long)a[0].i, 0, 0, 0);
}

static int64_t op_persistent_keyring(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(GET_PERSISTENT)", KEYCTL_GET_PERSISTENT, (long)a[0].i, (long)a[1].i, 0, 0);
}

static int64_t op_describe_key(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(DESCRIBE)", KEYCTL_DESCRIBE, (long)a[0].i, (long)a[1].b.at, (long)a[1].b.size, 0);
}

static int64_t op_read_key(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(READ)", KEYCTL_READ, (long)a[0].i, (long)a[1].b.at, (long)a[1].b.size, 0);
}

static int64_t op_update_key(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(UPDATE)", KEYCTL_UPDATE, (long)a[0].i, a[1].b.size ? (long)a[1].b.at : 0,
		       (long)a[1].b.size, 0);
}

static int64_t op_revoke_key(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(REVOKE)", KEYCTL_REVOKE, (long)a[0].i, 0, 0, 0);
}

static int64_t op_invalidate_key(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(INVALIDATE)", KEYCTL_INVALIDATE, (long)a[0].i, 0, 0, 0);
}

static int64_t op_clear_keyring(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(CLEAR)", KEYCTL_CLEAR, (long)a[0].i, 0, 0, 0);
}

static int64_t op_link_key(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(LINK)", KEYCTL_LINK, (long)a[0].i, (long)a[1].i, 0, 0);
}

static int64_t op_unlink_key(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(UNLINK)", KEYCTL_UNLINK, (long)a[0].i, (long)a[1].i, 0, 0);
}

static int64_t op_move_key(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(MOVE)", KEYCTL_MOVE, (long)a[0].i, (long)a[1].i, (long)a[2].i, (long)a[3].i);
}

static int64_t op_set_key_timeout(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(SET_TIMEOUT)", KEYCTL_SET_TIMEOUT, (long)a[0].i, (long)a[1].i, 0, 0);
}

static int64_t op_set_key_permissions(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(SETPERM)", KEYCTL_SETPERM, (long)a[0].i, (long)a[1].i, 0, 0);
}

static int64_t op_modify_key_permissions(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_modify_key(c, (long)a[0].i, (uint32_t)a[1].i, (uint32_t)a[2].i);
}

static int64_t op_change_key_owner(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(CHOWN)", KEYCTL_CHOWN, (long)a[0].i, (long)a[1].i, (long)a[2].i, 0);
}

static int64_t op_key_capabilities(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_keyctl(c, "keyctl(CAPABILITIES)", KEYCTL_CAPABILITIES, (long)a[0].b.at, (long)a[0].b.size, 0, 0);
}

const struct lc_op lc_keys_ops[] = {
	{ "addKey", "ssbi", op_add_key },			/* type, description, payload, keyring: its serial number */
	{ "requestKey", "sssii", op_request_key },		/* type, description, information, whether there is some, keyring or 0 */
	{ "searchKeyring", "issi", op_search_keyring },		/* keyring, type, description, keyring to link it to or 0 */
	{ "keyringId", "i", op_keyring_id },			/* a KEY_SPEC_ number */
	{ "persistentKeyring", "ii", op_persistent_keyring },	/* uid or -1, keyring to link it to */
	{ "describeKey", "ib", op_describe_key },		/* the size, with its NUL, also where it does not fit */
	{ "readKey", "ib", op_read_key },			/* the size, also where it does not fit */
	{ "updateKey", "ib", op_update_key },
	{ "revokeKey", "i", op_revoke_key },
	{ "invalidateKey", "i", op_invalidate_key },
	{ "clearKeyring", "i", op_clear_keyring },
	{ "linkKey", "ii", op_link_key },			/* key, keyring */
	{ "unlinkKey", "ii", op_unlink_key },			/* key, keyring */
	{ "moveKey", "iiii", op_move_key },			/* key, from, to, flags */
	{ "setKeyTimeout", "ii", op_set_key_timeout },		/* seconds; 0 for none */
	{ "setKeyPermissions", "ii", op_set_key_permissions },
	{ "modifyKeyPermissions", "iii", op_modify_key_permissions },	/* key, mask to keep, mask to add: the new one */
	{ "changeKeyOwner", "iii", op_change_key_owner },	/* uid, gid; -1 leaves one */
	{ "keyCapabilities", "b", op_key_capabilities },	/* the size: Linux 5.3 */
	{ 0 },
};
