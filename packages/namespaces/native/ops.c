/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces as init needs them, and what the host asks about them. src/plan.ts decides on the order. */
#include "ops.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>

#include "../../sys/native/decimal.h"
#include "../../sys/native/path.h"

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

static const char *type_name(int type)
{
	switch (type) {
	case 0x00000080: return "it is a time namespace";
	case 0x00020000: return "it is a mnt namespace";
	case 0x02000000: return "it is a cgroup namespace";
	case 0x04000000: return "it is a uts namespace";
	case 0x08000000: return "it is an ipc namespace";
	case 0x10000000: return "it is a user namespace";
	case 0x20000000: return "it is a pid namespace";
	case 0x40000000: return "it is a net namespace";
	default: return "it is a namespace of another type";
	}
}

/* The type of the namespace that `fd` is, by the kernel's word: a path's name proves nothing. */
static int64_t namespace_type(struct lc_ctx *c, int fd)
{
	struct statfs fs;
	int type;

	/* First this: to another file system the ioctl's number may mean something else. */
	if (fstatfs(fd, &fs) < 0)
		return lc_fail(c, "fstatfs");
	if (fs.f_type != NSFS_MAGIC) {
		lc_detail(c, "it is no namespace");
		return lc_refuse(c, "fstatfs", EINVAL);
	}
	type = ioctl(fd, NS_GET_NSTYPE);
	return type < 0 ? lc_fail(c, "ioctl(NS_GET_NSTYPE)") : type;
}

static int64_t check_type(struct lc_ctx *c, int fd, int wanted)
{
	int64_t type = namespace_type(c, fd);

	if (type < 0 || type == wanted)
		return type;
	lc_detail(c, type_name((int)type));
	return lc_refuse(c, "ioctl(NS_GET_NSTYPE)", EINVAL);
}

/* openNamespace(path, CLONE_ flag): a descriptor of the namespace at `path`, which must be of that type. */
static int64_t op_open_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	/* A path that is a fifo or a terminal by mistake neither blocks nor becomes ours. */
	int fd = open(a[0].s, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int64_t type;

	if (fd < 0)
		return lc_fail(c, "open");
	type = check_type(c, fd, (int)a[1].i);
	if (type < 0) {
		close(fd);
		return type;
	}
	return fd;
}

/* setNamespace(fd, CLONE_ flag): joins one namespace. */
static int64_t op_set_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t type = check_type(c, (int)a[0].i, (int)a[1].i);

	if (type < 0)
		return type;
	return setns((int)a[0].i, (int)a[1].i) < 0 ? lc_fail(c, "setns") : 0;
}

/* setProcessNamespaces(pidfd, CLONE_ flags): joins those namespaces of a process, all or none (Linux 5.8). */
static int64_t op_set_process_namespaces(struct lc_ctx *c, const union lc_arg *a)
{
	return setns((int)a[0].i, (int)a[1].i) < 0 ? lc_fail(c, "setns") : 0;
}

static int64_t op_unshare_namespaces(struct lc_ctx *c, const union lc_arg *a)
{
	return unshare((int)a[0].i) < 0 ? lc_fail(c, "unshare") : 0;
}

/* setTimeOffsets(text): the offsets of the time namespace that this process has unshared and nobody has entered. */
static int64_t op_set_time_offsets(struct lc_ctx *c, const union lc_arg *a)
{
	int proc = lc_open_proc(c);
	int64_t result = 0;
	int fd;

	if (proc < 0)
		return proc;
	fd = lc_open_in_proc(c, proc, "self/timens_offsets", O_WRONLY);
	close(proc);
	if (fd < 0)
		return fd;
	/* In one piece: the file takes no second write at another offset. */
	if (write(fd, a[0].b.at, a[0].b.size) != (ssize_t)a[0].b.size)
		result = lc_fail(c, "write");
	close(fd);
	return result;
}

/*
 * becomeRoot(): ids 0 of the user namespace, whose maps are written, or which was joined. What carried the capabilities over the exec
 * into init (they were made inheritable and ambient) ends here, before anything else can be executed.
 */
static int64_t op_become_root(struct lc_ctx *c, const union lc_arg *a)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	(void)a;
	if (syscall(SYS_setresgid, 0, 0, 0) < 0)
		return lc_fail(c, "setresgid");
	if (syscall(SYS_setresuid, 0, 0, 0) < 0)
		return lc_fail(c, "setresuid");
	if (syscall(SYS_capget, &header, data) < 0)
		return lc_fail(c, "capget");
	data[0].inheritable = 0;
	data[1].inheritable = 0;
	if (syscall(SYS_capset, &header, data) < 0)
		return lc_fail(c, "capset");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return lc_fail(c, "prctl(PR_CAP_AMBIENT_CLEAR_ALL)");
	return 0;
}

/* openProcessDirectory(path): /proc/<pid>, so that several files of it are one process's. */
static int64_t op_open_process_directory(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = open(a[0].s, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? lc_fail(c, "open") : fd;
}

/* writeProcessFile(directory, name, text): in one write(2), as uid_map and its like ask for. */
static int64_t op_write_process_file(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = openat((int)a[0].i, a[1].s, O_WRONLY | O_CLOEXEC);
	int64_t result = 0;
	ssize_t put;

	if (fd < 0)
		return lc_fail(c, "openat");
	put = write(fd, a[2].b.at, a[2].b.size);
	if (put < 0)
		result = lc_fail(c, "write");
	else if ((size_t)put != a[2].b.size)
		result = lc_refuse(c, "write", EIO);
	close(fd);
	return result;
}

/* The inode of the namespace that an ioctl on `fd` leads to; 0 when the kernel does not say (out of our sight). */
static int64_t related_inode(int fd, unsigned long request)
{
	int other = ioctl(fd, request);
	struct stat st;
	int64_t inode = 0;

	if (other < 0)
		return 0;
	if (fstat(other, &st) == 0)
		inode = (int64_t)st.st_ino;
	close(other);
	return inode;
}

static int64_t owner_uid(int fd, int64_t type)
{
	int user = type == CLONE_NEWUSER ? fd : ioctl(fd, NS_GET_USERNS);
	uid_t uid;
	int64_t owner = -1;

	if (user < 0)
		return -1;
	if (ioctl(user, NS_GET_OWNER_UID, &uid) == 0)
		owner = (int64_t)uid;
	if (user != fd)
		close(user);
	return owner;
}

/* inspectNamespace(fd, i64[6]): type, device, inode, uid of the owner (-1: unknown), inodes of the owning user namespace and of the parent (0: unknown). */
static int64_t op_inspect_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = (int)a[0].i;
	int64_t type = namespace_type(c, fd);
	int64_t values[6];
	struct stat st;

	if (type < 0)
		return type;
	if (a[1].b.size < sizeof(values))
		return lc_refuse(c, "inspectNamespace", EINVAL);
	if (fstat(fd, &st) < 0)
		return lc_fail(c, "fstat");
	values[0] = type;
	values[1] = (int64_t)st.st_dev;
	values[2] = (int64_t)st.st_ino;
	values[3] = owner_uid(fd, type);
	values[4] = related_inode(fd, NS_GET_USERNS);
	/* Only these two kinds have parents; to the others the ioctl is EINVAL. */
	values[5] = type == CLONE_NEWUSER || type == CLONE_NEWPID ? related_inode(fd, NS_GET_PARENT) : 0;
	memcpy(a[1].b.at, values, sizeof(values));
	return 0;
}

static int64_t read_text(struct lc_ctx *c, const char *path, const struct lc_bytes *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t got = 1;

	if (fd < 0)
		return lc_fail(c, "open");
	while (got > 0 && done < to->size) {
		got = read(fd, to->at + done, to->size - done);
		if (got > 0)
			done += (size_t)got;
	}
	close(fd);
	if (got != 0)
		return got < 0 ? lc_fail(c, "read") : lc_refuse(c, "read", EFBIG);
	return (int64_t)done;
}

/* "/proc/<pid>/<name>", without stdio. */
static void process_path(char *to, pid_t pid, const char *name)
{
	memcpy(to, "/proc/", 6);
	to = lc_decimal(to + 6, (uint64_t)pid);
	*to++ = '/';
	memcpy(to, name, strlen(name) + 1);
}

/*
 * The process whose maps are read: a copy of ours, since a task that shares its memory with us may not enter another user namespace
 * (whoever rules there could trace it), and not dumpable for the same reason. Raw calls alone: other threads' locks are copied held.
 */
_Noreturn static void stand_in(int namespace, int sockets[2])
{
	int error = 0;
	char end;

	syscall(SYS_close, sockets[0]);
	if (syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || syscall(SYS_setns, namespace, CLONE_NEWUSER) < 0)
		error = errno;
	if (syscall(SYS_write, sockets[1], &error, sizeof(error)) == sizeof(error))
		while (syscall(SYS_read, sockets[1], &end, 1) < 0 && errno == EINTR)
			;
	for (;;)
		syscall(SYS_exit_group, 0);
}

/*
 * readNamespaceMaps(fd, uid map, gid map): the maps of a user namespace that only a descriptor names; the kernel shows them by way of a process
 * in it. The answer is the two sizes, the second from bit 32 on.
 */
static int64_t op_read_namespace_maps(struct lc_ctx *c, const union lc_arg *a)
{
	char path[40];
	int sockets[2], error = 0;
	int64_t uids, gids = 0;
	sigset_t all, before;
	long pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return lc_fail(c, "socketpair");
	/* Its handlers are our engine's: it must get no signal. Its end is announced to nobody (exit signal 0). */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	if (pid == 0)
		stand_in((int)a[0].i, sockets);
	error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(sockets[1]);
	if (pid < 0) {
		close(sockets[0]);
		return lc_refuse(c, "clone", error);
	}
	if (read(sockets[0], &error, sizeof(error)) != sizeof(error))
		uids = lc_refuse(c, "clone", ECHILD);
	else if (error != 0)
		uids = lc_refuse(c, "setns", error);
	else {
		process_path(path, (pid_t)pid, "uid_map");
		uids = read_text(c, path, &a[1].b);
		process_path(path, (pid_t)pid, "gid_map");
		if (uids >= 0)
			gids = read_text(c, path, &a[2].b);
	}
	close(sockets[0]);
	while (waitpid((pid_t)pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return uids < 0 ? uids : gids < 0 ? gids : uids | gids << 32;
}

const struct lc_op lc_namespaces_ops[] = {
	{ "openNamespace", "si", op_open_namespace, 0 },
	{ "setNamespace", "ii", op_set_namespace, 0 },
	{ "setProcessNamespaces", "ii", op_set_process_namespaces, 0 },
	{ "unshareNamespaces", "i", op_unshare_namespaces, 0 },
	{ "setTimeOffsets", "b", op_set_time_offsets, 0 },
	{ "becomeRoot", "", op_become_root, 0 },
	{ "openProcessDirectory", "s", op_open_process_directory, 0 },
	{ "writeProcessFile", "isb", op_write_process_file, 0 },
	{ "inspectNamespace", "ib", op_inspect_namespace, 0 },
	{ "readNamespaceMaps", "ibb", op_read_namespace_maps, 0 },
	{ 0 },
};
