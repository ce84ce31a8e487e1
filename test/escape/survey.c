/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program has of its container, for a comparison of two runtimes: sections of `key: value`. It stands in a root filesystem as `sh`, so that an
 * unchanged bundle runs it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void copy(const char *path)
{
	FILE *file = fopen(path, "r");

	for (int c; file != NULL && (c = getc(file)) != EOF;)
		putchar(c);
	if (file != NULL)
		fclose(file);
}

static void descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0)
			printf("%d: %s%s\n", fd,
			       S_ISCHR(st.st_mode) ? "a device" : S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ? "a stream" :
			       S_ISREG(st.st_mode) ? "a file" : "other", fcntl(fd, F_GETFD) & FD_CLOEXEC ? ", close-on-exec" : "");
	}
}

static void process(void)
{
	const int scalars[] = { PR_GET_SECUREBITS, PR_GET_DUMPABLE, PR_GET_TIMERSLACK, PR_GET_THP_DISABLE, PR_GET_CHILD_SUBREAPER };
	const char *names[] = { "securebits", "dumpable", "timer slack", "huge pages are off", "reaps others" };
	char path[] = "/proc/self/oom_score_adj";
	unsigned long value;
	int signal = 0, reaps = 0;

	for (int i = 0; i < 4; i++)
		printf("%s: %d\n", names[i], prctl(scalars[i], 0, 0, 0, 0));
	prctl(PR_GET_CHILD_SUBREAPER, &reaps);
	printf("%s: %d\n", names[4], reaps);
	prctl(PR_GET_PDEATHSIG, &signal);
	printf("dies by signal: %d\n", signal);
	value = (unsigned long)umask(0);
	printf("umask: %03lo\n", value);
	printf("nice: %d\n", getpriority(PRIO_PROCESS, 0));
	printf("io priority: %ld\n", syscall(SYS_ioprio_get, 1, 0));
	printf("personality: %lx\n", syscall(SYS_personality, 0xffffffff));
	printf("leads its session: %d\n", getsid(0) == getpid());
	printf("oom score: ");
	fflush(stdout);
	copy(path);
}

/* Whose it is, what may be done with it, its name: and whether one of the caller's is within reach. */
static void keyring(void)
{
	char text[256] = "", *at;
	long size = syscall(SYS_keyctl, 6 /* KEYCTL_DESCRIBE */, -3 /* the session's */, text, sizeof(text) - 1);
	long keys[64];

	if (size < 0) {
		printf("session keyring: none\n");
		return;
	}
	/* keyring;uid;gid;permissions;name: the name is that of the container. */
	at = strrchr(text, ';');
	if (at != NULL)
		*at = 0;
	printf("session keyring: %s\n", text);
	size = syscall(SYS_keyctl, 11 /* KEYCTL_READ */, -3, keys, sizeof(keys));
	printf("keys in it: %ld\n", size < 0 ? -1 : size / 4);
}

static void device(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);

		printf("%s: %c %u:%u %o %u:%u, %s\n", path, S_ISCHR(st.st_mode) ? 'c' : 'b', major(st.st_rdev), minor(st.st_rdev),
		       st.st_mode & 07777, st.st_uid, st.st_gid, fd >= 0 ? "opens" : strerror(errno));
		if (fd >= 0)
			close(fd);
	} else if (S_ISLNK(st.st_mode)) {
		char target[256] = "";

		printf("%s: %s\n", path, readlink(path, target, sizeof(target) - 1) < 0 ? "?" : target);
	}
}

static void devices(void)
{
	DIR *dev = opendir("/dev");
	const char *mine[] = { "mem", "kmsg", "fuse", "loop0", "kvm" };
	const int kinds[] = { S_IFCHR, S_IFCHR, S_IFCHR, S_IFBLK, S_IFCHR };
	const dev_t numbers[] = { makedev(1, 1), makedev(1, 11), makedev(10, 229), makedev(7, 0), makedev(10, 232) };

	for (struct dirent *entry; dev != NULL && (entry = readdir(dev)) != NULL;) {
		char path[512];

		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		device(path);
	}
	/* Those that nobody has made: may it make them itself, and open them? */
	for (int i = 0; i < 5; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/dev/made-%s", mine[i]);
		if (mknod(path, (mode_t)(kinds[i] | 0600), numbers[i]) < 0) {
			printf("making %s: %s\n", mine[i], strerror(errno));
			continue;
		}
		fd = open(path, O_RDONLY | O_NONBLOCK);
		printf("making %s: made, %s\n", mine[i], fd >= 0 ? "opens" : strerror(errno));
		if (fd >= 0)
			close(fd);
		unlink(path);
	}
}

static void hidden(void)
{
	const char *paths[] = { "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/fs", "/proc/interrupts", "/proc/irq", "/proc/kcore",
		"/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/sys", "/proc/sysrq-trigger",
		"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/cgroup", "/sys" };
	char buffer[1];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct stat st;
		int fd, tells = 0, takes = 0;

		if (stat(paths[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			DIR *dir = opendir(paths[i]);
			char path[256];

			for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
				tells |= entry->d_name[0] != '.';
			if (dir != NULL)
				closedir(dir);
			snprintf(path, sizeof(path), "%s/made", paths[i]);
			takes = mkdir(path, 0700) == 0 && rmdir(path) == 0;
		} else {
			fd = open(paths[i], O_RDONLY | O_NONBLOCK);
			tells = fd >= 0 && read(fd, buffer, 1) == 1;
			close(fd);
			fd = open(paths[i], O_WRONLY | O_APPEND | O_NONBLOCK);
			/* The null device takes everything, and nothing comes of it. */
			takes = fd >= 0 && fstat(fd, &st) == 0 && !S_ISCHR(st.st_mode);
			close(fd);
		}
		printf("%s: %s, %s\n", paths[i], tells ? "tells" : "empty", takes ? "takes" : "takes nothing");
	}
}

/* What ends, stops, waits, or would change what is surveyed. */
static int is_left_out(int number)
{
	const int list[] = { SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_pause, SYS_vhangup, SYS_sync, SYS_restart_syscall,
		SYS_fork, SYS_vfork, SYS_clone, SYS_munlockall };

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i] == number)
			return 1;
	return 0;
}

/* Each system call with arguments that mean nothing: the filter answers before it looks at them, or it does. */
static void verdicts(void)
{
	for (int number = 0; number < 480; number++) {
		int pipes[2], status = 0, answer[2] = { -1, -1 };
		pid_t child;

		if (is_left_out(number) || pipe2(pipes, O_CLOEXEC) < 0)
			continue;
		child = fork();
		if (child == 0) {
			long result;

			/* Through the raw call: a filter may refuse alarm(2), and what waits for ever is ended. */
			alarm(2);
			errno = 0;
			result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
			answer[0] = result < 0 ? errno : 0;
			answer[1] = 0;
			(void)!write(pipes[1], answer, sizeof(answer));
			_exit(0);
		}
		close(pipes[1]);
		if (read(pipes[0], answer, sizeof(answer)) != sizeof(answer))
			answer[0] = -1;
		close(pipes[0]);
		waitpid(child, &status, 0);
		if (answer[0] < 0)
			printf("call %d: signal %d\n", number, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		else
			printf("call %d: %s\n", number, answer[0] == 0 ? "answers" : strerrorname_np(answer[0]));
	}
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("== descriptors\n");
	descriptors();
	printf("== status\n");
	copy("/proc/self/status");
	printf("== process\n");
	process();
	printf("== keyring\n");
	keyring();
	printf("== mounts\n");
	copy("/proc/self/mountinfo");
	printf("== devices\n");
	devices();
	printf("== hidden\n");
	hidden();
	printf("== seccomp\n");
	fflush(stdout);
	verdicts();
	printf("== end\n");
	return 0;
}
