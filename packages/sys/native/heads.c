/* SPDX-License-Identifier: Apache-2.0 */
/* The beginnings of many files at once: what tells of each of a thousand containers, or of their processes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "op.h"
#include "ops.h"

/* What is told of each file before the bytes of all. */
struct head {
	int32_t size;	/* or -errno */
	uint32_t uid, mode;
};

static int64_t read_some(int fd, uint8_t *to, size_t size)
{
	ssize_t got;

	/* Once: what is asked for of files that others write whole is there, and /proc answers as much as it has. */
	do
		got = read(fd, to, size);
	while (got < 0 && errno == EINTR);
	return lc_check(got);
}

static void read_head(int dir, const char *path, size_t most, struct head *head, uint8_t *to)
{
	struct stat s;
	int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		head->size = -errno;
		return;
	}
	if (fstat(fd, &s) < 0) {
		head->size = -errno;
	} else {
		head->uid = s.st_uid;
		head->mode = s.st_mode;
		head->size = (int32_t)(S_ISREG(s.st_mode) ? read_some(fd, to, most) : -EINVAL);
	}
	close(fd);
}

/*
 * readHeads(dirfd, list of paths, most, heads, bytes): a head of each file, and the first bytes of all behind each other, `most` of each at the
 * utmost. Links are not followed. Answers how many bytes there are; ERANGE: larger buffers, please.
 */
int64_t lc_op_read_heads(struct lc_ctx *c, const union lc_arg *a)
{
	const char *path = (const char *)a[1].b.at, *end = path + a[1].b.size;
	size_t most = (size_t)a[2].i, used = 0;
	struct lc_bytes heads = a[3].b, out = a[4].b;

	for (; path < end; path += strlen(path) + 1) {
		struct head head = { 0 };

		if (heads.size < sizeof(head) || out.size - used < most)
			return lc_refuse(c, "read", ERANGE);
		read_head((int)a[0].i, path, most, &head, out.at + used);
		memcpy(heads.at, &head, sizeof(head));
		heads.at += sizeof(head);
		heads.size -= sizeof(head);
		used += head.size > 0 ? (size_t)head.size : 0;
	}
	return (int64_t)used;
}
