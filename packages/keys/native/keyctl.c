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

/* The number behind so many semicolons of `type;uid;gid;permissions;description`; permissions are hexadecimal, ids as if they had a sign. */
static uint32_t number_in(const char *text, int semicolons, uint32_t base)
{
	uint32_t number = 0;
	int negative;

	for (; *text != 0 && semicolons > 0; text++)
		semicolons -= *text == ';';
	negative = *text == '-';
	text += negative;
	for (;; text++) {
		uint32_t digit = *text >= '0' && *text <= '9' ? (uint32_t)(*text - '0') :
				 *text >= 'a' && *text <= 'f' ? (uint32_t)(*text - 'a' + 10) : base;

		if (digit >= base)
			return negative ? -number : number;
		number = number * base + digit;
	}
}

int64_t lc_describe_key(struct lc_ctx *c, long key, uint32_t *permissions, int *is_own)
{
	char text[DESCRIPTION_SIZE];
	int64_t size = lc_keyctl(c, "keyctl(DESCRIBE)", KEYCTL_DESCRIBE, key, (long)text, sizeof(text), 0);

	if (size < 0)
		return size;
	text[sizeof(text) - 1] = 0;
	*permissions = number_in(text, 3, 16);
	*is_own = number_in(text, 1, 10) == geteuid();
	return 0;
}

int64_t lc_modify_key(struct lc_ctx *c, long key, uint32_t keep, uint32_t add)
{
	uint32_t permissions;
	int is_own;
	int64_t result = lc_describe_key(c, key, &permissions, &is_own);

	if (result < 0)
		return result;
	permissions = (permissions & keep) | add;
	result = lc_keyctl(c, "keyctl(SETPERM)", KEYCTL_SETPERM, key, (long)permissions, 0, 0);
	return result < 0 ? result : permissions;
}
