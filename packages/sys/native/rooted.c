/* SPDX-License-Identifier: Apache-2.0 */
/* path.h as ops: files inside a root directory, and files of a procfs that nothing was mounted over. */
#include "ops.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decimal.h"
#include "path.h"

/* openInRoot(root, path, flags): a descriptor. */
int64_t lc_op_open_in_root(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_open_in_root(c, (int)a[0].i, a[1].s, (int)a[2].i);
}

/* createInRoot(root, path, flags, mode): the file, made if it is absent; links are followed inside the root unless O_EXCL or O_NOFOLLOW. */
int64_t lc_op_create_in_root(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_create_in_root(c, (int)a[0].i, a[1].s, (int)a[2].i, (mode_t)a[3].i);
}

/* makeDirectoriesInRoot(root, path, mode): an O_PATH descriptor of the last. */
int64_t lc_op_make_directories_in_root(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_mkdir_in_root(c, (int)a[0].i, a[1].s, (mode_t)a[2].i);
}

/* symlinkInRoot(root, target, path): missing parents are made with 0755. */
int64_t lc_op_symlink_in_root(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_symlink_in_root(c, (int)a[0].i, a[1].s, a[2].s);
}

/* reopen(fd, flags): the same file opened again with other flags; by a procfs that is one, whatever lies on /proc. */
int64_t lc_op_reopen(struct lc_ctx *c, const union lc_arg *a)
{
	char name[LC_DECIMAL_SIZE];
	int64_t result;
	int fds;

	if (a[0].i < 0 || a[0].i > 0x7fffffff)
		return lc_refuse(c, "openat", EBADF);
	lc_decimal(name, (uint64_t)a[0].i);
	fds = lc_open_descriptors(c);
	if (fds < 0)
		return fds;
	result = openat(fds, name, ((int)a[1].i & ~(O_CREAT | O_EXCL | O_NOFOLLOW)) | O_CLOEXEC);
	if (result < 0) {
		result = lc_fail(c, "openat");
		lc_detail(c, name);
	}
	close(fds);
	return result;
}

/* openProcfs(pids only): a descriptor of a verified procfs. */
int64_t lc_op_open_procfs(struct lc_ctx *c, const union lc_arg *a)
{
	return a[0].i ? lc_open_pids(c) : lc_open_proc(c);
}

/* openInProcfs(procfs, path, flags): beneath it, over no link but `self` and `thread-self`, and over no mount. */
int64_t lc_op_open_in_procfs(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_open_in_proc(c, (int)a[0].i, a[1].s, (int)a[2].i);
}
