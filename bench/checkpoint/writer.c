/* SPDX-License-Identifier: Apache-2.0 */
/* Holds 128 MiB that are not zero, and writes to a hundredth of its pages each second, spread over the second and over all of it. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define SIZE (128u << 20)
#define PAGE 4096u
#define PAGES (SIZE / PAGE)
#define TURNS 50u	/* a second */

int main(void)
{
	const struct timespec pause = { .tv_nsec = 1000000000 / TURNS };
	uint64_t *memory = aligned_alloc(PAGE, SIZE);
	uint64_t value = 88172645463325252u;
	uint32_t page = 0;

	if (!memory)
		return 1;
	for (uint32_t i = 0; i < SIZE / sizeof(*memory); i++) {
		value ^= value << 13, value ^= value >> 7, value ^= value << 17;
		memory[i] = value;
	}
	for (;;) {
		for (uint32_t i = 0; i < PAGES / 100 / TURNS; i++) {
			memory[(uint64_t)page * PAGE / sizeof(*memory)]++;
			page = (page + 7919) % PAGES;	/* a prime: every page has its turn */
		}
		nanosleep(&pause, NULL);
	}
}
