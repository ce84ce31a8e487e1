/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LC_DECIMAL_H
#define LC_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* The digits of the largest number, and the NUL. */
#define LC_DECIMAL_SIZE 21

/* Writes a number and a NUL to `to`, and answers where the number ends: snprintf is not for `init`. */
static inline char *lc_decimal(char *to, uint64_t number)
{
	char digits[LC_DECIMAL_SIZE];
	size_t size = 0;

	do
		digits[size++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (size > 0)
		*to++ = digits[--size];
	*to = 0;
	return to;
}

#endif
