/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a container's own: with a text, links, directories. What is there already is replaced, a directory kept. */
#include "internal.h"

static int64_t write_all(struct lc_ctx *c, int fd, const struct lc_bytes *text)
{
	for (size_t done = 0; done < text->size;) {
		ssize_t n = write(fd, text->at + done, text->size - done);

		if (n < 0 && errno != EINTR)
			return lc_fail(c, "write");
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* An open descriptor of the new file, or of the directory that is there. */
static int make(struct lc_ctx *c, int dir, const char *name, mode_t mode)
{
	int fd;

	if (S_ISDIR(mode)) {
		if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
			return (int)lc_fail(c, "mkdirat");
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	} else {
		/* Nobody else may open it before it has its owner and mode. */
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	return fd < 0 ? (int)lc_fail(c, "openat") : fd;
}

/* Closes `fd`. */
static int64_t fill(struct lc_ctx *c, int fd, const union lc_arg *a)
{
	mode_t mode = (mode_t)a[2].i;
	int64_t result = 0;

	if (fd < 0)
		return fd;
	if (S_ISREG(mode))
		result = write_all(c, fd, &a[3].b);
	/* The owner before the mode: a change of owner may clear bits of it. */
	if (result == 0 && fchown(fd, (uid_t)a[4].i, (gid_t)a[5].i) < 0)
		result = lc_fail(c, "fchown");
	if (result == 0 && fchmod(fd, mode & 07777) < 0)
		result = lc_fail(c, "fchmod");
	close(fd);
	return result;
}

static int64_t fill_root(struct lc_ctx *c, const union lc_arg *a)
{
	int fd;

	if (!S_ISDIR((mode_t)a[2].i))
		return lc_refuse(c, "openat", EISDIR);
	fd = openat((int)a[0].i, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fill(c, fd < 0 ? (int)lc_fail(c, "openat") : fd, a);
}

/* root, path ("" for the root itself), mode with the type, text (of a link: where to, NUL-ended), uid, gid: missing parents are made with 0755. */
int64_t lc_op_put_file(struct lc_ctx *c, const union lc_arg *a)
{
	mode_t mode = (mode_t)a[2].i;
	const char *name;
	int64_t result = 0;
	int dir;

	if (a[1].s[0] == 0)
		return fill_root(c, a);
	dir = lc_parent_in_root(c, (int)a[0].i, a[1].s, &name);
	if (dir < 0)
		return dir;
	if (!S_ISDIR(mode) && unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		result = lc_fail(c, "unlinkat");
	else if (!S_ISLNK(mode))
		result = fill(c, make(c, dir, name, mode), a);
	else if (symlinkat((const char *)a[3].b.at, dir, name) < 0)
		result = lc_fail(c, "symlinkat");
	else if (fchownat(dir, name, (uid_t)a[4].i, (gid_t)a[5].i, AT_SYMLINK_NOFOLLOW) < 0)
		result = lc_fail(c, "fchownat");
	close(dir);
	return result;
}
