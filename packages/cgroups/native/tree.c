/* SPDX-License-Identifier: Apache-2.0 */
/* What lies below a cgroup, and whose it is. */
#include "directory.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

struct names {
	struct lc_bytes left;
	char path[PATH_MAX];
	size_t size;
	int recursive;
};

static int64_t name_one(struct lc_ctx *c, int parent, const char *name, int depth, void *with)
{
	struct names *names = with;
	size_t before = names->size, size = strlen(name);
	int64_t result = 0;
	int dir;

	if (before + size + 2 > sizeof(names->path))
		return lc_refuse(c, "getdents64", ENAMETOOLONG);
	if (before)
		names->path[names->size++] = '/';
	memcpy(names->path + names->size, name, size);
	names->size += size;
	/* With the NUL that ends it. */
	names->path[names->size] = 0;
	if (names->left.size <= names->size)
		return lc_refuse(c, "getdents64", ERANGE);
	memcpy(names->left.at, names->path, names->size + 1);
	names->left.at += names->size + 1;
	names->left.size -= names->size + 1;
	if (names->recursive) {
		dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir >= 0) {
			result = lc_subdirectories(c, dir, depth + 1, name_one, names);
			close(dir);
		} else if (errno != ENOENT && errno != ENODEV) {
			result = lc_fail(c, "openat");
		}
	}
	names->size = before;
	return result;
}

/* listCgroups(mount, path, recursive, buffer): the paths of those below, relative, each ended by NUL. The bytes used; ERANGE. */
int64_t lc_op_list_cgroups(struct lc_ctx *c, const union lc_arg *a)
{
	int dir = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY | O_DIRECTORY);
	struct names names;
	int64_t result;

	if (dir < 0)
		return dir;
	names.left = a[3].b;
	names.size = 0;
	names.recursive = a[2].i != 0;
	result = lc_subdirectories(c, dir, 0, name_one, &names);
	close(dir);
	return result < 0 ? result : (int64_t)(a[3].b.size - names.left.size);
}

/*
 * chownCgroup(mount, path, uid, gid, files): the directory and those of the files that are there, to somebody who may then make cgroups
 * below it and move processes among them. -1 leaves an id alone.
 */
int64_t lc_op_chown_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	int dir = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY | O_DIRECTORY);
	struct lc_list files = lc_list_of(&a[4].b);
	int64_t result = 0;
	const char *file;

	if (dir < 0)
		return dir;
	if (fchown(dir, (uid_t)a[2].i, (gid_t)a[3].i) < 0)
		result = lc_fail(c, "fchown");
	while (result == 0 && (file = lc_next(&files))) {
		if (fchownat(dir, file, (uid_t)a[2].i, (gid_t)a[3].i, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
			continue;
		result = lc_fail(c, "fchownat");
		lc_detail(c, file);
	}
	close(dir);
	return result;
}
