/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <limits.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>

#include <linux/openat2.h>

/* path, propagation: of the mount whose root `path` is. */
int64_t lc_op_set_propagation(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = open(a[0].s, O_PATH | O_CLOEXEC);
	int64_t result;

	if (fd < 0)
		return lc_fail(c, "open");
	result = lc_mount_propagation(c, fd, a[1].i);
	close(fd);
	return result;
}

static int is_same(int a, int b)
{
	struct stat of_a, of_b;

	if (fstat(a, &of_a) < 0 || fstat(b, &of_b) < 0)
		return 0;
	return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino && lc_same_mount(a, b);
}

/*
 * pivot_root(2) refuses a new root whose parent mount is shared. Only the root of a mount takes a propagation (EINVAL
 * elsewhere), so this climbs from `dir` to the first directory that is one.
 */
static int64_t set_holder(struct lc_ctx *c, int dir, int64_t propagation)
{
	int at = dir;

	for (;;) {
		int64_t result = lc_mount_propagation(c, at, propagation);
		int up;

		if (result != -EINVAL) {
			if (at != dir)
				lc_close(at);
			return result;
		}
		up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up >= 0 && is_same(at, up)) {
			close(up);
			up = -1;
			errno = EINVAL;
		}
		if (at != dir)
			lc_close(at);
		if (up < 0)
			return lc_fail(c, "mount_setattr");
		at = up;
	}
}

int lc_mount_open_plain(struct lc_ctx *c, const char *path)
{
	int dir = lc_open_how(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);

	if (dir < 0 && lc_wants_walk())
		dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? (int)lc_fail(c, "openat2") : dir;
}

/* rootfs: a descriptor of the directory as it is, for a root that is nobody's mount. */
int64_t lc_op_open_rootfs(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_mount_open_plain(c, a[0].s);
}

/* root: becomes the root of this process, and its working directory. */
int64_t lc_op_change_root(struct lc_ctx *c, const union lc_arg *a)
{
	if (fchdir((int)a[0].i) < 0)
		return lc_fail(c, "fchdir");
	if (chroot(".") < 0)
		return lc_fail(c, "chroot");
	return chdir("/") < 0 ? lc_fail(c, "chdir") : 0;
}

/* rootfs, propagation of the mount that holds it: binds rootfs onto itself; a descriptor of the new mount. */
int64_t lc_op_prepare_root(struct lc_ctx *c, const union lc_arg *a)
{
	int dir = lc_mount_open_plain(c, a[0].s);
	int64_t result;
	int tree;

	if (dir < 0)
		return dir;
	result = set_holder(c, dir, a[1].i);
	if (result < 0) {
		close(dir);
		return result;
	}
	tree = (int)syscall(SYS_open_tree, dir, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0) {
		lc_close(dir);
		return lc_fail(c, "open_tree");
	}
	if (syscall(SYS_move_mount, tree, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
		lc_close(tree);
		lc_close(dir);
		return lc_fail(c, "move_mount");
	}
	close(dir);
	return tree;
}

/* The old root, in the working directory. Slave first, or the unmount would reach its peers. */
static int64_t leave_old_root(struct lc_ctx *c)
{
	if (syscall(SYS_mount, NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return lc_fail(c, "mount");
	if (syscall(SYS_umount2, ".", 2 /* MNT_DETACH */) < 0)
		return lc_fail(c, "umount2");
	return chdir("/") < 0 ? lc_fail(c, "chdir") : 0;
}

/* "." for both needs no directory to put the old root in: pivot_root(2), NOTES. */
static int64_t pivot(struct lc_ctx *c)
{
	int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t result;

	if (old < 0)
		return lc_fail(c, "open");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		result = lc_fail(c, "pivot_root");
	else if (fchdir(old) < 0)
		result = lc_fail(c, "fchdir");
	else
		/* The new root now stands under the old one: work there, on the old one. */
		result = leave_old_root(c);
	close(old);
	return result;
}

#define OLD_ROOT ".pivot_root"

/* As pivot_root(2) was first meant: the old root goes into a directory of the new one for a moment. The kernel refuses one that lies elsewhere. */
static int64_t pivot_into(struct lc_ctx *c, int root, const char *directory)
{
	char path[PATH_MAX];
	size_t size = strlen(directory);
	int64_t result;
	int in = lc_open_in_root(c, root, directory, O_PATH | O_DIRECTORY);

	lc_detail(c, directory);
	if (in < 0)
		return in;
	if (size + sizeof("./" OLD_ROOT) > sizeof(path)) {
		close(in);
		return lc_refuse(c, "pivot_root", ENAMETOOLONG);
	}
	/* "." before it: from the new root, where we are. */
	path[0] = '.';
	memcpy(path + 1, directory, size);
	strcpy(path + 1 + size, "/" OLD_ROOT);
	if (mkdirat(in, OLD_ROOT, 0700) < 0) {
		lc_close(in);
		return lc_fail(c, "mkdirat");
	}
	result = syscall(SYS_pivot_root, ".", path) < 0 ? lc_fail(c, "pivot_root") : 0;
	if (result == 0 && fchdir(in) < 0)
		result = lc_fail(c, "fchdir");
	/* Through the mount: `in` is the directory beneath, where the name leads to the old root. */
	if (result == 0 && chdir(OLD_ROOT) < 0)
		result = lc_fail(c, "chdir");
	if (result == 0)
		result = leave_old_root(c);
	if (unlinkat(in, OLD_ROOT, AT_REMOVEDIR) < 0 && result == 0)
		result = lc_fail(c, "unlinkat");
	close(in);
	if (result == 0)
		c->detail[0] = 0;
	return result;
}

/* root, directory of it for the old root, or "" */
int64_t lc_op_pivot_root(struct lc_ctx *c, const union lc_arg *a)
{
	if (fchdir((int)a[0].i) < 0)
		return lc_fail(c, "fchdir");
	return a[1].s[0] == 0 ? pivot(c) : pivot_into(c, (int)a[0].i, a[1].s);
}

/* A mount that is being written to cannot become read-only at once: five tries, a tenth of a second apart. */
static int64_t patiently(struct lc_ctx *c, int fd, int64_t attributes, int recursive)
{
	const struct timespec pause = { 0, 100 * 1000 * 1000 };
	int64_t result;

	for (int i = 0;; i++) {
		result = lc_mount_attributes(c, fd, attributes, recursive);
		if (result == -ENOSYS && !recursive)
			result = lc_mount_remount(c, fd, attributes);
		if (result != -EBUSY || i == 5)
			return result;
		nanosleep(&pause, NULL);
	}
}

/* root, path ("" for the root itself), attributes, recursive: changes the mount at `path`, and looks whether it is read-only after. */
int64_t lc_op_set_mount_attributes(struct lc_ctx *c, const union lc_arg *a)
{
	int root = (int)a[0].i, fd = root;
	struct statfs fs;
	int64_t result;

	if (a[1].s[0] != 0) {
		fd = lc_no_root(root) ? open(a[1].s, O_PATH | O_CLOEXEC) : lc_open_in_root(c, root, a[1].s, O_PATH);
		if (fd < 0)
			return lc_no_root(root) ? lc_fail(c, "open") : fd;
	}
	result = patiently(c, fd, a[2].i, a[3].i != 0);
	if (result == 0 && a[2].i & MOUNT_ATTR_RDONLY && (fstatfs(fd, &fs) < 0 || !(fs.f_flags & MOUNT_ATTR_RDONLY))) {
		lc_detail(c, "it is still writable");
		result = lc_refuse(c, "mount_setattr", ESTALE);
	}
	if (fd != root)
		close(fd);
	return result;
}
