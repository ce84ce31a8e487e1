/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors by which the kernel tells of a cgroup: to be polled, read to go on, and closed by whoever asked. */
#include "directory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "../../sys/native/decimal.h"

/* The directory of a cgroup, and a file in it; on failure nothing stays open. */
static int open_both(struct lc_ctx *c, const union lc_arg *a, int *dir, int *file)
{
	*dir = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY | O_DIRECTORY);
	if (*dir < 0)
		return *dir;
	*file = lc_open_beneath(c, *dir, a[2].s, O_RDONLY);
	if (*file < 0)
		close(*dir);
	return *file;
}

/*
 * notifyCgroup1(mount, path, file, argument): v1's way. An eventfd that counts what `file` tells of (memory.oom_control,
 * memory.pressure_level), and that becomes readable, too, when the cgroup is removed.
 */
int64_t lc_op_notify_cgroup1(struct lc_ctx *c, const union lc_arg *a)
{
	char line[64], *end;
	int dir, file, event, result = open_both(c, a, &dir, &file);

	if (result < 0)
		return result;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0) {
		result = (int)lc_fail(c, "eventfd");
	} else if (strlen(a[3].s) > 32) {
		result = (int)lc_refuse(c, "write", EINVAL);
	} else {
		end = lc_decimal(line, event);
		*end++ = ' ';
		end = lc_decimal(end, file);
		if (a[3].s[0]) {
			*end++ = ' ';
			strcpy(end, a[3].s);
		}
		result = lc_write_value(dir, "cgroup.event_control", line, strlen(line));
		if (result < 0)
			result = (int)lc_refuse(c, "cgroup.event_control", -result);
	}
	close(file);
	close(dir);
	if (result < 0 && event >= 0)
		close(event);
	return result < 0 ? result : event;
}

static int watch(int inotify, int fd, uint32_t events)
{
	char path[32] = "/proc/self/fd/";

	lc_decimal(path + strlen(path), fd);
	return inotify_add_watch(inotify, path, events);
}

/*
 * watchCgroup(mount, path, file): v2's way. An inotify descriptor that becomes readable when the kernel changes `file` (memory.events,
 * cgroup.events) and when the cgroup is removed, of which a poll of the file itself would not tell. Nor does the cgroup's own directory:
 * kernfs sends no IN_DELETE_SELF. Its parent does, when it loses any child.
 */
int64_t lc_op_watch_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	int dir, file, parent, inotify;
	int64_t result = open_both(c, a, &dir, &file);

	if (result < 0)
		return result;
	/* The top of the hierarchy is never removed. */
	parent = openat(dir, a[1].s[0] ? ".." : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0) {
		result = lc_fail(c, "openat");
	} else {
		inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		result = inotify < 0 ? lc_fail(c, "inotify_init1") : inotify;
		if (result >= 0 && (watch(inotify, parent, IN_DELETE) < 0 || watch(inotify, file, IN_MODIFY) < 0)) {
			result = lc_fail(c, "inotify_add_watch");
			close(inotify);
		}
		close(parent);
	}
	close(file);
	close(dir);
	return result;
}
