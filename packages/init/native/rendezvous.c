/* SPDX-License-Identifier: Apache-2.0 */
/* Where init waits for somebody: for the parent's answer, for the parent to know its second child, for who starts the container. */
#include "init.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../sys/native/path.h"

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

#define ANSWER_SIZE 65536
#define MAX_FDS 16

enum { ANSWER_INTEGER = 1, ANSWER_BYTES, ANSWER_DESCRIPTOR };

struct entry {
	uint32_t slot, kind, size, reserved;
	uint8_t data[];		/* padded to 8; bytes have a NUL behind them, since a slot serves as a string too */
};

/* Untouched pages of it cost nothing. Answers stay where they came, since slots point into them. */
static uint8_t answers[ANSWER_SIZE] __attribute__((aligned(8)));
static size_t used;

static int64_t take_entry(struct lc_ctx *c, struct entry *entry, const int *fds, size_t fd_count, size_t *next_fd)
{
	struct lc_slot *slot = &lc_the_plan.slots[entry->slot % LC_MAX_SLOTS];

	switch (entry->kind) {
	case ANSWER_INTEGER:
		if (entry->size != 8)
			return lc_refuse(c, "ask", EINVAL);
		memcpy(&slot->i, entry->data, 8);
		slot->kind = 1;
		return 0;
	case ANSWER_BYTES:
		/* There is room for it: the caller has looked. */
		if (entry->data[entry->size] != 0)
			return lc_refuse(c, "ask", EINVAL);
		slot->b.at = entry->data;
		slot->b.size = entry->size;
		slot->kind = 2;
		return 0;
	case ANSWER_DESCRIPTOR:
		if (*next_fd >= fd_count)
			return lc_refuse(c, "ask", EBADF);
		slot->i = fds[(*next_fd)++];
		slot->kind = 1;
		return 0;
	}
	return lc_refuse(c, "ask", EINVAL);
}

/* @param flags: MSG_DONTWAIT for one that may have come ahead, else EAGAIN */
static int64_t receive_answer(struct lc_ctx *c, int flags)
{
	char control[CMSG_SPACE(sizeof(int) * MAX_FDS)] __attribute__((aligned(8)));
	struct iovec iov = { answers + used, ANSWER_SIZE - used };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	size_t end, fd_count = 0, next_fd = 0;
	const int *fds = NULL;
	struct cmsghdr *header;
	ssize_t got;

	do
		got = recvmsg(lc_control, &message, MSG_CMSG_CLOEXEC | flags);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return lc_fail(c, "recvmsg");
	if (got == 0)
		_exit(1);	/* the parent is gone: nobody is left to report to */
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return lc_refuse(c, "recvmsg (an answer larger than 64 KiB)", EMSGSIZE);
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		fds = (const int *)(void *)CMSG_DATA(header);
		fd_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	}

	end = used + (size_t)got;
	while (used + sizeof(struct entry) <= end) {
		struct entry *entry = (struct entry *)(void *)(answers + used);
		size_t size = sizeof(*entry) + (((size_t)entry->size + 7 + (entry->kind == ANSWER_BYTES)) & ~(size_t)7);

		if (entry->size > end - used || size > end - used)
			return lc_refuse(c, "ask", EINVAL);
		if (take_entry(c, entry, fds, fd_count, &next_fd) < 0)
			return -EINVAL;
		used += size;
	}
	used = (end + 7) & ~(size_t)7;
	return 0;
}

/* ask(name, descriptor or -1, descriptor or -1): sends them up and waits until the parent has answered; never times out, but ends with the parent. */
int64_t lc_op_ask(struct lc_ctx *c, const union lc_arg *a)
{
	int fds[2];
	size_t count = 0;

	for (int i = 1; i <= 2; i++)
		if (a[i].i >= 0)
			fds[count++] = (int)a[i].i;
	/* An answer that has come ahead was the next to come: nobody need be woken for it. */
	if (count == 0) {
		int64_t result = receive_answer(c, MSG_DONTWAIT);

		if (result != -EAGAIN)
			return result;
	}
	if (lc_report(RECORD_ASK, a[0].s, strlen(a[0].s), fds, count) < 0)
		return lc_fail(c, "sendmsg");
	return receive_answer(c, 0);
}

/* A file that is larger goes up as a descriptor of a copy, of which the parent takes so much at most. */
#define MAX_INLINE 8192
#define MAX_COPY (16 * 1024 * 1024)

/* Reads all of a small file behind a u32 of its size: the bytes used, or 0 where it is larger or cannot be read so. */
static size_t read_whole(int fd, off_t size, uint8_t *to)
{
	uint32_t have = 0;

	if (size > MAX_INLINE)
		return 0;
	for (;;) {
		ssize_t got = pread(fd, to + 4 + have, MAX_INLINE + 1 - have, have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || have + (size_t)got > MAX_INLINE)
			return 0;
		if (got == 0)
			break;
		have += (uint32_t)got;
	}
	memcpy(to, &have, sizeof(have));
	return 4 + have;
}

/*
 * A copy in memory, cut off where the parent refuses it: whoever reads the file itself waits for as long as its file system likes, be it the
 * container's own (FUSE). Init can be ended then, a thread of the parent cannot.
 */
static int copy_to_memory(int fd, uint8_t *room)
{
	int copy = (int)syscall(SYS_memfd_create, "file", MFD_CLOEXEC);
	ssize_t got = copy;

	for (off_t done = 0; got >= 0 && done <= MAX_COPY; done += got) {
		got = pread(fd, room, MAX_INLINE, done);
		if (got > 0)
			got = pwrite(copy, room, (size_t)got, done);
		if (got == 0)
			break;
		if (got < 0 && errno == EINTR)
			got = 0;
	}
	if (got < 0 && copy >= 0) {
		int error = errno;

		close(copy);
		errno = error;
	}
	return got < 0 ? -1 : copy;
}

/*
 * A regular file, or -1. Looked at before it is opened: opening a device does what that device does, and opening a FIFO lets its writer go on.
 */
static int open_regular(struct lc_ctx *c, int root, const char *path, off_t *size)
{
	int handle = lc_open_in_root(c, root, path, O_PATH), fd = -1;
	struct stat s;

	if (handle < 0)
		return -1;
	if (fstat(handle, &s) == 0 && S_ISREG(s.st_mode))
		fd = lc_open_in_root(c, root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	close(handle);
	/* Once more: its name may be another file's by now. */
	if (fd >= 0 && (fstat(fd, &s) < 0 || !S_ISREG(s.st_mode))) {
		close(fd);
		return -1;
	}
	*size = s.st_size;
	return fd < 0 ? -1 : fd;
}

/*
 * askWithFiles(name, paths each ended by NUL): as ask, with the container's own files, opened here behind all its mounts. Behind the
 * name's NUL a digit for each says what became of it: 0, it is absent or no regular file; 1, a copy comes as a descriptor; 2, it is
 * small and follows the digits' NUL, as a u32 of its size and its bytes.
 */
int64_t lc_op_ask_with_files(struct lc_ctx *c, const union lc_arg *a)
{
	size_t length = strlen(a[0].s), count = 0, files = 0, end;
	/* The room of the answer serves before it comes. */
	uint8_t *record = answers + used;
	int fds[4], root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t result = 0;

	if (root < 0)
		return lc_fail(c, "open");
	end = length + 1 + 4 + 1;
	if (length > 64 || end + 4 * (MAX_INLINE + 5) > ANSWER_SIZE - used) {
		close(root);
		return lc_refuse(c, "ask", ENAMETOOLONG);
	}
	memset(record, 0, end);
	memcpy(record, a[0].s, length);
	for (size_t at = 0; result == 0 && at < a[1].b.size && files < 4; at += strlen((char *)a[1].b.at + at) + 1) {
		off_t held = 0;
		int fd = open_regular(c, root, (char *)a[1].b.at + at, &held);
		size_t size = fd >= 0 ? read_whole(fd, held, record + end) : 0;

		if (fd >= 0 && size == 0 && (fds[count++] = copy_to_memory(fd, record + end)) < 0)
			result = lc_fail(c, "read");
		if (fd >= 0)
			close(fd);
		record[length + 1 + files++] = size ? '2' : fd >= 0 ? '1' : '0';
		end += size;
	}
	close(root);
	if (result == 0)
		c->detail[0] = 0;
	if (result == 0 && lc_report(RECORD_ASK, record, end, fds, count) < 0)
		result = lc_fail(c, "sendmsg");
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	return result < 0 ? result : receive_answer(c, 0);
}

/*
 * secondClone(): after unshare(CLONE_NEWPID) or setns only a child is in the pid namespace. It is made the parent's child
 * too, so that one process waits for both; what goes on is the child. pid 1 of a pid namespace may not do this (EINVAL).
 */
int64_t lc_op_second_clone(struct lc_ctx *c, const union lc_arg *a)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .flags = CLONE_PARENT | CLONE_PIDFD };
	int pidfd = -1, gate[2];
	char byte;
	long pid;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return lc_fail(c, "pipe2");
	args.pidfd = (uintptr_t)&pidfd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && errno == ENOSYS)
		pid = syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD, NULL, &pidfd, NULL, 0);
	if (pid < 0)
		return lc_fail(c, "clone3");
	if (pid > 0) {
		int32_t number = (int32_t)pid;

		_exit(lc_report(RECORD_CHILD, &number, sizeof(number), &pidfd, 1) < 0 ? 126 : 0);
	}
	/* Until the first has ended, so that the record of the second comes before anything that the second sends. */
	close(gate[1]);
	(void)!read(gate[0], &byte, 1);
	close(gate[0]);
	return 0;
}

#define PAGE 4096u	/* where pages are larger, nothing is given back */
#define USED_STACK (64u << 10)

/*
 * awaitStart(listening socket, uid): the `created` state. Whoever may open the state directory connects and says go; the
 * connection then carries the exec's failure, or ends by close-on-exec.
 */
int64_t lc_op_await_start(struct lc_ctx *c, const union lc_arg *a)
{
	int listener = (int)a[0].i;
	uintptr_t page = (uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(PAGE - 1);

	/*
	 * That may be long: what was read of the plan is given back, and comes again with the next step; so is the stack that calls before this one
	 * have used, but for the page below ours.
	 */
	(void)madvise((void *)(uintptr_t)lc_the_plan.at, lc_the_plan.size, MADV_DONTNEED);
	(void)madvise((void *)(page - PAGE - USED_STACK), USED_STACK, MADV_DONTNEED);
	for (;;) {
		struct ucred peer;
		socklen_t size = sizeof(peer);
		uint32_t go = 0;
		int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (connection < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return lc_fail(c, "accept4");
		}
		if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (int64_t)peer.uid == a[1].i &&
		    recv(connection, &go, sizeof(go), 0) == sizeof(go) && go == 0x4f47 /* "GO" */) {
			lc_control = connection;
			close(listener);
			return 0;
		}
		close(connection);
	}
}
