/* SPDX-License-Identifier: Apache-2.0 */
/* inotify(7): what happens to files and directories, told by one descriptor, which is polled. */
#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "op.h"
#include "ops.h"

/* openNotices(): the descriptor by which many are watched. */
int64_t lc_op_open_notices(struct lc_ctx *c, const union lc_arg *a)
{
	int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	(void)a;
	return inotify < 0 ? lc_fail(c, "inotify_init1") : inotify;
}

/* watch(inotify, path, events): the watch's number; no link is followed, neither to another place nor to what is no directory where IN_ONLYDIR asks for one. */
int64_t lc_op_watch(struct lc_ctx *c, const union lc_arg *a)
{
	int number = inotify_add_watch((int)a[0].i, a[1].s, (uint32_t)a[2].i | IN_DONT_FOLLOW);

	return number < 0 ? lc_fail(c, "inotify_add_watch") : number;
}

/* unwatch(inotify, number). */
int64_t lc_op_unwatch(struct lc_ctx *c, const union lc_arg *a)
{
	return inotify_rm_watch((int)a[0].i, (int)a[1].i) < 0 ? lc_fail(c, "inotify_rm_watch") : 0;
}

/* readNotices(inotify, buffer): what there is to tell now; EAGAIN when that is nothing. */
int64_t lc_op_read_notices(struct lc_ctx *c, const union lc_arg *a)
{
	ssize_t got;

	do
		got = read((int)a[0].i, a[1].b.at, a[1].b.size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? lc_fail(c, "read") : got;
}
