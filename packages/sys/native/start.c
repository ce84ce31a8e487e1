/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program after some steps, for who has no `init`: a child that is a copy of the caller's memory applies a plan, and then executes it.
 *
 * The caller does not wait here: it answers what the plan asks for, over a socket, on which the child tells how it goes. src/start-program.ts is the other end.
 */
#include "start.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apply.h"
#include "child.h"
#include "execute.h"
#include "label.h"

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define MAX_FDS 1024
#define NO_STEP 0xffffffffu

/* What src/start-program.ts writes. */
struct request {
	uint64_t flags;		/* of the namespaces that the child is born in */
	uint32_t count;		/* of fds, which become 0, 1, … */
	uint32_t own;		/* the first that is not for the program: the socket */
	int32_t fds[MAX_FDS];
};

/* What src/start-program.ts reads. */
enum { ASK = 1, CHILD, EXECUTING, FAILURE };
struct record {
	uint32_t kind;
	int32_t value;		/* the question, or the pid; of a failure the step */
	int32_t error;
	char syscall[32], detail[160];
};
#define SHORT offsetof(struct record, error)

/* struct clone_args as of its first version. */
struct arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

struct start {
	struct request *request;
	struct lc_plan *plan;
	const struct lc_bytes *paths;
	char **argv, **env;
	const char *cwd;
};

static void copy(char *to, size_t size, const char *text)
{
	size_t i = 0;

	for (; text && text[i] && i + 1 < size; i++)
		to[i] = text[i];
	to[i] = 0;
}

static void __attribute__((noreturn)) fail(int socket, uint32_t step, int error, const struct lc_ctx *c)
{
	struct record record = { .kind = FAILURE, .value = (int32_t)step, .error = error };

	copy(record.syscall, sizeof(record.syscall), c->syscall);
	copy(record.detail, sizeof(record.detail), c->detail);
	(void)!write(socket, &record, sizeof(record));
	syscall(SYS_exit_group, 127);
	__builtin_unreachable();
}

static int64_t say(struct lc_ctx *c, int socket, uint32_t kind, int32_t value)
{
	struct record record = { .kind = kind, .value = value };

	return write(socket, &record, SHORT) == (ssize_t)SHORT ? 0 : lc_fail(c, "write");
}

/* An answer is a byte; the end of the stream is that of whoever would have answered. */
static int64_t hear(struct lc_ctx *c, int socket)
{
	char byte;
	ssize_t got;

	while ((got = read(socket, &byte, 1)) < 0 && errno == EINTR)
		;
	return got == 1 ? 0 : got < 0 ? lc_fail(c, "read") : lc_refuse(c, "read", ECANCELED);
}

/* askStarter(socket, question): waits until the starter has done what only somebody outside can. */
static int64_t op_ask_starter(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t result = say(c, (int)a[0].i, ASK, (int32_t)a[1].i);

	return result < 0 ? result : hear(c, (int)a[0].i);
}

/*
 * endWithStarter(socket, signal): gets that signal when the starter ends; rather, when its thread does that has cloned, which is the one that never ends:
 * LC_SPAWNER. That it lives is asked afterwards, since one that has ended before would never be told of.
 */
static int64_t op_end_with_starter(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t result;

	if (prctl(PR_SET_PDEATHSIG, (unsigned long)a[1].i, 0ul, 0ul, 0ul) < 0)
		return lc_fail(c, "prctl(PR_SET_PDEATHSIG)");
	result = say(c, (int)a[0].i, ASK, -1);
	return result < 0 ? result : hear(c, (int)a[0].i);
}

/*
 * cloneAgain(socket): goes on in a sibling, a child of the starter too, which is born in the pid and time namespaces that this process has chosen for its
 * children. This one ends; the starter has the other's pid, which nobody else gets until it is reaped.
 */
static int64_t op_clone_again(struct lc_ctx *c, const union lc_arg *a)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid < 0)
		return lc_fail(c, "clone");
	if (pid == 0)
		return hear(c, (int)a[0].i);
	if (say(c, (int)a[0].i, CHILD, (int32_t)pid) < 0)
		syscall(SYS_kill, pid, SIGKILL);
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

/* In a copy of the caller's memory: see child.h of sys. */
static void __attribute__((noreturn)) become(struct start *s)
{
	struct request *r = s->request;
	int socket = r->fds[r->own];
	struct lc_ctx c = { 0 };

	lc_reset_signals();
	c.syscall = lc_arrange(r->fds, (int)r->count);
	if (c.syscall)
		fail(socket, NO_STEP, errno, &c);
	socket = (int)r->own;
	/* Others that are started at this moment would else be kept from seeing the end of their sockets. */
	if (syscall(SYS_close_range, r->count, ~0u, 0) < 0) {
		lc_fail(&c, "close_range");
		fail(socket, NO_STEP, errno, &c);
	}
	for (uint32_t n = r->own; n < r->count; n++)
		syscall(SYS_fcntl, n, F_SETFD, FD_CLOEXEC);
	for (uint32_t i = 0; i < s->plan->steps; i++) {
		int64_t result = lc_plan_step(&c, s->plan, i);

		if (result < 0)
			fail(socket, i, (int)-result, &c);
	}
	c.detail[0] = 0;
	if (*s->cwd && syscall(SYS_chdir, s->cwd) < 0) {
		lc_fail(&c, "chdir");
		fail(socket, NO_STEP, errno, &c);
	}
	if (s->argv[0] && say(&c, socket, EXECUTING, 0) == 0) {
		lc_restore_signals(0);
		c.syscall = lc_execute(s->paths, s->argv, s->env);
		fail(socket, NO_STEP, errno, &c);
	}
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

static long clone_child(struct start *s, int *pidfd)
{
	struct arguments args = { .flags = s->request->flags | CLONE_PIDFD, .pidfd = (uintptr_t)pidfd, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	/* Where clone3 is refused (a seccomp profile around us). */
	if (pid < 0 && (errno == ENOSYS || errno == EPERM)) {
		int first = errno;

		pid = syscall(SYS_clone, (unsigned long)s->request->flags | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, NULL);
		if (pid < 0 && first == EPERM)
			errno = EPERM;
	}
	if (pid == 0)
		become(s);
	return pid;
}

static const struct lc_op starter_ops[] = {
	{ "askStarter", "ii", op_ask_starter },
	{ "cloneAgain", "i", op_clone_again },
	{ "endWithStarter", "ii", op_end_with_starter },
	{ 0 },
};

int64_t lc_start_program(struct lc_ctx *c, const union lc_arg *a, const struct lc_op *facility)
{
	const struct lc_op *const tables[] = { starter_ops, lc_label_ops, facility, NULL };
	struct request request;
	struct lc_plan plan;
	struct start start = { .request = &request, .plan = &plan, .paths = &a[3].b, .cwd = a[6].s };
	size_t arguments = lc_point_at(NULL, &a[4].b), variables = lc_point_at(NULL, &a[5].b);
	size_t size = (arguments + variables + 3) * sizeof(char *);
	int32_t result[2];
	uint64_t before;
	int64_t opened;
	int pidfd = -1;
	long pid;

	if (a[0].b.size < offsetof(struct request, fds) || a[0].b.size > sizeof(request) || a[1].b.size < sizeof(result))
		return lc_refuse(c, "clone3", EINVAL);
	memcpy(&request, a[0].b.at, a[0].b.size);
	if (request.count > MAX_FDS || request.own >= request.count ||
	    a[0].b.size < offsetof(struct request, fds) + request.count * sizeof(int32_t))
		return lc_refuse(c, "clone3", EINVAL);
	opened = lc_plan_open(c, &plan, a[2].b.at, a[2].b.size, tables);
	if (opened < 0)
		return opened;
	start.argv = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start.argv == MAP_FAILED)
		return lc_fail(c, "mmap");
	/* One before it, for a shell. */
	start.argv++;
	start.env = start.argv + arguments + 1;
	lc_point_at(start.argv, &a[4].b);
	lc_point_at(start.env, &a[5].b);

	lc_block_signals(&before);
	pid = clone_child(&start, &pidfd);
	if (pid < 0)
		pid = (long)lc_fail(c, "clone3");
	lc_restore_signals(before);
	munmap(start.argv - 1, size);
	if (pid < 0)
		return pid;
	result[0] = (int32_t)pid;
	result[1] = pidfd;
	memcpy(a[1].b.at, result, sizeof(result));
	return pid;
}
