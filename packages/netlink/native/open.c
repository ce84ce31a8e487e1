/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A netlink socket in any network namespace. A socket belongs to the namespace that its maker was in, for good, so it is made by a short-lived process
 * that shares our descriptors and enters the namespace: none of our own threads ever leaves ours.
 */
#include "ops.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/nsfs.h>

#include "../../sys/native/child.h"
#include "../../sys/native/clone.h"

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif
#ifndef SO_RCVBUFFORCE
#define SO_RCVBUFFORCE 33
#endif

#define STACK 16384
/* What stands in an exit status beside an errno, all of which that these calls give are below it. */
#define IN_SETNS 0x80

struct maker {
	int user, net;		/* namespaces; user is -1 where ours has the right */
	const char *path;	/* of what is opened; NULL for a netlink socket */
	int protocol;
	int slot;		/* the descriptor that becomes what is made */
};

/* In the other process, by raw calls: its memory is ours, or a copy in which other threads' locks are held for ever. */
static void make(void *with)
{
	const struct maker *m = with;
	long fd = -1;
	long status = 0;

	/* Whoever rules the user namespace could else trace a task in it, and use the descriptors. */
	if (m->user >= 0 &&
	    (syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || syscall(SYS_setns, m->user, CLONE_NEWUSER) < 0))
		status = errno | IN_SETNS;
	if (status == 0 && syscall(SYS_setns, m->net, CLONE_NEWNET) < 0)
		status = errno | IN_SETNS;
	if (status == 0) {
		fd = m->path ? syscall(SYS_openat, AT_FDCWD, m->path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
			     : syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, m->protocol);
		if (fd < 0)
			status = errno;
	}
	if (status == 0 && syscall(SYS_dup3, fd, m->slot, O_CLOEXEC) < 0)
		status = errno;
	if (fd >= 0)
		syscall(SYS_close, fd);
	syscall(SYS_exit, status);
	__builtin_unreachable();
}

/* Whoever enters a user namespace has memory of its own; the caller sleeps until it has ended. */
static int64_t run_maker(struct lc_ctx *c, struct maker *m)
{
	char stack[STACK] __attribute__((aligned(16)));
	unsigned long flags = CLONE_FILES | CLONE_VFORK | (m->user < 0 ? CLONE_VM : 0);
	uint64_t before;
	int status = 0, error;
	long pid;

	lc_block_signals(&before);
	pid = lc_clone_onto_stack(flags, stack + sizeof(stack), NULL, NULL, make, m);
	lc_restore_signals(before);
	if (pid < 0)
		return lc_refuse(c, "clone", (int)-pid);
	/* No signal tells of its end, so nobody else takes it. */
	while (waitpid((pid_t)pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return lc_fail(c, "waitpid");
	if (!WIFEXITED(status))
		return lc_refuse(c, "clone", ECHILD);
	error = WEXITSTATUS(status);
	if (error == 0)
		return 0;
	return lc_refuse(c, error & IN_SETNS ? "setns" : m->path ? "openat" : "socket", error & ~IN_SETNS);
}

int64_t lc_open_in_network_namespace(struct lc_ctx *c, int net, const char *path, int protocol)
{
	struct maker m = { .user = -1, .net = net, .path = path, .protocol = protocol };
	int64_t result;

	/* Of a kind that needs no namespace's leave. */
	m.slot = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (m.slot < 0)
		return lc_fail(c, "socket");
	result = run_maker(c, &m);
	if (result == -EPERM) {
		/* Of a user namespace that is this user's: there it has the right. */
		m.user = ioctl(net, NS_GET_USERNS);
		if (m.user >= 0) {
			struct lc_ctx second = { 0 };

			if (run_maker(&second, &m) == 0)
				result = 0;
			close(m.user);
		}
	}
	if (result < 0) {
		close(m.slot);
		return result;
	}
	return m.slot;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* What every socket has. Of a kernel without one of the options that one is left out: errors say less, dumps filter less. */
static int64_t prepare(struct lc_ctx *c, int fd, int room, uint32_t *port)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK }, kernel = own;
	socklen_t size = sizeof(own);
	static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (set(fd, SOL_NETLINK, options[i], 1) < 0 && errno != ENOPROTOOPT)
			return lc_fail(c, "setsockopt");
	/* Beyond net.core.rmem_max, where we may. */
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, room) < 0 && set(fd, SOL_SOCKET, SO_RCVBUF, room) < 0)
		return lc_fail(c, "setsockopt(SO_RCVBUF)");
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		return lc_fail(c, "bind");
	/* Whoever else sends to our port is refused then: netlink_getsockbyportid() of the kernel. */
	if (connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return lc_fail(c, "connect");
	if (getsockname(fd, (struct sockaddr *)&own, &size) < 0)
		return lc_fail(c, "getsockname");
	*port = own.nl_pid;
	return 0;
}

/* openNetlink(protocol, namespace or -1, room to receive, result): a socket that never waits; result is { u32 port }. */
int64_t lc_op_open_netlink(struct lc_ctx *c, const union lc_arg *a)
{
	uint32_t port = 0;
	int64_t fd, result;

	if (a[3].b.size < sizeof(port))
		return lc_refuse(c, "socket", EINVAL);
	if (a[1].i >= 0)
		fd = lc_open_in_network_namespace(c, (int)a[1].i, NULL, (int)a[0].i);
	else {
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, (int)a[0].i);
		if (fd < 0)
			fd = lc_fail(c, "socket");
	}
	if (fd < 0)
		return fd;
	result = prepare(c, (int)fd, (int)a[2].i, &port);
	if (result < 0) {
		close((int)fd);
		return result;
	}
	memcpy(a[3].b.at, &port, sizeof(port));
	return fd;
}
