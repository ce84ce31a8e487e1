/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the system calls that standard input lists and writes what each answered:
 *
 *   64 NUMBER A0 A1 A2 A3 A4 A5     writes the result, or the error as -errno
 *   32 NUMBER A0 A1 A2 A3 A4 A5     the same through the entry of 32-bit programs (x86)
 *
 * An argument that begins with a slash is a string, and what is given its address.
 *
 * All is read before the first call: a filter may forbid reading, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLS 4096

static struct call {
	int bits;
	uint64_t n[7];
} calls[CALLS];

static long call32(const uint64_t *n)
{
#ifdef __x86_64__
	long result;

	/* The sixth argument would be in ebp, which the compiler keeps: none of the tests needs it. */
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(n[0]), "b"(n[1]), "c"(n[2]), "d"(n[3]), "S"(n[4]), "D"(n[5])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
#else
	(void)n;
	return -ENOSYS;
#endif
}

static long call64(const uint64_t *n)
{
	long result = syscall((long)n[0], n[1], n[2], n[3], n[4], n[5], n[6]);

	return result < 0 ? -errno : result;
}

int main(void)
{
	int count = 0;
	struct call *c = calls;

	for (; count < CALLS && scanf("%d", &c->bits) == 1; c++, count++) {
		for (int i = 0; i < 7; i++) {
			char word[8192];

			if (scanf("%8191s", word) != 1)
				return 1;
			c->n[i] = word[0] == '/' ? (uintptr_t)strdup(word) : strtoull(word, NULL, 0);
		}
	}
	for (c = calls; c < calls + count; c++) {
		long result = c->bits == 32 ? call32(c->n) : call64(c->n);

		printf("%ld\n", result);
		fflush(stdout);
	}
	return 0;
}
