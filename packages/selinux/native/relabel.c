/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives the files of directories a label, by descriptors: no link is followed, and nothing outside is reached. Several threads do this at once, each
 * with directories of its own; which they find is told to the caller, who hands them out.
 */
#include "ops.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "../../sys/native/decimal.h"
#include "../../sys/native/entry.h"
#include "../../sys/native/path.h"

#define ATTRIBUTE "security.selinux"
#define LABEL_SIZE 4096

/* Linux 6.13. Of a mere handle (O_PATH) they answer EBADF. */
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif
#ifndef SYS_getxattrat
#define SYS_getxattrat 464
#endif

struct lc_xattr_args {
	uint64_t value;
	uint32_t size, flags;
};

static const char by_descriptor[] = "/proc/self/fd/";

/* A directory, or any file with "" for a name, and the path by which calls without a descriptor reach it. */
struct place {
	int fd;
	int by_path;		/* the kernel is older than the calls that take a descriptor */
	size_t size;		/* of the path up to the name */
	char path[sizeof(by_descriptor) + LC_DECIMAL_SIZE + 256];
};

/*
 * The path leads through /proc: what it leads to must be what the descriptor is, or somebody has put another there.
 */
static int64_t prepare(struct lc_ctx *c, struct place *p, int fd, int is_handle)
{
	struct lc_xattr_args nothing = { 0 };
	struct stat by_fd, by_name;

	p->fd = fd;
	p->by_path = is_handle || (syscall(SYS_getxattrat, fd, "", AT_EMPTY_PATH, ATTRIBUTE, &nothing, sizeof(nothing)) < 0 && errno == ENOSYS);
	if (!p->by_path)
		return 0;
	memcpy(p->path, by_descriptor, sizeof(by_descriptor) - 1);
	lc_decimal(p->path + sizeof(by_descriptor) - 1, (uint64_t)fd);
	p->size = strlen(p->path);
	if (fstat(fd, &by_fd) < 0)
		return lc_fail(c, "fstat");
	if (stat(p->path, &by_name) < 0)
		return lc_fail(c, "stat");
	if (by_fd.st_dev == by_name.st_dev && by_fd.st_ino == by_name.st_ino)
		return 0;
	lc_detail(c, "something is mounted over /proc, or is no procfs");
	return lc_refuse(c, "stat", EXDEV);
}

static const char *path_of(struct place *p, const char *name)
{
	size_t size = strlen(name);

	if (size == 0) {
		p->path[p->size] = 0;
	} else if (size > 255) {
		errno = ENAMETOOLONG;
		return NULL;
	} else {
		p->path[p->size] = '/';
		memcpy(p->path + p->size + 1, name, size + 1);
	}
	return p->path;
}

static ssize_t get_label(struct place *p, const char *name, char *label)
{
	struct lc_xattr_args args = { (uint64_t)(uintptr_t)label, LABEL_SIZE, 0 };
	const char *path;

	if (!p->by_path)
		return syscall(SYS_getxattrat, p->fd, name, AT_SYMLINK_NOFOLLOW | (name[0] ? 0 : AT_EMPTY_PATH), ATTRIBUTE, &args, sizeof(args));
	path = path_of(p, name);
	/* The last part of the path that has no name is a link of procfs: it leads to the file itself, also where that is a link. */
	return !path ? -1 : name[0] ? lgetxattr(path, ATTRIBUTE, label, LABEL_SIZE) : getxattr(path, ATTRIBUTE, label, LABEL_SIZE);
}

static int set_label(struct place *p, const char *name, const struct lc_bytes *label)
{
	struct lc_xattr_args args = { (uint64_t)(uintptr_t)label->at, (uint32_t)label->size, 0 };
	const char *path;

	if (!p->by_path)
		return (int)syscall(SYS_setxattrat, p->fd, name, AT_SYMLINK_NOFOLLOW | (name[0] ? 0 : AT_EMPTY_PATH), ATTRIBUTE, &args, sizeof(args));
	path = path_of(p, name);
	return !path ? -1 : name[0] ? lsetxattr(path, ATTRIBUTE, label->at, label->size, 0) : setxattr(path, ATTRIBUTE, label->at, label->size, 0);
}

/* The kernel tells a label with its NUL or without one, as it was given. */
static int is_label(const char *has, ssize_t size, const struct lc_bytes *label)
{
	size_t bare = label->size - 1;

	return size >= 0 && ((size_t)size == bare || (size_t)size == label->size) && memcmp(has, label->at, bare) == 0;
}

/* 1 where it has the label now, 0 where it had it (if that is asked), or -errno. */
static int64_t apply_label(struct lc_ctx *c, struct place *p, const char *name, const struct lc_bytes *label, int compare)
{
	if (compare) {
		char has[LABEL_SIZE];

		if (is_label(has, get_label(p, name, has), label))
			return 0;
	}
	return set_label(p, name, label) < 0 ? lc_fail(c, p->by_path ? "lsetxattr" : "setxattrat") : 1;
}

/* relabelFile(file, label with its NUL): the file itself, of which a handle (O_PATH) will do. 1, or 0 where it had the label. */
int64_t lc_op_relabel_file(struct lc_ctx *c, const union lc_arg *a)
{
	struct place p;
	int64_t result = prepare(c, &p, (int)a[0].i, 1);

	return result < 0 ? result : apply_label(c, &p, "", &a[1].b, 1);
}

/* fileLabel(file, buffer): the size of its label; a handle will do here, too. */
int64_t lc_op_file_label(struct lc_ctx *c, const union lc_arg *a)
{
	struct place p;
	int64_t result = prepare(c, &p, (int)a[0].i, 1);
	char label[LABEL_SIZE];
	ssize_t size;

	if (result < 0)
		return result;
	size = get_label(&p, "", label);
	if (size < 0)
		return lc_fail(c, "getxattr");
	if ((size_t)size > a[1].b.size)
		return lc_refuse(c, "getxattr", ERANGE);
	memcpy(a[1].b.at, label, (size_t)size);
	return size;
}

/* What src/walk.ts reads and writes: the state of a batch, followed by the paths of directories that were found. */
struct progress {
	int64_t since;		/* 0: all is labelled. Else what has the label is left alone, and so is what is in directories that did not change since, in ns */
	int64_t compare;	/* what has the label is left alone */
	int64_t lane, lanes;	/* of a directory that several share: names whose hash, modulo lanes, is lane */
	int64_t budget;		/* entries to look at before it is given back */
	int64_t offset;		/* in the first of the directories: where to go on; 0 for its beginning */
	int64_t fresh;		/* and whether it has changed */
	int64_t taken;		/* directories that are done: bytes of their paths */
	int64_t found;		/* bytes of paths of directories that were found */
	int64_t entries, changed, unsupported, gone;
	char paths[];
};

struct refused {
	uint32_t major, minor;
	uint64_t inode;
};

/* The path is relative to the root, of any length: what is longer than the kernel takes at once goes by parts. */
static int open_beneath(int root, const char *path)
{
	char part[2048];
	int at = root;

	for (;;) {
		size_t size = strlen(path);
		int fd, error;

		if (size >= sizeof(part)) {
			for (size = sizeof(part) - 1; size > 0 && path[size] != '/'; size--)
				;
		}
		memcpy(part, path, size);
		part[size] = 0;
		fd = lc_open_how(at, size ? part : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
		error = errno;
		if (at != root)
			close(at);
		errno = error;
		path += size;
		if (fd < 0 || *path == 0)
			return fd;
		path++;
		at = fd;
	}
}

/* The longest name of a file, and the NUL. */
#define NAME_SIZE 256

/* What a directory within another may take at most. */
static int has_room(const struct progress *p, size_t room, const char *directory)
{
	return (size_t)p->found + strlen(directory) + 1 + NAME_SIZE <= room;
}

/* Puts a path behind those that were found. */
static void put_path(struct progress *p, const char *directory, const char *name)
{
	size_t before = strlen(directory), size = strlen(name), slash = before > 0 && size > 0;
	char *to = p->paths + p->found;

	memcpy(to, directory, before);
	if (slash)
		to[before] = '/';
	memcpy(to + before + slash, name, size + 1);
	p->found += (int64_t)(before + slash + size + 1);
}

/* Says which file it was, in place of what was found. */
static int64_t tell(struct progress *p, int64_t result, const char *directory, const char *name)
{
	p->found = 0;
	put_path(p, directory, name);
	return result;
}

/* One file, with "" for a name the directory itself: -errno for what ends the whole. */
static int64_t relabel_entry(struct lc_ctx *c, struct place *place, const char *directory, const char *name, const struct lc_bytes *label, struct progress *p)
{
	int64_t result = apply_label(c, place, name, label, p->compare || p->since > 0);

	if (result == -ENOENT) {
		p->gone++;
		return 0;
	}
	if (result < 0 && result != -EOPNOTSUPP)
		return tell(p, result, directory, name);
	p->entries += p->since == 0;
	p->budget--;
	if (result < 0)
		p->unsupported += p->since == 0;
	else
		p->changed += result;
	return 0;
}

/* Whether an entry is a directory: not every file system tells with the name. */
static int is_directory(int dir, const struct lc_entry *entry)
{
	struct stat s;

	if (entry->type != DT_UNKNOWN)
		return entry->type == DT_DIR;
	return fstatat(dir, entry->name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(s.st_mode);
}

/* FNV-1a */
static int is_of_lane(const struct progress *p, const char *name)
{
	uint32_t hash = 0x811c9dc5;

	if (p->lanes <= 1)
		return 1;
	while (*name)
		hash = (hash ^ (uint8_t)*name++) * 0x01000193;
	return hash % (uint32_t)p->lanes == (uint32_t)p->lane;
}

/*
 * 1 when the directory is done, 0 when the budget or the room is used up: p->offset says where it goes on. Directories get their label when it is
 * their turn, once it is known that they are not refused.
 */
static int64_t relabel_entries(struct lc_ctx *c, struct place *place, const char *directory, const struct lc_bytes *label, struct progress *p, size_t room)
{
	char chunk[16384] __attribute__((aligned(8)));
	int files = p->since == 0 || p->fresh;

	if (p->offset > 0 && lseek(place->fd, p->offset, SEEK_SET) < 0)
		return lc_fail(c, "lseek");
	do {
		long got = syscall(SYS_getdents64, place->fd, chunk, sizeof(chunk));

		/* ENOENT: it was removed. */
		if (got == 0 || (got < 0 && errno == ENOENT))
			return 1;
		if (got < 0)
			return tell(p, lc_fail(c, "getdents64"), directory, "");
		for (long at = 0; at < got;) {
			const struct lc_entry *entry = (const struct lc_entry *)(const void *)(chunk + at);

			at += entry->size;
			if (!lc_is_dots(entry->name) && is_of_lane(p, entry->name)) {
				if (is_directory(place->fd, entry)) {
					if (!has_room(p, room, directory))
						return 0;
					put_path(p, directory, entry->name);
				} else if (files) {
					int64_t result = relabel_entry(c, place, directory, entry->name, label, p);

					if (result < 0)
						return result;
				}
			}
			p->offset = (int64_t)entry->offset;
		}
	} while (p->budget > 0);
	return 0;
}

/* What nobody is to relabel, by whatever path it is reached. */
static int is_refused(const struct stat *s, const struct lc_bytes *refused)
{
	const struct refused *list = (const struct refused *)(const void *)refused->at;

	for (size_t i = 0; i < refused->size / sizeof(*list); i++)
		if (list[i].inode == (uint64_t)s->st_ino && list[i].major == major(s->st_dev) && list[i].minor == minor(s->st_dev))
			return 1;
	return 0;
}

/* One directory, with its own label first: what is made in it from then on gets that, too. The root's comes last, from the caller. */
static int64_t relabel_directory(struct lc_ctx *c, const union lc_arg *a, const char *directory, int fd, size_t room)
{
	struct progress *p = (struct progress *)(void *)a[4].b.at;
	struct place place;
	struct stat s;
	int64_t result;

	if (fstat(fd, &s) < 0)
		return lc_fail(c, "fstat");
	if (is_refused(&s, &a[2].b))
		return tell(p, lc_refuse(c, "relabelDirectories (a directory of the system)", EPERM), directory, "");
	result = prepare(c, &place, fd, 0);
	if (result == 0 && p->offset == 0) {
		int64_t changed = p->changed;

		if (*directory)
			result = relabel_entry(c, &place, directory, "", &a[1].b, p);
		/* One that was moved here has another label, and so has all that is in it. */
		p->fresh = s.st_mtim.tv_sec * 1000000000ll + s.st_mtim.tv_nsec >= p->since || p->changed > changed;
	}
	return result < 0 ? result : relabel_entries(c, &place, directory, &a[1].b, p, room);
}

/*
 * relabelDirectories(root, label with its NUL, refused, paths, progress): the entries of directories beneath the root, whose paths end with NUL each, one
 * after another until the budget or the room for what is found is used up. Those that are gone meanwhile, or are no directories any more, are passed
 * over. 0, also when not all are done.
 */
int64_t lc_op_relabel_directories(struct lc_ctx *c, const union lc_arg *a)
{
	const char *paths = (const char *)a[3].b.at;
	struct progress *p = (struct progress *)(void *)a[4].b.at;
	size_t room = a[4].b.size - sizeof(*p);

	if (a[1].b.size < 2 || a[1].b.size > LABEL_SIZE || a[4].b.size < sizeof(*p))
		return lc_refuse(c, "relabelDirectories", EINVAL);
	while ((size_t)p->taken < a[3].b.size && p->budget > 0) {
		const char *directory = paths + p->taken;
		int64_t done = 1;
		int fd;

		if (!has_room(p, room, directory))
			return 0;
		fd = open_beneath((int)a[0].i, directory);
		if (fd >= 0) {
			done = relabel_directory(c, a, directory, fd, room);
			close(fd);
		} else if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
			p->gone++;
		} else {
			done = tell(p, lc_fail(c, "openat2"), directory, "");
		}
		if (done <= 0)
			return done;
		p->taken += (int64_t)strlen(directory) + 1;
		p->offset = 0;
		/* An empty one costs something, too. */
		p->budget--;
	}
	return 0;
}
