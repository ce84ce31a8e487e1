/* SPDX-License-Identifier: Apache-2.0 */
/* What a process asks of the kernel about itself. */
#include "ops.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "entry.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

/* getParentDeathSignal(): 0 for none. */
int64_t lc_op_get_parent_death_signal(struct lc_ctx *c, const union lc_arg *a)
{
	int signal = 0;

	(void)a;
	return prctl(PR_GET_PDEATHSIG, &signal, 0ul, 0ul, 0ul) < 0 ? lc_fail(c, "prctl(PR_GET_PDEATHSIG)") : signal;
}

/* keepParentDeathSignal(signal): of the calling thread, as the kernel keeps it. */
int64_t lc_op_set_parent_death_signal(struct lc_ctx *c, const union lc_arg *a)
{
	return prctl(PR_SET_PDEATHSIG, (unsigned long)a[0].i, 0ul, 0ul, 0ul) < 0 ? lc_fail(c, "prctl(PR_SET_PDEATHSIG)") : 0;
}

/* getSubreaper(): 1 or 0. */
int64_t lc_op_get_subreaper(struct lc_ctx *c, const union lc_arg *a)
{
	int on = 0;

	(void)a;
	return prctl(PR_GET_CHILD_SUBREAPER, &on, 0ul, 0ul, 0ul) < 0 ? lc_fail(c, "prctl(PR_GET_CHILD_SUBREAPER)") : on != 0;
}

/* setSubreaper(on): of the whole process. */
int64_t lc_op_set_subreaper(struct lc_ctx *c, const union lc_arg *a)
{
	return prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)a[0].i, 0ul, 0ul, 0ul) < 0 ? lc_fail(c, "prctl(PR_SET_CHILD_SUBREAPER)") : 0;
}

/*
 * reapOthers(pidfd of a child): every child that has ended but for that one, whose status somebody wants. How many there were. It stops
 * at that child: the kernel names it again and again until it is reaped.
 */
int64_t lc_op_reap_others(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	for (int64_t count = 0;; count++) {
		siginfo_t any = { 0 }, spared = { 0 };

		/* ECHILD: there is none left. */
		if (waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) < 0 || any.si_pid == 0)
			return count;
		(void)!waitid((idtype_t)3 /* P_PIDFD */, (id_t)a[0].i, &spared, WEXITED | WNOHANG | WNOWAIT);
		if (any.si_pid == spared.si_pid)
			return count;
		(void)!waitid(P_PID, (id_t)any.si_pid, &any, WEXITED | WNOHANG);
	}
}

/* clockTicks(): how many of the ticks that /proc counts in make a second. */
int64_t lc_op_clock_ticks(struct lc_ctx *c, const union lc_arg *a)
{
	long ticks = sysconf(_SC_CLK_TCK);

	(void)a;
	return ticks < 0 ? lc_fail(c, "sysconf") : ticks;
}

/* randomBytes(buffer): filled to the end. */
int64_t lc_op_random_bytes(struct lc_ctx *c, const union lc_arg *a)
{
	size_t done = 0;

	while (done < a[0].b.size) {
		long got = syscall(SYS_getrandom, a[0].b.at + done, a[0].b.size - done, 0u);

		if (got < 0 && errno != EINTR)
			return lc_fail(c, "getrandom");
		if (got > 0)
			done += (size_t)got;
	}
	return 0;
}

static int64_t number_of(const char *name)
{
	int64_t number = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		number = number * 10 + (*name - '0');
	return *name == 0 ? number : -1;
}

/* Before Linux 5.11, or where a filter refuses close_range(2). */
static int64_t mark_each(struct lc_ctx *c, int first)
{
	char chunk[4096] __attribute__((aligned(8)));
	int64_t result = 0;
	int list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (list < 0)
		return lc_fail(c, "open");
	for (;;) {
		long got = syscall(SYS_getdents64, list, chunk, sizeof(chunk));

		if (got < 0)
			result = lc_fail(c, "getdents64");
		if (got <= 0)
			break;
		for (long at = 0; at < got; at += ((struct lc_entry *)(void *)(chunk + at))->size) {
			int64_t fd = number_of(((struct lc_entry *)(void *)(chunk + at))->name);

			/* One that is closed meanwhile needs no mark. */
			if (fd >= first)
				(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
		}
	}
	close(list);
	return result;
}

/* closeExecFrom(first): no program executed from now on gets a descriptor from `first` on. */
int64_t lc_op_close_exec_from(struct lc_ctx *c, const union lc_arg *a)
{
	if (a[0].i < 0 || a[0].i > 0x7fffffff)
		return lc_refuse(c, "close_range", EINVAL);
	if (syscall(436 /* close_range */, (unsigned int)a[0].i, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	return mark_each(c, (int)a[0].i);
}

/*
 * tryCall(number): the errno of a system call younger than Linux 5.1 (their numbers are the same on all architectures) that is asked
 * what none of them grants: every argument is all ones. ENOSYS where the kernel, or a filter, lacks it.
 */
int64_t lc_op_try_call(struct lc_ctx *c, const union lc_arg *a)
{
	static const uint16_t harmless[] = { 424, 428, 429, 430, 431, 432, 433, 434, 435, 436, 437, 438, 442, 444, 457, 458 };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++) {
		if (harmless[i] != a[0].i)
			continue;
		return syscall(harmless[i], -1l, -1l, -1l, -1l, -1l, -1l) < 0 ? errno : 0;
	}
	return lc_refuse(c, "syscall", EINVAL);
}

/* landlockVersion(): that of its ABI: landlock(7). ENOSYS where the kernel was built without, EOPNOTSUPP where it was not switched on. */
int64_t lc_op_landlock_version(struct lc_ctx *c, const union lc_arg *a)
{
	long version = syscall(444, NULL, 0, 1);

	return version < 0 ? lc_fail(c, "landlock_create_ruleset") : version;
}
