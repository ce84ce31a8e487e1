/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "../../sys/native/entry.h"

#define CGROUP_MAGIC 0x27e0eb
#define CGROUP2_MAGIC 0x63677270
#define TRIES 32	/* of openat2, which answers EAGAIN when a rename raced */

int lc_open_hierarchy(struct lc_ctx *c, const char *mount)
{
	/* Not open(): musl's asks the kernel for O_CLOEXEC once more. */
	int fd = openat(AT_FDCWD, mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return (int)lc_fail(c, "open");
	if (fstatfs(fd, &fs) == 0 && (fs.f_type == CGROUP_MAGIC || fs.f_type == CGROUP2_MAGIC))
		return fd;
	close(fd);
	lc_detail(c, "no cgroup file system is mounted there");
	return (int)lc_refuse(c, "fstatfs", EXDEV);
}

/* Down by O_NOFOLLOW: for a seccomp profile around us that does not know openat2. */
static int walk_down(int dir, const char *path, int flags)
{
	char name[NAME_MAX + 1];
	int at = dir;

	for (;;) {
		size_t size = strcspn(path, "/");
		int last = path[size] == 0;
		int fd, error;

		if (size == 0 || size > NAME_MAX || (size <= 2 && strncmp(path, "..", size) == 0 && strcmp(path, ".") != 0)) {
			errno = EXDEV;
			fd = -1;
		} else {
			memcpy(name, path, size);
			name[size] = 0;
			fd = openat(at, name, (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);
		}
		error = errno;
		if (at != dir)
			close(at);
		errno = error;
		if (fd < 0 || last)
			return fd;
		at = fd;
		path += size + 1;
	}
}

int lc_open_beneath(struct lc_ctx *c, int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	const char *name = *path ? path : ".";
	int fd = -1;

	for (int i = 0; i < TRIES && fd < 0; i++) {
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
		if (fd < 0 && errno != EAGAIN && errno != EINTR)
			break;
	}
	if (fd >= 0)
		return fd;
	if (errno != ENOSYS && errno != EPERM)
		return (int)lc_fail(c, "openat2");
	fd = walk_down(dir, name, flags);
	return fd < 0 ? (int)lc_fail(c, "openat") : fd;
}

int lc_open_cgroup(struct lc_ctx *c, const char *mount, const char *path, int flags)
{
	int root = lc_open_hierarchy(c, mount);
	int fd;

	if (root < 0)
		return root;
	fd = lc_open_beneath(c, root, path, flags);
	close(root);
	return fd;
}

int64_t lc_read_fd(int fd, char *to, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = read(fd, to + have, size - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -(int64_t)errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (int64_t)have;
}

/* A record of a seq_file comes whole, and the file is one record or lines of short ones: a read that ends far from the page's end was all. */
#define WHOLE 2048

int64_t lc_read_file(int dir, const char *file, char *to, size_t size)
{
	int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int64_t got, more = 0;

	if (fd < 0)
		return -errno;
	got = read(fd, to, size);
	if (got < 0)
		got = errno == EINTR ? 0 : -errno;
	if (got >= 0 && (got == 0 || got > WHOLE))
		more = lc_read_fd(fd, to + got, size - (size_t)got);
	close(fd);
	return more < 0 ? more : got + more;
}

int lc_write_value(int dir, const char *file, const char *value, size_t size)
{
	int fd = openat(dir, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	/* An empty value is said by a line end: a write of no bytes never reaches the file. */
	if (size == 0) {
		value = "\n";
		size = 1;
	}
	while (write(fd, value, size) < 0) {
		if (errno == EINTR)
			continue;
		error = errno;
		break;
	}
	close(fd);
	return -error;
}

#define DT_DIRECTORY 4

int64_t lc_subdirectories(struct lc_ctx *c, int dir, int depth, lc_each *each, void *with)
{
	char chunk[2048] __attribute__((aligned(8)));
	long got;

	if (depth >= LC_CGROUP_DEPTH)
		return lc_refuse(c, "getdents64", ELOOP);
	while ((got = syscall(SYS_getdents64, dir, chunk, sizeof(chunk))) > 0) {
		for (long at = 0; at < got;) {
			struct lc_entry *entry = (struct lc_entry *)(void *)(chunk + at);
			int64_t result;

			at += entry->size;
			if (entry->type != DT_DIRECTORY || lc_is_dots(entry->name))
				continue;
			result = each(c, dir, entry->name, depth, with);
			if (result < 0)
				return result;
		}
	}
	/* A cgroup that goes while it is listed has nothing below it any more. */
	return got < 0 && errno != ENOENT && errno != ENODEV ? lc_fail(c, "getdents64") : 0;
}

struct walk {
	lc_visit *visit;
	void *with;
};

static int64_t walk_each(struct lc_ctx *c, int dir, const char *name, int depth, void *with)
{
	struct walk *walk = with;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int64_t result;

	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : lc_fail(c, "openat");
	result = lc_walk(c, fd, depth + 1, walk->visit, walk->with);
	close(fd);
	return result;
}

int64_t lc_walk(struct lc_ctx *c, int dir, int depth, lc_visit *visit, void *with)
{
	struct walk walk = { visit, with };
	int64_t result = visit(c, dir, with);

	if (result < 0)
		return result;
	if (depth == LC_CGROUP_DEPTH - 1)
		return lc_walk_below(c, dir, visit, NULL, with);
	return lc_subdirectories(c, dir, depth, walk_each, &walk);
}

struct place {
	uint64_t inode;		/* 0: before the first */
	char name[NAME_MAX + 1];
};

/* The directory in `dir` at this place, or with `next` the one behind it: 1, or 0 when there is none. */
static int64_t find(struct lc_ctx *c, int dir, struct place *place, int next)
{
	char chunk[2048] __attribute__((aligned(8)));
	int here = next && place->inode == 0;
	long got;

	if (lseek(dir, 0, SEEK_SET) < 0)
		return lc_fail(c, "lseek");
	while ((got = syscall(SYS_getdents64, dir, chunk, sizeof(chunk))) > 0) {
		for (long at = 0; at < got;) {
			struct lc_entry *entry = (struct lc_entry *)(void *)(chunk + at);

			at += entry->size;
			if (entry->type != DT_DIRECTORY || lc_is_dots(entry->name))
				continue;
			if (here || (!next && entry->inode == place->inode)) {
				place->inode = entry->inode;
				memcpy(place->name, entry->name, strnlen(entry->name, NAME_MAX) + 1);
				place->name[NAME_MAX] = 0;
				return 1;
			}
			here = entry->inode == place->inode;
		}
	}
	return got < 0 && errno != ENOENT && errno != ENODEV ? lc_fail(c, "getdents64") : 0;
}

/* From `at` to the directory above, in which `place` is then where `at` was. */
static int64_t climb(struct lc_ctx *c, int at, struct place *place)
{
	struct stat s;
	int up;

	if (fstat(at, &s) < 0)
		return lc_fail(c, "fstat");
	up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place->inode = s.st_ino;
	return up < 0 ? lc_fail(c, "openat") : up;
}

static void go(int *at, int base, int fd)
{
	if (*at != base)
		close(*at);
	*at = fd;
}

int64_t lc_walk_below(struct lc_ctx *c, int base, lc_visit *enter, lc_leave *leave, void *with)
{
	struct place place = { 0 };
	size_t level = 0;
	int at = base;
	int64_t result;

	while ((result = find(c, at, &place, 1)) >= 0) {
		if (result == 0 && level == 0)
			break;
		if (result > 0) {
			int fd = openat(at, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (fd < 0 && (errno == ENOENT || errno == ENODEV))
				continue;
			if (fd < 0) {
				result = lc_fail(c, "openat");
				break;
			}
			go(&at, base, fd);
			level++;
			place.inode = 0;
			result = enter == NULL ? 0 : enter(c, at, with);
		} else {
			result = climb(c, at, &place);
			if (result < 0)
				break;
			level--;
			go(&at, base, (int)result);
			result = leave == NULL ? 0 : find(c, at, &place, 0);
			if (result > 0)
				result = leave(c, at, place.name, with);
			/* Behind what is gone there is no place: from the first again. */
			if (result > 0)
				place.inode = 0;
		}
		if (result < 0)
			break;
	}
	go(&at, base, base);
	return result;
}
