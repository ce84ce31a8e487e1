/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <limits.h>
#include <string.h>
#include <sys/vfs.h>

/* move_mount(2) says a mere EINVAL. */
static int64_t check_kinds(struct lc_ctx *c, const struct stat *source, int target)
{
	struct stat st;

	if (fstat(target, &st) < 0)
		return lc_fail(c, "fstat");
	return S_ISDIR(source->st_mode) == S_ISDIR(st.st_mode) ? 0 : lc_refuse(c, "move_mount", ENOTDIR);
}

static int64_t check_source(struct lc_ctx *c, int tree, int flags, struct stat *st)
{
	struct statfs fs;

	if (fstat(tree, st) < 0 || fstatfs(tree, &fs) < 0)
		return lc_fail(c, "fstat");
	if (flags & LC_SOURCE_PROC && fs.f_type != PROC_MAGIC) {
		lc_detail(c, "only a proc file system may be bound on /proc");
		return lc_refuse(c, "open_tree", EINVAL);
	}
	return 0;
}

/* The same link in the root: what it says is the caller's, and leads nowhere while nobody follows it. One that is there and says the same will do. */
static int64_t copy_link(struct lc_ctx *c, int root, int tree, const char *path)
{
	char text[PATH_MAX], found[PATH_MAX];
	ssize_t size = readlinkat(tree, "", text, sizeof(text) - 1);
	int64_t result = 0;
	const char *last;
	int parent;

	if (size < 0)
		return lc_fail(c, "readlinkat");
	text[size] = 0;
	parent = lc_parent_in_root(c, root, path, &last);
	if (parent < 0)
		return parent;
	if (symlinkat(text, parent, last) < 0) {
		result = lc_fail(c, "symlinkat");
		if (result == -EEXIST && readlinkat(parent, last, found, sizeof(found)) == size && memcmp(found, text, (size_t)size) == 0)
			result = 0;
	}
	close(parent);
	return result;
}

/* Attributes go on the detached tree, so that no moment shows it without them. Before 5.12 they follow, where nobody else looks yet. */
static int64_t bind_tree(struct lc_ctx *c, const union lc_arg *a, int tree)
{
	int root = (int)a[0].i, flags = (int)a[4].i, target;
	const char *path = a[3].s;
	int64_t result, late = 0;
	struct stat st;

	result = check_source(c, tree, flags, &st);
	if (result < 0)
		return result;
	if (flags & LC_COPY_LINK && S_ISLNK(st.st_mode))
		return copy_link(c, root, tree, path);
	/* A link that is mounted stands at the path itself: what leads there would be followed through it. */
	if (S_ISLNK(st.st_mode))
		flags |= LC_TARGET_LINK;
	result = lc_mount_attributes(c, tree, a[6].i, 1);
	if (result < 0)
		return result;
	result = lc_mount_attributes(c, tree, a[5].i, 0);
	if (result == -ENOSYS && !(flags & LC_AT_ONCE))
		late = a[5].i;
	else if (result < 0)
		return result;

	target = lc_mount_target(c, root, path, st.st_mode, flags);
	if (target < 0)
		return target;
	result = check_kinds(c, &st, target);
	if (result == 0)
		result = lc_mount_attach(c, root, tree, target, path, flags, a[7].i);
	if (result < 0 && c->detail[0] == 0)
		lc_detail(c, a[2].s);
	close(target);
	if (result == 0 && (result = lc_mount_remount(c, tree, late)) < 0)
		lc_mount_detach(tree);
	return result;
}

/* A copy of the source, which is detached. Of the container's own, a link leads to nothing outside of its root. */
static int take_source(struct lc_ctx *c, const union lc_arg *a)
{
	const int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (a[4].i & LC_RECURSIVE ? AT_RECURSIVE : 0);
	int nofollow = a[4].i & (LC_SOURCE_LINK | LC_COPY_LINK);
	int tree, source;

	if (!(a[4].i & LC_SOURCE_INSIDE)) {
		tree = (int)syscall(SYS_open_tree, AT_FDCWD, a[2].s, flags | (nofollow ? AT_SYMLINK_NOFOLLOW : 0));
		return tree < 0 ? (int)lc_fail(c, "open_tree") : tree;
	}
	source = lc_open_in_root(c, (int)a[0].i, a[2].s, O_PATH | (nofollow ? O_NOFOLLOW : 0));
	if (source < 0)
		return source;
	tree = (int)syscall(SYS_open_tree, source, "", flags | AT_EMPTY_PATH);
	lc_close(source);
	return tree < 0 ? (int)lc_fail(c, "open_tree") : tree;
}

/* root, tree (or -1: by path), source, target, flags, attributes, recursive attributes, propagation */
int64_t lc_op_bind_mount(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t result;
	int tree;

	if (a[1].i >= 0)
		return bind_tree(c, a, (int)a[1].i);
	tree = take_source(c, a);
	if (tree < 0) {
		lc_detail(c, a[2].s);
		return tree;
	}
	result = bind_tree(c, a, tree);
	if (result == 0 && a[4].i & LC_KEEP)
		return tree;
	close(tree);
	return result;
}
