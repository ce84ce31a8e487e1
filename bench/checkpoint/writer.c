/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds as many MiB as its first argument says, none of them zero, and writes to a hundredth of its pages each second, spread over the second and over all
 * of it. Whenever it has stood still for long, it adds to the file of its second argument for how long, in ns by the clock that knows of no pauses.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define TURNS 50u	/* a second */
#define SECOND 1000000000
#define LONG (SECOND / 20)

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * (int64_t)SECOND + t.tv_nsec;
}

/* Nothing stays open: a file is one more thing to save. */
static void note(const char *path, int64_t ns)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd >= 0) {
		dprintf(fd, "%lld\n", (long long)ns);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = SECOND / TURNS };
	uint64_t value = 88172645463325252u, *memory;
	uint32_t page = 0, pages;
	int64_t before, after;

	if (argc != 3)
		return 2;
	pages = (uint32_t)atoi(argv[1]) * 256u;
	memory = aligned_alloc(PAGE, (size_t)pages * PAGE);
	if (!memory)
		return 1;
	for (size_t i = 0; i < (size_t)pages * PAGE / sizeof(*memory); i++) {
		value ^= value << 13, value ^= value >> 7, value ^= value << 17;
		memory[i] = value;
	}
	for (before = now();; before = after) {
		for (uint32_t i = 0; i < pages / 100 / TURNS; i++) {
			memory[(uint64_t)page * PAGE / sizeof(*memory)]++;
			page = (page + 7919) % pages;	/* a prime: every page has its turn */
		}
		nanosleep(&pause, NULL);
		after = now();
		if (after - before > LONG)
			note(argv[2], after - before);
	}
}
