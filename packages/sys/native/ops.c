/* SPDX-License-Identifier: Apache-2.0 */
/* The ops that every package may need: files, processes, clocks. Each is the system call that it is named after. */
#include "ops.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "entry.h"
#include "namespace.h"
#include "path.h"
#include "start.h"

/* musl has had statx(2) in <sys/stat.h> since 1.2.5, glibc longer; the kernel's header beside either would define it twice. */
#ifndef STATX_BASIC_STATS
#include <linux/stat.h>
#endif

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int64_t op_close(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	/* After EINTR the descriptor is gone all the same: close(2), NOTES. */
	return close((int)a[0].i) < 0 && errno != EINTR ? -(int64_t)errno : 0;
}

static int64_t op_open_at(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t fd = openat((int)a[0].i, a[1].s, (int)a[2].i | O_CLOEXEC, (mode_t)a[3].i);

	return fd < 0 ? lc_fail(c, "openat") : fd;
}

static int64_t op_dup(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	return lc_check(fcntl((int)a[0].i, F_DUPFD_CLOEXEC, (int)a[1].i));
}

static int64_t op_dup_to(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	return lc_check(dup3((int)a[0].i, (int)a[1].i, O_CLOEXEC));
}

static int64_t op_read_fd(struct lc_ctx *c, const union lc_arg *a)
{
	ssize_t got;

	do
		got = read((int)a[0].i, a[1].b.at, a[1].b.size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? lc_fail(c, "read") : got;
}

static int64_t op_write_fd(struct lc_ctx *c, const union lc_arg *a)
{
	ssize_t put;

	do
		put = write((int)a[0].i, a[1].b.at, a[1].b.size);
	while (put < 0 && errno == EINTR);
	return put < 0 ? lc_fail(c, "write") : put;
}

static int64_t read_all(struct lc_ctx *c, int fd, uint8_t *to, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = read(fd, to + have, size - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return lc_fail(c, "read");
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (int64_t)have;
}

/* readFile(dirfd, path, buffer): the size read; a full buffer may mean that there is more. */
static int64_t op_read_file(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = openat((int)a[0].i, a[1].s, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int64_t result;

	if (fd < 0)
		return lc_fail(c, "openat");
	result = read_all(c, fd, a[2].b.at, a[2].b.size);
	close(fd);
	return result;
}

/* writeFile(dirfd, path, flags, mode, bytes): all of them, or an error. */
static int64_t op_write_file(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = openat((int)a[0].i, a[1].s, (int)a[2].i | O_CLOEXEC | O_NOCTTY, (mode_t)a[3].i);
	size_t done = 0;
	int64_t result = 0;

	if (fd < 0)
		return lc_fail(c, "openat");
	while (done < a[4].b.size && result == 0) {
		ssize_t put = write(fd, a[4].b.at + done, a[4].b.size - done);

		if (put >= 0)
			done += (size_t)put;
		else if (errno != EINTR)
			result = lc_fail(c, "write");
	}
	if (close(fd) < 0 && errno != EINTR && result == 0)
		result = lc_fail(c, "close");
	return result;
}

/* listDirectory(dirfd, path, buffer): bytes used; an entry is its d_type as a byte, its name, NUL. ERANGE: a larger buffer, please. */
static int64_t op_list_directory(struct lc_ctx *c, const union lc_arg *a)
{
	char chunk[4096] __attribute__((aligned(8)));
	size_t used = 0;
	int64_t result = 0;
	int fd = openat((int)a[0].i, a[1].s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return lc_fail(c, "openat");
	while (result == 0) {
		long got = syscall(SYS_getdents64, fd, chunk, sizeof(chunk));

		if (got < 0)
			result = lc_fail(c, "getdents64");
		if (got <= 0)
			break;
		for (long at = 0; at < got && result == 0; at += ((struct lc_entry *)(void *)(chunk + at))->size) {
			struct lc_entry *entry = (struct lc_entry *)(void *)(chunk + at);
			size_t length = strlen(entry->name);

			if (lc_is_dots(entry->name))
				continue;
			if (used + length + 2 > a[2].b.size) {
				result = lc_refuse(c, "getdents64", ERANGE);
				break;
			}
			a[2].b.at[used++] = entry->type;
			memcpy(a[2].b.at + used, entry->name, length + 1);
			used += length + 1;
		}
	}
	close(fd);
	return result < 0 ? result : (int64_t)used;
}

/* stat(dirfd, path, AT_ flags, i64[12]): mode, uid, gid, size, inode, links, device major and minor, its own major and minor, mount id, mtime in ns. */
static int64_t op_stat(struct lc_ctx *c, const union lc_arg *a)
{
	struct statx s;
	int64_t values[12];

	if (a[3].b.size < sizeof(values))
		return lc_refuse(c, "statx", EINVAL);
	if (syscall(SYS_statx, (int)a[0].i, a[1].s, (int)a[2].i, STATX_BASIC_STATS | 0x1000u /* STATX_MNT_ID */, &s) < 0)
		return lc_fail(c, "statx");
	values[0] = s.stx_mode;
	values[1] = s.stx_uid;
	values[2] = s.stx_gid;
	values[3] = (int64_t)s.stx_size;
	values[4] = (int64_t)s.stx_ino;
	values[5] = s.stx_nlink;
	values[6] = s.stx_dev_major;
	values[7] = s.stx_dev_minor;
	values[8] = s.stx_rdev_major;
	values[9] = s.stx_rdev_minor;
	memcpy(&values[10], (const char *)&s + 0x90, 8);	/* stx_mnt_id, younger than some headers */
	values[11] = s.stx_mtime.tv_sec * 1000000000ll + s.stx_mtime.tv_nsec;
	memcpy(a[3].b.at, values, sizeof(values));
	return 0;
}

/* statFilesystem(fd, i64[2]): f_type and f_flags. */
static int64_t op_stat_filesystem(struct lc_ctx *c, const union lc_arg *a)
{
	struct statfs s;
	int64_t values[2];

	if (a[1].b.size < sizeof(values))
		return lc_refuse(c, "fstatfs", EINVAL);
	if (fstatfs((int)a[0].i, &s) < 0)
		return lc_fail(c, "fstatfs");
	values[0] = (int64_t)s.f_type;
	values[1] = (int64_t)s.f_flags;
	memcpy(a[1].b.at, values, sizeof(values));
	return 0;
}

/* confirmPlainDirectory(path): ENOTDIR for whatever is not a directory that its path leads to through no link. */
static int64_t op_confirm_plain_directory(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = lc_open_how(AT_FDCWD, a[0].s, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return lc_refuse(c, "openat2", ENOTDIR);
	close(fd);
	return 0;
}

/* confirmAbsent(dirfd, path): EEXIST where something is there, be it a dangling link. */
static int64_t op_confirm_absent(struct lc_ctx *c, const union lc_arg *a)
{
	struct stat s;

	if (fstatat((int)a[0].i, a[1].s, &s, AT_SYMLINK_NOFOLLOW) == 0)
		return lc_refuse(c, "fstatat", EEXIST);
	return errno == ENOENT ? 0 : lc_fail(c, "fstatat");
}

/* confirmContent(dirfd, path, bytes): ESTALE where the file holds anything else. */
static int64_t op_confirm_content(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = openat((int)a[0].i, a[1].s, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	uint8_t chunk[4096];
	size_t at = 0;
	int64_t got;

	if (fd < 0)
		return lc_fail(c, "openat");
	while ((got = read_all(c, fd, chunk, sizeof(chunk))) > 0) {
		if ((size_t)got > a[2].b.size - at || memcmp(chunk, a[2].b.at + at, (size_t)got) != 0)
			break;
		at += (size_t)got;
	}
	close(fd);
	if (got < 0)
		return got;
	return got == 0 && at == a[2].b.size ? 0 : lc_refuse(c, "read", ESTALE);
}

static int64_t op_read_link(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t size = readlinkat((int)a[0].i, a[1].s, (char *)a[2].b.at, a[2].b.size);

	return size < 0 ? lc_fail(c, "readlinkat") : size;
}

static int64_t op_make_directory(struct lc_ctx *c, const union lc_arg *a)
{
	return mkdirat((int)a[0].i, a[1].s, (mode_t)a[2].i) < 0 ? lc_fail(c, "mkdirat") : 0;
}

static int64_t op_unlink(struct lc_ctx *c, const union lc_arg *a)
{
	return unlinkat((int)a[0].i, a[1].s, (int)a[2].i) < 0 ? lc_fail(c, "unlinkat") : 0;
}

/* rename(dirfd, from, dirfd, to, RENAME_ flags). */
static int64_t op_rename(struct lc_ctx *c, const union lc_arg *a)
{
	return syscall(SYS_renameat2, (int)a[0].i, a[1].s, (int)a[2].i, a[3].s, (unsigned int)a[4].i) < 0 ? lc_fail(c, "renameat2") : 0;
}

static int64_t op_change_mode(struct lc_ctx *c, const union lc_arg *a)
{
	return fchmod((int)a[0].i, (mode_t)a[1].i) < 0 ? lc_fail(c, "fchmod") : 0;
}

static int64_t op_change_owner(struct lc_ctx *c, const union lc_arg *a)
{
	return fchown((int)a[0].i, (uid_t)a[1].i, (gid_t)a[2].i) < 0 ? lc_fail(c, "fchown") : 0;
}

/* lock(fd, LOCK_EX | LOCK_NB, …): flock(2). */
static int64_t op_lock(struct lc_ctx *c, const union lc_arg *a)
{
	int result;

	do
		result = flock((int)a[0].i, (int)a[1].i);
	while (result < 0 && errno == EINTR);
	return result < 0 ? lc_fail(c, "flock") : 0;
}

/* confirmLinked(fd): ESTALE for a file that has no name any more. */
static int64_t op_confirm_linked(struct lc_ctx *c, const union lc_arg *a)
{
	struct stat s;

	if (fstat((int)a[0].i, &s) < 0)
		return lc_fail(c, "fstat");
	return s.st_nlink > 0 ? 0 : lc_refuse(c, "fstat", ESTALE);
}

static int64_t op_pipe(struct lc_ctx *c, const union lc_arg *a)
{
	int pair[2];

	if (a[1].b.size < sizeof(pair))
		return lc_refuse(c, "pipe2", EINVAL);
	if (pipe2(pair, (int)a[0].i | O_CLOEXEC) < 0)
		return lc_fail(c, "pipe2");
	memcpy(a[1].b.at, pair, sizeof(pair));
	return 0;
}

/* memfd(name, bytes): an unsealed memory file that holds `bytes`, at offset 0. */
static int64_t op_memfd(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = (int)syscall(SYS_memfd_create, a[0].s, 1u /* MFD_CLOEXEC */);
	size_t done = 0;

	if (fd < 0)
		return lc_fail(c, "memfd_create");
	while (done < a[1].b.size) {
		ssize_t put = pwrite(fd, a[1].b.at + done, a[1].b.size - done, (off_t)done);

		if (put < 0 && errno != EINTR) {
			int64_t result = lc_fail(c, "pwrite");

			close(fd);
			return result;
		}
		if (put > 0)
			done += (size_t)put;
	}
	return fd;
}

static int64_t op_pidfd_open(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t fd = syscall(SYS_pidfd_open, (pid_t)a[0].i, 0u);

	return fd < 0 ? lc_fail(c, "pidfd_open") : fd;
}

static int64_t op_pidfd_send_signal(struct lc_ctx *c, const union lc_arg *a)
{
	return syscall(SYS_pidfd_send_signal, (int)a[0].i, (int)a[1].i, NULL, 0u) < 0 ? lc_fail(c, "pidfd_send_signal") : 0;
}

static int64_t op_pidfd_getfd(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t fd = syscall(SYS_pidfd_getfd, (int)a[0].i, (int)a[1].i, 0u);

	return fd < 0 ? lc_fail(c, "pidfd_getfd") : fd;
}

/* waitPidfd(pidfd, i32[2]): reaps a child that has ended: { si_code, si_status }. EAGAIN while it lives, ECHILD for another's child. */
static int64_t op_wait_pidfd(struct lc_ctx *c, const union lc_arg *a)
{
	siginfo_t info = { 0 };
	int32_t values[2];

	if (a[1].b.size < sizeof(values))
		return lc_refuse(c, "waitid", EINVAL);
	if (waitid((idtype_t)P_PIDFD, (id_t)a[0].i, &info, WEXITED | WNOHANG | __WALL) < 0)
		return lc_fail(c, "waitid");
	if (info.si_pid == 0)
		return lc_refuse(c, "waitid", EAGAIN);
	values[0] = info.si_code;
	values[1] = info.si_status;
	memcpy(a[1].b.at, values, sizeof(values));
	return info.si_pid;
}

/*
 * pidfdExitCode(pidfd): the wait status of a process that somebody else has reaped: PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15.
 * EINVAL, ENOTTY before; ENODATA when the kernel no longer, or not yet, has it.
 */
static int64_t op_pidfd_exit_code(struct lc_ctx *c, const union lc_arg *a)
{
	struct {
		uint64_t mask, cgroup;
		uint32_t ids[11];
		int32_t exit_code;
		uint64_t more[2];
	} info = { .mask = 1u << 3 /* PIDFD_INFO_EXIT */ };

	/* The ioctl's number carries the size of the structure; the kernel copies what it knows. */
	if (ioctl((int)a[0].i, _IOC(_IOC_READ | _IOC_WRITE, 0xff, 11, sizeof(info)), &info) < 0)
		return lc_fail(c, "ioctl(PIDFD_GET_INFO)");
	return info.mask & (1u << 3) ? info.exit_code : lc_refuse(c, "ioctl(PIDFD_GET_INFO)", ENODATA);
}

static int64_t op_kill(struct lc_ctx *c, const union lc_arg *a)
{
	return kill((pid_t)a[0].i, (int)a[1].i) < 0 ? lc_fail(c, "kill") : 0;
}

/* prlimit(pid, resource, new as u64[2] or empty, old as u64[2] or empty). */
static int64_t op_prlimit(struct lc_ctx *c, const union lc_arg *a)
{
	const void *set = a[2].b.size >= 16 ? a[2].b.at : NULL;
	void *old = a[3].b.size >= 16 ? a[3].b.at : NULL;

	return syscall(SYS_prlimit64, (pid_t)a[0].i, (int)a[1].i, set, old) < 0 ? lc_fail(c, "prlimit64") : 0;
}

/* clock(CLOCK_…): nanoseconds. */
static int64_t op_clock(struct lc_ctx *c, const union lc_arg *a)
{
	struct timespec t;

	if (clock_gettime((clockid_t)a[0].i, &t) < 0)
		return lc_fail(c, "clock_gettime");
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* ids(i64[5]): uid, euid, gid, egid, pid. */
static int64_t op_ids(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t values[5] = { getuid(), geteuid(), getgid(), getegid(), getpid() };

	if (a[0].b.size < sizeof(values))
		return lc_refuse(c, "getuid", EINVAL);
	memcpy(a[0].b.at, values, sizeof(values));
	return 0;
}

/* uname(buffer): sysname, nodename, release, version, machine, each ended by NUL: the bytes used. */
static int64_t op_uname(struct lc_ctx *c, const union lc_arg *a)
{
	struct utsname u;
	const char *parts[] = { u.sysname, u.nodename, u.release, u.version, u.machine };
	size_t used = 0;

	if (uname(&u) < 0)
		return lc_fail(c, "uname");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		size_t size = strlen(parts[i]) + 1;

		if (used + size > a[0].b.size)
			return lc_refuse(c, "uname", ERANGE);
		memcpy(a[0].b.at + used, parts[i], size);
		used += size;
	}
	return (int64_t)used;
}

static int64_t op_get_flags(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t flags = fcntl((int)a[0].i, F_GETFL);

	return flags < 0 ? lc_fail(c, "fcntl(F_GETFL)") : flags;
}

static int64_t op_set_flags(struct lc_ctx *c, const union lc_arg *a)
{
	return fcntl((int)a[0].i, F_SETFL, (int)a[1].i) < 0 ? lc_fail(c, "fcntl(F_SETFL)") : 0;
}

/* Bit n - 1 of a mask is signal n. */
static sigset_t signal_set(int64_t mask)
{
	sigset_t set;

	sigemptyset(&set);
	for (int signal = 1; signal <= 64; signal++)
		if ((uint64_t)mask >> (signal - 1) & 1)
			sigaddset(&set, signal);
	return set;
}

/* signalFd(mask): blocks these signals in this thread and answers a descriptor that reads them. For the executable: Node has its own. */
static int64_t op_signal_fd(struct lc_ctx *c, const union lc_arg *a)
{
	sigset_t set = signal_set(a[0].i);
	int64_t fd;

	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return lc_fail(c, "sigprocmask");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? lc_fail(c, "signalfd") : fd;
}

/* unblockSignals(mask): what has come meanwhile does now what it does. */
static int64_t op_unblock_signals(struct lc_ctx *c, const union lc_arg *a)
{
	sigset_t set = signal_set(a[0].i);

	return sigprocmask(SIG_UNBLOCK, &set, NULL) < 0 ? lc_fail(c, "sigprocmask") : 0;
}

/* startProgram(…): see start.h. */
static int64_t op_start_program(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_start_program(c, a, NULL);
}

const struct lc_op lc_sys_ops[] = {
	{ "close", "i", op_close },
	{ "openAt", "isii", op_open_at },
	{ "dup", "ii", op_dup },
	{ "dupTo", "ii", op_dup_to },
	{ "readFd", "ib", op_read_fd },
	{ "writeFd", "ib", op_write_fd },
	{ "readFile", "isb", op_read_file },
	{ "readHeads", "ibibb", lc_op_read_heads },
	{ "writeFile", "isiib", op_write_file },
	{ "listDirectory", "isb", op_list_directory },
	{ "stat", "isib", op_stat },
	{ "statFilesystem", "ib", op_stat_filesystem },
	{ "confirmPlainDirectory", "s", op_confirm_plain_directory },
	{ "confirmAbsent", "is", op_confirm_absent },
	{ "confirmContent", "isb", op_confirm_content },
	{ "readLink", "isb", op_read_link },
	{ "makeDirectory", "isi", op_make_directory },
	{ "unlink", "isi", op_unlink },
	{ "removeTree", "is", lc_op_remove_tree },
	{ "rename", "isisi", op_rename },
	{ "changeMode", "ii", op_change_mode },
	{ "changeOwner", "iii", op_change_owner },
	{ "lock", "ii", op_lock },
	{ "confirmLinked", "i", op_confirm_linked },
	{ "pipe", "ib", op_pipe },
	{ "memfd", "sb", op_memfd },
	{ "programFd", "bs", lc_op_program_fd },
	{ "overlayFd", "ss", lc_op_overlay_fd },
	{ "spawn", "bbb", lc_op_spawn, LC_SPAWNER },
	{ "startProgram", LC_START_SIGNATURE, op_start_program, LC_SPAWNER },
	{ "pidfdOpen", "i", op_pidfd_open },
	{ "pidfdSendSignal", "ii", op_pidfd_send_signal },
	{ "pidfdGetfd", "ii", op_pidfd_getfd },
	{ "splitHugePages", "iiii", lc_op_split_huge_pages },
	{ "waitPidfd", "ib", op_wait_pidfd },
	{ "pidfdExitCode", "i", op_pidfd_exit_code },
	{ "kill", "ii", op_kill },
	{ "prlimit", "iibb", op_prlimit },
	{ "clock", "i", op_clock },
	{ "ids", "b", op_ids },
	{ "uname", "b", op_uname },
	{ "getFlags", "i", op_get_flags },
	{ "setFlags", "ii", op_set_flags },
	{ "signalFd", "i", op_signal_fd },
	{ "unblockSignals", "i", op_unblock_signals },
	{ "socketPair", "ib", lc_op_socket_pair },
	{ "sendMessage", "ibbi", lc_op_send_message },
	{ "receiveMessage", "ibbi", lc_op_receive_message },
	{ "listenUnix", "isii", lc_op_listen_unix },
	{ "connectUnix", "isi", lc_op_connect_unix },
	{ "acceptUnix", "ib", lc_op_accept },
	{ "openInRoot", "isi", lc_op_open_in_root },
	{ "createInRoot", "isii", lc_op_create_in_root },
	{ "makeDirectoriesInRoot", "isi", lc_op_make_directories_in_root },
	{ "symlinkInRoot", "iss", lc_op_symlink_in_root },
	{ "reopen", "ii", lc_op_reopen },
	{ "openProcfs", "i", lc_op_open_procfs },
	{ "openInProcfs", "isi", lc_op_open_in_procfs },
	{ "getAttribute", "issbi", lc_op_get_attribute },
	{ "setAttribute", "issbii", lc_op_set_attribute },
	{ "listAttributes", "isbi", lc_op_list_attributes },
	{ "removeAttribute", "issi", lc_op_remove_attribute },
	{ "getParentDeathSignal", "", lc_op_get_parent_death_signal },
	{ "keepParentDeathSignal", "i", lc_op_set_parent_death_signal },
	{ "getSubreaper", "", lc_op_get_subreaper },
	{ "setSubreaper", "i", lc_op_set_subreaper },
	{ "reapOthers", "i", lc_op_reap_others },
	{ "clockTicks", "", lc_op_clock_ticks },
	{ "randomBytes", "b", lc_op_random_bytes },
	{ "closeExecFrom", "i", lc_op_close_exec_from },
	{ "tryCall", "i", lc_op_try_call },
	{ "namespaceType", "i", lc_op_namespace_type },
	{ "bindNamespace", "ii", lc_op_bind_namespace },
	{ "unbindNamespace", "i", lc_op_unbind_namespace },
	{ "landlockVersion", "", lc_op_landlock_version },
	{ "openNotices", "", lc_op_open_notices },
	{ "watch", "isi", lc_op_watch },
	{ "unwatch", "ii", lc_op_unwatch },
	{ "readNotices", "ib", lc_op_read_notices },
	{ 0 },
};
