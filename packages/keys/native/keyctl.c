/* SPDX-License-Identifier: Apache-2.0 */
#include "keyctl.h"

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* type, owner, group and permissions before a description of at most 4095 bytes, and a NUL */
#define DESCRIPTION_SIZE 4224

int64_t lc_keyctl(struct lc_ctx *c, const char *name, long command, long a, long b, long d, long e)
{
	long result = syscall(SYS_keyctl, command, a, b, d, e);

	return result < 0 ? lc_fail(c, name) : result;
}

/* The permissions in `type;uid;gid;permissions;description`, in hexadecimal. */
static uint32_t permissions_in(const char *text)
{
	uint32_t permissions = 0;

	for (int fields = 0; *text != 0 && fields < 3; text++)
		fields += *text == ';';
	for (;; text++) {
		if (*text >= '0' && *text <= '9')
			permissions = permissions << 4 | (uint32_t)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			permissions = permissions << 4 | (uint32_t)(*text - 'a' + 10);
		else
			return permissions;
	}
}

int64_t lc_modify_key(struct lc_ctx *c, long key, uint32_t keep, uint32_t add)
{
	char text[DESCRIPTION_SIZE];
	int64_t size = lc_keyctl(c, "keyctl(DESCRIBE)", KEYCTL_DESCRIBE, key, (long)text, sizeof(text), 0);
	uint32_t permissions;

	if (size < 0)
		return size;
	text[sizeof(text) - 1] = 0;
	permissions = (permissions_in(text) & keep) | add;
	size = lc_keyctl(c, "keyctl(SETPERM)", KEYCTL_SETPERM, key, (long)permissions, 0, 0);
	return size < 0 ? size : permissions;
}

