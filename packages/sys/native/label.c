/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels of AppArmor and SELinux that a task gives itself, by files of /proc/thread-self/attr.
 *
 * The file must be the kernel's own: an image that puts another in its place would have the program run without the label that was asked for
 * (CVE-2019-16884). So it is opened beneath a procfs that was verified, mounted afresh where that may be done: while the task still may.
 */
#include "label.h"

#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "path.h"

/* openLabels(): the procfs. */
static int64_t op_open_labels(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_open_pids(c);
}

/* A path below attr, of which there are few. */
#define PATH_SIZE 64

/*
 * writeLabel(procfs, file, text): opened now, since the kernel refuses what was opened with other credentials, and written in one call, which is
 * the whole text to it. An empty text takes a label of SELinux back.
 */
static int64_t op_write_label(struct lc_ctx *c, const union lc_arg *a)
{
	static const char directory[] = "thread-self/attr/";
	char path[PATH_SIZE];
	size_t size = strlen(a[1].s);
	ssize_t written;
	int64_t result;
	int fd;

	if (size >= sizeof(path) - sizeof(directory))
		return lc_refuse(c, "openat2", ENAMETOOLONG);
	memcpy(path, directory, sizeof(directory) - 1);
	memcpy(path + sizeof(directory) - 1, a[1].s, size + 1);
	fd = lc_open_in_proc(c, (int)a[0].i, path, O_WRONLY);
	if (fd < 0)
		return fd;
	do
		written = write(fd, a[2].s, strlen(a[2].s));
	while (written < 0 && errno == EINTR);
	/* A part of a name is that of another. */
	result = written < 0 ? lc_fail(c, "write") : (size_t)written < strlen(a[2].s) ? lc_refuse(c, "write", EIO) : 0;
	if (result < 0)
		lc_detail(c, path);
	close(fd);
	return result;
}

/* labelFile(fd, label): SELinux's, of an open file, or of the directory of a mere handle, as the root of a new mount is. */
static int64_t op_label_file(struct lc_ctx *c, const union lc_arg *a)
{
	static const char name[] = "security.selinux";
	size_t size = strlen(a[1].s);
	int64_t result;
	int fd;

	if (fsetxattr((int)a[0].i, name, a[1].s, size, 0) == 0)
		return 0;
	if (errno != EBADF)
		return lc_fail(c, "fsetxattr");
	fd = openat((int)a[0].i, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return lc_fail(c, "openat");
	result = fsetxattr(fd, name, a[1].s, size, 0) < 0 ? lc_fail(c, "fsetxattr") : 0;
	close(fd);
	return result;
}

const struct lc_op lc_label_ops[] = {
	{ "openLabels", "", op_open_labels },
	{ "writeLabel", "iss", op_write_label },
	{ "labelFile", "is", op_label_file },
	{ 0 },
};
