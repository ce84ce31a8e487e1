/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attacker has in his image, and busybox has not.
 *
 *   attacker status                 /proc/self/status of this program
 *   attacker unshare PROGRAM...     in a user and a mount namespace of its own, as root there
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t size = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return size < 0 ? -1 : 0;
}

static int unshared(char **argv)
{
	char uids[32], gids[32];

	snprintf(uids, sizeof(uids), "0 %d 1", (int)getuid());
	snprintf(gids, sizeof(gids), "0 %d 1", (int)getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || put("/proc/self/setgroups", "deny") < 0 ||
	    put("/proc/self/uid_map", uids) < 0 || put("/proc/self/gid_map", gids) < 0) {
		perror("unshare");
		return 1;
	}
	execvp(argv[0], argv);
	return 127;
}

int main(int argc, char **argv)
{
	FILE *status;

	if (argc > 2 && strcmp(argv[1], "unshare") == 0)
		return unshared(argv + 2);
	status = fopen("/proc/self/status", "r");
	for (int c; status != NULL && (c = getc(status)) != EOF;)
		putchar(c);
	return status == NULL;
}
