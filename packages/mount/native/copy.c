/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpcopyup: a new file system gets what is in the directory that it will cover. By descriptors, before the mount is attached: no link is
 * followed, nobody else sees half a copy, and after a failure nothing is left.
 */
#include "internal.h"

#include <string.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#include "../../sys/native/entry.h"

#define MAX_DEPTH 64
#define LARGEST (1u << 30)	/* of one sendfile */
#define XATTR_MAX 65536		/* the most that the kernel takes for a value, and for the names of one file */

static int64_t copy_directory(struct lc_ctx *c, int from, int to, dev_t device, int depth);

static int64_t refused(struct lc_ctx *c, const char *name, const char *call)
{
	int error = errno;

	lc_detail(c, name);
	return lc_refuse(c, call, error);
}

static int64_t copy_attribute(struct lc_ctx *c, int from, int to, const char *name)
{
	char value[XATTR_MAX];
	ssize_t size = fgetxattr(from, name, value, sizeof(value));

	if (size < 0)
		return errno == ENODATA ? 0 : refused(c, name, "fgetxattr");
	/* tmpfs takes those of users since Linux 6.6. */
	if (fsetxattr(to, name, value, (size_t)size, 0) < 0 && errno != ENOTSUP)
		return refused(c, name, "fsetxattr");
	return 0;
}

static int64_t copy_attributes(struct lc_ctx *c, int from, int to)
{
	char names[XATTR_MAX];
	ssize_t size = flistxattr(from, names, sizeof(names));
	int64_t result = 0;

	if (size < 0)
		return errno == ENOTSUP ? 0 : lc_fail(c, "flistxattr");
	for (const char *name = names; name < names + size && result == 0; name += strlen(name) + 1)
		result = copy_attribute(c, from, to, name);
	return result;
}

/* The owner first: changing it takes set-id bits and capabilities away. */
static int64_t finish(struct lc_ctx *c, int from, int to, const struct stat *s)
{
	struct timespec times[] = { s->st_atim, s->st_mtim };
	int64_t result;

	if (fchown(to, s->st_uid, s->st_gid) < 0)
		return lc_fail(c, "fchown");
	if (fchmod(to, s->st_mode & 07777) < 0)
		return lc_fail(c, "fchmod");
	result = copy_attributes(c, from, to);
	if (result == 0 && futimens(to, times) < 0)
		result = lc_fail(c, "futimens");
	return result;
}

/* Whoever else has the directory may put anything in the place of the file that was seen: what was opened counts, and a FIFO's opening waits for nobody. */
static int open_file(struct lc_ctx *c, int from, const char *name, struct stat *s)
{
	int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return (int)refused(c, name, "openat");
	if (fstat(fd, s) == 0 && S_ISREG(s->st_mode))
		return fd;
	close(fd);
	lc_detail(c, name);
	return (int)lc_refuse(c, "openat (no file any more)", ESTALE);
}

static int64_t copy_file(struct lc_ctx *c, int from, int to, const char *name)
{
	struct stat s;
	int source = open_file(c, from, name, &s), target;
	int64_t result = 0;
	ssize_t done;

	if (source < 0)
		return source;
	target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (target < 0) {
		result = refused(c, name, "openat");
		close(source);
		return result;
	}
	do
		done = sendfile(target, source, NULL, LARGEST);
	while (done > 0);
	if (done < 0)
		result = refused(c, name, "sendfile");
	else
		result = finish(c, source, target, &s);
	close(source);
	close(target);
	return result;
}

static int64_t copy_link(struct lc_ctx *c, int from, int to, const char *name)
{
	char target[4096];
	ssize_t size = readlinkat(from, name, target, sizeof(target) - 1);

	if (size < 0)
		return refused(c, name, "readlinkat");
	target[size] = 0;
	return symlinkat(target, to, name) < 0 ? refused(c, name, "symlinkat") : 0;
}

static int64_t copy_below(struct lc_ctx *c, int from, int to, const char *name, dev_t device, int depth)
{
	int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), target = -1;
	struct stat s;
	int64_t result;

	if (source < 0)
		return refused(c, name, "openat");
	if (fstat(source, &s) < 0)
		result = refused(c, name, "fstat");
	else if (mkdirat(to, name, 0700) < 0)
		result = refused(c, name, "mkdirat");
	else if ((target = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		result = refused(c, name, "openat");
	else
		/* Of what is mounted below, the place alone. */
		result = s.st_dev == device ? copy_directory(c, source, target, device, depth + 1) : 0;
	if (result == 0)
		result = finish(c, source, target, &s);
	close(source);
	lc_close(target);
	return result;
}

static int64_t copy_entry(struct lc_ctx *c, int from, int to, const char *name, dev_t device, int depth)
{
	struct stat s;
	int64_t result = 0;

	if (fstatat(from, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
		return refused(c, name, "fstatat");
	if (S_ISDIR(s.st_mode))
		return copy_below(c, from, to, name, device, depth);
	if (S_ISREG(s.st_mode))
		return copy_file(c, from, to, name);
	if (S_ISLNK(s.st_mode))
		result = copy_link(c, from, to, name);
	else if (mknodat(to, name, s.st_mode, s.st_rdev) < 0)
		return refused(c, name, "mknodat");
	if (result == 0 && fchownat(to, name, s.st_uid, s.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		result = refused(c, name, "fchownat");
	if (result == 0 && !S_ISLNK(s.st_mode) && fchmodat(to, name, s.st_mode & 07777, 0) < 0)
		result = refused(c, name, "fchmodat");
	return result;
}

static int64_t copy_directory(struct lc_ctx *c, int from, int to, dev_t device, int depth)
{
	char chunk[2048] __attribute__((aligned(8)));
	int64_t result = 0;
	long got;

	if (depth > MAX_DEPTH) {
		lc_detail(c, "directories in directories, more than 64 deep");
		return lc_refuse(c, "tmpcopyup", ENAMETOOLONG);
	}
	while ((got = syscall(SYS_getdents64, from, chunk, sizeof(chunk))) > 0) {
		for (long at = 0; at < got;) {
			struct lc_entry *entry = (struct lc_entry *)(void *)(chunk + at);

			at += entry->size;
			if (lc_is_dots(entry->name))
				continue;
			result = copy_entry(c, from, to, entry->name, device, depth);
			if (result < 0)
				return result;
		}
	}
	return got < 0 ? lc_fail(c, "getdents64") : 0;
}

int64_t lc_mount_copy_up(struct lc_ctx *c, int target, int tree)
{
	int from = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), to = -1;
	struct stat s;
	int64_t result;

	if (from < 0)
		return lc_fail(c, "openat");
	if ((to = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		result = lc_fail(c, "openat");
	else if (fstat(from, &s) < 0)
		result = lc_fail(c, "fstat");
	else if (fchown(to, s.st_uid, s.st_gid) < 0)
		result = lc_fail(c, "fchown");
	else
		result = copy_directory(c, from, to, s.st_dev, 0);
	close(from);
	lc_close(to);
	return result;
}
