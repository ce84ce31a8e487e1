/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program between clone and exec: alone in its process, with every byte that it needs already handed over.
 * System calls only, no malloc, no stdio: test/symbols.test.ts holds it to what it may import.
 */
#ifndef LC_INIT_H
#define LC_INIT_H

#include "../../sys/native/apply.h"
#include "../../sys/native/op.h"

/* What goes up the control socket, one packet each; src/records.ts reads it. */
enum {
	RECORD_ASK = 1,		/* a rendezvous: its name; descriptors may come along */
	RECORD_FAILURE,		/* struct failure; nothing follows */
	RECORD_EXECUTING,	/* the next end of file means that the program runs */
	RECORD_CHILD,		/* the process that goes on after a second clone: i32 pid, and its pidfd */
	RECORD_CREATED,		/* from now on the start socket is listened to, and this one closed */
	RECORD_TIMES,		/* i64 ns of CLOCK_MONOTONIC: the beginning, then the end of each step */
	RECORD_HOOK,		/* how a hook failed (hook.c); the failure of its step follows */
	RECORD_LISTENER,	/* the listener of a seccomp filter, which has been loaded: its descriptor comes along */
};

struct failure {
	uint32_t step;
	int32_t error;
	char syscall[32];
	char detail[160];
};

/* Sends a record up. 0, or -errno; the peer's end is ours (SIGPIPE). */
int64_t lc_report(uint32_t kind, const void *data, size_t size, const int *fds, size_t fd_count);

/* Loads a filter with a listener, and sends that up. */
int64_t lc_op_set_notifying_filter(struct lc_ctx *c, const union lc_arg *a);

extern struct lc_plan lc_the_plan;
extern int lc_control;		/* the control socket, later the connection of who started us */

int64_t lc_split_command(struct lc_ctx *c, const struct lc_bytes *argv, const struct lc_bytes *environ, const struct lc_bytes *more,
			 char ***argv_out, char ***environ_out);

/* The waiter of a command line (waiter.c): answers the status to exit with, or -1 where `request` is no request for it. */
int lc_waiter(int request, const char *name);

/* Executes a program, looked up in PATH of its environment; else answers with the status of a shell: 127, 126. */
int lc_become(char **argv);

/* PID 1 of a container (reaper.c): answers with the status to exit with. */
int lc_reaper(char **argv);

extern const struct lc_op lc_init_ops[];	/* attributes of the process */
extern const struct lc_op lc_rendezvous_ops[];	/* ask, secondClone, awaitStart */
extern const struct lc_op lc_exec_ops[];	/* findProgram, execProgram */
extern const struct lc_op lc_landlock_ops[];

#endif
