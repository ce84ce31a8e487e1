/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root of a container, who wants what a process has that joins it: looks at every process but its own, over and over, and prints what it gets.
 * A line `pass N` after each look around.
 *
 *   intruder [SECRET]   a path from the host's root, opened beneath each directory that somebody has open
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void got(const char *what, int pid, const char *more)
{
	printf("got %s of %d %s\n", what, pid, more);
	fflush(stdout);
}

/* The root and the directory of a process, and what it has open. */
static void look_at_files(int pid, const char *secret)
{
	char path[512], target[512];
	struct stat st, own;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (open(path, O_RDONLY | O_CLOEXEC) >= 0)
		got("program", pid, path);
	stat("/", &own);
	snprintf(path, sizeof(path), "/proc/%d/root/%s", pid, secret);
	if (secret[0] && stat(path, &st) == 0)
		got("root", pid, path);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	if (fds == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(fds)) != NULL;) {
		ssize_t size;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
		size = readlink(path, target, sizeof(target) - 1);
		if (size < 0)
			continue;
		target[size] = 0;
		got("descriptor", pid, target);
		snprintf(path, sizeof(path), "/proc/%d/fd/%s/%s", pid, entry->d_name, secret);
		if (secret[0] && stat(path, &st) == 0)
			got("host file", pid, path);
	}
	closedir(fds);
}

static void look_into(int pid)
{
	long fd;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
		got("control", pid, "");
		ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
		waitpid(pid, NULL, __WALL);
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	fd = syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0) {
		for (int n = 0; n < 16; n++) {
			long copy = syscall(SYS_pidfd_getfd, fd, n, 0);

			if (copy >= 0) {
				got("copy", pid, "");
				close((int)copy);
			}
		}
		close((int)fd);
	}
}

int main(int argc, char **argv)
{
	const char *secret = argc > 1 ? argv[1] : "";

	for (unsigned long pass = 1;; pass++) {
		DIR *processes = opendir("/proc");

		if (processes == NULL)
			return 1;
		for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
			int pid = atoi(entry->d_name);

			if (pid > 0 && pid != getpid() && pid != getppid()) {
				look_at_files(pid, secret);
				look_into(pid);
			}
		}
		closedir(processes);
		printf("pass %lu\n", pass);
		fflush(stdout);
	}
}
