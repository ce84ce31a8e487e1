/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a cgroup with its missing parents, takes back what was made, and removes a cgroup with all below it. */
#include "directory.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RACES 16	/* parents that somebody removes while we go down */

/* Enables controllers for the children of `dir`: all at once, else each for itself; what the kernel refuses shows where a limit is written. */
static void enable(int dir, const char *controllers)
{
	if (*controllers == 0 || lc_write_value(dir, "cgroup.subtree_control", controllers, strlen(controllers)) == 0)
		return;
	while (*controllers) {
		size_t size = strcspn(controllers, " ");

		(void)lc_write_value(dir, "cgroup.subtree_control", controllers, size);
		controllers += size;
		controllers += *controllers == ' ';
	}
}

/* A v1 cpuset is born empty, and then no process may join it and no child may have processors: it takes its parent's. */
static int64_t inherit(struct lc_ctx *c, int parent, int dir, const char *file)
{
	char value[4096];
	int64_t size = lc_read_file(dir, file, value, sizeof(value));
	int error;

	if (size < 0 || (size > 0 && value[0] != '\n'))
		return size < 0 ? lc_refuse(c, "read", (int)-size) : 0;
	size = lc_read_file(parent, file, value, sizeof(value));
	if (size < 0)
		return lc_refuse(c, "read", (int)-size);
	error = lc_write_value(dir, file, value, (size_t)size);
	return error < 0 ? lc_refuse(c, "write", -error) : 0;
}

static int64_t prepare(struct lc_ctx *c, int parent, int dir, const char *inherited)
{
	int64_t result = 0;

	/* "cpuset.cpus cpuset.mems", or their names under `noprefix`. */
	while (*inherited && result == 0) {
		char file[64];
		size_t size = strcspn(inherited, " ");

		if (size >= sizeof(file))
			return lc_refuse(c, "openat", ENAMETOOLONG);
		memcpy(file, inherited, size);
		file[size] = 0;
		result = inherit(c, parent, dir, file);
		if (result < 0)
			lc_detail(c, file);
		inherited += size;
		inherited += *inherited == ' ';
	}
	return result;
}

/* How far a path has been made. */
struct made {
	int levels;	/* that were not there */
	size_t reached;	/* bytes of the path that are there now */
};

/* Removes the last `levels` of the first `size` bytes of `path`, as far as they are empty. */
static int64_t take_back(struct lc_ctx *c, int root, const char *path, size_t size, int levels)
{
	char left[PATH_MAX];
	int64_t result = 0;

	if (size >= sizeof(left))
		return lc_refuse(c, "unlinkat", ENAMETOOLONG);
	memcpy(left, path, size);
	left[size] = 0;
	for (char *slash = left; slash && levels > 0 && result == 0; levels--) {
		int parent = root;

		slash = strrchr(left, '/');
		if (slash) {
			*slash = 0;
			parent = lc_open_beneath(c, root, left, O_PATH | O_DIRECTORY);
			if (parent < 0)
				return parent == -ENOENT ? 0 : parent;
		}
		if (unlinkat(parent, slash ? slash + 1 : left, AT_REMOVEDIR) < 0 && errno != ENOENT)
			result = lc_fail(c, "unlinkat");
		if (parent != root)
			close(parent);
	}
	return result;
}

/* Makes `name` in `at` unless it is there, and opens it. */
static int make_level(struct lc_ctx *c, int at, const char *name, int must_be_new, int *is_new)
{
	int fd;

	*is_new = mkdirat(at, name, 0755) == 0;
	if (!*is_new && (errno != EEXIST || must_be_new))
		return (int)lc_fail(c, "mkdirat");
	fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? (int)lc_fail(c, "openat") : fd;
}

#define MUST_BE_NEW 1
#define HAS_TYPE 2
#define NEEDS_DOMAIN 4

/*
 * Below a threaded cgroup a new one is of no use ("domain invalid") before it is made threaded, and then the controllers that count
 * for whole processes are not there. EOPNOTSUPP, with the type, when one of them is needed.
 */
static int64_t settle_type(struct lc_ctx *c, int dir, int needs_domain)
{
	char type[32];
	int64_t size = lc_read_file(dir, "cgroup.type", type, sizeof(type) - 1);
	int error;

	if (size < 0)
		return size == -ENOENT ? 0 : lc_refuse(c, "read", (int)-size);
	type[size] = 0;
	if (strcmp(type, "domain\n") == 0 || (strcmp(type, "domain threaded\n") == 0 && !needs_domain))
		return 0;
	if (needs_domain) {
		type[size ? size - 1 : 0] = 0;
		lc_detail(c, type);
		return lc_refuse(c, "cgroup.type", EOPNOTSUPP);
	}
	if (strcmp(type, "domain invalid\n") != 0)
		return 0;
	error = lc_write_value(dir, "cgroup.type", "threaded", 8);
	return error < 0 ? lc_refuse(c, "write", -error) : 0;
}

static int64_t make_levels(struct lc_ctx *c, int root, const union lc_arg *a, struct made *made)
{
	const char *path = a[1].s;
	int64_t result = 0;
	int at = root;

	for (size_t from = 0; path[from] && result == 0;) {
		size_t size = strcspn(path + from, "/");
		int last = path[from + size] == 0;
		char name[NAME_MAX + 1];
		int next, is_new;

		if (size > NAME_MAX || size == 0 || (size <= 2 && strncmp(path + from, "..", size) == 0)) {
			result = lc_refuse(c, "mkdirat", size > NAME_MAX ? ENAMETOOLONG : EINVAL);
			break;
		}
		memcpy(name, path + from, size);
		name[size] = 0;
		enable(at, a[2].s);
		next = make_level(c, at, name, last && (a[4].i & MUST_BE_NEW), &is_new);
		if (is_new) {
			made->levels++;
			made->reached = from + size;
		}
		result = next < 0 ? next : prepare(c, at, next, a[3].s);
		if (result == 0 && (a[4].i & HAS_TYPE))
			result = settle_type(c, next, last && (a[4].i & NEEDS_DOMAIN));
		if (at != root)
			close(at);
		at = next;
		from += size + !last;
	}
	if (at != root && at >= 0)
		close(at);
	return result;
}

/*
 * makeCgroup(mount, path, controllers, inherited, flags): makes the missing levels of `path`; enables `controllers`
 * ("+cpu +memory") for the children of each level above the last; copies the `inherited` files from the level above where
 * they are empty. Answers how many levels it made. A failure leaves none of them.
 */
int64_t lc_op_make_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	int root = lc_open_hierarchy(c, a[0].s);
	struct made made = { 0, 0 };
	int64_t result = -ENOENT;

	if (root < 0)
		return root;
	/* ENOENT: somebody removed a level while we went down. */
	for (int i = 0; i < RACES && result == -ENOENT; i++) {
		struct lc_ctx aside;

		made = (struct made){ 0, 0 };
		result = make_levels(c, root, a, &made);
		if (result < 0)
			(void)take_back(&aside, root, a[1].s, made.reached, made.levels);
	}
	close(root);
	return result < 0 ? result : made.levels;
}

/* unmakeCgroup(mount, path, levels): removes what makeCgroup made and nobody uses. */
int64_t lc_op_unmake_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	int root = lc_open_hierarchy(c, a[0].s);
	int64_t result;

	if (root < 0)
		return root;
	result = take_back(c, root, a[1].s, strlen(a[1].s), (int)a[2].i);
	close(root);
	return result;
}

/* confirmNoCgroups(list of mount, path): EEXIST, with the first that is there. */
int64_t lc_op_confirm_no_cgroups(struct lc_ctx *c, const union lc_arg *a)
{
	struct lc_list list = lc_list_of(&a[0].b);
	const char *mount, *path;

	while ((mount = lc_next(&list)) && (path = lc_next(&list))) {
		int fd = lc_open_cgroup(c, mount, path, O_PATH | O_DIRECTORY);

		if (fd == -ENOENT)
			continue;
		if (fd >= 0)
			close(fd);
		lc_detail(c, mount);
		return fd < 0 ? fd : lc_refuse(c, "openat2", EEXIST);
	}
	return 0;
}

/* 1: it is gone. A busy one is told of by `with`. */
static int64_t remove_empty(struct lc_ctx *c, int parent, const char *name, void *with)
{
	int64_t result;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 1;
	result = lc_fail(c, "unlinkat");
	if (result != -EBUSY)
		return result;
	*(int *)with = 1;
	return 0;
}

static int64_t remove_one(struct lc_ctx *c, int parent, const char *name, int depth, void *with)
{
	int64_t result = 0;
	int dir;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	/* Busy: children, or processes. A busy child does not keep its siblings. */
	if (errno == EBUSY || errno == ENOTEMPTY) {
		dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0)
			return errno == ENOENT ? 0 : lc_fail(c, "openat");
		if (depth + 1 < LC_CGROUP_DEPTH)
			result = lc_subdirectories(c, dir, depth + 1, remove_one, with);
		else
			result = lc_walk_below(c, dir, NULL, remove_empty, with);
		close(dir);
		if (result < 0)
			return result;
	}
	result = remove_empty(c, parent, name, with);
	return result < 0 ? result : 0;
}

static int64_t remove_path(struct lc_ctx *c, const char *mount, const char *path, int *busy)
{
	char parent[PATH_MAX] = "";
	const char *slash = strrchr(path, '/');
	size_t size = slash ? (size_t)(slash - path) : 0;
	int64_t result;
	int dir;

	if (size >= sizeof(parent) || *path == 0)
		return lc_refuse(c, "unlinkat", EINVAL);
	memcpy(parent, path, size);
	parent[size] = 0;
	dir = lc_open_cgroup(c, mount, parent, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	result = remove_one(c, dir, slash ? slash + 1 : path, 0, busy);
	close(dir);
	return result;
}

/*
 * removeCgroups(list of mount, path): removes each with all cgroups below it, and goes on after a failure. What is gone already is fine.
 * EBUSY, with the first such path: there are processes in it still.
 */
int64_t lc_op_remove_cgroups(struct lc_ctx *c, const union lc_arg *a)
{
	struct lc_list list = lc_list_of(&a[0].b);
	const char *mount, *path;
	int64_t first = 0;

	while ((mount = lc_next(&list)) && (path = lc_next(&list))) {
		struct lc_ctx aside = { 0 };
		int busy = 0;
		int64_t result = remove_path(&aside, mount, path, &busy);

		if (result == 0 && busy)
			result = lc_refuse(&aside, "unlinkat", EBUSY);
		if (result < 0 && first == 0) {
			first = result;
			c->syscall = aside.syscall;
			lc_detail(c, aside.detail[0] ? aside.detail : mount);
		}
	}
	return first;
}
