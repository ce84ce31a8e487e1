/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What begins a child that is a copy of the caller's memory, of which other threads may have held locks: raw system calls alone. Not one of the caller's
 * handlers may run in it, so no signal is delivered from before the clone until the child has forgotten them.
 */
#ifndef LC_CHILD_H
#define LC_CHILD_H

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

#define LC_SIGNALS 64

/* Keeps back every signal. `before` are those that were kept back already. */
static inline void lc_block_signals(uint64_t *before)
{
	uint64_t all = ~0ull;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, before, sizeof(all));
}

static inline void lc_restore_signals(uint64_t before)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
}

/* In the child: each signal does what it does by itself. */
static inline void lc_reset_signals(void)
{
	uint64_t disposition[4] = { 0 };

	for (int signal = 1; signal <= LC_SIGNALS; signal++)
		syscall(SYS_rt_sigaction, signal, disposition, NULL, sizeof(uint64_t));
}

#endif
