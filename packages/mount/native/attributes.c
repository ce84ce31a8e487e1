/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "../../sys/native/decimal.h"

/* statfs(2)'s f_flags, which not every libc names; MOUNT_ATTR_* has the same numbers for the first four. */
#define ST_FOUR (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define MAX_COVERS 64
#define ST_IS_NOATIME 0x400
#define ST_IS_NODIRATIME 0x800
#define ST_IS_RELATIME 0x1000
#define ST_IS_NOSYMFOLLOW 0x2000

static int64_t setattr(struct lc_ctx *c, int fd, struct mount_attr *attr, int recursive)
{
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attr, sizeof(*attr)) < 0)
		return lc_fail(c, "mount_setattr");
	return 0;
}

int64_t lc_mount_attributes(struct lc_ctx *c, int fd, int64_t attributes, int recursive)
{
	struct mount_attr attr = { .attr_set = (uint32_t)attributes, .attr_clr = (uint64_t)attributes >> 32 };

	return attributes == 0 ? 0 : setattr(c, fd, &attr, recursive);
}

/*
 * Goes to where a path leads to the root of the mount that `fd` is: for the calls that take no descriptor. The path must not be the image's:
 * "." for a directory; for anything else the descriptor's own link in a procfs that is ours.
 */
static int64_t go_to(struct lc_ctx *c, int fd, char path[32])
{
	int64_t result = 0;
	struct stat st;
	int proc;

	if (fstat(fd, &st) < 0)
		return lc_fail(c, "fstat");
	strcpy(path, ".");
	if (S_ISDIR(st.st_mode))
		return fchdir(fd) < 0 ? lc_fail(c, "fchdir") : 0;
	proc = lc_open_proc(c);
	if (proc < 0)
		return proc;
	strcpy(path, "self/fd/");
	lc_decimal(path + strlen(path), (uint64_t)fd);
	if (fchdir(proc) < 0)
		result = lc_fail(c, "fchdir");
	close(proc);
	return result;
}

static int here(void)
{
	return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int64_t go_back(struct lc_ctx *c, int to, int64_t result)
{
	if ((to < 0 || fchdir(to) < 0) && result == 0)
		result = lc_fail(c, "fchdir");
	lc_close(to);
	return result;
}

static int64_t mount_by_fd(struct lc_ctx *c, int fd, unsigned long flags)
{
	char path[32];
	int before = here();
	int64_t result = go_to(c, fd, path);

	if (result == 0 && syscall(SYS_mount, NULL, path, NULL, flags, NULL) < 0)
		result = lc_fail(c, "mount");
	return go_back(c, before, result);
}

/* Of several on one place umount2(2) takes the last, which whoever sees the place may have added: until it is ours, which is EINVAL then. */
void lc_mount_detach(int fd)
{
	struct lc_ctx unheard;
	int before = here();
	char path[32];

	if (go_to(&unheard, fd, path) == 0)
		for (int i = 0; i < MAX_COVERS && umount2(path, MNT_DETACH) == 0; i++)
			;
	go_back(&unheard, before, 0);
}

static uint32_t attributes_of(const struct statfs *fs)
{
	uint32_t attributes = (uint32_t)fs->f_flags & ST_FOUR;

	if (fs->f_flags & ST_IS_NOATIME)
		attributes |= MOUNT_ATTR_NOATIME;
	else if (!(fs->f_flags & ST_IS_RELATIME))
		attributes |= MOUNT_ATTR_STRICTATIME;
	if (fs->f_flags & ST_IS_NODIRATIME)
		attributes |= MOUNT_ATTR_NODIRATIME;
	if (fs->f_flags & ST_IS_NOSYMFOLLOW)
		attributes |= MOUNT_ATTR_NOSYMFOLLOW;
	return attributes;
}

static unsigned long mount_flags(uint32_t attributes)
{
	unsigned long flags = attributes & ST_FOUR;

	if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
		flags |= MS_NOATIME;
	else if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME)
		flags |= MS_STRICTATIME;
	else
		flags |= MS_RELATIME;
	if (attributes & MOUNT_ATTR_NODIRATIME)
		flags |= MS_NODIRATIME;
	if (attributes & MOUNT_ATTR_NOSYMFOLLOW)
		flags |= MS_NOSYMFOLLOW;
	return flags;
}

/* statfs(2) knows the flags of this mount, also those that are locked; mountinfo would need a path. */
int64_t lc_mount_remount(struct lc_ctx *c, int fd, int64_t attributes)
{
	uint32_t set = (uint32_t)attributes, clear = (uint32_t)((uint64_t)attributes >> 32);
	struct statfs fs;

	if (attributes == 0)
		return 0;
	if (fstatfs(fd, &fs) < 0)
		return lc_fail(c, "fstatfs");
	return mount_by_fd(c, fd, MS_REMOUNT | MS_BIND | mount_flags((attributes_of(&fs) & ~clear) | set));
}

int64_t lc_mount_propagation(struct lc_ctx *c, int fd, int64_t propagation)
{
	static const unsigned long kinds[] = { 0, MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE };
	uint64_t left = (uint64_t)propagation;

	for (; left != 0; left >>= 4) {
		unsigned int kind = left & 7;
		int recursive = (left & 8) != 0;
		struct mount_attr attr = { 0 };
		int64_t result;

		if (kind < 1 || kind > 4)
			return lc_refuse(c, "mount_setattr", EINVAL);
		attr.propagation = kinds[kind];
		result = setattr(c, fd, &attr, recursive);
		if (result == -ENOSYS)
			result = mount_by_fd(c, fd, kinds[kind] | (recursive ? MS_REC : 0));
		if (result < 0)
			return result;
	}
	return 0;
}
