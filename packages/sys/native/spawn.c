/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clone that every container begins with.
 *
 * clone3 with CLONE_VM|CLONE_VFORK: nothing is copied, and the caller sleeps until the child has executed. The child shares
 * the caller's memory, so between clone and exec it changes nothing but its own descriptors and capabilities: no ids, no
 * dumpable flag, no namespaces (they, or who may trace them, would be the caller's too). It runs on a stack of its own with
 * all signals blocked, and by raw system calls.
 */
#include "ops.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clone.h"
#include "decimal.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ull
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2
#endif

#define MAX_FDS 1024
/* The lines of two id maps, three numbers each, and room. */
#define MAX_ARGUMENTS 1100
#define STACK (64 * 1024)

/* What src/spawn.ts writes. */
struct request {
	uint64_t flags;		/* namespaces */
	int32_t program;	/* a descriptor of the program */
	int32_t cgroup;		/* a cgroup2 directory to be born in, or -1 */
	uint32_t options;	/* KEEP_CAPABILITIES */
	uint32_t count;		/* of fds: fds[n] becomes the program's descriptor n; -1 leaves n closed */
	uint32_t own;		/* the first of them that is the program's own: told to it as its argument */
	uint32_t reserved;
	int32_t fds[MAX_FDS];
};

#define KEEP_CAPABILITIES 1u

struct child {
	struct request request;
	char *const *arguments;	/* of a program that is not ours; NULL for `init` */
	const char *failed;	/* the call that failed, written by the child */
	int error;
};

/* struct clone_args as of Linux 5.7, the first with `cgroup`. */
struct arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

/* The child never returns from `enter`, so nothing of this frame is read on the new stack: registers carry what it needs. */
static long clone3_onto_stack(struct arguments *args, void (*enter)(void *), void *with)
{
#if defined(__x86_64__)
	long result = SYS_clone3;
	register void *fn __asm__("r8") = (void *)enter;
	register void *arg __asm__("r9") = with;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%r8\n\t"
			 "ud2\n"
			 "1:"
			 : "+a"(result)
			 : "D"(args), "S"(sizeof(*args)), "r"(fn), "r"(arg)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x0 __asm__("x0") = (long)args;
	register long x1 __asm__("x1") = sizeof(*args);
	register void *x2 __asm__("x2") = (void *)enter;
	register void *x3 __asm__("x3") = with;
	register long x8 __asm__("x8") = SYS_clone3;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x3\n\t"
			 "blr x2\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x8)
			 : "memory");
	return x0;
#else
#error "libcontainer runs on x86-64 and arm64"
#endif
}

/*
 * An exec in a new user namespace whose maps are not written yet strips all capabilities, for good. What is ambient survives.
 */
static const char *keep_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return "capget";
	for (int i = 0; i < 2; i++)
		data[i].inheritable = data[i].permitted;
	if (syscall(SYS_capset, &header, data) < 0)
		return "capset";
	for (unsigned long cap = 0; cap < 64; cap++)
		if (data[cap / 32].permitted & (1u << cap % 32))
			if (syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0 && errno != EINVAL)
				return "prctl(PR_CAP_AMBIENT_RAISE)";
	return NULL;
}

/* Puts fds[n] on descriptor n, the program behind the last, and closes the rest, whoever opened it. */
static const char *arrange_descriptors(struct request *r)
{
	int above = (int)r->count + 1;

	for (uint32_t n = 0; n < r->count; n++) {
		if (r->fds[n] < 0 || r->fds[n] >= above || r->fds[n] == (int)n)
			continue;
		r->fds[n] = (int)syscall(SYS_fcntl, r->fds[n], F_DUPFD_CLOEXEC, above);
		if (r->fds[n] < 0)
			return "fcntl(F_DUPFD_CLOEXEC)";
	}
	if (r->program < above) {
		r->program = (int)syscall(SYS_fcntl, r->program, F_DUPFD_CLOEXEC, above);
		if (r->program < 0)
			return "fcntl(F_DUPFD_CLOEXEC)";
	}
	for (uint32_t n = 0; n < r->count; n++) {
		if (r->fds[n] < 0)
			syscall(SYS_close, n);	/* EBADF is what is wanted */
		else if (r->fds[n] == (int)n ? syscall(SYS_fcntl, n, F_SETFD, 0) < 0 : syscall(SYS_dup3, r->fds[n], n, 0) < 0)
			return "dup3";
	}
	if (syscall(SYS_dup3, r->program, r->count, O_CLOEXEC) < 0)
		return "dup3";
	if (syscall(SYS_close_range, above, ~0u, 0) < 0)
		return "close_range";
	return NULL;
}

static void enter(void *with)
{
	struct child *child = with;
	char name[] = "init", own[LC_DECIMAL_SIZE];
	char *const argv[] = { name, own, NULL };
	char *const none[] = { NULL };
	uint64_t nothing = 0;

	lc_decimal(own, child->request.own);
	child->failed = arrange_descriptors(&child->request);
	if (!child->failed && (child->request.options & KEEP_CAPABILITIES))
		child->failed = keep_capabilities();
	/* init sees to its own mask; any other program would be deaf. A mask is the thread's, not the memory's. */
	if (!child->failed && child->arguments &&
	    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, NULL, sizeof(nothing)) < 0)
		child->failed = "rt_sigprocmask";
	/* Node.js ignores this signal, and what is ignored stays so across an exec. As sigaction(2) of the kernel has it: the default is zeros. */
	if (!child->failed && child->arguments &&
	    syscall(SYS_rt_sigaction, SIGPIPE, &(uint64_t[4]){ 0 }, NULL, sizeof(nothing)) < 0)
		child->failed = "rt_sigaction";
	if (!child->failed) {
		syscall(SYS_execveat, child->request.count, "", child->arguments ? child->arguments : argv, none, AT_EMPTY_PATH);
		child->failed = "execveat";
	}
	child->error = errno;
	syscall(SYS_exit, 127);
	__builtin_unreachable();
}

static long clone_child(struct child *child, char *stack, int *pidfd)
{
	struct request *r = &child->request;
	struct arguments args = {
		.flags = r->flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = STACK,
	};
	long pid;

	if (r->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)r->cgroup;
	}
	pid = clone3_onto_stack(&args, enter, child);
	/* A seccomp profile around us may refuse clone3. */
	if ((pid == -ENOSYS || pid == -EPERM) && r->cgroup < 0) {
		unsigned long flags = (unsigned long)r->flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
		/* The older call can neither choose a cgroup nor clear handlers. */
		long again = lc_clone_onto_stack(flags, stack + STACK, pidfd, NULL, enter, child);

		if (again >= 0 || pid == -ENOSYS)
			pid = again;
	}
	return pid;
}

/* Points at each of the NUL-terminated strings in `bytes`; their number, or -1 when they are too many or the last has no end. */
static int point_at(char **arguments, char *bytes, uint64_t size)
{
	int count = 0;

	if (size > 0 && bytes[size - 1] != 0)
		return -1;
	for (uint64_t at = 0; at < size; at += strlen(bytes + at) + 1) {
		if (count == MAX_ARGUMENTS)
			return -1;
		arguments[count++] = bytes + at;
	}
	arguments[count] = NULL;
	return count;
}

/*
 * spawn(request, result, arguments): the child's pid; result is { i32 pid, i32 pidfd }. Runs on the one thread that clones: see
 * LC_SPAWNER. The arguments are NUL-terminated strings; without any the program is `init`, which is told its first descriptor.
 */
int64_t lc_op_spawn(struct lc_ctx *c, const union lc_arg *a)
{
	struct child child = { 0 };
	int32_t *result = (int32_t *)a[1].b.at;
	char *arguments[MAX_ARGUMENTS + 1];
	sigset_t all, before;
	int given;
	char *stack;
	int pidfd = -1;
	long pid;

	if (a[0].b.size > sizeof(child.request) || a[0].b.size < offsetof(struct request, fds) || a[1].b.size < 8)
		return lc_refuse(c, "spawn", EINVAL);
	memcpy(&child.request, a[0].b.at, a[0].b.size);
	if (child.request.count > MAX_FDS || a[0].b.size < offsetof(struct request, fds) + child.request.count * 4)
		return lc_refuse(c, "spawn", EINVAL);
	given = point_at(arguments, (char *)a[2].b.at, a[2].b.size);
	if (given < 0)
		return lc_refuse(c, "execveat", E2BIG);
	if (given > 0)
		child.arguments = arguments;

	stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return lc_fail(c, "mmap");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = clone_child(&child, stack, &pidfd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	munmap(stack, STACK);

	if (pid < 0)
		return lc_refuse(c, "clone3", (int)-pid);
	if (child.failed) {
		siginfo_t info;

		while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
			;
		close(pidfd);
		return lc_refuse(c, child.failed, child.error);
	}
	result[0] = (int32_t)pid;
	result[1] = pidfd;
	return pid;
}
