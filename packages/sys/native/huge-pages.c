/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages of another process, made ordinary ones. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "op.h"
#include "ops.h"

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#endif

#define PARTS 256

/*
 * splitHugePages(pidfd, start, end, size): all of `size`, a power of two, between two addresses. The kernel has no call for that, but advice about a
 * part of a huge page splits it, and of all advice MADV_COLD is what a process notices least: process_madvise(2), Linux 5.10.
 */
int64_t lc_op_split_huge_pages(struct lc_ctx *c, const union lc_arg *a)
{
	struct iovec parts[PARTS];
	const uint64_t end = (uint64_t)a[2].i, size = (uint64_t)a[3].i;
	uint64_t huge;

	if (size == 0 || (size & (size - 1)))
		return -EINVAL;
	huge = ((uint64_t)a[1].i + size - 1) & ~(size - 1);
	while (huge + size <= end) {
		unsigned long count = 0;

		for (; count < PARTS && huge + size <= end; huge += size) {
			/* The kernel makes a whole page of it. */
			parts[count].iov_base = (void *)(uintptr_t)huge;
			parts[count++].iov_len = 1;
		}
		if (syscall(SYS_process_madvise, (int)a[0].i, parts, count, MADV_COLD, 0u) < 0)
			return lc_fail(c, "process_madvise");
	}
	return 0;
}
