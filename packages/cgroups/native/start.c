/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is started inside: what posix_spawn(3) would do, for a child that is in its cgroups before its first instruction.
 *
 * The unified cgroup it is born in (CLONE_INTO_CGROUP). Into those of v1 it moves itself, by files that the caller has opened, before it gives up
 * any right: a thread that moves itself alone waits for nobody (Linux 5.17).
 */
#include "../../sys/native/child.h"
#include "../../sys/native/execute.h"
#include "directory.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ull
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define MAX_FDS 1024
#define DETACHED 1u
#define HAS_UID 2u
#define HAS_GID 4u

/* What src/start.ts writes. */
struct request {
	int32_t cgroup;		/* the unified directory, or -1 */
	int32_t procs;		/* its cgroup.procs, for who is not born there, since clone3 is refused; or -1 */
	uint32_t options;
	uint32_t uid, gid;
	uint32_t count;		/* of fds, which become 0, 1, …; -1 leaves one closed */
	uint32_t joins;		/* of files of v1, which follow them */
	uint32_t reserved;
	int32_t fds[MAX_FDS];
};

/* Shared with the child, whose memory is a copy: how far it came. */
struct report {
	int32_t error;
	char syscall[28];
};

struct program {
	struct request *request;
	const struct lc_bytes *paths;	/* where it may be: tried in order */
	char **argv;	/* with room for one before it */
	char **env;
	const char *cwd;
	struct report *report;
	int born_inside;
};

/* struct clone_args as of Linux 5.7. */
struct arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static int failed(struct report *report, const char *syscall)
{
	report->error = errno;
	strncpy(report->syscall, syscall, sizeof(report->syscall) - 1);
	return -1;
}

static int enter(struct program *p)
{
	struct request *r = p->request;

	for (uint32_t i = 0; i < r->joins; i++)
		if (syscall(SYS_write, r->fds[r->count + i], "0", 1) < 0)
			return failed(p->report, "write");
	if (!p->born_inside && r->procs >= 0 && syscall(SYS_write, r->procs, "0", 1) < 0)
		return failed(p->report, "write");
	return 0;
}

static int become_user(struct program *p)
{
	struct request *r = p->request;

	/* Only root can, and only root has groups to lose. */
	if (r->options & (HAS_UID | HAS_GID))
		syscall(SYS_setgroups, 0, NULL);
	if ((r->options & HAS_GID) && syscall(SYS_setgid, r->gid) < 0)
		return failed(p->report, "setgid");
	if ((r->options & HAS_UID) && syscall(SYS_setuid, r->uid) < 0)
		return failed(p->report, "setuid");
	return 0;
}

/* In a copy of the caller's memory: see child.h of sys. */
static void __attribute__((noreturn)) become(struct program *p)
{
	const char *call;

	lc_reset_signals();
	if ((p->request->options & DETACHED))
		syscall(SYS_setsid);
	if (enter(p) == 0) {
		if ((call = lc_arrange(p->request->fds, (int)p->request->count))) {
			failed(p->report, call);
		} else if (*p->cwd && syscall(SYS_chdir, p->cwd) < 0) {
			failed(p->report, "chdir");
		} else if (become_user(p) == 0) {
			lc_restore_signals(0);
			failed(p->report, lc_execute(p->paths, p->argv, p->env));
		}
	}
	syscall(SYS_exit_group, 127);
	__builtin_unreachable();
}

/* The caller sleeps until the child has executed (CLONE_VFORK), but shares no memory with it: it may change its ids. */
static long clone_program(struct program *p, int *pidfd)
{
	struct arguments args = {
		.flags = CLONE_VFORK | CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	if (p->request->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)p->request->cgroup;
		p->born_inside = 1;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && (errno == ENOSYS || errno == EPERM)) {
		p->born_inside = 0;
		pid = syscall(SYS_clone, CLONE_VFORK | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, NULL);
	}
	if (pid == 0)
		become(p);
	return pid;
}

/* startInCgroup(request, result, paths, argv, env, cwd): the pid; result is { i32 pidfd, char syscall[28] }. cwd is "" for the caller's own. */
int64_t lc_op_start_in_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	struct request request;
	struct program program = { .request = &request, .paths = &a[2].b, .cwd = a[5].s };
	size_t arguments = lc_point_at(NULL, &a[3].b), variables = lc_point_at(NULL, &a[4].b);
	size_t size = sizeof(struct report) + (arguments + variables + 3) * sizeof(char *);
	uint64_t before;
	struct report *report;
	int pidfd = -1;
	long pid;

	if (a[0].b.size < offsetof(struct request, fds) || a[0].b.size > sizeof(request) || a[1].b.size < sizeof(*report))
		return lc_refuse(c, "clone3", EINVAL);
	memcpy(&request, a[0].b.at, a[0].b.size);
	if (request.count > MAX_FDS || request.joins > MAX_FDS - request.count || arguments == 0 ||
	    a[0].b.size < offsetof(struct request, fds) + (request.count + request.joins) * sizeof(int32_t))
		return lc_refuse(c, "clone3", EINVAL);
	report = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return lc_fail(c, "mmap");
	program.report = report;
	program.argv = (char **)(report + 1) + 1;
	program.env = program.argv + arguments + 1;
	lc_point_at(program.argv, &a[3].b);
	lc_point_at(program.env, &a[4].b);

	lc_block_signals(&before);
	pid = clone_program(&program, &pidfd);
	if (pid < 0)
		pid = (long)lc_fail(c, "clone3");
	lc_restore_signals(before);
	if (pid > 0 && report->error != 0) {
		siginfo_t info;

		while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
			;
		close(pidfd);
		pid = -report->error;
	}
	if (pid > 0)
		memcpy(a[1].b.at, &pidfd, sizeof(pidfd));
	memcpy(a[1].b.at + sizeof(pidfd), report->syscall, sizeof(report->syscall));
	munmap(report, size);
	return pid;
}
