/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of threads and sockets. What `init` does with labels is in sys: label.c. */
#include "ops.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sys/native/path.h"

#ifndef SO_PEERSEC
#define SO_PEERSEC 31
#endif

/* A file of /proc/thread-self/attr, by a procfs that was verified: of the calling thread. */
static int open_own(struct lc_ctx *c, const char *file, int flags)
{
	static const char directory[] = "thread-self/attr/";
	char path[64];
	size_t size = strlen(file);
	int procfs, fd;

	if (size >= sizeof(path) - sizeof(directory))
		return (int)lc_refuse(c, "openat2", ENAMETOOLONG);
	memcpy(path, directory, sizeof(directory) - 1);
	memcpy(path + sizeof(directory) - 1, file, size + 1);
	procfs = lc_open_pids(c);
	if (procfs < 0)
		return procfs;
	fd = lc_open_in_proc(c, procfs, path, flags);
	close(procfs);
	return fd;
}

/* getThreadLabel(file, buffer): its size. */
static int64_t op_get_thread_label(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = open_own(c, a[0].s, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return fd;
	do
		got = read(fd, a[1].b.at, a[1].b.size);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		got = lc_fail(c, "read");
	close(fd);
	return got;
}

/* setThreadLabel(file, label): in one write, which is the whole label to the kernel; an empty one takes it back. */
static int64_t op_set_thread_label(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = open_own(c, a[0].s, O_WRONLY);
	size_t size = strlen(a[1].s);
	int64_t result = 0;
	ssize_t put;

	if (fd < 0)
		return fd;
	do
		put = write(fd, a[1].s, size);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		result = lc_fail(c, "write");
	else if ((size_t)put < size)
		result = lc_refuse(c, "write", EIO);
	close(fd);
	return result;
}

/* peerLabel(socket, buffer): its size. */
static int64_t op_peer_label(struct lc_ctx *c, const union lc_arg *a)
{
	socklen_t size = (socklen_t)a[1].b.size;

	if (getsockopt((int)a[0].i, SOL_SOCKET, SO_PEERSEC, a[1].b.at, &size) < 0)
		return lc_fail(c, "getsockopt(SO_PEERSEC)");
	return size;
}

const struct lc_op lc_selinux_ops[] = {
	{ "getThreadLabel", "sb", op_get_thread_label },
	{ "setThreadLabel", "ss", op_set_thread_label },
	{ "peerLabel", "ib", op_peer_label },
	{ "relabelDirectories", "ibbbb", lc_op_relabel_directories },
	{ "fileLabel", "ib", lc_op_file_label },
	{ "relabelFile", "ib", lc_op_relabel_file },
	{ 0 },
};
