/* SPDX-License-Identifier: Apache-2.0 */
/* The table of mounts: read in large pieces, or asked for mount by mount (listmount(2), statmount(2), Linux 6.8). */
#include "internal.h"

#include <poll.h>
#include <string.h>

#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif

/* struct mnt_id_req, younger than some headers. */
struct request {
	uint32_t size, reserved;
	uint64_t id, parameter, namespace;
};

/* fd, buffer: fills it as far as there is something; the kernel gives a page at a time. */
int64_t lc_op_read_mounts(struct lc_ctx *c, const union lc_arg *a)
{
	size_t have = 0;

	while (have < a[1].b.size) {
		ssize_t got = read((int)a[0].i, a[1].b.at + have, a[1].b.size - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return lc_fail(c, "read");
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (int64_t)have;
}

/* fd of a mountinfo: POLLPRI when the table has changed since it was opened. */
int64_t lc_op_poll_mounts(struct lc_ctx *c, const union lc_arg *a)
{
	struct pollfd fd = { .fd = (int)a[0].i, .events = POLLPRI };

	return poll(&fd, 1, 0) < 0 ? lc_fail(c, "poll") : fd.revents;
}

/* the mount they lie on, the last one that was told or 0, namespace's number or 0, u64s to fill: how many there are of them */
int64_t lc_op_list_mounts(struct lc_ctx *c, const union lc_arg *a)
{
	struct request request = { .id = (uint64_t)a[0].i, .parameter = (uint64_t)a[1].i, .namespace = (uint64_t)a[2].i };
	long count;

	request.size = request.namespace ? sizeof(request) : 24;
	count = syscall(SYS_listmount, &request, a[3].b.at, a[3].b.size / 8, 0);
	return count < 0 ? lc_fail(c, "listmount") : count;
}

/*
 * u64s of mounts, mask, namespace's number or 0, buffer of zeros: a struct statmount after another, each at a multiple of 8. How many of the mounts were
 * asked for: not all when the buffer is full. One that is gone leaves nothing.
 */
int64_t lc_op_stat_mounts(struct lc_ctx *c, const union lc_arg *a)
{
	struct request request = { .parameter = (uint64_t)a[1].i, .namespace = (uint64_t)a[2].i };
	size_t used = 0, count = a[0].b.size / 8, i;
	uint32_t size;

	request.size = request.namespace ? sizeof(request) : 24;
	for (i = 0; i < count; i++) {
		memcpy(&request.id, a[0].b.at + 8 * i, 8);
		if (syscall(SYS_statmount, &request, a[3].b.at + used, a[3].b.size - used, 0) < 0) {
			if (errno == ENOENT)
				continue;
			if (errno == EOVERFLOW && used > 0)
				break;
			return lc_fail(c, "statmount");
		}
		memcpy(&size, a[3].b.at + used, sizeof(size));
		used += ((size_t)size + 7) & ~(size_t)7;
		if (used + 512 > a[3].b.size) {
			i++;
			break;
		}
	}
	/* What a refused call has written there is none. */
	if (used + 4 <= a[3].b.size)
		memset(a[3].b.at + used, 0, 4);
	return (int64_t)i;
}
