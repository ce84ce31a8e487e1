/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of cgroupfs, reached by descriptors only: the mount point is proved to be a cgroup file system, and what lies
 * below it is opened without following a link, climbing or crossing a mount.
 */
#ifndef LC_CGROUPS_DIRECTORY_H
#define LC_CGROUPS_DIRECTORY_H

#include "../../sys/native/list.h"

#define LC_CGROUP_DEPTH 64	/* levels that a walk goes down with a descriptor for each; further ones without: see lc_walk_below */

/* A descriptor (O_PATH) of the hierarchy that is mounted at `mount`, or -errno: EXDEV when it is no cgroup file system. */
int lc_open_hierarchy(struct lc_ctx *c, const char *mount);

/* Opens `path`, relative, beneath a descriptor; "" is the directory itself. A descriptor or -errno. */
int lc_open_beneath(struct lc_ctx *c, int dir, const char *path, int flags);

/* Both at once: a file or directory of a mounted hierarchy. */
int lc_open_cgroup(struct lc_ctx *c, const char *mount, const char *path, int flags);

/* Reads a whole file, as far as it fits: the size, or -errno. */
int64_t lc_read_fd(int fd, char *to, size_t size);

/* The same, of a file in a directory of cgroupfs, without the call that would find its end where that is plain. */
int64_t lc_read_file(int dir, const char *file, char *to, size_t size);

/* One write(2) of a value, which is what cgroupfs wants; retried after EINTR. 0 or -errno. */
int lc_write_value(int dir, const char *file, const char *value, size_t size);

/* Calls `visit` for a directory and then for those below it, as they are listed; stops at a negative answer. */
typedef int64_t lc_visit(struct lc_ctx *c, int dir, void *with);
int64_t lc_walk(struct lc_ctx *c, int dir, int depth, lc_visit *visit, void *with);

/*
 * Goes through all directories below `base`, however deep they lie: whoever may make cgroups chooses that. Two descriptors, and no memory of the
 * way: from a directory back to the one above by "..", and on behind where it stands there, by its inode. `enter`, if any, is called for a directory
 * before those below it; `leave`, if any, after them, with the one above and the name: it answers 1 when that is gone.
 */
typedef int64_t lc_leave(struct lc_ctx *c, int above, const char *name, void *with);
int64_t lc_walk_below(struct lc_ctx *c, int base, lc_visit *enter, lc_leave *leave, void *with);

/* Calls `each` with the name of each directory in `dir`. */
typedef int64_t lc_each(struct lc_ctx *c, int dir, const char *name, int depth, void *with);
int64_t lc_subdirectories(struct lc_ctx *c, int dir, int depth, lc_each *each, void *with);

int64_t lc_op_make_cgroup(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_unmake_cgroup(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_confirm_no_cgroups(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_remove_cgroups(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_attach_device_program(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_fork_placeholder(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_start_in_cgroup(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_list_cgroups(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_chown_cgroup(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_read_cgroup_sets(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_notify_cgroup1(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_watch_cgroup(struct lc_ctx *c, const union lc_arg *a);

#endif
