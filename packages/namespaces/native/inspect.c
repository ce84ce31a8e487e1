/* SPDX-License-Identifier: Apache-2.0 */
/* What the host asks about namespaces. */
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
#include <sys/wait.h>
#include <unistd.h>

#include <linux/nsfs.h>

#include "../../sys/native/decimal.h"

/* The inode of a namespace's descriptor, which is closed; 0 for none. */
static int64_t inode_of(int fd)
{
	struct stat st;
	int64_t inode = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0)
		inode = (int64_t)st.st_ino;
	close(fd);
	return inode;
}

static int64_t owner_uid(int user_namespace)
{
	uid_t uid;

	return user_namespace >= 0 && ioctl(user_namespace, NS_GET_OWNER_UID, &uid) == 0 ? (int64_t)uid : -1;
}

int64_t lc_describe_namespace(struct lc_ctx *c, int fd, struct lc_namespace *to)
{
	struct stat st;
	int user;

	to->type = lc_namespace_type(c, fd);
	if (to->type < 0)
		return to->type;
	if (fstat(fd, &st) < 0)
		return lc_fail(c, "fstat");
	to->device = (int64_t)st.st_dev;
	to->inode = (int64_t)st.st_ino;
	/* What is out of our sight the kernel does not tell. A user namespace has an owner itself. */
	user = ioctl(fd, NS_GET_USERNS);
	to->owner = owner_uid(to->type == CLONE_NEWUSER ? fd : user);
	to->user_namespace = inode_of(user);
	/* Only these two kinds have parents; to the others the ioctl is EINVAL. */
	to->parent = to->type == CLONE_NEWUSER || to->type == CLONE_NEWPID ? inode_of(ioctl(fd, NS_GET_PARENT)) : 0;
	return 0;
}

/* inspectNamespace(fd, i64[6]): type, device, inode, uid of the owner (-1: unknown), inodes of the owning user namespace and of the parent (0: unknown). */
int64_t lc_op_inspect_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	struct lc_namespace found;
	int64_t result;

	if (a[1].b.size < sizeof(found))
		return lc_refuse(c, "inspectNamespace", EINVAL);
	result = lc_describe_namespace(c, (int)a[0].i, &found);
	if (result == 0)
		memcpy(a[1].b.at, &found, sizeof(found));
	return result;
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
int64_t lc_op_read_namespace_maps(struct lc_ctx *c, const union lc_arg *a)
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
