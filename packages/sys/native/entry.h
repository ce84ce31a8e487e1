/* SPDX-License-Identifier: Apache-2.0 */
/* What getdents64(2) fills a buffer with: one behind the other, each `size` bytes long. Not every libc tells. */
#ifndef LC_ENTRY_H
#define LC_ENTRY_H

#include <stdint.h>

struct lc_entry {
	uint64_t inode, offset;
	uint16_t size;
	uint8_t type;	/* DT_* */
	char name[];
};

/* "." and "..", which every directory lists. */
static inline int lc_is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

#endif
