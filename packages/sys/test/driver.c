/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies a plan in a process of its own, as `init` does, for tests of ops that may never run in Node.js' process.
 *
 *   driver PLAN [SLOT=DESCRIPTOR]... -- [PROGRAM ARGUMENT...]
 *
 * A failed step is told on standard error as `step errno syscall detail`, with exit status 99. TABLES names the tables of ops.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../native/apply.h"
#include "../native/label.h"

extern const struct lc_op DECLARE;

/* driverFork(): goes on in a child; the parent hands its status on. */
static int64_t op_fork(struct lc_ctx *c, const union lc_arg *a)
{
	pid_t pid = fork();
	int status;

	(void)a;
	if (pid < 0)
		return lc_fail(c, "fork");
	if (pid == 0)
		return 0;
	waitpid(pid, &status, 0);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* driverAsk(word): prints the word and waits for a line. */
static int64_t op_ask(struct lc_ctx *c, const union lc_arg *a)
{
	char byte = 0;

	(void)c;
	dprintf(1, "ask %s\n", a[0].s);
	while (read(0, &byte, 1) == 1 && byte != '\n')
		;
	return 0;
}

static int64_t op_session(struct lc_ctx *c, const union lc_arg *a)
{
	(void)a;
	return setsid() < 0 ? lc_fail(c, "setsid") : 0;
}

static int64_t op_not_dumpable(struct lc_ctx *c, const union lc_arg *a)
{
	(void)a;
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? lc_fail(c, "prctl") : 0;
}

/* driverSend(socket, descriptor) */
static int64_t op_send(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = (int)a[1].i;
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov = { .iov_base = (char[]){ 'f' }, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&m);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg((int)a[0].i, &m, 0) < 0 ? lc_fail(c, "sendmsg") : 0;
}

/* driverPrint(integer) */
static int64_t op_print(struct lc_ctx *c, const union lc_arg *a)
{
	return dprintf(1, "value %lld\n", (long long)a[0].i) < 0 ? lc_fail(c, "write") : 0;
}

/* driverPrintFile(path) */
static int64_t op_print_file(struct lc_ctx *c, const union lc_arg *a)
{
	char buffer[8192];
	ssize_t size;
	int fd = open(a[0].s, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return lc_fail(c, "open");
	while ((size = read(fd, buffer, sizeof(buffer))) > 0)
		(void)!write(1, buffer, (size_t)size);
	close(fd);
	return 0;
}

/* driverSwitchUser(id): user and group, and no others */
static int64_t op_switch_user(struct lc_ctx *c, const union lc_arg *a)
{
	gid_t id = (gid_t)a[0].i;

	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0)
		return lc_fail(c, "setresgid");
	return setresuid(id, id, id) < 0 ? lc_fail(c, "setresuid") : 0;
}

/* driverInstallFilter(): one that allows everything, to see whether the kernel takes a filter */
static int64_t op_install_filter(struct lc_ctx *c, const union lc_arg *a)
{
	struct sock_filter allow = { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW };
	struct sock_fprog program = { 1, &allow };

	(void)a;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? lc_fail(c, "seccomp") : 0;
}

/* driverForbid(number): that system call is ENOSYS from now on, as on a kernel before it */
static int64_t op_forbid(struct lc_ctx *c, const union lc_arg *a)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)a[0].i },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
	};
	struct sock_fprog program = { 4, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return lc_fail(c, "prctl");
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? lc_fail(c, "seccomp") : 0;
}

/* driverOwnMounts(): a mount namespace of its own, from which nothing comes back */
static int64_t op_own_mounts(struct lc_ctx *c, const union lc_arg *a)
{
	(void)a;
	if (unshare(CLONE_NEWNS) < 0)
		return lc_fail(c, "unshare");
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? lc_fail(c, "mount") : 0;
}

/* driverMountTmpfs(path): one that the mount namespace's owner made, whose nodes can be made but not opened in a user namespace */
static int64_t op_mount_tmpfs(struct lc_ctx *c, const union lc_arg *a)
{
	return mount("tmpfs", a[0].s, "tmpfs", 0, "mode=755") < 0 ? lc_fail(c, "mount") : 0;
}

/* driverOwnUsers(): a user namespace where root alone is mapped */
static int64_t op_own_users(struct lc_ctx *c, const union lc_arg *a)
{
	static const char *const files[][2] = {
		{ "/proc/self/setgroups", "deny" }, { "/proc/self/gid_map", "0 0 1" }, { "/proc/self/uid_map", "0 0 1" },
	};

	(void)a;
	if (unshare(CLONE_NEWUSER) < 0)
		return lc_fail(c, "unshare");
	for (int i = 0; i < 3; i++) {
		int fd = open(files[i][0], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, files[i][1], strlen(files[i][1])) < 0)
			return lc_fail(c, "write");
		close(fd);
	}
	return 0;
}

/* driverOpenDirectory(path): its descriptor, which belongs to this mount namespace */
static int64_t op_open_directory(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = open(a[0].s, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? lc_fail(c, "open") : fd;
}

static int64_t op_umask(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	umask((mode_t)a[0].i);
	return 0;
}

static const struct lc_op driver_ops[] = {
	{ "driverFork", "", op_fork, 0 },
	{ "driverAsk", "s", op_ask, 0 },
	{ "driverSession", "", op_session, 0 },
	{ "driverNotDumpable", "", op_not_dumpable, 0 },
	{ "driverSend", "ii", op_send, 0 },
	{ "driverPrint", "i", op_print, 0 },
	{ "driverPrintFile", "s", op_print_file, 0 },
	{ "driverSwitchUser", "i", op_switch_user, 0 },
	{ "driverInstallFilter", "", op_install_filter, 0 },
	{ "driverForbid", "i", op_forbid, 0 },
	{ "driverOwnMounts", "", op_own_mounts, 0 },
	{ "driverMountTmpfs", "s", op_mount_tmpfs, 0 },
	{ "driverOwnUsers", "", op_own_users, 0 },
	{ "driverOpenDirectory", "s", op_open_directory, 0 },
	{ "driverUmask", "i", op_umask, 0 },
	{ 0 },
};

static const struct lc_op *const tables[] = { TABLES, lc_label_ops, driver_ops, NULL };

int main(int argc, char **argv)
{
	static struct lc_plan plan;
	static uint64_t bytes[16384];
	struct lc_ctx c = { 0 };
	int at = 2;
	int fd = argc < 2 ? -1 : open(argv[1], O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, bytes, sizeof(bytes));

	close(fd);
	if (size < 0 || lc_plan_open(&c, &plan, (uint8_t *)bytes, (size_t)size, tables) < 0) {
		fprintf(stderr, "plan: %s\n", c.detail);
		return 98;
	}
	for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
		int slot = atoi(argv[at]);

		plan.slots[slot].kind = 1;
		plan.slots[slot].i = atoi(strchr(argv[at], '=') + 1);
	}
	for (uint32_t i = 0; i < plan.steps; i++) {
		int64_t result = lc_plan_step(&c, &plan, i);

		if (result < 0) {
			fprintf(stderr, "%u %d %s %s\n", i, (int)-result, c.syscall ? c.syscall : "?", c.detail);
			return 99;
		}
	}
	if (at + 1 >= argc)
		return 0;
	execvp(argv[at + 1], argv + at + 1);
	perror(argv[at + 1]);
	return 97;
}
