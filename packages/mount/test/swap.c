/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies one directory into another as tmpcopyup does, while somebody replaces a file just when it was looked at: swap FROM TO NEW, where
 * NEW/x takes the place of FROM/x. Prints the call that failed and its errno.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int other = -1;

static int look_and_swap(int dir, const char *name, struct stat *s, int flags)
{
	int result = fstatat(dir, name, s, flags);

	(void)!renameat(other, name, dir, name);
	return result;
}

#define fstatat look_and_swap
#include "../native/copy.c"

int main(int argc, char **argv)
{
	struct lc_ctx c = { 0 };
	int64_t result;

	if (argc != 4)
		return 1;
	other = open(argv[3], O_PATH | O_DIRECTORY | O_CLOEXEC);
	result = lc_mount_copy_up(&c, open(argv[1], O_PATH | O_CLOEXEC), open(argv[2], O_PATH | O_CLOEXEC));
	printf("%s %lld\n", c.syscall ? c.syscall : "-", (long long)-result);
	return 0;
}
