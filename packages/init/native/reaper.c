/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 of a container whose program is none to be one: it starts the program, passes signals on, and reaps what is left to it. Executed like
 * the program would be, it has no right more, and nobody may trace it.
 */
#include "init.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process group of its own, in the foreground: what is typed at a terminal reaches it once. */
static void lead(void)
{
	pid_t self = getpid();

	(void)!syscall(SYS_setpgid, 0, 0);
	/* With SIGTTOU blocked; without a terminal there is nothing to do. */
	(void)!ioctl(0, TIOCSPGRP, &self);
}

/* Takes what has ended; exits as the program, once it has. */
static void reap(pid_t program)
{
	int status;
	pid_t pid;

	while ((pid = (pid_t)syscall(SYS_wait4, -1, &status, WNOHANG, NULL)) > 0)
		if (pid == program)
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* @argv: the program's. Answers with the status to exit with. */
int lc_reaper(char **argv)
{
	sigset_t all, before;
	siginfo_t info;
	pid_t program;

	/* Beside somebody else's PID 1 there is nothing to reap. */
	if (getpid() != 1)
		return lc_become(argv);
	prctl(PR_SET_NAME, "reaper");
	sigfillset(&all);
	if (pthread_sigmask(SIG_BLOCK, &all, &before) != 0)
		return 126;
	program = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (program < 0)
		return 126;
	if (program == 0) {
		lead();
		return pthread_sigmask(SIG_SETMASK, &before, NULL) != 0 ? 126 : lc_become(argv);
	}
	/* They are the program's: whoever waits for their end waits for its. */
	syscall(436 /* close_range */, 0, ~0U, 0);
	for (;;) {
		/* What is blocked comes here, also what PID 1 would else not hear. */
		int signal = (int)syscall(SYS_rt_sigtimedwait, &all, &info, NULL, 8);

		if (signal == SIGCHLD)
			reap(program);
		else if (signal > 0)
			kill(program, signal);
	}
}
