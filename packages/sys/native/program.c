/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The carrier of the `init` program: never the file on disk, which a container could reach through /proc/self/exe and
 * overwrite (CVE-2019-5736).
 */
#include "ops.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMFD_CLOEXEC 1u
#define MEMFD_ALLOW_SEALING 2u
#define MEMFD_EXEC 16u		/* 6.3 */
#define SEAL_SEAL 1
#define SEAL_SHRINK 2
#define SEAL_GROW 4
#define SEAL_WRITE 8
#define SEAL_EXEC 0x20		/* 6.3: the mode's x bits cannot change, so a container cannot chmod the shared carrier away */
#define RDONLY 1		/* MOUNT_ATTR_* */
#define NOSUID 2
#define NODEV 4

/* Before the name: /proc/PID/exe says which programs are init, and no image has this by chance. */
#define DETACHED_PREFIX ".libcontainer-"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static int64_t write_all(struct lc_ctx *c, int fd, const struct lc_bytes *bytes)
{
	size_t done = 0;

	while (done < bytes->size) {
		ssize_t put = write(fd, bytes->at + done, bytes->size - done);

		if (put < 0 && errno != EINTR)
			return lc_fail(c, "write");
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

/* 1 when even the execute bits are sealed, so that one carrier may serve all containers. */
static int64_t sealed_memfd(struct lc_ctx *c, const char *name, const struct lc_bytes *bytes, int *fd)
{
	int usual = SEAL_SEAL | SEAL_SHRINK | SEAL_GROW | SEAL_WRITE;
	int64_t result;

	*fd = (int)syscall(SYS_memfd_create, name, MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING | MEMFD_EXEC);
	if (*fd < 0 && errno == EINVAL)
		*fd = (int)syscall(SYS_memfd_create, name, MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING);
	if (*fd < 0)
		return lc_fail(c, "memfd_create");
	result = write_all(c, *fd, bytes);
	if (result == 0 && fchmod(*fd, 0555) < 0)
		result = lc_fail(c, "fchmod");
	if (result == 0 && fcntl(*fd, F_ADD_SEALS, usual | SEAL_EXEC) == 0)
		return 1;
	if (result == 0 && fcntl(*fd, F_ADD_SEALS, usual) < 0)
		result = lc_fail(c, "fcntl(F_ADD_SEALS)");
	if (result < 0)
		close(*fd);
	return result;
}

/* A mount of a new file system of that type, which is mounted nowhere; `lower` for an overlay. */
static int64_t detached_mount(struct lc_ctx *c, const char *type, const char *lower, int attributes)
{
	int64_t mount = -1;
	int fs = (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);

	if (fs < 0)
		return lc_fail(c, "fsopen");
	if ((lower && syscall(SYS_fsconfig, fs, 1 /* FSCONFIG_SET_STRING */, "lowerdir", lower, 0) < 0) ||
	    syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
		mount = lc_fail(c, "fsconfig");
	else if ((mount = syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, attributes)) < 0)
		mount = lc_fail(c, "fsmount");
	close(fs);
	return mount;
}

/* A file on a tmpfs that is mounted nowhere and read-only. */
static int64_t detached_file(struct lc_ctx *c, const char *name, const struct lc_bytes *bytes, int *fd)
{
	char path[64] = DETACHED_PREFIX;
	struct {
		uint64_t set, clear, propagation, userns;
	} read_only = { .set = RDONLY };
	int64_t mount = detached_mount(c, "tmpfs", NULL, 0), result;
	int file;

	if (mount < 0)
		return mount;
	strncat(path, name, sizeof(path) - sizeof(DETACHED_PREFIX));
	file = openat((int)mount, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0555);
	result = file < 0 ? lc_fail(c, "openat") : write_all(c, file, bytes);
	if (file >= 0)
		close(file);
	if (result == 0 && syscall(SYS_mount_setattr, (int)mount, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		result = lc_fail(c, "mount_setattr");
	if (result == 0 && (*fd = openat((int)mount, path, O_PATH | O_CLOEXEC)) < 0)
		result = lc_fail(c, "openat");
	close((int)mount);
	return result;
}

/*
 * programFd(bytes, name): a descriptor to execute, which bears that name in /proc/PID/exe. Bit 30 of the answer says that it may be shared by many containers; without it each needs
 * its own, since a container that runs /proc/self/exe could clear the execute bits of a memfd of kernels before 6.3.
 */
int64_t lc_op_program_fd(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = -1;
	int64_t result = sealed_memfd(c, a[1].s, &a[0].b, &fd);

	/* vm.memfd_noexec=2 makes it EACCES. */
	if (result == -EACCES || result == -EPERM) {
		result = detached_file(c, a[1].s, &a[0].b, &fd);
		if (result < 0)
			lc_detail(c, "vm.memfd_noexec forbids executable memfds, and a private tmpfs needs CAP_SYS_ADMIN");
		else
			result = 1;
	}
	return result < 0 ? result : fd | result << 30;
}

/*
 * overlayFd(directory, name): the file to execute, through an overlay that has nothing to write to, as a tree of its own: /proc/PID/exe says
 * "/", which no file of an image is. An overlay wants two layers: the other one is empty.
 */
int64_t lc_op_overlay_fd(struct lc_ctx *c, const union lc_arg *a)
{
	char lower[64];
	int64_t empty, overlay = -1, fd = -1;
	int directory = open(a[0].s, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		return lc_fail(c, "open");
	empty = detached_mount(c, "tmpfs", NULL, RDONLY | NOSUID | NODEV);
	if (empty >= 0) {
		/* By descriptor: a path could hold what parts the layers. */
		snprintf(lower, sizeof(lower), "/proc/self/fd/%d:/proc/self/fd/%d", directory, (int)empty);
		overlay = detached_mount(c, "overlay", lower, RDONLY | NOSUID | NODEV);
	}
	if (overlay >= 0) {
		fd = syscall(SYS_open_tree, (int)overlay, a[1].s, O_CLOEXEC | 1 /* OPEN_TREE_CLONE */);
		if (fd < 0)
			fd = lc_fail(c, "open_tree");
		close((int)overlay);
	}
	if (empty >= 0)
		close((int)empty);
	close(directory);
	return empty < 0 ? empty : overlay < 0 ? overlay : fd;
}
