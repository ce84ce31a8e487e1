/* SPDX-License-Identifier: Apache-2.0 */
/* Reads many files of many cgroups in one call. */
#include "directory.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Where the sizes and the bytes of the next file go. */
struct out {
	struct lc_bytes sizes, text;
};

/* Appends the size or -errno of each file of `set`, and its bytes. 0, or ERANGE when there is no room. */
static int64_t read_set(struct lc_ctx *c, int dir, struct lc_list set, struct out *out)
{
	const char *file;

	while ((file = lc_next(&set)) && *file) {
		int64_t got = dir < 0 ? dir : lc_read_file(dir, file, (char *)out->text.at, out->text.size);
		int32_t size = (int32_t)got;

		/* As much as there is room for may be less than there is. */
		if ((got >= 0 && (size_t)got == out->text.size) || out->sizes.size < sizeof(size))
			return lc_refuse(c, "read", ERANGE);
		memcpy(out->sizes.at, &size, sizeof(size));
		out->sizes.at += sizeof(size);
		out->sizes.size -= sizeof(size);
		out->text.at += got > 0 ? got : 0;
		out->text.size -= got > 0 ? (size_t)got : 0;
	}
	return 0;
}

#define HIERARCHIES 32

/*
 * readCgroupSets(directories, sets, sizes, text): `sets` are lists of files, each ended by an empty string, one for each hierarchy;
 * `directories` starts with as many mount points, and goes on with as many paths for each cgroup. For each file of each cgroup an i32 goes to
 * `sizes`, its size or -errno, and its bytes to `text`. Answers the bytes of text; ERANGE: more room, please.
 */
int64_t lc_op_read_cgroup_sets(struct lc_ctx *c, const union lc_arg *a)
{
	struct lc_list directories = lc_list_of(&a[0].b), set = lc_list_of(&a[1].b), sets[HIERARCHIES];
	int mounts[HIERARCHIES], count = 0, at = 0;
	struct out out = { a[2].b, a[3].b };
	const char *path, *file;
	struct lc_ctx aside;
	int64_t result = 0;

	while (set.at != set.end && count < HIERARCHIES && (path = lc_next(&directories))) {
		sets[count] = set;
		mounts[count++] = lc_open_hierarchy(&aside, path);
		while ((file = lc_next(&set)) && *file)
			;
	}
	while (result == 0 && count > 0 && (path = lc_next(&directories))) {
		int dir = mounts[at] < 0 ? mounts[at] : lc_open_beneath(&aside, mounts[at], path, O_PATH | O_DIRECTORY);

		result = read_set(c, dir, sets[at], &out);
		if (dir >= 0)
			close(dir);
		at = (at + 1) % count;
	}
	for (int i = 0; i < count; i++) {
		if (mounts[i] >= 0)
			close(mounts[i]);
	}
	return result < 0 ? result : (int64_t)(a[3].b.size - out.text.size);
}
