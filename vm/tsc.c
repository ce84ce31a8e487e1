/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the frequency of this machine's time stamp counter in kHz: the guest's counter is this one, and a guest on a busy host measures it wrong. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct sample {
	uint64_t ticks;
	int64_t ns;
};

/* The pair that was read fastest, and so was least likely interrupted. */
static struct sample take(void)
{
	struct sample best = { 0, 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		struct timespec now;
		uint64_t before = __rdtsc(), after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &now);
		after = __rdtsc();
		if (after - before < least) {
			least = after - before;
			best = (struct sample){ before + least / 2, now.tv_sec * 1000000000LL + now.tv_nsec };
		}
	}
	return best;
}

int main(void)
{
	struct sample from = take(), to;

	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	to = take();
	printf("%.0f\n", (double)(to.ticks - from.ticks) * 1e6 / (double)(to.ns - from.ns));
	return 0;
}
