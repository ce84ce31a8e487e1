/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors by which the kernel tells of a cgroup: to be polled, read to go on, and closed by whoever asked. */
#include "directory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "../../sys/native/decimal.h"

/*
 * notifyCgroup1(mount, path, file, argument): v1's way. An eventfd that counts what `file` tells of (memory.oom_control,
 * memory.pressure_level), and that becomes readable, too, when the cgroup is removed.
 */
int64_t lc_op_notify_cgroup1(struct lc_ctx *c, const union lc_arg *a)
{
	char line[64], *end;
	int dir = lc_open_cgroup(c, a[0].s, a[1].s, O_RDONLY | O_DIRECTORY);
	int file, event, result = 0;

	if (dir < 0)
		return dir;
	file = lc_open_beneath(c, dir, a[2].s, O_RDONLY);
	if (file < 0) {
		close(dir);
		return file;
	}
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

static int64_t watch(struct lc_ctx *c, int inotify, int fd, uint32_t events)
{
	char path[32] = "/proc/self/fd/";
	int wd;

	lc_decimal(path + strlen(path), fd);
	wd = inotify_add_watch(inotify, path, events);
	return wd < 0 ? lc_fail(c, "inotify_add_watch") : wd;
}

/*
 * watchCgroup(inotify, mount, path, files, numbers): the descriptor tells when somebody, mostly the kernel, changes one of the files, and of
 * the removal, which a poll of the files would not. Nor would the cgroup's own directory: kernfs sends no IN_DELETE_SELF. Its parent does,
 * when it loses any child. `numbers` gets the watch of the parent and those of the files, 4 bytes each; on failure those that were made.
 */
int64_t lc_op_watch_cgroup(struct lc_ctx *c, const union lc_arg *a)
{
	struct lc_list files = lc_list_of(&a[3].b);
	int inotify = (int)a[0].i, dir = lc_open_cgroup(c, a[1].s, a[2].s, O_RDONLY | O_DIRECTORY);
	int32_t *numbers = (int32_t *)(void *)a[4].b.at;
	size_t room = a[4].b.size / sizeof(*numbers), used = 0;
	/* The top of the hierarchy is never removed. */
	const char *name = a[2].s[0] ? ".." : ".";
	int64_t result = 0;

	if (dir < 0)
		return dir;
	for (; name && result >= 0; name = lc_next(&files)) {
		int fd = used ? lc_open_beneath(c, dir, name, O_RDONLY)
			      : openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (used == room)
			result = lc_refuse(c, "inotify_add_watch", EINVAL);
		else if (fd < 0)
			result = used ? fd : lc_fail(c, "openat");
		else
			result = watch(c, inotify, fd, used ? IN_MODIFY : IN_DELETE);
		if (result >= 0)
			numbers[used++] = (int32_t)result;
		if (fd >= 0)
			close(fd);
	}
	close(dir);
	return result < 0 ? result : (int64_t)used;
}
