/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Swaps a directory for one link after another, as fast as it can, until standard input ends; then prints how often.
 *
 *   racer DIRECTORY TEXT... (of each link)
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXCHANGE 2

int main(int argc, char **argv)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	unsigned long swaps = 0;
	char links[8][4096];
	int count = argc - 2;

	if (count < 1 || count > 8)
		return 1;
	for (int i = 0; i < count; i++) {
		snprintf(links[i], sizeof(links[i]), "%s-link%d", argv[1], i);
		if (symlink(argv[i + 2], links[i]) < 0)
			return 1;
	}
	printf("ready\n");
	fflush(stdout);
	do {
		for (int i = 0; i < 100; i++) {
			const char *link = links[i % count];

			if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, link, EXCHANGE) == 0)
				swaps++;
			if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, link, EXCHANGE) == 0)
				swaps++;
		}
	} while (poll(&input, 1, 0) == 0);
	printf("%lu\n", swaps);
	return 0;
}
