/* SPDX-License-Identifier: Apache-2.0 */
#include "execute.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *lc_arrange(int32_t *fds, int count)
{
	for (int n = 0; n < count; n++) {
		if (fds[n] < 0 || fds[n] >= n)
			continue;
		/* What another is about to be put on. */
		fds[n] = (int)syscall(SYS_fcntl, fds[n], F_DUPFD_CLOEXEC, count);
		if (fds[n] < 0)
			return "fcntl";
	}
	for (int n = 0; n < count; n++) {
		long flags;

		if (fds[n] < 0)
			syscall(SYS_close, n);	/* EBADF is what is wanted */
		else if (fds[n] == n ? syscall(SYS_fcntl, n, F_SETFD, 0) < 0 : syscall(SYS_dup3, fds[n], n, 0) < 0)
			return "dup3";
		/* Programs do not expect EAGAIN of the first three. */
		if (n > 2 || fds[n] < 0)
			continue;
		flags = syscall(SYS_fcntl, n, F_GETFL, 0);
		if (flags >= 0 && (flags & O_NONBLOCK))
			syscall(SYS_fcntl, n, F_SETFL, flags & ~O_NONBLOCK);
	}
	return NULL;
}

/* The next place when it is not in this one, and a shell for a text without a first line that names one. */
const char *lc_execute(const struct lc_bytes *places, char **argv, char **env)
{
	struct lc_list paths = lc_list_of(places);
	int denied = 0;
	const char *path;

	errno = ENOENT;
	while ((path = lc_next(&paths))) {
		syscall(SYS_execve, path, argv, env);
		if (errno == ENOEXEC) {
			char shell[] = "/bin/sh", *name = argv[0];

			argv[-1] = shell;
			argv[0] = (char *)path;
			syscall(SYS_execve, shell, argv - 1, env);
			argv[0] = name;
		}
		if (errno == EACCES)
			denied = 1;
		else if (errno != ENOENT && errno != ENOTDIR)
			return "execve";
	}
	if (denied)
		errno = EACCES;
	return "execve";
}

size_t lc_point_at(char **to, const struct lc_bytes *strings)
{
	struct lc_list list = lc_list_of(strings);
	const char *text;
	size_t count = 0;

	for (; (text = lc_next(&list)); count++)
		if (to)
			to[count] = (char *)text;
	if (to)
		to[count] = NULL;
	return count;
}
