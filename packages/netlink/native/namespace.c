/* SPDX-License-Identifier: Apache-2.0 */
#include "namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../sys/native/child.h"
#include "../../sys/native/clone.h"
#include "../../sys/native/execute.h"

#define STACK (16 * 1024)

struct child {
	int fd, error;
};

/* It shares the caller's memory and descriptors: what it opens is the caller's. It calls nothing that would use more of the memory than this. */
static void open_own(void *with)
{
	struct child *child = with;

	child->fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	child->error = errno;
	syscall(SYS_exit, 0);
	__builtin_unreachable();
}

/*
 * makeNetworkNamespace(): a descriptor of a new one. A child is born in it, opens it, and ends: no thread of this process ever leaves its own. Its end is
 * announced to nobody (exit signal 0), and the caller, who sleeps until then, reaps it.
 */
int64_t lc_op_make_network_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	char stack[STACK] __attribute__((aligned(16)));
	struct child child = { .fd = -1 };
	uint64_t before;
	long pid;

	(void)a;
	/* The handlers are the engine's: the child must get no signal. */
	lc_block_signals(&before);
	pid = lc_clone_onto_stack(CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWNET, stack + STACK, NULL, NULL, open_own, &child);
	lc_restore_signals(before);
	if (pid < 0)
		return lc_refuse(c, "clone", (int)-pid);
	while (waitpid((pid_t)pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return child.fd < 0 ? lc_refuse(c, "openat", child.error ? child.error : ECHILD) : child.fd;
}

/*
 * shareMounts(directory): makes it a mount of its own whose mounts are told to other mount namespaces, as ip-netns(8) does, unless it is one. Else who unshares
 * mounts after a name was made would keep that namespace alive for good. The caller has locked it: of two who find no mount each would put one on the other.
 */
int64_t lc_op_share_mounts(struct lc_ctx *c, const union lc_arg *a)
{
	const char *path = a[0].s;

	if (mount("", path, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)	/* which is: no mount */
		return lc_fail(c, "mount");
	if (mount(path, path, "none", MS_BIND | MS_REC, NULL) < 0)
		return lc_fail(c, "mount");
	if (mount("", path, "none", MS_SHARED | MS_REC, NULL) < 0) {
		int64_t error = lc_fail(c, "mount");

		umount2(path, MNT_DETACH);
		return error;
	}
	return 1;
}

/* The files of /etc/netns/NAME on those of /etc, for this process alone: pairs of paths. */
static int64_t bind_files(struct lc_ctx *c, const struct lc_bytes *pairs)
{
	struct lc_list list = lc_list_of(pairs);
	const char *from, *to;

	if (pairs->size == 0)
		return 0;
	if (unshare(CLONE_NEWNS) < 0)
		return lc_fail(c, "unshare");
	if (mount("", "/", "none", MS_SLAVE | MS_REC, NULL) < 0)
		return lc_fail(c, "mount");
	while ((from = lc_next(&list)) && (to = lc_next(&list))) {
		if (mount(from, to, "none", MS_BIND, NULL) < 0) {
			int64_t error = lc_fail(c, "mount");

			lc_detail(c, to);
			return error;
		}
	}
	return 0;
}

/*
 * becomeInNetworkNamespace(namespace, pairs of files to bind, paths, argv, env): executes a program in place of this one. For a command line alone, whose
 * thread this is: the others end with the exec. When that fails, this thread is in the namespace, and there is nothing to do but to say so and to end.
 */
int64_t lc_op_become_in_network_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	size_t arguments = lc_point_at(NULL, &a[3].b), variables = lc_point_at(NULL, &a[4].b);
	size_t size = (arguments + variables + 3) * sizeof(char *);
	int32_t fds[] = { 0, 1, 2 };
	char **argv, **env;
	int64_t result;

	if (arguments == 0)
		return lc_refuse(c, "execve", EINVAL);
	if (setns((int)a[0].i, CLONE_NEWNET) < 0)
		return lc_fail(c, "setns");
	result = bind_files(c, &a[1].b);
	if (result < 0)
		return result;
	argv = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (argv == MAP_FAILED)
		return lc_fail(c, "mmap");
	/* One before it, for a shell. */
	argv++;
	env = argv + arguments + 1;
	lc_point_at(argv, &a[3].b);
	lc_point_at(env, &a[4].b);
	c->syscall = lc_arrange(fds, 3);
	if (!c->syscall) {
		/* An exec keeps what is ignored, as Node.js does SIGPIPE. */
		lc_reset_signals();
		lc_restore_signals(0);
		c->syscall = lc_execute(&a[2].b, argv, env);
	}
	result = -(int64_t)errno;
	munmap(argv - 1, size);
	return result;
}
