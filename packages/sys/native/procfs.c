/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/mount.h>
#include <linux/openat2.h>

#define PROC_MAGIC 0x9fa0
#define PROC_ROOT_INODE 1

static int fresh_proc(int pids)
{
	int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	int fd = -1;

	if (fs < 0)
		return -1;
	if (pids && (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subset", "pid", 0) < 0 ||
		     syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "hidepid", "ptraceable", 0) < 0)) {
		close(fs);
		return -1;
	}
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	close(fs);
	return fd;
}

/*
 * A fresh one cannot have been mounted over by an image, and no other process reaches it. It shows all of procfs: with
 * subset=pid there would be no sysctls. The kernel refuses it without CAP_SYS_ADMIN over the pid namespace.
 */
int lc_open_proc(struct lc_ctx *c)
{
	int fd = fresh_proc(0);
	struct statfs fs;
	struct stat st;

	if (fd >= 0)
		return fd;
	fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return (int)lc_fail(c, "open");
	if (fstatfs(fd, &fs) == 0 && fstat(fd, &st) == 0 && fs.f_type == PROC_MAGIC && st.st_ino == PROC_ROOT_INODE)
		return fd;
	close(fd);
	lc_detail(c, "/proc is not the root of a proc file system");
	return (int)lc_refuse(c, "fstatfs", EXDEV);
}

/* subset=pid and hidepid= by name are of Linux 5.8. */
int lc_open_pids(struct lc_ctx *c)
{
	int fd = fresh_proc(1);

	return fd >= 0 ? fd : lc_open_proc(c);
}

/* struct statx, of which not every libc knows stx_mnt_id (Linux 5.8). */
struct lc_statx {
	uint32_t mask;
	uint32_t block_size;
	uint64_t attributes;
	uint8_t between[128];
	uint64_t mount;
	uint8_t rest[104];
};

#define LC_STATX_MNT_ID 0x1000
#define LC_STATX_ATTR_MOUNT_ROOT 0x2000

int64_t lc_mount_id(int fd)
{
	struct lc_statx of;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, LC_STATX_MNT_ID, &of) < 0 || !(of.mask & LC_STATX_MNT_ID))
		return -1;
	return (int64_t)of.mount;
}

int lc_same_mount(int a, int b)
{
	int64_t id = lc_mount_id(a);

	return id >= 0 && id == lc_mount_id(b);
}

int lc_is_mount_root(int fd)
{
	struct lc_statx of;

	return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0, &of) == 0 && of.attributes & LC_STATX_ATTR_MOUNT_ROOT;
}

/* Without openat2: down by O_NOFOLLOW, where a descent that left the mount cannot come back to it. */
static int proc_walk(int proc, const char *path, int flags)
{
	char name[NAME_MAX + 1];
	int at = proc;

	for (;;) {
		size_t size = strcspn(path, "/");
		int last = path[size] == 0;
		int fd, error;

		if (size == 0 || size > NAME_MAX || (size <= 2 && strncmp(path, "..", size) == 0)) {
			errno = EXDEV;
			fd = -1;
		} else {
			memcpy(name, path, size);
			name[size] = 0;
			fd = openat(at, name, (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);
		}
		error = errno;
		if (at != proc)
			close(at);
		if (fd >= 0 && !lc_same_mount(proc, fd)) {
			error = EXDEV;
			close(fd);
			fd = -1;
		}
		errno = error;
		if (fd < 0 || last)
			return fd;
		at = fd;
		path += size + 1;
	}
}

static int proc_open(int proc, const char *path, int flags)
{
	int fd = lc_open_how(proc, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

	return fd < 0 && lc_wants_walk() ? proc_walk(proc, path, flags) : fd;
}

/*
 * "self" and "thread-self" are links, which RESOLVE_NO_SYMLINKS refuses: their text ("12", "12/task/34") is read from the
 * link itself, got without leaving the mount, and takes the place of the name.
 */
static int expand_self(int proc, const char *path, char full[PATH_MAX])
{
	size_t size = strcspn(path, "/");
	size_t rest = strlen(path + size) + 1;
	char link[] = "thread-self";
	ssize_t got;
	int fd;

	if (rest + 64 > PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(link, path, size);
	link[size] = 0;
	fd = proc_open(proc, link, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	got = readlinkat(fd, "", full, 64);
	close(fd);
	if (got < 0)
		return -1;
	memcpy(full + got, path + size, rest);
	return 0;
}

static int is_name(const char *path, const char *name)
{
	size_t size = strlen(name);

	return strncmp(path, name, size) == 0 && (path[size] == 0 || path[size] == '/');
}

int lc_open_in_proc(struct lc_ctx *c, int proc, const char *path, int flags)
{
	char full[PATH_MAX];
	int fd = -1;

	if (!is_name(path, "self") && !is_name(path, "thread-self"))
		fd = proc_open(proc, path, flags & ~O_CREAT);
	else if (expand_self(proc, path, full) == 0)
		fd = proc_open(proc, full, flags & ~O_CREAT);
	if (fd >= 0)
		return fd;
	lc_detail(c, path);
	return (int)lc_fail(c, "openat2");
}

int lc_open_descriptors(struct lc_ctx *c)
{
	int proc = lc_open_pids(c);
	int fds;

	if (proc < 0)
		return proc;
	fds = lc_open_in_proc(c, proc, "self/fd", O_PATH | O_DIRECTORY);
	close(proc);
	return fds;
}
