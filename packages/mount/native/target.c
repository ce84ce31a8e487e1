/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <sys/vfs.h>

/* What is missing is made, as lc_mount_target() says; a file that somebody else made meanwhile is taken. */
static int make_at(struct lc_ctx *c, int parent, const char *last, mode_t kind)
{
	int fd;

	if (S_ISDIR(kind)) {
		if (mkdirat(parent, last, 0755) < 0 && errno != EEXIST)
			return (int)lc_fail(c, "mkdirat");
	} else {
		fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0 && errno != EEXIST)
			return (int)lc_fail(c, "openat");
		lc_close(fd);
	}
	fd = openat(parent, last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? (int)lc_fail(c, "openat") : fd;
}

/* What stands at `path` itself, and not where a link there leads. */
static int open_itself(struct lc_ctx *c, int root, const char *path, mode_t kind)
{
	int fd = lc_open_in_root(c, root, path, O_PATH | O_NOFOLLOW), parent;
	const char *last;

	if (fd != -ENOENT)
		return fd;
	parent = lc_parent_in_root(c, root, path, &last);
	if (parent < 0)
		return parent;
	fd = make_at(c, parent, last, kind);
	close(parent);
	return fd;
}

/* proc and sysfs go on an ordinary directory: a link there would let the image choose what the container takes for /proc. */
static int real_directory(struct lc_ctx *c, int root, const char *path)
{
	int fd = open_itself(c, root, path, S_IFDIR);
	struct stat st;

	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)))
		return fd;
	close(fd);
	lc_detail(c, "it must be mounted on an ordinary directory");
	return (int)lc_refuse(c, "openat2", ENOTDIR);
}

static int64_t check_target(struct lc_ctx *c, int root, int target, int flags)
{
	struct stat a, b;
	struct statfs fs;

	if (fstat(root, &a) < 0 || fstat(target, &b) < 0 || fstatfs(target, &fs) < 0)
		return lc_fail(c, "fstat");
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino && lc_same_mount(root, target)) {
		lc_detail(c, "it leads to the root directory itself");
		return lc_refuse(c, "mount", EINVAL);
	}
	/* By any name: a link of the image may lead into /proc. */
	if (fs.f_type == PROC_MAGIC && !(flags & LC_TARGET_PROC)) {
		lc_detail(c, "it leads into /proc, which nothing may cover");
		return lc_refuse(c, "mount", EINVAL);
	}
	return 0;
}

int lc_mount_target(struct lc_ctx *c, int root, const char *path, mode_t kind, int flags)
{
	int64_t result;
	int fd;

	if (lc_no_root(root)) {
		fd = open(path, O_PATH | O_CLOEXEC);
		return fd < 0 ? (int)lc_fail(c, "open") : fd;
	}
	if (flags & LC_TARGET_REAL)
		fd = real_directory(c, root, path);
	else if (flags & LC_TARGET_LINK)
		fd = open_itself(c, root, path, kind);
	else if (S_ISDIR(kind))
		fd = lc_mkdir_in_root(c, root, path, 0755);
	else
		fd = lc_mkfile_in_root(c, root, path, 0644);
	if (fd < 0)
		return fd;
	result = check_target(c, root, fd, flags);
	if (result == 0)
		return fd;
	close(fd);
	return (int)result;
}

/* move_mount(2) goes to the very directory that was found; this shows that the path still leads there. */
static int64_t verify(struct lc_ctx *c, int root, int tree, const char *path, int flags)
{
	int fd = lc_open_in_root(c, root, path, O_PATH | (flags & LC_TARGET_LINK ? O_NOFOLLOW : 0));
	int same;

	if (fd < 0)
		return fd;
	same = lc_same_mount(fd, tree);
	close(fd);
	if (same)
		return 0;
	lc_detail(c, "the path led elsewhere once it was mounted on");
	return lc_refuse(c, "move_mount", ESTALE);
}

int64_t lc_mount_attach(struct lc_ctx *c, int root, int tree, int target, const char *path, int flags, int64_t propagation)
{
	int64_t result;

	if (syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return lc_fail(c, "move_mount");
	result = lc_no_root(root) ? 0 : verify(c, root, tree, path, flags);
	if (result == 0)
		result = lc_mount_propagation(c, tree, propagation);
	if (result < 0)
		lc_mount_detach(tree);
	return result;
}
