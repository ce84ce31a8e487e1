/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root that is moved on top of the old one, where pivot_root(2) cannot be had (the old root is a ramdisk). The old mounts stay in the namespace then, and
 * with them a whole procfs or sysfs, whose sight lets a user namespace mount one without what is masked here: each is taken away, or covered.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ROUNDS 4096
#define LINE 16384	/* a path may be 4096 bytes, each of them written as four */

/* A line of mountinfo, its texts decoded in place. */
struct line {
	int64_t id, parent;
	const char *root, *point, *type;
};

struct reader {
	int fd;
	size_t have, at;
	char text[2 * LINE];
};

static char *word(char **at)
{
	char *start = *at, *end = strchr(start, ' ');

	if (end == NULL)
		end = start + strlen(start);
	*at = *end ? end + 1 : end;
	*end = 0;
	return start;
}

static int64_t number(const char *digits)
{
	int64_t value = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		value = value * 10 + (*digits - '0');
	return value;
}

static char *decoded(char *text)
{
	char *to = text;

	for (const char *from = text; *from != 0; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != 0 && from[3] != 0) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
	return text;
}

/* 1, 0 at the end, or -errno. */
static int next_line(struct lc_ctx *c, struct reader *r, struct line *line)
{
	char *end, *at;

	while ((end = memchr(r->text + r->at, '\n', r->have - r->at)) == NULL) {
		ssize_t got;

		memmove(r->text, r->text + r->at, r->have - r->at);
		r->have -= r->at;
		r->at = 0;
		if (r->have == sizeof(r->text))
			return (int)lc_refuse(c, "read", EOVERFLOW);
		got = read(r->fd, r->text + r->have, sizeof(r->text) - r->have);
		if (got <= 0)
			return got < 0 ? (int)lc_fail(c, "read") : 0;
		r->have += (size_t)got;
	}
	*end = 0;
	at = r->text + r->at;
	r->at = (size_t)(end + 1 - r->text);
	line->id = number(word(&at));
	line->parent = number(word(&at));
	word(&at);
	line->root = decoded(word(&at));
	line->point = decoded(word(&at));
	while (*at != 0 && strcmp(word(&at), "-") != 0)
		;
	line->type = word(&at);
	return 1;
}

static int rewound(struct lc_ctx *c, struct reader *r)
{
	r->have = r->at = 0;
	return lseek(r->fd, 0, SEEK_SET) < 0 ? (int)lc_fail(c, "lseek") : 0;
}

/* The mount `id` lies on `above`, or on what lies on it: 1 or 0, or -errno. */
static int lies_on(struct lc_ctx *c, struct reader *r, int64_t id, int64_t above)
{
	struct line line;

	for (int depth = 0; depth < MAX_ROUNDS; depth++) {
		int result;

		if (id == above)
			return 1;
		if (rewound(c, r) < 0)
			return -EIO;
		while ((result = next_line(c, r, &line)) > 0 && line.id != id)
			;
		if (result <= 0)
			return result;
		if (line.parent == id)
			return 0;
		id = line.parent;
	}
	return 0;
}

/* Another mount on its very root hides it: 1 or 0, or -errno. */
static int is_covered(struct lc_ctx *c, struct reader *r, int64_t id, const char *point)
{
	struct line line;
	int result = rewound(c, r);

	while (result == 0 && (result = next_line(c, r, &line)) > 0) {
		if (line.parent == id && strcmp(line.point, point) == 0)
			return 1;
		result = 0;
	}
	return result;
}

struct found {
	int64_t id;
	char point[4097];
};

/* A whole procfs or sysfs that is neither of the new root nor covered: 1, 0 for none, or -errno. */
static int find(struct lc_ctx *c, struct reader *r, int64_t root, struct found *found)
{
	for (int skip = 0;; skip++) {
		struct line line;
		int seen = -1;
		int result = rewound(c, r);

		if (result < 0)
			return result;
		while ((result = next_line(c, r, &line)) > 0) {
			if ((strcmp(line.type, "proc") != 0 && strcmp(line.type, "sysfs") != 0) || strcmp(line.root, "/") != 0)
				continue;
			if (++seen == skip)
				break;
		}
		if (result <= 0)
			return result;
		if (strlen(line.point) >= sizeof(found->point))
			return (int)lc_refuse(c, "read", ENAMETOOLONG);
		found->id = line.id;
		strcpy(found->point, line.point);
		result = lies_on(c, r, found->id, root);
		if (result == 0)
			result = is_covered(c, r, found->id, found->point);
		if (result <= 0)
			return result < 0 ? result : 1;
	}
}

static int64_t cover(struct lc_ctx *c, int target)
{
	int tree = lc_mount_empty(c, "");
	int64_t result = 0;

	if (tree < 0)
		return tree;
	if (syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		result = lc_fail(c, "move_mount");
	close(tree);
	return result;
}

/* Takes it away, or covers it where it is locked: which shows when it is found again. */
static int64_t hide(struct lc_ctx *c, const struct found *found, int again)
{
	int fd = open(found->point, O_PATH | O_CLOEXEC);
	int64_t result;

	lc_detail(c, found->point);
	if (fd < 0)
		return lc_fail(c, "open");
	if (lc_mount_id(fd) != found->id)
		/* It is below something that hides the way to it, and not the mount. */
		result = lc_refuse(c, "umount2", EBUSY);
	else if (again)
		result = cover(c, fd);
	else if ((result = lc_mount_propagation(c, fd, 8 | 2)) == 0)
		lc_mount_detach(fd);
	close(fd);
	if (result == 0)
		c->detail[0] = 0;
	return result;
}

static int64_t hide_all(struct lc_ctx *c, int root, int mountinfo)
{
	struct reader reader = { .fd = mountinfo };
	struct found found;
	int64_t last = -1;

	for (int i = 0; i < MAX_ROUNDS; i++) {
		int result = find(c, &reader, lc_mount_id(root), &found);

		if (result <= 0)
			return result;
		if ((result = (int)hide(c, &found, found.id == last)) < 0)
			return result;
		last = found.id;
	}
	return lc_refuse(c, "umount2", EBUSY);
}

static int64_t move(struct lc_ctx *c, int root)
{
	int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t result;

	if (top < 0)
		return lc_fail(c, "open");
	/* Whoever shares the old root with us, such as the host, would get ours on top of it. */
	result = lc_mount_propagation(c, top, 2);
	if (result == 0 && syscall(SYS_move_mount, root, "", top, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		result = lc_fail(c, "move_mount");
	close(top);
	return result;
}

/* root. Moved first: what lay below its old place can be reached then, and whoever is still in the old root reaches all the rest. */
int64_t lc_op_move_root(struct lc_ctx *c, const union lc_arg *a)
{
	int root = (int)a[0].i, proc = lc_open_proc(c), mountinfo;
	int64_t result;

	if (proc < 0)
		return proc;
	mountinfo = lc_open_in_proc(c, proc, "self/mountinfo", O_RDONLY);
	lc_close(proc);
	if (mountinfo < 0)
		return mountinfo;
	result = move(c, root);
	if (result == 0)
		result = hide_all(c, root, mountinfo);
	close(mountinfo);
	return result < 0 ? result : lc_op_change_root(c, a);
}
