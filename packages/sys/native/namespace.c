/* SPDX-License-Identifier: Apache-2.0 */
#include "namespace.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/nsfs.h>

#include "decimal.h"

#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

int64_t lc_namespace_type(struct lc_ctx *c, int fd)
{
	struct statfs fs;
	int type;

	/* First this: to another file system the ioctl's number may mean something else. */
	if (fstatfs(fd, &fs) < 0)
		return lc_fail(c, "fstatfs");
	if (fs.f_type != NSFS_MAGIC) {
		lc_detail(c, "it is no namespace");
		return lc_refuse(c, "fstatfs", EINVAL);
	}
	type = ioctl(fd, NS_GET_NSTYPE);
	return type < 0 ? lc_fail(c, "ioctl(NS_GET_NSTYPE)") : type;
}

/* namespaceType(fd): the flag of its kind. */
int64_t lc_op_namespace_type(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_namespace_type(c, (int)a[0].i);
}

/* bindNamespace(namespace, file): mounts the one on the other, both by descriptor: no name is looked up. */
int64_t lc_op_bind_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t result = lc_namespace_type(c, (int)a[0].i);
	int tree;

	if (result < 0)
		return result;
	tree = (int)syscall(SYS_open_tree, (int)a[0].i, "", AT_EMPTY_PATH | O_CLOEXEC | 1 /* OPEN_TREE_CLONE */);
	if (tree < 0)
		return lc_fail(c, "open_tree");
	result = 0;
	if (syscall(SYS_move_mount, tree, "", (int)a[1].i, "", 0x04 | 0x40 /* both by an empty path */) < 0)
		result = lc_fail(c, "move_mount");
	close(tree);
	return result;
}

/* unbindNamespace(fd): takes the mount away that the descriptor is the root of, if it is one of a namespace. */
int64_t lc_op_unbind_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	char path[32] = "/proc/self/fd/";
	int64_t type = lc_namespace_type(c, (int)a[0].i);

	if (type < 0)
		return type;
	*lc_decimal(path + strlen(path), (uint64_t)a[0].i) = 0;
	return umount2(path, MNT_DETACH) < 0 ? lc_fail(c, "umount2") : 0;
}
