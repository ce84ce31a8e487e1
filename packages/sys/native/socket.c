/* SPDX-License-Identifier: Apache-2.0 */
/* UNIX sockets: messages with descriptors, and names relative to a directory's descriptor. */
#include "ops.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_FDS 16

/* socketPair(type, result): { i32, i32 }. */
int64_t lc_op_socket_pair(struct lc_ctx *c, const union lc_arg *a)
{
	int pair[2];

	if (a[1].b.size < sizeof(pair))
		return lc_refuse(c, "socketpair", EINVAL);
	if (socketpair(AF_UNIX, (int)a[0].i | SOCK_CLOEXEC, 0, pair) < 0)
		return lc_fail(c, "socketpair");
	memcpy(a[1].b.at, pair, sizeof(pair));
	return 0;
}

/* sendMessage(socket, bytes, descriptors as i32s, flags): how many bytes went. */
int64_t lc_op_send_message(struct lc_ctx *c, const union lc_arg *a)
{
	char control[CMSG_SPACE(sizeof(int) * MAX_FDS)] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { .iov_base = a[1].b.at, .iov_len = a[1].b.size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (a[2].b.size > sizeof(int) * MAX_FDS || a[2].b.size % sizeof(int))
		return lc_refuse(c, "sendmsg", EINVAL);
	if (a[2].b.size > 0) {
		struct cmsghdr *header;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(a[2].b.size);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(a[2].b.size);
		memcpy(CMSG_DATA(header), a[2].b.at, a[2].b.size);
	}
	do
		sent = sendmsg((int)a[0].i, &message, (int)a[3].i | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? lc_fail(c, "sendmsg") : sent;
}

/* receiveMessage(socket, buffer, descriptors, flags): how many bytes came; descriptors is { i32 count, i32 … }. EMSGSIZE when it was cut. */
int64_t lc_op_receive_message(struct lc_ctx *c, const union lc_arg *a)
{
	char control[CMSG_SPACE(sizeof(int) * MAX_FDS)] __attribute__((aligned(8)));
	struct iovec iov = { .iov_base = a[1].b.at, .iov_len = a[1].b.size };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int32_t count = 0;
	ssize_t got;

	if (a[2].b.size < 4)
		return lc_refuse(c, "recvmsg", EINVAL);
	do
		got = recvmsg((int)a[0].i, &message, (int)a[3].i | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return lc_fail(c, "recvmsg");

	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		int32_t *fds = (int32_t *)(void *)CMSG_DATA(header);
		size_t many = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < many; i++) {
			if ((size_t)(count + 2) * 4 <= a[2].b.size)
				memcpy(a[2].b.at + 4 * ++count, &fds[i], 4);
			else
				close(fds[i]);
		}
	}
	memcpy(a[2].b.at, &count, 4);
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		for (int32_t i = 1; i <= count; i++)
			close(((int32_t *)(void *)a[2].b.at)[i]);
		memset(a[2].b.at, 0, 4);
		return lc_refuse(c, "recvmsg", EMSGSIZE);
	}
	return got;
}

/*
 * A name in a directory as a socket address, and how long that is. sun_path holds 107 bytes and connect(2) has no *at form; /proc/self/fd names the
 * directory in a few bytes whatever its path is. A name of `@` and more, in no directory, is abstract: unix(7).
 */
static int64_t address(struct lc_ctx *c, int dirfd, const char *name, struct sockaddr_un *to, socklen_t *size)
{
	size_t length = strlen(name);

	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	*size = sizeof(*to);
	if (dirfd >= 0) {
		int written = snprintf(to->sun_path, sizeof(to->sun_path), "/proc/self/fd/%d/%s", dirfd, name);

		return written < (int)sizeof(to->sun_path) ? 0 : lc_refuse(c, "sun_path", ENAMETOOLONG);
	}
	if (length >= sizeof(to->sun_path))
		return lc_refuse(c, "sun_path", ENAMETOOLONG);
	memcpy(to->sun_path, name, length);
	if (name[0] == '@') {
		to->sun_path[0] = 0;
		*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	return 0;
}

/* listenUnix(dirfd or -1, name, type, mode): a socket that listens or, where messages need no connection, receives; its file with exactly `mode`. */
int64_t lc_op_listen_unix(struct lc_ctx *c, const union lc_arg *a)
{
	struct sockaddr_un to;
	socklen_t size;
	int64_t result = address(c, (int)a[0].i, a[1].s, &to, &size);
	int fd;

	if (result < 0)
		return result;
	/* Whoever shares our network namespace could connect to an abstract one: it has no mode. */
	if (to.sun_path[0] == 0)
		return lc_refuse(c, "bind", EINVAL);
	fd = socket(AF_UNIX, (int)a[2].i | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return lc_fail(c, "socket");
	/* The inode gets the socket's own mode less the umask: set before bind, it never exists with more. */
	if (fchmod(fd, (mode_t)a[3].i) < 0)
		result = lc_fail(c, "fchmod");
	else if (bind(fd, (struct sockaddr *)&to, size) < 0)
		result = lc_fail(c, "bind");
	else if ((a[3].i & 077) && chmod(to.sun_path, (mode_t)a[3].i) < 0)
		result = lc_fail(c, "chmod");
	else if ((int)a[2].i != SOCK_DGRAM && listen(fd, 16) < 0)
		result = lc_fail(c, "listen");
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

/*
 * connectUnix(dirfd or -1, name, type): a connected socket, which blocks unless the type has SOCK_NONBLOCK. EAGAIN instead of waiting where no more
 * may wait for whoever listens.
 */
int64_t lc_op_connect_unix(struct lc_ctx *c, const union lc_arg *a)
{
	struct sockaddr_un to;
	socklen_t size;
	int64_t result = address(c, (int)a[0].i, a[1].s, &to, &size);
	int fd;

	if (result < 0)
		return result;
	fd = socket(AF_UNIX, (int)a[2].i | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return lc_fail(c, "socket");
	if (connect(fd, (struct sockaddr *)&to, size) < 0)
		result = lc_fail(c, "connect");
	else if (((int)a[2].i & SOCK_NONBLOCK) == 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
		result = lc_fail(c, "fcntl(F_SETFL)");
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

/* acceptUnix(socket, result): the connection; result is { i32 pid, i32 uid, i32 gid } of the peer. */
int64_t lc_op_accept(struct lc_ctx *c, const union lc_arg *a)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = accept4((int)a[0].i, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return lc_fail(c, "accept4");
	if (a[1].b.size < sizeof(peer) || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		int64_t result = lc_fail(c, "getsockopt");

		close(fd);
		return result;
	}
	memcpy(a[1].b.at, &peer, sizeof(peer));
	return fd;
}
