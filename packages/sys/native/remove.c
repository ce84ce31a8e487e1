/* SPDX-License-Identifier: Apache-2.0 */
/* Removes a directory with all that is in it, by descriptors: no link is followed and no mount is crossed. */
#include "entry.h"
#include "ops.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_DEPTH 64

static int64_t empty(struct lc_ctx *c, int dir, dev_t device, int depth);

static int64_t refused(struct lc_ctx *c, const char *name, const char *syscall, int error)
{
	lc_detail(c, name);
	return lc_refuse(c, syscall, error);
}

static int64_t remove_entry(struct lc_ctx *c, int dir, const char *name, dev_t device, int depth)
{
	struct stat s;
	int64_t result;
	int child;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return refused(c, name, "unlinkat", errno);
	child = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0)
		return errno == ENOENT ? 0 : refused(c, name, "openat", errno);
	if (fstat(child, &s) < 0)
		result = lc_fail(c, "fstat");
	else if (s.st_dev != device)
		result = refused(c, name, "removeTree (a mount)", EXDEV);
	else
		result = empty(c, child, device, depth + 1);
	close(child);
	if (result == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		result = refused(c, name, "unlinkat", errno);
	return result;
}

static int64_t empty(struct lc_ctx *c, int dir, dev_t device, int depth)
{
	char chunk[2048] __attribute__((aligned(8)));
	int64_t result = 0;
	long got;

	if (depth > MAX_DEPTH)
		return lc_refuse(c, "removeTree", ELOOP);
	/* Entries that go while they are listed may be skipped: from the start again until nothing is left. */
	do {
		int removed = 0;

		if (lseek(dir, 0, SEEK_SET) < 0)
			return lc_fail(c, "lseek");
		while (result == 0 && (got = syscall(SYS_getdents64, dir, chunk, sizeof(chunk))) > 0) {
			for (long at = 0; at < got && result == 0;) {
				struct lc_entry *entry = (struct lc_entry *)(void *)(chunk + at);

				at += entry->size;
				if (lc_is_dots(entry->name))
					continue;
				result = remove_entry(c, dir, entry->name, device, depth);
				removed = 1;
			}
		}
		if (result < 0)
			return result;
		if (got < 0)
			return lc_fail(c, "getdents64");
		if (!removed)
			return 0;
	} while (1);
}

/* removeTree(dirfd, path): absent is fine. */
int64_t lc_op_remove_tree(struct lc_ctx *c, const union lc_arg *a)
{
	int dir = openat((int)a[0].i, a[1].s, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat s;
	int64_t result;

	if (dir < 0)
		return errno == ENOENT ? 0 : lc_fail(c, "openat");
	result = fstat(dir, &s) < 0 ? lc_fail(c, "fstat") : empty(c, dir, s.st_dev, 0);
	close(dir);
	if (result == 0 && unlinkat((int)a[0].i, a[1].s, AT_REMOVEDIR) < 0 && errno != ENOENT)
		result = lc_fail(c, "unlinkat");
	return result;
}
