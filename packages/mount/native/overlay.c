/* SPDX-License-Identifier: Apache-2.0 */
/* What covers a container's root: an overlay, memory, or a tree of somebody else; and memory for what is written to an overlay. */
#include "internal.h"

#include <string.h>
#include <sys/vfs.h>

#include "../../sys/native/decimal.h"

/*
 * A tmpfs with the directories of an overlay, and the working directory in it: relative paths lead there, and nowhere that an image chooses. It must be
 * attached while an overlay is made of it, which has a mount of its own afterwards: on the target, for a moment. `*before`: where to go back to.
 */
int lc_mount_enter_scratch(struct lc_ctx *c, int target, int *before)
{
	const struct lc_bytes none = { 0 };
	int tree = lc_mount_create(c, "tmpfs", "tmpfs", &none, "0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	int64_t result = 0;

	if (tree < 0)
		return tree;
	*before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*before < 0)
		result = lc_fail(c, "open");
	else if (syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		result = lc_fail(c, "move_mount");
	else if (fchdir(tree) < 0)
		result = lc_fail(c, "fchdir");
	else if (mkdirat(AT_FDCWD, "upper", 0755) < 0 || mkdirat(AT_FDCWD, "work", 0755) < 0)
		result = lc_fail(c, "mkdirat");
	if (result == 0)
		return tree;
	lc_mount_detach(tree);
	close(tree);
	lc_close(*before);
	return (int)result;
}

int64_t lc_mount_leave_scratch(struct lc_ctx *c, int tree, int before, int64_t result)
{
	if (fchdir(before) < 0 && result >= 0)
		result = lc_fail(c, "fchdir");
	close(before);
	lc_mount_detach(tree);
	close(tree);
	return result;
}

int lc_mount_confirm_writable(struct lc_ctx *c, int tree)
{
	struct statfs fs;
	int64_t result = tree;

	if (fstatfs(tree, &fs) < 0) {
		result = lc_fail(c, "fstatfs");
	} else if (fs.f_flags & MOUNT_ATTR_RDONLY) {
		lc_detail(c, "upper or work cannot be written to, and the overlay would be read-only");
		result = lc_refuse(c, "fsconfig", EROFS);
	}
	if (result < 0)
		close(tree);
	return (int)result;
}

/* Upper and work among them; src/root-overlay.ts allows fewer: fsconfig(2) takes 255 bytes of one option, and a name here is a descriptor's number. */
#define MAX_LAYERS 64
/* Which is one of fsconfig(2), too: the label of all files. */
#define MAX_OPTIONS 320
#define FLAGS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* What an overlay is made of: descriptors, and the words that name them where they are names. */
struct layers {
	int fds[MAX_LAYERS], count;
	unsigned int attributes;
	char words[MAX_LAYERS * 11 + 256 + MAX_OPTIONS], *end;
};

static void say(struct layers *l, const char *text)
{
	size_t size = strlen(text);

	memcpy(l->end, text, size + 1);
	l->end += size;
}

/* `before`: what stands ahead of its name. The overlay is to be no wider than where its directories lie: statfs(2) has the numbers of MOUNT_ATTR_*. */
static int64_t name(struct lc_ctx *c, struct layers *l, const char *before, int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return lc_fail(c, "fstatfs");
	l->attributes |= (unsigned int)fs.f_flags & FLAGS;
	say(l, before);
	l->end = lc_decimal(l->end, (uint64_t)fd);
	return 0;
}

static int64_t add(struct lc_ctx *c, struct layers *l, const char *before, const char *path)
{
	int fd;

	if (l->count >= MAX_LAYERS)
		return lc_refuse(c, "fsconfig", E2BIG);
	fd = lc_mount_open_plain(c, path);
	if (fd < 0) {
		lc_detail(c, path);
		return fd;
	}
	l->fds[l->count++] = fd;
	return name(c, l, before, fd);
}

/* The names of all descriptors, each a link of procfs to the directory itself, whatever its path leads to by now. */
static int64_t make(struct lc_ctx *c, struct layers *l, const struct lc_bytes *options)
{
	struct lc_bytes words = { (uint8_t *)l->words, 0 };
	int names = lc_open_descriptors(c);
	int64_t tree;

	if (names < 0)
		return names;
	l->end++;
	memcpy(l->end, options->at, options->size);
	words.size = (size_t)(l->end - l->words) + options->size;
	tree = fchdir(names) < 0 ? lc_fail(c, "fchdir") : lc_mount_create(c, "overlay", "overlay", &words, NULL, l->attributes);
	close(names);
	return tree < 0 || l->attributes & MOUNT_ATTR_RDONLY ? tree : lc_mount_confirm_writable(c, (int)tree);
}

/* The upper directory and that to work in, or none for a file system that nobody writes to. */
static int64_t add_upper(struct lc_ctx *c, struct layers *l, const char *upper, const char *work)
{
	int64_t result;

	if (upper[0] == 0) {
		l->attributes |= MOUNT_ATTR_RDONLY;
		return 0;
	}
	l->end++;
	result = add(c, l, "upperdir=", upper);
	if (result < 0)
		return result;
	l->end++;
	return add(c, l, "workdir=", work);
}

static int64_t add_lower(struct lc_ctx *c, struct layers *l, const struct lc_bytes *lower, int root)
{
	const char *before = "lowerdir=";
	int64_t result;

	for (const char *path = NULL; (path = lc_next_string(lower, path)) != NULL; before = ":")
		if ((result = add(c, l, before, path)) < 0)
			return result;
	return name(c, l, before, root);
}

static int64_t overlay(struct lc_ctx *c, struct layers *l, const union lc_arg *a)
{
	int root = (int)a[0].i, scratch = -1, before = -1;
	int64_t result = add_lower(c, l, &a[1].b, root);

	if (result < 0)
		return result;
	if (a[5].i & LC_SCRATCH) {
		unsigned int attributes = l->attributes;

		scratch = lc_mount_enter_scratch(c, root, &before);
		if (scratch < 0)
			return scratch;
		result = add_upper(c, l, "upper", "work");
		/* The flags of the memory are ours, and nobody's wish. */
		l->attributes = attributes;
	} else {
		before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		result = before < 0 ? lc_fail(c, "open") : add_upper(c, l, a[2].s, a[3].s);
	}
	if (result == 0)
		result = make(c, l, &a[4].b);
	if (scratch >= 0) {
		int64_t left = lc_mount_leave_scratch(c, scratch, before, result);

		if (left < 0 && result >= 0)
			close((int)result);
		return left;
	}
	if (before >= 0 && fchdir(before) < 0 && result >= 0) {
		close((int)result);
		result = lc_fail(c, "fchdir");
	}
	lc_close(before);
	return result;
}

/* Mounts `tree` on the root, whose descriptor is then that of the tree. */
static int64_t cover(struct lc_ctx *c, int root, int tree)
{
	int64_t result = 0;

	if (syscall(SYS_move_mount, tree, "", root, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		result = lc_fail(c, "move_mount");
	else if (dup3(tree, root, O_CLOEXEC) < 0)
		result = lc_fail(c, "dup3");
	return result;
}

/* The same with a tree of our own. */
static int64_t cover_and_close(struct lc_ctx *c, int root, int64_t tree)
{
	int64_t result = tree < 0 ? tree : cover(c, root, (int)tree);

	if (tree >= 0)
		close((int)tree);
	return result;
}

/* root, tree: covers root by a detached tree of somebody else. The descriptor of root is then that of the tree. */
int64_t lc_op_cover_root(struct lc_ctx *c, const union lc_arg *a)
{
	return cover(c, (int)a[0].i, (int)a[1].i);
}

/*
 * root, directories below it (NUL-ended, uppermost first), upper and work or "", options, flags: covers root by an overlay of them with root as the lowest.
 * The descriptor of root is then that of the overlay.
 */
int64_t lc_op_overlay_root(struct lc_ctx *c, const union lc_arg *a)
{
	struct layers l = { .end = l.words };
	int root = (int)a[0].i;
	int64_t tree = a[4].b.size > MAX_OPTIONS ? lc_refuse(c, "fsconfig", E2BIG) : overlay(c, &l, a);

	for (int i = 0; i < l.count; i++)
		close(l.fds[i]);
	return cover_and_close(c, root, tree);
}

/* root, options: covers root by an empty tmpfs. The descriptor of root is then that of the tmpfs. */
int64_t lc_op_tmpfs_root(struct lc_ctx *c, const union lc_arg *a)
{
	int tree = lc_mount_create(c, "tmpfs", "tmpfs", &a[1].b, "0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	return cover_and_close(c, (int)a[0].i, tree);
}
