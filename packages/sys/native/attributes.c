/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: xattr(7). The last argument says whether a link at the end of the path is followed. */
#include "ops.h"

#include <sys/types.h>
#include <sys/xattr.h>

/* getAttribute(path, name, buffer, follow): its size; with an empty buffer the size it would need. */
int64_t lc_op_get_attribute(struct lc_ctx *c, const union lc_arg *a)
{
	ssize_t size = a[3].i ? getxattr(a[0].s, a[1].s, a[2].b.at, a[2].b.size) : lgetxattr(a[0].s, a[1].s, a[2].b.at, a[2].b.size);

	return size < 0 ? lc_fail(c, a[3].i ? "getxattr" : "lgetxattr") : size;
}

/* setAttribute(path, name, value, XATTR_ flags, follow). */
int64_t lc_op_set_attribute(struct lc_ctx *c, const union lc_arg *a)
{
	int flags = (int)a[3].i;
	int done = a[4].i ? setxattr(a[0].s, a[1].s, a[2].b.at, a[2].b.size, flags) : lsetxattr(a[0].s, a[1].s, a[2].b.at, a[2].b.size, flags);

	return done < 0 ? lc_fail(c, a[4].i ? "setxattr" : "lsetxattr") : 0;
}

/* listAttributes(path, buffer, follow): bytes used, each name ended by NUL; with an empty buffer the bytes it would take. */
int64_t lc_op_list_attributes(struct lc_ctx *c, const union lc_arg *a)
{
	char *buffer = (char *)a[1].b.at;
	ssize_t size = a[2].i ? listxattr(a[0].s, buffer, a[1].b.size) : llistxattr(a[0].s, buffer, a[1].b.size);

	return size < 0 ? lc_fail(c, a[2].i ? "listxattr" : "llistxattr") : size;
}

/* removeAttribute(path, name, follow). */
int64_t lc_op_remove_attribute(struct lc_ctx *c, const union lc_arg *a)
{
	int done = a[2].i ? removexattr(a[0].s, a[1].s) : lremovexattr(a[0].s, a[1].s);

	return done < 0 ? lc_fail(c, a[2].i ? "removexattr" : "lremovexattr") : 0;
}
