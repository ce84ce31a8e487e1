/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside a root directory, resolved by the kernel to descriptors and never by joining strings:
 * openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, so that no link of an image leads outside.
 * Every function answers a descriptor (close-on-exec) or -errno, and names the failed call in `c`.
 */
#ifndef LC_PATH_H
#define LC_PATH_H

#include <stdint.h>
#include <sys/types.h>

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens `path` beneath the directory `root`. `flags` as open(2)'s; O_CLOEXEC is added. Links are followed inside the root
 * unless O_NOFOLLOW is given. Retries EAGAIN (a rename raced) with a bound. */
int lc_open_in_root(struct lc_ctx *c, int root, const char *path, int flags);

/* The same with O_CREAT: creates the file with `mode` if it is absent. The parent must exist. */
int lc_create_in_root(struct lc_ctx *c, int root, const char *path, int flags, mode_t mode);

/* Makes `path` and its missing parents with `mode`; an O_PATH|O_DIRECTORY descriptor of the last. */
int lc_mkdir_in_root(struct lc_ctx *c, int root, const char *path, mode_t mode);

/* Makes the empty file `path` with `mode`, and its missing parents with 0755, unless it is there: an O_PATH descriptor of it,
 * whatever its kind. A link to nothing is followed and what it names is made, inside the root. */
int lc_mkfile_in_root(struct lc_ctx *c, int root, const char *path, mode_t mode);

/* An O_PATH descriptor of the directory that holds the last component of `path` (its missing parents made with 0755); `*last`
 * points at that component inside `path`. -EINVAL when there is none ("/", "..", "", "name/"). */
int lc_parent_in_root(struct lc_ctx *c, int root, const char *path, const char **last);

/* Makes the link `path` that says `target`, with its missing parents (0755). */
int64_t lc_symlink_in_root(struct lc_ctx *c, int root, const char *target, const char *path);

/* A descriptor of a verified procfs: fresh and detached where fsopen(2) works, else /proc after fstatfs(2) has said that it is one. */
int lc_open_proc(struct lc_ctx *c);

/* The same where processes alone are wanted: a fresh one has nothing but those that the caller may trace. */
int lc_open_pids(struct lc_ctx *c);

/* Opens `path` (such as "self/attr/exec" or "sys/net/ipv4/ip_forward") beneath a verified procfs handle: no links, no mounts crossed. */
int lc_open_in_proc(struct lc_ctx *c, int proc, const char *path, int flags);

/*
 * The directory of this process's descriptors in a verified procfs. Its entries are the links of procfs that are wanted: each leads to the
 * open file itself, not by a path.
 */
int lc_open_descriptors(struct lc_ctx *c);

/* The number of the mount that `fd` lies on, as mountinfo has it, or -1. */
int64_t lc_mount_id(int fd);

/* Whether two descriptors lie on one mount (1), or not (0). */
int lc_same_mount(int a, int b);

/* Whether `fd` is the root of a mount (1), or not (0). */
int lc_is_mount_root(int fd);

/* For procfs.c: openat2(2) retried while it says EAGAIN, and whether its errno is one after which a walk by component is due. */
int lc_open_how(int dir, const char *path, int flags, mode_t mode, uint64_t resolve);
int lc_wants_walk(void);

#ifdef __cplusplus
}
#endif
#endif
