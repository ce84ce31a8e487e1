/* SPDX-License-Identifier: Apache-2.0 */
/* A hook in the container: a child of init, before there is a program. */
#include "init.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../sys/native/decimal.h"

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#define CLOEXEC_RANGE 4u	/* CLOSE_RANGE_CLOEXEC, 5.11 */
#define BY_PIDFD 3		/* P_PIDFD, 5.4 */
#define MAX_NAMES 8192		/* of the hook and its program */
#define MAX_OUTPUT 32768	/* what is kept of what it writes */

/* How a hook failed; src/records.ts reads it. */
enum { HOW_EXITED, HOW_KILLED, HOW_LATE, HOW_NOT_EXECUTED };

static struct {
	uint32_t how;
	int32_t value;
	char text[MAX_NAMES + MAX_OUTPUT];	/* the hook's name, NUL, its program, NUL, its output */
} report;
static size_t told;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int64_t add_name(struct lc_ctx *c, const char *name)
{
	size_t size = strlen(name) + 1;

	if (told + size > MAX_NAMES)
		return lc_refuse(c, "execve", ENAMETOOLONG);
	memcpy(report.text + told, name, size);
	told += size;
	return 0;
}

/* The hook's standard input, which it may leave unread: a pipe that holds all of `state`, our pid between its two strings. */
static int64_t state_pipe(struct lc_ctx *c, const struct lc_bytes *state)
{
	const char *before = (const char *)state->at;
	size_t head = strlen(before), tail = strlen(before + head + 1), digits, all;
	char number[LC_DECIMAL_SIZE];
	struct iovec parts[3];
	int ends[2];
	ssize_t written;

	digits = (size_t)(lc_decimal(number, (uint64_t)getpid()) - number);
	all = head + digits + tail;
	parts[0] = (struct iovec){ (void *)before, head };
	parts[1] = (struct iovec){ number, digits };
	parts[2] = (struct iovec){ (void *)(before + head + 1), tail };
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return lc_fail(c, "pipe2");
	/* 64 KiB is what a pipe has of itself; the room must be there before the write, which nobody reads yet. */
	if (all > 65536)
		fcntl(ends[1], F_SETPIPE_SZ, (int)all);
	written = writev(ends[1], parts, 3);
	close(ends[1]);
	/* Who reads it waits as programs do. */
	if (written == (ssize_t)all && fcntl(ends[0], F_SETFL, 0) == 0)
		return ends[0];
	close(ends[0]);
	return lc_refuse(c, "write (the state for a hook)", E2BIG);
}

/* The child: its three streams and nothing else, in a session of its own. */
_Noreturn static void become(const int *streams, char **argv, char **environ, int *error)
{
	int fds[3];

	/* Above 2 first: any of them may be one of the numbers that they are to have. */
	for (int i = 0; i < 3; i++)
		fds[i] = fcntl(streams[i], F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 3; i++)
		if (fds[i] < 0 || dup2(fds[i], i) < 0)
			goto failed;
	/* The program's further descriptors are not the hook's. */
	if (syscall(SYS_close_range, 3, ~0u, CLOEXEC_RANGE) < 0)
		for (int fd = 3; fd < 1024; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsid();
	execve(argv[0], argv + 1, environ);
failed:
	*error = errno;
	syscall(SYS_exit_group, 127);
	__builtin_trap();
}

/* As fork(2), with a descriptor of the child. */
static long fork_pidfd(int *pidfd)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .flags = CLONE_PIDFD, .pidfd = (uintptr_t)pidfd, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	return pid < 0 && errno == ENOSYS ? syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, 0) : pid;
}

/* Reads what is there: 0 at the end of it, or -1 when there is nothing now. What does not fit is dropped. */
static ssize_t collect(int output)
{
	char rest[4096];
	size_t room = sizeof(report.text) - told;
	ssize_t got = room > 0 ? read(output, report.text + told, room) : read(output, rest, sizeof(rest));

	if (got > 0 && room > 0)
		told += (size_t)got;
	return got;
}

/* Until the hook has ended or its time is up. 1: it is late, and was killed. Whoever waits for us is gone: so are we, and the hook. */
static int attend(int pidfd, int output, int64_t limit_ms)
{
	int64_t deadline = limit_ms > 0 ? now_ms() + limit_ms : 0;
	struct pollfd fds[3] = { { .fd = pidfd, .events = POLLIN }, { .fd = output, .events = POLLIN }, { .fd = lc_control } };

	for (;;) {
		int64_t left = deadline ? deadline - now_ms() : -1;

		if (deadline && left <= 0) {
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
			return 1;
		}
		if (poll(fds, 3, left > INT_MAX ? INT_MAX : (int)left) < 0)
			continue;
		if (fds[2].revents & (POLLHUP | POLLERR)) {
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
			syscall(SYS_exit_group, 1);
		}
		if (fds[0].revents)
			return 0;
		if (fds[1].revents && collect(output) == 0)
			fds[1].fd = -1;
	}
}

/* Waits for the child, and reads what is left of its output; what it left behind may go on writing, which is not waited for. */
static int64_t reap(struct lc_ctx *c, int pidfd, int output, siginfo_t *info)
{
	info->si_pid = 0;
	while (waitid((idtype_t)BY_PIDFD, (id_t)pidfd, info, WEXITED) < 0)
		if (errno != EINTR)
			return lc_fail(c, "waitid");
	for (int i = 0; output >= 0 && i < 512 && collect(output) > 0; i++)
		;
	return 0;
}

struct hook {
	char **argv, **environ;	/* argv[0] is the program, and what follows its own argv */
	int streams[3];
	int output[2];		/* a pipe for those that go nowhere else, or -1 */
	int64_t limit_ms;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int64_t run(struct lc_ctx *c, struct hook *h)
{
	/* Shared with the child, which says in it why it could not execute. */
	int *error = mmap(NULL, sizeof(*error), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pidfd = -1, late;
	siginfo_t info;
	int64_t result;
	long pid;

	if (error == MAP_FAILED)
		return lc_fail(c, "mmap");
	pid = fork_pidfd(&pidfd);
	if (pid == 0)
		become(h->streams, h->argv, h->environ, error);
	if (pid < 0) {
		result = lc_fail(c, "clone3");
	} else {
		/* With our own end open its output would have no end. */
		close_end(&h->output[1]);
		late = attend(pidfd, h->output[0], h->limit_ms);
		result = reap(c, pidfd, h->output[0], &info);
		report.how = *error ? HOW_NOT_EXECUTED : late ? HOW_LATE : info.si_code == CLD_EXITED ? HOW_EXITED : HOW_KILLED;
		report.value = *error ? *error : late ? (int32_t)h->limit_ms : info.si_status;
		close(pidfd);
	}
	munmap(error, sizeof(*error));
	return result;
}

/*
 * runHook(its name, program and argv, environ, what an answer adds to it, the state around our pid, time-out in ms or 0, stdout or -1,
 * stderr or -1). The texts are NUL-separated. One that fails is told in a record of its own, ahead of the step's failure.
 */
int64_t lc_op_run_hook(struct lc_ctx *c, const union lc_arg *a)
{
	struct hook h = { .output = { -1, -1 }, .limit_ms = a[5].i };
	int64_t result = lc_split_command(c, &a[1].b, &a[2].b, &a[3].b, &h.argv, &h.environ);

	told = 0;
	if (result < 0 || (result = add_name(c, a[0].s)) < 0 || (result = add_name(c, h.argv[0])) < 0)
		return result;
	result = state_pipe(c, &a[4].b);
	if (result < 0)
		return result;
	h.streams[0] = (int)result;
	if ((a[6].i < 0 || a[7].i < 0) && pipe2(h.output, O_CLOEXEC) < 0) {
		result = lc_fail(c, "pipe2");
	} else {
		/* Only ours does not wait: the hook's end is what programs expect. */
		if (h.output[0] >= 0)
			fcntl(h.output[0], F_SETFL, O_NONBLOCK);
		h.streams[1] = a[6].i < 0 ? h.output[1] : (int)a[6].i;
		h.streams[2] = a[7].i < 0 ? h.output[1] : (int)a[7].i;
		result = run(c, &h);
	}
	close_end(&h.streams[0]);
	close_end(&h.output[0]);
	close_end(&h.output[1]);
	if (result < 0 || (report.how == HOW_EXITED && report.value == 0))
		return result;
	if (lc_report(RECORD_HOOK, &report, offsetof(__typeof__(report), text) + told, NULL, 0) < 0)
		return lc_fail(c, "sendmsg");
	lc_detail(c, h.argv[0]);
	return lc_refuse(c, "hook", ECANCELED);
}
