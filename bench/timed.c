/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times commands, for the benchmark: from a small process, so that what is measured is the command and not the copying of a large
 * parent. Reads an order a line: the working directory and argv, parted by tabs. Answers "nanoseconds status kilobytes microseconds": the most that
 * was resident, and what was used of the processor, of the command and of what it waited for.
 *
 * usage: timed FILE       where the commands' standard error goes; their input and output are the null device
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static long long microseconds(struct timeval t)
{
	return t.tv_sec * 1000000ll + t.tv_usec;
}

static void run(const char *errors, char *order)
{
	posix_spawn_file_actions_t actions;
	char *argv[64], *save = NULL, *directory = strtok_r(order, "\t", &save);
	struct rusage used = { 0 };
	int count = 0, error, status = 0;
	int64_t start;
	pid_t pid;

	while (count < 63 && (argv[count] = strtok_r(NULL, "\t", &save)))
		count++;
	argv[count] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addchdir_np(&actions, directory);

	start = now();
	error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	if (error == 0)
		wait4(pid, &status, 0, &used);
	start = now() - start;
	status = error ? 127 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	printf("%lld %d %ld %lld\n", (long long)start, status, used.ru_maxrss, microseconds(used.ru_utime) + microseconds(used.ru_stime));
	fflush(stdout);
	posix_spawn_file_actions_destroy(&actions);
}

int main(int argc, char **argv)
{
	static char line[65536];

	if (argc != 2)
		return 2;
	/* What a command leaves behind on purpose, a detached container, becomes ours, so that its end can be seen. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		run(argv[1], line);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	return 0;
}
