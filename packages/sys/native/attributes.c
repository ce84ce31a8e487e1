/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: xattr(7). The first two arguments are a descriptor and a path: those of the path, or with an empty one those of the
 * open file. The last one says whether a link at the end of the path is followed.
 */
#include "ops.h"

#include <sys/types.h>
#include <sys/xattr.h>

static const char *call_name(const union lc_arg *a, int64_t follow, const char *of_fd, const char *of_path, const char *of_link)
{
	return a[1].s[0] == 0 ? of_fd : follow ? of_path : of_link;
}

/* getAttribute(fd, path, name, buffer, follow): its size; with an empty buffer the size it would need. */
int64_t lc_op_get_attribute(struct lc_ctx *c, const union lc_arg *a)
{
	void *at = a[3].b.at;
	size_t room = a[3].b.size;
	ssize_t size;

	if (a[1].s[0] == 0)
		size = fgetxattr((int)a[0].i, a[2].s, at, room);
	else
		size = a[4].i ? getxattr(a[1].s, a[2].s, at, room) : lgetxattr(a[1].s, a[2].s, at, room);
	return size < 0 ? lc_fail(c, call_name(a, a[4].i, "fgetxattr", "getxattr", "lgetxattr")) : size;
}

/* setAttribute(fd, path, name, value, XATTR_ flags, follow). */
int64_t lc_op_set_attribute(struct lc_ctx *c, const union lc_arg *a)
{
	const void *at = a[3].b.at;
	size_t size = a[3].b.size;
	int flags = (int)a[4].i;
	int done;

	if (a[1].s[0] == 0)
		done = fsetxattr((int)a[0].i, a[2].s, at, size, flags);
	else
		done = a[5].i ? setxattr(a[1].s, a[2].s, at, size, flags) : lsetxattr(a[1].s, a[2].s, at, size, flags);
	return done < 0 ? lc_fail(c, call_name(a, a[5].i, "fsetxattr", "setxattr", "lsetxattr")) : 0;
}

/* listAttributes(fd, path, buffer, follow): bytes used, each name ended by NUL; with an empty buffer the bytes it would take. */
int64_t lc_op_list_attributes(struct lc_ctx *c, const union lc_arg *a)
{
	char *at = (char *)a[2].b.at;
	size_t room = a[2].b.size;
	ssize_t size;

	if (a[1].s[0] == 0)
		size = flistxattr((int)a[0].i, at, room);
	else
		size = a[3].i ? listxattr(a[1].s, at, room) : llistxattr(a[1].s, at, room);
	return size < 0 ? lc_fail(c, call_name(a, a[3].i, "flistxattr", "listxattr", "llistxattr")) : size;
}

/* removeAttribute(fd, path, name, follow). */
int64_t lc_op_remove_attribute(struct lc_ctx *c, const union lc_arg *a)
{
	int done;

	if (a[1].s[0] == 0)
		done = fremovexattr((int)a[0].i, a[2].s);
	else
		done = a[3].i ? removexattr(a[1].s, a[2].s) : lremovexattr(a[1].s, a[2].s);
	return done < 0 ? lc_fail(c, call_name(a, a[3].i, "fremovexattr", "removexattr", "lremovexattr")) : 0;
}
