/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/openat2.h>

#define PROC_MAGIC 0x9fa0
#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

/* A rename beside the path makes openat2 answer EAGAIN, under attack about once in ten times. */
#define TRIES 32

/* As many links as the kernel follows. */
#define MAX_LINKS 40

int lc_open_how(int dir, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = resolve,
	};
	int fd = -1;

	for (int i = 0; i < TRIES; i++) {
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

/* EPERM too: an outer container's seccomp profile may not know openat2. Where the kernel meant it, the walk gets it again. */
int lc_wants_walk(void)
{
	return errno == EAGAIN || errno == ENOSYS || errno == EPERM;
}

/*
 * The walk: from `root` downwards, one component at a time and never through a link. What a link says is put before
 * the rest of the path. `..` drops the last name of `done` and comes down from `root` again: a directory's own `..` may
 * lie outside by the time it is opened.
 */
struct walk {
	int root;
	int at;			/* the directory reached, or `root` itself */
	unsigned int links;
	int make;		/* missing directories are made, */
	mode_t mode;		/* with this mode */
	size_t size;		/* of `done` */
	char done[PATH_MAX];	/* the names from `root` to `at`, each after a '/' */
	char left[PATH_MAX];	/* what is still to be walked */
};

static void walk_to(struct walk *w, int fd)
{
	int error = errno;

	if (w->at != w->root)
		close(w->at);
	w->at = fd;
	errno = error;
}

static int walk_up(struct walk *w)
{
	char *name = w->done + 1;

	while (w->size > 0 && w->done[--w->size] != '/')
		;
	w->done[w->size] = 0;
	walk_to(w, w->root);
	for (size_t i = 0; i < w->size; name = w->done + i + 1) {
		int fd;

		for (i++; w->done[i] != 0 && w->done[i] != '/'; i++)
			;
		w->done[i] = 0;
		fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
		if (i < w->size)
			w->done[i] = '/';
		if (fd < 0)
			return -1;
		walk_to(w, fd);
	}
	return 0;
}

static int walk_down(struct walk *w, const char *name, int fd)
{
	size_t size = strlen(name);

	if (w->size + size + 2 > sizeof(w->done)) {
		close(fd);
		errno = ENAMETOOLONG;
		return -1;
	}
	w->done[w->size] = '/';
	memcpy(w->done + w->size + 1, name, size + 1);
	w->size += size + 1;
	walk_to(w, fd);
	return 0;
}

/* The links of procfs that lead to a thing rather than by a path say "/…", "(unreachable)…" or "pipe:[…]". */
static int is_magic(int link, const char *text)
{
	struct statfs fs;

	return fstatfs(link, &fs) == 0 && fs.f_type == PROC_MAGIC && (text[0] == '/' || text[0] == '(' || strchr(text, ':') != NULL);
}

/* Puts the text of the link `fd` before what is left, which begins at `rest`; closes `fd`. */
static int walk_link(struct walk *w, int fd, const char *rest)
{
	char text[PATH_MAX];
	size_t kept = strlen(rest);
	ssize_t size = readlinkat(fd, "", text, sizeof(text) - 1);
	int magic;

	text[size < 0 ? 0 : size] = 0;
	magic = is_magic(fd, text);
	close(fd);
	if (size <= 0 || (size_t)size + kept + 1 > sizeof(w->left)) {
		errno = size <= 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	if (++w->links > MAX_LINKS || magic) {
		errno = ELOOP;
		return -1;
	}
	/* The text's last name keeps its place: only a '/' that was there makes it a directory. */
	memmove(w->left + size, rest, kept + 1);
	memcpy(w->left, text, (size_t)size);
	if (text[0] == '/') {
		w->size = 0;
		walk_to(w, w->root);
	}
	return 0;
}

/* Cuts the first name off `left` into `name`; answers where the rest begins ("" or "/…"), NULL without a name. */
static const char *next_name(const struct walk *w, char name[NAME_MAX + 1])
{
	const char *from = w->left;
	size_t size = 0;

	name[0] = 0;
	while (*from == '/')
		from++;
	while (from[size] != 0 && from[size] != '/')
		size++;
	if (size > NAME_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	memcpy(name, from, size);
	name[size] = 0;
	return from + size;
}

/* An O_PATH descriptor of `name`, a link's own if it is one; makes what is missing and wanted. */
static int walk_open(struct walk *w, const char *name, int last, int flags, mode_t mode)
{
	int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (last && flags & O_CREAT) {
		fd = openat(w->at, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, mode);
		if (fd < 0 && errno != EEXIST)
			return -1;
		if (fd >= 0)
			close(fd);
	} else if (w->make) {
		if (mkdirat(w->at, name, w->mode) < 0 && errno != EEXIST)
			return -1;
	} else {
		return -1;
	}
	return openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static int walk_all(struct walk *w, int flags, mode_t mode, char name[NAME_MAX + 1])
{
	for (;;) {
		const char *rest = next_name(w, name);
		struct stat st;
		int last, fd;

		if (rest == NULL)
			return -1;
		if (name[0] == 0 && flags & O_CREAT && flags & O_EXCL) {
			errno = EEXIST;
			return -1;
		}
		if (name[0] == 0)
			return openat(w->at, ".", (flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)) | O_CLOEXEC);
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			memmove(w->left, rest, strlen(rest) + 1);
			if (name[1] == '.' && walk_up(w) < 0)
				return -1;
			continue;
		}
		last = *rest == 0;
		if (flags & O_CREAT && !w->make && !last && rest[strspn(rest, "/")] == 0) {
			errno = EISDIR;
			return -1;
		}
		if (last && flags & O_CREAT && flags & O_EXCL)
			return openat(w->at, name, flags | O_CLOEXEC, mode);
		fd = walk_open(w, name, last, flags, mode);
		if (fd < 0)
			return -1;
		if (fstat(fd, &st) < 0) {
			close(fd);
			return -1;
		}
		if (S_ISLNK(st.st_mode) && !(last && flags & O_NOFOLLOW)) {
			if (walk_link(w, fd, rest) < 0)
				return -1;
			continue;
		}
		if (last) {
			/* No link, and if one is put there meanwhile O_NOFOLLOW makes it ELOOP. */
			close(fd);
			return openat(w->at, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
		}
		if (!S_ISDIR(st.st_mode)) {
			close(fd);
			errno = ENOTDIR;
			return -1;
		}
		memmove(w->left, rest, strlen(rest) + 1);
		if (walk_down(w, name, fd) < 0)
			return -1;
	}
}

static int walk(struct lc_ctx *c, struct walk *w, const char *path, int flags, mode_t mode)
{
	char name[NAME_MAX + 1] = "";
	size_t size = strlen(path);
	int fd;

	if (size == 0 || size >= sizeof(w->left)) {
		lc_detail(c, path);
		return (int)lc_refuse(c, "openat", size == 0 ? ENOENT : ENAMETOOLONG);
	}
	memcpy(w->left, path, size + 1);
	w->at = w->root;
	w->links = 0;
	w->size = 0;
	w->done[0] = 0;
	fd = walk_all(w, flags, mode, name);
	walk_to(w, w->root);
	if (fd >= 0)
		return fd;
	lc_detail(c, name);
	return (int)lc_fail(c, w->make ? "mkdirat" : "openat");
}

static int open_in_root(struct lc_ctx *c, int root, const char *path, int flags, mode_t mode)
{
	int fd = lc_open_how(root, path, flags, mode, IN_ROOT);

	if (fd < 0 && lc_wants_walk()) {
		struct walk w = { .root = root };

		return walk(c, &w, path, flags, mode);
	}
	if (fd >= 0)
		return fd;
	return (int)lc_fail(c, "openat2");
}

int lc_open_in_root(struct lc_ctx *c, int root, const char *path, int flags)
{
	return open_in_root(c, root, path, flags & ~O_CREAT, 0);
}

int lc_create_in_root(struct lc_ctx *c, int root, const char *path, int flags, mode_t mode)
{
	return open_in_root(c, root, path, flags | O_CREAT, mode);
}

int lc_mkdir_in_root(struct lc_ctx *c, int root, const char *path, mode_t mode)
{
	int fd = lc_open_how(root, path, O_PATH | O_DIRECTORY, 0, IN_ROOT);

	if (fd < 0 && (errno == ENOENT || lc_wants_walk())) {
		struct walk w = { .root = root, .make = 1, .mode = mode };

		return walk(c, &w, path, O_PATH | O_DIRECTORY, 0);
	}
	if (fd >= 0)
		return fd;
	return (int)lc_fail(c, "openat2");
}

int lc_mkfile_in_root(struct lc_ctx *c, int root, const char *path, mode_t mode)
{
	int fd = lc_open_how(root, path, O_PATH, 0, IN_ROOT);

	if (fd < 0 && (errno == ENOENT || lc_wants_walk())) {
		struct walk w = { .root = root, .make = 1, .mode = 0755 };

		return walk(c, &w, path, O_PATH | O_CREAT, mode);
	}
	if (fd >= 0)
		return fd;
	return (int)lc_fail(c, "openat2");
}

int lc_parent_in_root(struct lc_ctx *c, int root, const char *path, const char **last)
{
	char parent[PATH_MAX] = "/";
	const char *name = strrchr(path, '/');
	size_t size;

	name = name == NULL ? path : name + 1;
	size = (size_t)(name - path);
	lc_detail(c, path);
	if (size >= sizeof(parent))
		return (int)lc_refuse(c, "openat2", ENAMETOOLONG);
	/* A '/' at the end is no name either: with it, *at calls would follow a link in spite of their NOFOLLOW. */
	if (name[0] == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return (int)lc_refuse(c, "openat2", EINVAL);
	if (size > 0) {
		memcpy(parent, path, size);
		parent[size] = 0;
	}
	c->detail[0] = 0;
	*last = name;
	return lc_mkdir_in_root(c, root, parent, 0755);
}

int64_t lc_symlink_in_root(struct lc_ctx *c, int root, const char *target, const char *path)
{
	const char *last;
	int parent = lc_parent_in_root(c, root, path, &last);
	int64_t result = 0;

	if (parent < 0)
		return parent;
	if (symlinkat(target, parent, last) < 0)
		result = lc_fail(c, "symlinkat");
	close(parent);
	return result;
}
