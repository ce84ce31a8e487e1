/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies a plan in a mount namespace of its own, for the tests: Node.js must never leave its namespaces.
 *
 *   apply [user] [pid] [cgroup] [ipc] [net] [no-setattr] [no-openat2] [null] [-- script] < plan
 *
 * Prints "ok" or "failed step call errno detail", the mountinfo and "--", and what the script prints, which the /bin/sh of
 * the root that the plan made runs. `user` maps root to 1000000 and up; `null` makes standard input and error the null device.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "../../sys/native/apply.h"
#include "../native/internal.h"
#include "../native/ops.h"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void refuse(int number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		die("seccomp");
}

static void write_map(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0 1000000 65536\n", 16) != 16)
		die(path);
	close(fd);
}

/* The maps of a user namespace are written by somebody outside of it: a child, told and answered through pipes. */
static void new_user(void)
{
	pid_t self = getpid(), child;
	int ready[2], done[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(done, O_CLOEXEC) < 0)
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		close(ready[1]);
		close(done[0]);
		if (read(ready[0], &byte, 1) != 1)
			_exit(1);
		write_map(self, "uid_map");
		write_map(self, "gid_map");
		_exit(write(done[1], "x", 1) != 1);
	}
	close(done[1]);
	if (unshare(CLONE_NEWUSER) < 0)
		die("unshare user");
	if (write(ready[1], "x", 1) != 1 || read(done[0], &byte, 1) != 1)
		die("maps");
	close(ready[1]);
	close(done[0]);
	waitpid(child, NULL, 0);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		die("setresuid");
}

/* Applies the plan, lets the parent look, and then becomes `sh -c script`, if there is one. */
static void child(uint8_t *bytes, size_t size, int socket, const char *script)
{
	static const struct lc_op *const tables[] = { lc_mount_ops, NULL };
	static struct lc_plan plan;
	struct lc_ctx c = { 0 };
	uint32_t i = 0;
	int64_t result = lc_plan_open(&c, &plan, bytes, size, tables);
	char byte = 0;

	/* The parent's go says that it has been told which process this is. */
	if (read(socket, &byte, 1) != 1)
		_exit(1);
	for (; result == 0 && i < plan.steps; i++) {
		result = lc_plan_step(&c, &plan, i);
		if (result < 0)
			break;
	}
	if (result < 0)
		dprintf(1, "failed %u %s %lld %s\n", i, c.syscall, (long long)-result, c.detail);
	else
		dprintf(1, "ok\n");
	if (write(socket, "x", 1) != 1 || read(socket, &byte, 1) != 1)
		_exit(1);
	if (result < 0 || script == NULL)
		_exit(0);
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	dprintf(1, "no /bin/sh\n");
	_exit(127);
}

/* The mounts of the child, read by a process that has not left the host's namespaces. */
static void show_mounts(pid_t pid)
{
	char path[64], buffer[4096];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	while ((size = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(1, buffer, (size_t)size) != size)
			die("write");
	close(fd);
	dprintf(1, "--\n");
}

struct wish {
	const char *word;
	int flag;
};

static const struct wish namespaces[] = {
	{ "pid", CLONE_NEWPID }, { "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC }, { "net", CLONE_NEWNET }, { NULL, 0 },
};

static int has(char **words, const char *word)
{
	for (; *words && strcmp(*words, "--") != 0; words++)
		if (strcmp(*words, word) == 0)
			return 1;
	return 0;
}

/* Between the two: it leaves the namespaces and starts the child in them. */
static void middle(char **words, uint8_t *bytes, size_t size, int socket)
{
	const char *script = NULL;
	int flags = CLONE_NEWNS, status;
	pid_t pid;

	for (const struct wish *w = namespaces; w->word; w++)
		flags |= has(words, w->word) ? w->flag : 0;
	for (char **word = words; *word; word++)
		if (strcmp(*word, "--") == 0)
			script = word[1];
	if (has(words, "user"))
		new_user();
	if (unshare(flags) < 0)
		die("unshare");
	if (has(words, "no-setattr"))
		refuse(SYS_mount_setattr);
	if (has(words, "no-openat2"))
		refuse(SYS_openat2);
	if (has(words, "null")) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null < 0 || dup2(null, 0) < 0 || dup2(null, 2) < 0)
			die("/dev/null");
	}
	pid = fork();
	if (pid == 0)
		child(bytes, size, socket, script);
	if (pid < 0 || write(socket, &pid, sizeof(pid)) != sizeof(pid))
		die("fork");
	close(socket);
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int main(int argc, char **argv)
{
	static uint8_t bytes[1 << 20] __attribute__((aligned(8)));
	int sockets[2], status;
	size_t size = 0;
	ssize_t got;
	pid_t first, pid;
	char byte;

	(void)argc;
	while ((got = read(0, bytes + size, sizeof(bytes) - size)) > 0)
		size += (size_t)got;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		die("socketpair");
	first = fork();
	if (first < 0)
		die("fork");
	if (first == 0) {
		close(sockets[0]);
		middle(argv + 1, bytes, size, sockets[1]);
	}
	close(sockets[1]);
	if (read(sockets[0], &pid, sizeof(pid)) == sizeof(pid) && write(sockets[0], "g", 1) == 1 && read(sockets[0], &byte, 1) == 1) {
		show_mounts(pid);
		if (write(sockets[0], "x", 1) != 1)
			die("write");
	}
	waitpid(first, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
