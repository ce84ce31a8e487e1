/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a container's /dev: nodes, binds of the host's nodes, links.
 *
 * Every path is resolved beneath the root by descriptors. `directory` is a name in the root that must be a directory of
 * its own: were an image's /dev a link into a volume, nodes and links would appear in a directory of the host.
 */
#include "ops.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../sys/native/decimal.h"
#include "../../sys/native/path.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

/* What paths are resolved beneath: the root, or the directory in it, made where it is missing. */
static int open_base(struct lc_ctx *c, int root, const char *directory, int make)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
	int base;

	if (directory[0] == 0)
		return root;
	base = lc_open_in_root(c, root, directory, flags);
	if (base == -ENOENT && make) {
		if (mkdirat(root, directory, 0755) < 0 && errno != EEXIST)
			return (int)lc_fail(c, "mkdirat");
		base = lc_open_in_root(c, root, directory, flags);
	}
	if (base < 0)
		lc_detail(c, directory);
	return base;
}

/* An O_PATH descriptor of the directory that is to hold `path`; `*last` is the name in it. */
static int open_parent(struct lc_ctx *c, int root, const char *directory, const char *path, const char **last)
{
	int base = open_base(c, root, directory, 1);
	int fd;

	if (base < 0)
		return base;
	fd = lc_parent_in_root(c, base, path, last);
	if (base != root)
		close(base);
	return fd;
}

/* Is the open file a node of this type with this number? A FIFO has none. */
static int is_node(int fd, mode_t mode, uint64_t dev)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == (mode & S_IFMT) &&
	       (S_ISFIFO(mode) || (uint64_t)st.st_rdev == dev);
}

static int is_empty_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

/* What to say of a file that is at the path already. */
enum strictness {
	KEEP_ANY,	/* nothing */
	KEEP_SAME,	/* it is an error unless it is the device */
	KEEP_NONE,	/* it is an error, the device too */
};

static int64_t other_file(struct lc_ctx *c, const char *syscall_name, int64_t strict)
{
	if (strict == KEEP_ANY)
		return 0;
	lc_detail(c, "another file is there");
	return lc_refuse(c, syscall_name, EEXIST);
}

static int64_t same_file(struct lc_ctx *c, const char *syscall_name, int64_t strict)
{
	if (strict != KEEP_NONE)
		return 0;
	lc_detail(c, "the device is there already");
	return lc_refuse(c, syscall_name, EEXIST);
}

/* Opening a device to chmod it could rewind a tape or hang up a line, so the mode is changed through O_PATH. */
static int64_t change_mode(struct lc_ctx *c, int fd, mode_t mode)
{
	char name[LC_DECIMAL_SIZE];
	int64_t result = 0;
	int fds;

	if (syscall(SYS_fchmodat2, fd, "", (unsigned long)mode, (long)AT_EMPTY_PATH) == 0)
		return 0;
	/* Before Linux 6.6, or under a seccomp profile that does not know the call. */
	if (errno != ENOSYS && errno != EPERM)
		return lc_fail(c, "fchmodat2");
	lc_decimal(name, (uint64_t)fd);
	fds = lc_open_descriptors(c);
	if (fds < 0)
		return fds;
	if (fchmodat(fds, name, mode, 0) < 0)
		result = lc_fail(c, "fchmodat");
	close(fds);
	return result;
}

/* The owner before the mode: a change of owner may clear bits of it. */
static int64_t own_node(struct lc_ctx *c, int fd, mode_t mode, uid_t uid, gid_t gid)
{
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return lc_fail(c, "fchownat");
	return change_mode(c, fd, mode & ~(mode_t)S_IFMT);
}

static int64_t make_node(struct lc_ctx *c, int dir, const char *name, const union lc_arg *a)
{
	mode_t mode = (mode_t)a[3].i;
	uint64_t dev = (uint64_t)a[4].i;
	int made, fd;
	int64_t result;

	/* Without permissions first, so that nobody opens it before it has its owner; and then exact whatever the umask. */
	made = mknodat(dir, name, mode & S_IFMT, (dev_t)dev) == 0;
	if (!made && errno != EEXIST)
		return lc_fail(c, "mknodat");
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		result = lc_fail(c, "openat");
	else if (!is_node(fd, mode, dev))
		result = other_file(c, "mknodat", a[7].i);
	else if (made)
		result = own_node(c, fd, mode, (uid_t)a[5].i, (gid_t)a[6].i);
	else
		result = same_file(c, "mknodat", a[7].i);
	if (fd >= 0)
		close(fd);
	if (result < 0 && made)
		unlinkat(dir, name, 0);
	return result;
}

static int64_t op_make_device(struct lc_ctx *c, const union lc_arg *a)
{
	const char *name;
	int dir = open_parent(c, (int)a[0].i, a[1].s, a[2].s, &name);
	int64_t result;

	if (dir < 0)
		return dir;
	result = make_node(c, dir, name, a);
	close(dir);
	return result;
}

static int64_t bind_node(struct lc_ctx *c, int dir, const char *name, int tree, const union lc_arg *a)
{
	int made = 1;
	int64_t result = 0;
	int file = openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);

	if (file < 0 && errno == EEXIST) {
		made = 0;
		file = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (file < 0)
		return lc_fail(c, "openat");
	if (!made && is_node(file, (mode_t)a[4].i, (uint64_t)a[5].i))
		result = same_file(c, "move_mount", a[6].i);
	else if (!is_empty_file(file))
		result = other_file(c, "move_mount", a[6].i);
	else if (syscall(SYS_move_mount, tree, "", file, "", (long)(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)) < 0)
		result = lc_fail(c, "move_mount");
	close(file);
	if (result < 0 && made)
		unlinkat(dir, name, 0);
	return result;
}

static int64_t op_bind_device(struct lc_ctx *c, const union lc_arg *a)
{
	const long flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
	int tree = (int)syscall(SYS_open_tree, (long)AT_FDCWD, a[3].s, flags);
	const char *name;
	int64_t result;
	int dir;

	if (tree < 0) {
		lc_detail(c, a[3].s);
		return lc_fail(c, "open_tree");
	}
	if (!is_node(tree, (mode_t)a[4].i, (uint64_t)a[5].i)) {
		close(tree);
		lc_detail(c, a[3].s);
		return lc_refuse(c, "open_tree", ENODEV);
	}
	result = dir = open_parent(c, (int)a[0].i, a[1].s, a[2].s, &name);
	if (dir >= 0) {
		result = bind_node(c, dir, name, tree, a);
		close(dir);
	}
	close(tree);
	return result;
}

/* As bindDevice, of a detached tree that somebody has opened where the node is. */
static int64_t op_attach_device(struct lc_ctx *c, const union lc_arg *a)
{
	const char *name;
	int64_t result;
	int dir;

	if (!is_node((int)a[3].i, (mode_t)a[4].i, (uint64_t)a[5].i))
		return lc_refuse(c, "open_tree", ENODEV);
	dir = open_parent(c, (int)a[0].i, a[1].s, a[2].s, &name);
	if (dir < 0)
		return dir;
	result = bind_node(c, dir, name, (int)a[3].i, a);
	close(dir);
	return result;
}

/* With a regular file's type it is the empty file that a node was bound on. Where the node is bound the kernel answers EBUSY. */
static int64_t remove_node(struct lc_ctx *c, int dir, const char *name, mode_t mode, uint64_t dev)
{
	int found = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int same;

	if (found < 0)
		return lc_fail(c, "openat");
	same = S_ISREG(mode) ? is_empty_file(found) : is_node(found, mode, dev);
	close(found);
	if (!same)
		return other_file(c, "unlinkat", KEEP_SAME);
	return unlinkat(dir, name, 0) < 0 ? lc_fail(c, "unlinkat") : 0;
}

static int64_t op_remove_device(struct lc_ctx *c, const union lc_arg *a)
{
	int root = (int)a[0].i;
	int base = open_base(c, root, a[1].s, 0);
	const char *name;
	int64_t result;
	int found, dir;

	if (base < 0)
		return base;
	/* Looked for first: on the way to a parent missing directories are made. */
	result = found = lc_open_in_root(c, base, a[2].s, O_PATH | O_NOFOLLOW);
	if (found >= 0) {
		close(found);
		result = dir = lc_parent_in_root(c, base, a[2].s, &name);
		if (dir >= 0) {
			result = remove_node(c, dir, name, (mode_t)a[3].i, (uint64_t)a[4].i);
			close(dir);
		}
	}
	if (base != root)
		close(base);
	return result;
}

static int links_to(int dir, const char *name, const char *target)
{
	char text[PATH_MAX];
	ssize_t size = readlinkat(dir, name, text, sizeof(text));

	return size >= 0 && (size_t)size == strlen(target) && memcmp(text, target, (size_t)size) == 0;
}

static int64_t make_link(struct lc_ctx *c, int dir, const char *name, const char *target, int64_t replace)
{
	if (replace && !links_to(dir, name, target) && unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return lc_fail(c, "unlinkat");
	if (symlinkat(target, dir, name) == 0 || (errno == EEXIST && (!replace || links_to(dir, name, target))))
		return 0;
	return lc_fail(c, "symlinkat");
}

static int64_t op_make_symlink(struct lc_ctx *c, const union lc_arg *a)
{
	const char *name;
	int dir = open_parent(c, (int)a[0].i, a[1].s, a[2].s, &name);
	int64_t result;

	if (dir < 0)
		return dir;
	result = make_link(c, dir, name, a[3].s, a[4].i);
	close(dir);
	return result;
}

const struct lc_op lc_devices_ops[] = {
	/* root, directory, path, mode with the type, dev, uid, gid, strict */
	{ .name = "makeDevice", .signature = "issiiiii", .call = op_make_device },
	/* root, directory, path, source, type, dev, strict */
	{ .name = "bindDevice", .signature = "isssiii", .call = op_bind_device },
	/* root, directory, path, tree, type, dev, strict */
	{ .name = "attachDevice", .signature = "issiiii", .call = op_attach_device },
	/* root, directory, path, type, dev */
	{ .name = "removeDevice", .signature = "issii", .call = op_remove_device },
	/* root, directory, path, target, replace */
	{ .name = "makeSymlink", .signature = "isssi", .call = op_make_symlink },
	{ 0 },
};
