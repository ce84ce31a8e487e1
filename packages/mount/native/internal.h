/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef LC_MOUNT_INTERNAL_H
#define LC_MOUNT_INTERNAL_H

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <linux/mount.h>

#include "../../sys/native/op.h"
#include "../../sys/native/path.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#define PROC_MAGIC 0x9fa0

/* How a mount of the recipe is made: src/flags.ts has the same numbers. */
#define LC_TARGET_REAL 1	/* the target must be a directory itself, not a link to one */
#define LC_TARGET_PROC 2	/* the target may lie on procfs */
#define LC_COPY_MODE 4		/* the new root directory gets the target's mode */
#define LC_RECURSIVE 8		/* the mounts below the source come along */
#define LC_SOURCE_PROC 16	/* the source must be a procfs */
#define LC_COPY_UP 32		/* the new file system gets what the target has */
#define LC_AT_ONCE 64		/* others may see the target: a mount has its attributes before it is seen there, or is not made */
#define LC_TARGET_LINK 128	/* a link at the target's end is the target itself */
#define LC_SOURCE_LINK 256	/* a link at the source's end is the source itself */
#define LC_COPY_LINK 512	/* a source that is a link is made again at the target, and nothing is mounted */
#define LC_KEEP 1024		/* the result is a descriptor of the mount's root */
#define LC_SCRATCH 2048		/* the new file system is made where a tmpfs of its own has directories upper and work */
#define LC_SOURCE_INSIDE 4096	/* the source is a path in the root */

/* A root of AT_FDCWD stands for none: paths are the caller's own, and nothing is made at them. */
static inline int lc_no_root(int root)
{
	return root == AT_FDCWD;
}

/* close(2) between a failure and its report. */
static inline void lc_close(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
}

/* target.c: the place a mount goes to, made if it is missing (a directory, or a file if `kind` is no directory's mode). */
int lc_mount_target(struct lc_ctx *c, int root, const char *path, mode_t kind, int flags);
/* Attaches `tree`, makes sure that `path` leads to it, and sets its propagation. When that fails it is not attached. */
int64_t lc_mount_attach(struct lc_ctx *c, int root, int tree, int target, const char *path, int flags, int64_t propagation);

/* attributes.c. `attributes`: MOUNT_ATTR_* to set in the low 32 bits, to clear in the high 32. 0, or -errno; ENOSYS before Linux 5.12. */
int64_t lc_mount_attributes(struct lc_ctx *c, int fd, int64_t attributes, int recursive);
/* The same to the one mount that `fd` is on, by mount(2): for an attached mount where lc_mount_attributes() says ENOSYS. */
int64_t lc_mount_remount(struct lc_ctx *c, int fd, int64_t attributes);
/* Takes the mount that `fd` is the root of away from where it was attached, with all that is mounted on it. */
void lc_mount_detach(int fd);
/* `propagation`: kinds of four bits each, the first in the lowest: 1 private, 2 slave, 3 shared, 4 unbindable, +8 recursively. */
int64_t lc_mount_propagation(struct lc_ctx *c, int fd, int64_t propagation);

/* filesystem.c: a detached mount of a new file system. `options`: "key=value" or "word", each ended by NUL. */
int lc_mount_create(struct lc_ctx *c, const char *type, const char *source, const struct lc_bytes *options, const char *mode,
		    unsigned int attributes);

/* root.c: a handle of a directory of the host that no link leads to. */
int lc_mount_open_plain(struct lc_ctx *c, const char *path);

/* overlay.c: a tmpfs with the directories of an overlay, and the working directory in it; `*before`: where to go back to. */
int lc_mount_enter_scratch(struct lc_ctx *c, int target, int *before);
/* Out of it and rid of it; answers `result`, or what went wrong then. */
int64_t lc_mount_leave_scratch(struct lc_ctx *c, int tree, int before, int64_t result);

/* Answers `tree`, an overlay with upper and work, or closes it: where nothing can be made in them the kernel makes it read-only, and tells its log alone. */
int lc_mount_confirm_writable(struct lc_ctx *c, int tree);

/* mask.c: a detached mount of an empty, read-only directory; `label` is SELinux's, or "". */
int lc_mount_empty(struct lc_ctx *c, const char *label);

/* copy.c: what is in the directory `target` goes into the detached mount `tree`. */
int64_t lc_mount_copy_up(struct lc_ctx *c, int target, int tree);

/* The next of the NUL-ended strings in `b` after `at` (NULL: the first), or NULL. */
const char *lc_next_string(const struct lc_bytes *b, const char *at);

/* The ops that make up a recipe, each told where it stands. */
int64_t lc_op_mount_filesystem(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_remount_filesystem(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_bind_mount(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_set_propagation(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_set_mount_attributes(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_open_rootfs(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_change_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_cover_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_overlay_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_tmpfs_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_put_file(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_prepare_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_move_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_pivot_root(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_open_null(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_reopen_null(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_mask_paths(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_readonly_paths(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_read_mounts(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_poll_mounts(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_list_mounts(struct lc_ctx *c, const union lc_arg *a);
int64_t lc_op_stat_mounts(struct lc_ctx *c, const union lc_arg *a);

#endif
