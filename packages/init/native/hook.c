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

#include "../../seccomp/native/ops.h"
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

struct hook {
	char **argv, **environ;	/* argv[0] is the program, and what follows its own argv */
	int streams[3];
	int output[2];		/* a pipe for those that go nowhere else, or -1 */
	int input;		/* where its standard input is written to, or -1: all of it was */
	struct iovec state[3];	/* what is left of that */
	char pid[LC_DECIMAL_SIZE];
	int64_t limit_ms;
};

/* Shared with the child, which says in it why it could not execute. */
struct refusal {
	int error;
	const char *syscall;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * The hook's standard input: our pid between the two strings of `state`. A pipe, written to while the hook runs: a state may be larger than any
 * pipe, and a file in memory would be held to the program's RLIMIT_FSIZE, by SIGXFSZ.
 */
static int64_t open_input(struct lc_ctx *c, struct hook *h, const struct lc_bytes *state)
{
	char *before = (char *)state->at, *after;
	int ends[2];

	if (state->size == 0) {
		h->streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return h->streams[0] < 0 ? lc_fail(c, "open") : 0;
	}
	after = before + strlen(before) + 1;
	h->state[0] = (struct iovec){ before, strlen(before) };
	h->state[1] = (struct iovec){ h->pid, (size_t)(lc_decimal(h->pid, (uint64_t)getpid()) - h->pid) };
	h->state[2] = (struct iovec){ after, strlen(after) };
	if (pipe2(ends, O_CLOEXEC) < 0)
		return lc_fail(c, "pipe2");
	h->streams[0] = ends[0];
	h->input = ends[1];
	/* Only ours does not wait: who reads it waits as programs do. */
	return fcntl(h->input, F_SETFL, O_NONBLOCK) < 0 ? lc_fail(c, "fcntl") : 0;
}

/* Writes what there is room for. A hook may leave its input unread, and close it. */
static void feed(struct hook *h)
{
	for (int i = 0; i < 3; i++) {
		struct iovec *part = &h->state[i];

		while (part->iov_len > 0) {
			ssize_t put = write(h->input, part->iov_base, part->iov_len);

			if (put < 0 && errno == EAGAIN)
				return;
			if (put < 0 && errno != EINTR) {
				close_end(&h->input);
				return;
			}
			if (put > 0) {
				part->iov_base = (char *)part->iov_base + put;
				part->iov_len -= (size_t)put;
			}
		}
	}
	close_end(&h->input);
}

/* What hooks from now on are filtered by, as the program is: each by all of them. */
static struct filter {
	int notifies;
	int64_t flags;
	struct lc_bytes filter;
} filters[2];
static size_t filter_count;

/* filterHooks(whether the filter has a listener, flags, filter) */
int64_t lc_op_filter_hooks(struct lc_ctx *c, const union lc_arg *a)
{
	if (filter_count == sizeof(filters) / sizeof(filters[0]))
		return lc_refuse(c, "seccomp", E2BIG);
	filters[filter_count++] = (struct filter){ a[0].i != 0, a[1].i, a[2].b };
	return 0;
}

static int64_t load_filters(struct lc_ctx *c)
{
	int64_t result = 0;

	for (size_t i = 0; i < filter_count && result >= 0; i++) {
		const union lc_arg args[] = { { .i = filters[i].flags }, { .b = filters[i].filter } };

		result = filters[i].notifies ? lc_op_set_notifying_filter(c, args) : lc_op_set_seccomp_filter(c, args);
	}
	return result;
}

/* The child: its three streams and nothing else, in a session of its own. */
_Noreturn static void become(const struct hook *h, struct refusal *refusal)
{
	struct lc_ctx c = { 0 };
	int64_t result = 0;
	int fds[3];

	/* Above 2 first: any of them may be one of the numbers that they are to have. */
	for (int i = 0; i < 3; i++)
		fds[i] = fcntl(h->streams[i], F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 3; i++)
		if (result == 0 && (fds[i] < 0 || dup2(fds[i], i) < 0))
			result = lc_fail(&c, "dup2");
	/* The program's further descriptors are not the hook's. */
	if (syscall(SYS_close_range, 3, ~0u, CLOEXEC_RANGE) < 0)
		for (int fd = 3; fd < 1024; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsid();
	signal(SIGPIPE, SIG_DFL);
	/* Last, as for the program: behind it an exec and an exit are all that is still called. */
	if (result == 0)
		result = load_filters(&c);
	if (result >= 0) {
		execve(h->argv[0], h->argv + 1, h->environ);
		result = lc_fail(&c, "execve");
	}
	refusal->error = (int)-result;
	refusal->syscall = c.syscall;
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
static int attend(struct hook *h, int pidfd)
{
	int64_t deadline = h->limit_ms > 0 ? now_ms() + h->limit_ms : 0;
	struct pollfd fds[4] = {
		{ .fd = pidfd, .events = POLLIN }, { .fd = h->output[0], .events = POLLIN }, { .fd = lc_control },
		{ .fd = h->input, .events = POLLOUT },
	};

	for (;;) {
		int64_t left = deadline ? deadline - now_ms() : -1;

		if (deadline && left <= 0) {
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
			return 1;
		}
		if (poll(fds, 4, left > INT_MAX ? INT_MAX : (int)left) < 0)
			continue;
		if (fds[2].revents & (POLLHUP | POLLERR)) {
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
			syscall(SYS_exit_group, 1);
		}
		if (fds[0].revents)
			return 0;
		if (fds[1].revents && collect(h->output[0]) == 0)
			fds[1].fd = -1;
		if (fds[3].revents) {
			feed(h);
			fds[3].fd = h->input;
		}
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

/* Behind the names: the call that failed. */
static void tell_refusal(const struct refusal *refusal)
{
	size_t size = strlen(refusal->syscall);

	report.how = HOW_NOT_EXECUTED;
	report.value = refusal->error;
	memcpy(report.text + told, refusal->syscall, size);
	told += size;
}

static int64_t run(struct lc_ctx *c, struct hook *h)
{
	struct refusal *refusal = mmap(NULL, sizeof(*refusal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pidfd = -1, late;
	siginfo_t info;
	int64_t result;
	long pid;

	if (refusal == MAP_FAILED)
		return lc_fail(c, "mmap");
	pid = fork_pidfd(&pidfd);
	if (pid == 0)
		become(h, refusal);
	if (pid < 0) {
		result = lc_fail(c, "clone3");
	} else {
		/* With our own ends open its output would have no end, and its input a reader for ever. */
		close_end(&h->output[1]);
		close_end(&h->streams[0]);
		late = attend(h, pidfd);
		result = reap(c, pidfd, h->output[0], &info);
		report.how = late ? HOW_LATE : info.si_code == CLD_EXITED ? HOW_EXITED : HOW_KILLED;
		report.value = late ? (int32_t)h->limit_ms : info.si_status;
		if (refusal->error)
			tell_refusal(refusal);
		close(pidfd);
	}
	munmap(refusal, sizeof(*refusal));
	return result;
}

/*
 * runHook(its name, program and argv, environ, what an answer adds to it, the state around our pid, time-out in ms or 0, stdout or -1,
 * stderr or -1). The texts are NUL-separated. One that fails is told in a record of its own, ahead of the step's failure.
 */
int64_t lc_op_run_hook(struct lc_ctx *c, const union lc_arg *a)
{
	struct hook h = { .streams = { -1 }, .output = { -1, -1 }, .input = -1, .limit_ms = a[5].i };
	int64_t result = lc_split_command(c, &a[1].b, &a[2].b, &a[3].b, &h.argv, &h.environ);

	told = 0;
	if (result < 0 || (result = add_name(c, a[0].s)) < 0 || (result = add_name(c, h.argv[0])) < 0)
		return result;
	result = open_input(c, &h, &a[4].b);
	if (result == 0 && (a[6].i < 0 || a[7].i < 0) && pipe2(h.output, O_CLOEXEC) < 0)
		result = lc_fail(c, "pipe2");
	if (result == 0) {
		/* Only ours does not wait: the hook's end is what programs expect. */
		if (h.output[0] >= 0)
			fcntl(h.output[0], F_SETFL, O_NONBLOCK);
		h.streams[1] = a[6].i < 0 ? h.output[1] : (int)a[6].i;
		h.streams[2] = a[7].i < 0 ? h.output[1] : (int)a[7].i;
		/* A hook that does not read its input to the end is none of ours to die of. */
		signal(SIGPIPE, SIG_IGN);
		result = run(c, &h);
		signal(SIGPIPE, SIG_DFL);
	}
	close_end(&h.streams[0]);
	close_end(&h.input);
	close_end(&h.output[0]);
	close_end(&h.output[1]);
	if (result < 0 || (report.how == HOW_EXITED && report.value == 0))
		return result;
	if (lc_report(RECORD_HOOK, &report, offsetof(__typeof__(report), text) + told, NULL, 0) < 0)
		return lc_fail(c, "sendmsg");
	lc_detail(c, h.argv[0]);
	return lc_refuse(c, "hook", ECANCELED);
}
