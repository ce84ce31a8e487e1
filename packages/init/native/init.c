/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../capabilities/native/ops.h"
#include "../../cgroups/native/ops.h"
#include "../../console/native/ops.h"
#include "../../devices/native/ops.h"
#include "../../keys/native/ops.h"
#include "../../mount/native/ops.h"
#include "../../namespaces/native/ops.h"
#include "../../netlink/native/ops.h"
#include "../../seccomp/native/ops.h"
#include "../../sys/native/label.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOEXEC_RANGE 4u	/* CLOSE_RANGE_CLOEXEC, 5.11 */
#define MAX_TIMES 1024

static const struct lc_op *const tables[] = {
	lc_rendezvous_ops, lc_exec_ops, lc_init_ops, lc_landlock_ops, lc_label_ops, lc_mount_ops, lc_devices_ops, lc_namespaces_ops,
	lc_capabilities_ops, lc_console_ops, lc_seccomp_ops, lc_cgroups_ops, lc_session_keyring_ops, lc_netlink_request_ops,
	NULL,
};

struct lc_plan lc_the_plan;
int lc_control = -1;

static int64_t times[MAX_TIMES];

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int64_t lc_report(uint32_t kind, const void *data, size_t size, const int *fds, size_t fd_count)
{
	char control[CMSG_SPACE(sizeof(int) * 4)] __attribute__((aligned(8))) = { 0 };
	uint32_t head[2] = { kind, (uint32_t)size };
	struct iovec iov[2] = { { head, sizeof(head) }, { (void *)data, size } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };

	if (fd_count > 4)
		return -EINVAL;
	if (fd_count > 0) {
		struct cmsghdr *header;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
	}
	return lc_check(sendmsg(lc_control, &message, 0));
}

/* By write(2): behind a seccomp filter that is the only call that a failure still needs. */
_Noreturn static void fail(const struct lc_ctx *c, uint32_t step, int64_t result)
{
	struct {
		uint32_t kind, size;
		struct failure failure;
	} record = { RECORD_FAILURE, sizeof(struct failure), { .step = step, .error = (int32_t)-result } };

	for (size_t i = 0; c->syscall && c->syscall[i] && i + 1 < sizeof(record.failure.syscall); i++)
		record.failure.syscall[i] = c->syscall[i];
	memcpy(record.failure.detail, c->detail, sizeof(record.failure.detail));
	(void)!write(lc_control, &record, sizeof(record));
	/* A filter that refuses even this would have libc's _exit spin for ever. */
	syscall(SYS_exit_group, 127);
	__builtin_trap();
}

/*
 * The state that every program starts with, whatever the host was: exec has reset the handlers, but what was ignored stays
 * ignored, and the spawner's mask is full.
 */
static void reset_signals(void)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} standard = { 0 };
	uint64_t none = 0;

	/* By the raw call: musl and glibc refuse 32 and 33, which their threads use. KILL and STOP are EINVAL. */
	for (int signal = 1; signal <= 64; signal++)
		syscall(SYS_rt_sigaction, signal, &standard, NULL, sizeof(none));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
}

/* The descriptors from `first` on are ours: the control socket, the plan, and what the plan's steps name by number. */
static int64_t take_descriptors(int first)
{
	int type = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(first, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_SEQPACKET)
		return -EBADF;
	if (syscall(SYS_close_range, first, ~0u, CLOEXEC_RANGE) < 0)
		for (int fd = first; fd < first + 64; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);	/* EBADF is fine */
	lc_control = first;
	return 0;
}

static int64_t map_plan(struct lc_ctx *c, int fd)
{
	struct stat s;
	void *at;

	if (fstat(fd, &s) < 0)
		return lc_fail(c, "fstat");
	/* A private mapping: page cache of the memfd, of which only what is touched becomes resident. */
	at = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return lc_fail(c, "mmap");
	close(fd);
	return lc_plan_open(c, &lc_the_plan, at, (size_t)s.st_size, tables);
}

static int64_t parse_number(const char *text)
{
	int64_t value = 0;

	if (!text || !*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > 65536)
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value;
}

int main(int argc, char **argv)
{
	static const char by_hand[] = "init: this program starts containers and is not for use by hand\n";
	struct lc_ctx c = { 0 };
	int64_t first, result;

	/* Before anything else: nobody in a namespace that we join, or that root in one owns, may trace us or read our descriptors. */
	prctl(PR_SET_DUMPABLE, 0);
	if (argc >= 3 && strcmp(argv[0], "waiter") == 0) {
		result = lc_waiter((int)parse_number(argv[1]), argv[2]);
		if (result >= 0)
			return (int)result;
	}
	if (argc >= 2 && strcmp(argv[0], "reaper") == 0)
		return lc_reaper(argv + 1);
	first = argc == 2 ? parse_number(argv[1]) : -1;
	if (first < 3 || take_descriptors((int)first) < 0) {
		(void)!write(2, by_hand, sizeof(by_hand) - 1);
		return 1;
	}
	reset_signals();
	prctl(PR_SET_NAME, "init");

	result = map_plan(&c, (int)first + 1);
	if (result < 0)
		fail(&c, 0, result);
	times[0] = now();
	for (uint32_t i = 0; i < lc_the_plan.steps; i++) {
		result = lc_plan_step(&c, &lc_the_plan, i);
		if (result < 0)
			fail(&c, i, result);
		if (lc_the_plan.flags & LC_PLAN_TIMED && i + 1 < MAX_TIMES)
			times[i + 1] = now();
	}
	/* A plan ends by execProgram, which does not come back. */
	lc_detail(&c, "the plan ended without executing a program");
	c.syscall = "plan";
	fail(&c, lc_the_plan.steps ? lc_the_plan.steps - 1 : 0, -EINVAL);
}

/* announceExec(): the last word on the control socket before the program runs, with the times if they were asked for. */
static int64_t op_announce_exec(struct lc_ctx *c, const union lc_arg *a)
{
	uint32_t count = 0;

	if (lc_the_plan.flags & LC_PLAN_TIMED) {
		while (count < MAX_TIMES && times[count])
			count++;
		if (lc_report(RECORD_TIMES, times, count * sizeof(*times), NULL, 0) < 0)
			return lc_fail(c, "sendmsg");
	}
	return lc_report(RECORD_EXECUTING, NULL, 0, NULL, 0) < 0 ? lc_fail(c, "sendmsg") : 0;
}

static int64_t send_listener(int listener)
{
	return lc_report(RECORD_LISTENER, NULL, 0, &listener, 1);
}

/* setNotifyingFilter(flags, filter) */
int64_t lc_op_set_notifying_filter(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_load_notifying_filter(c, a, send_listener);
}

/*
 * created: says so, and gives the control socket up: who created the container may end. First to everybody, by its name: whoever
 * looks at the container later has nobody else to ask, and its creator may be killed at any moment.
 */
static int64_t op_announce_created(struct lc_ctx *c, const union lc_arg *a)
{
	prctl(PR_SET_NAME, "init:created");
	if (lc_report(RECORD_CREATED, NULL, 0, NULL, 0) < 0)
		return lc_fail(c, "sendmsg");
	close(lc_control);
	lc_control = -1;
	return 0;
}

extern int64_t lc_op_ask(struct lc_ctx *c, const union lc_arg *a);
extern int64_t lc_op_ask_with_files(struct lc_ctx *c, const union lc_arg *a);
extern int64_t lc_op_second_clone(struct lc_ctx *c, const union lc_arg *a);
extern int64_t lc_op_await_start(struct lc_ctx *c, const union lc_arg *a);
extern int64_t lc_op_run_hook(struct lc_ctx *c, const union lc_arg *a);
extern int64_t lc_op_filter_hooks(struct lc_ctx *c, const union lc_arg *a);

const struct lc_op lc_rendezvous_ops[] = {
	{ "ask", "sii", lc_op_ask },
	{ "askWithFiles", "sb", lc_op_ask_with_files },
	{ "secondClone", "", lc_op_second_clone },
	{ "announceCreated", "", op_announce_created },
	{ "awaitStart", "ii", lc_op_await_start },
	{ "runHook", "sbbbbiii", lc_op_run_hook },
	{ "filterHooks", "iib", lc_op_filter_hooks },
	{ "setNotifyingFilter", "ib", lc_op_set_notifying_filter },
	{ "announceExec", "", op_announce_exec },
	{ 0 },
};
