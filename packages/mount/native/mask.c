/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <sys/sysmacros.h>

static int is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && major(st.st_rdev) == 1 && minor(st.st_rdev) == 3;
}

/* What an image calls /dev/null may be a link to anything: only the device 1:3 is taken, by whatever name it is reached. */
static int open_null(struct lc_ctx *c, int root, int flags)
{
	int fd;

	if (lc_no_root(root)) {
		fd = open("/dev/null", flags | O_CLOEXEC);
		if (fd < 0)
			return (int)lc_fail(c, "open");
	} else {
		fd = lc_open_in_root(c, root, "/dev/null", flags);
		if (fd < 0)
			return fd;
	}
	if (is_null(fd))
		return fd;
	close(fd);
	lc_detail(c, "/dev/null is not the null device (char 1:3)");
	return (int)lc_refuse(c, "openat2", ENODEV);
}

/* root: a descriptor (O_PATH) of its verified /dev/null, or of the host's with AT_FDCWD. */
int64_t lc_op_open_null(struct lc_ctx *c, const union lc_arg *a)
{
	return open_null(c, (int)a[0].i, O_PATH);
}

/* root: those of the standard streams that are the null device become the root's own. */
int64_t lc_op_reopen_null(struct lc_ctx *c, const union lc_arg *a)
{
	for (int n = 0; n <= 2; n++) {
		int fd;

		if (!is_null(n))
			continue;
		/* Looked at before it is opened for use, since opening a device may do something. */
		fd = open_null(c, (int)a[0].i, O_PATH);
		if (fd < 0)
			return fd;
		close(fd);
		fd = open_null(c, (int)a[0].i, O_RDWR | O_NOCTTY);
		if (fd < 0)
			return fd;
		if (dup3(fd, n, 0) < 0) {
			lc_close(fd);
			return lc_fail(c, "dup3");
		}
		close(fd);
	}
	return 0;
}

static int clone_tree(struct lc_ctx *c, int fd, int recursive)
{
	int tree = (int)syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);

	return tree < 0 ? (int)lc_fail(c, "open_tree") : tree;
}

/* An empty file system that holds one inode, its root; some kernels count a second one. */
int lc_mount_empty(struct lc_ctx *c, const char *label)
{
	char options[300] = "ro\0mode=555\0nr_blocks=1\0nr_inodes=1\0context=";
	size_t context = sizeof("ro\0mode=555\0nr_blocks=1\0nr_inodes=1"), inodes = context - 2, size = strlen(label);
	struct lc_bytes bytes = { (uint8_t *)options, context };
	const unsigned int attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	int fd;

	if (size > 0) {
		if (size >= 256)
			return (int)lc_refuse(c, "fsconfig", ENAMETOOLONG);
		memcpy(options + context + sizeof("context=") - 1, label, size + 1);
		bytes.size = context + sizeof("context=") + size;
	}
	fd = lc_mount_create(c, "tmpfs", "tmpfs", &bytes, NULL, attributes);
	if (fd == -ENOSPC) {
		options[inodes] = '2';
		fd = lc_mount_create(c, "tmpfs", "tmpfs", &bytes, NULL, attributes);
	}
	return fd;
}

static int64_t cover(struct lc_ctx *c, int tree, int target)
{
	if (syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return lc_fail(c, "move_mount");
	return 0;
}

/* The first directory gets the empty file system, the others a clone of that mount: one superblock for all. */
static int64_t mask(struct lc_ctx *c, int target, int null, const char *label, int *empty)
{
	struct stat st;
	int64_t result;
	int tree;

	if (fstat(target, &st) < 0)
		return lc_fail(c, "fstat");
	if (S_ISDIR(st.st_mode))
		tree = *empty < 0 ? lc_mount_empty(c, label) : clone_tree(c, *empty, 0);
	else
		tree = clone_tree(c, null, 0);
	if (tree < 0)
		return tree;
	result = cover(c, tree, target);
	if (result == 0 && S_ISDIR(st.st_mode) && *empty < 0)
		*empty = tree;
	else
		close(tree);
	return result;
}

/* The path of a list that is next to be worked on; a missing one is passed over. 1, 0 at the end, or -errno. */
static int64_t next_path(struct lc_ctx *c, int root, const struct lc_bytes *paths, const char **path, int *fd)
{
	while ((*path = lc_next_string(paths, *path)) != NULL) {
		*fd = lc_open_in_root(c, root, *path, O_PATH);
		if (*fd >= 0)
			return 1;
		if (*fd != -ENOENT && *fd != -ENOTDIR) {
			lc_detail(c, *path);
			return *fd;
		}
	}
	return 0;
}

/* root, null, paths, label */
int64_t lc_op_mask_paths(struct lc_ctx *c, const union lc_arg *a)
{
	const char *path = NULL;
	int64_t result;
	int fd = -1, empty = -1;

	while ((result = next_path(c, (int)a[0].i, &a[2].b, &path, &fd)) > 0) {
		result = mask(c, fd, (int)a[1].i, a[3].s, &empty);
		close(fd);
		if (result < 0) {
			lc_detail(c, path);
			break;
		}
	}
	if (empty >= 0)
		close(empty);
	return result;
}

static int64_t make_readonly(struct lc_ctx *c, int target)
{
	int tree = clone_tree(c, target, AT_RECURSIVE);
	int64_t result, late = 0;

	if (tree < 0)
		return tree;
	result = lc_mount_attributes(c, tree, MOUNT_ATTR_RDONLY, 0);
	if (result == -ENOSYS) {
		late = MOUNT_ATTR_RDONLY;
		result = 0;
	}
	if (result == 0)
		result = cover(c, tree, target);
	if (result == 0)
		result = lc_mount_remount(c, tree, late);
	close(tree);
	return result;
}

/* root, paths: each is bound onto itself, and that mount is read-only; its other flags stay. */
int64_t lc_op_readonly_paths(struct lc_ctx *c, const union lc_arg *a)
{
	const char *path = NULL;
	int64_t result;
	int fd = -1;

	while ((result = next_path(c, (int)a[0].i, &a[1].b, &path, &fd)) > 0) {
		result = make_readonly(c, fd);
		close(fd);
		if (result < 0) {
			lc_detail(c, path);
			break;
		}
	}
	return result;
}
