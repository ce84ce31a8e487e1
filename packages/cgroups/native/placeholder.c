/* SPDX-License-Identifier: Apache-2.0 */
/* A process that does nothing. systemd makes a scope of processes that are there already, and ends it when the last has left. */
#include "../../sys/native/child.h"
#include "directory.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/*
 * In a copy of the caller's memory: see child.h of sys. Handlers of the caller would write to what it still has open, so they and its descriptors go first;
 * then whoever ends the scope can end this.
 */
static void __attribute__((noreturn)) do_nothing(const int *ends)
{
	char byte;

	lc_reset_signals();
	/* By itself: where close_range is refused, its own copy would keep the pipe from ending. */
	syscall(SYS_close, ends[1]);
	if (ends[0] != 0)
		syscall(SYS_dup3, ends[0], 0, 0);
	syscall(SYS_close_range, 1, ~0u, 0);
	lc_restore_signals(0);
	/* Until the caller closes its end, or is gone. */
	while (syscall(SYS_read, 0, &byte, 1) < 0 && errno == EINTR)
		;
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}

/*
 * forkPlaceholder(result): the pid of a child that waits; result is { i32 pidfd, i32 end }. It ends when `end` is closed, by whomever. It tells the
 * caller of its end by the pidfd alone: no SIGCHLD.
 */
int64_t lc_op_fork_placeholder(struct lc_ctx *c, const union lc_arg *a)
{
	uint64_t before;
	int32_t result[2];
	int ends[2], pidfd = -1;
	long pid;

	if (a[0].b.size < sizeof(result))
		return lc_refuse(c, "clone", EINVAL);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return lc_fail(c, "pipe2");
	lc_block_signals(&before);
	pid = syscall(SYS_clone, CLONE_PIDFD, NULL, &pidfd, NULL, NULL);
	if (pid == 0)
		do_nothing(ends);
	if (pid < 0)
		pid = (long)lc_fail(c, "clone");
	lc_restore_signals(before);
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return pid;
	}
	result[0] = pidfd;
	result[1] = ends[1];
	memcpy(a[0].b.at, result, sizeof(result));
	return pid;
}
