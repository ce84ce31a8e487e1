/* SPDX-License-Identifier: Apache-2.0 */
#include "ops.h"

#include "internal.h"

/* dirfd, path, flags: a descriptor */
static int64_t op_open_tree(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t fd = syscall(SYS_open_tree, (int)a[0].i, a[1].s, (unsigned int)a[2].i | OPEN_TREE_CLOEXEC);

	return fd < 0 ? lc_fail(c, "open_tree") : fd;
}

/* from dirfd, from path, to dirfd, to path, flags */
static int64_t op_move_mount(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	return lc_check(syscall(SYS_move_mount, (int)a[0].i, a[1].s, (int)a[2].i, a[3].s, (unsigned int)a[4].i));
}

/* dirfd, path, flags, attributes to set, to clear, propagation (MS_*, 0: none), user namespace's descriptor (with MOUNT_ATTR_IDMAP) */
static int64_t op_mount_setattr(struct lc_ctx *c, const union lc_arg *a)
{
	struct mount_attr attr = {
		.attr_set = (uint64_t)a[3].i,
		.attr_clr = (uint64_t)a[4].i,
		.propagation = (uint64_t)a[5].i,
		.userns_fd = (uint64_t)a[6].i,
	};

	if (syscall(SYS_mount_setattr, (int)a[0].i, a[1].s, (unsigned int)a[2].i, &attr, sizeof(attr)) < 0)
		return lc_fail(c, "mount_setattr");
	return 0;
}

/* type, source, options, attributes: a descriptor of a detached mount */
static int64_t op_create_mount(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_mount_create(c, a[0].s, a[1].s, &a[2].b, NULL, (unsigned int)a[3].i);
}

/* path, flags */
static int64_t op_unmount(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	return lc_check(syscall(SYS_umount2, a[0].s, (int)a[1].i));
}

/* path: 1 or 0 */
static int64_t op_is_mount_point(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = open(a[0].s, O_PATH | O_CLOEXEC);
	int result;

	if (fd < 0)
		return lc_fail(c, "open");
	result = lc_is_mount_root(fd);
	close(fd);
	return result;
}

/* root, text, path: a link named after one controller, beside the hierarchy that has several */
static int64_t op_link_controller(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_symlink_in_root(c, (int)a[0].i, a[1].s, a[2].s);
}

const struct lc_op lc_mount_ops[] = {
	{ "openTree", "isi", op_open_tree, 0 },
	{ "moveMount", "isisi", op_move_mount, 0 },
	{ "mountSetattr", "isiiiii", op_mount_setattr, 0 },
	{ "createMount", "ssbi", op_create_mount, 0 },
	{ "unmount", "si", op_unmount, 0 },
	{ "isMountPoint", "s", op_is_mount_point, 0 },
	{ "mountFilesystem", "isssbiii", lc_op_mount_filesystem, 0 },
	{ "remountFilesystem", "isbi", lc_op_remount_filesystem, 0 },
	{ "bindMount", "iissiiii", lc_op_bind_mount, 0 },
	{ "linkController", "iss", op_link_controller, 0 },
	{ "setPropagation", "si", lc_op_set_propagation, 0 },
	{ "setMountAttributes", "isii", lc_op_set_mount_attributes, 0 },
	{ "openRootfs", "s", lc_op_open_rootfs, 0 },
	{ "changeRoot", "i", lc_op_change_root, 0 },
	{ "prepareRoot", "si", lc_op_prepare_root, 0 },
	{ "coverRoot", "ii", lc_op_cover_root, 0 },
	{ "overlayRoot", "ibssbi", lc_op_overlay_root, 0 },
	{ "tmpfsRoot", "ib", lc_op_tmpfs_root, 0 },
	{ "putFile", "isibii", lc_op_put_file, 0 },
	{ "pivotRoot", "is", lc_op_pivot_root, 0 },
	{ "moveRoot", "i", lc_op_move_root, 0 },
	{ "openNull", "i", lc_op_open_null, 0 },
	{ "reopenNull", "i", lc_op_reopen_null, 0 },
	{ "maskPaths", "iibs", lc_op_mask_paths, 0 },
	{ "readonlyPaths", "ib", lc_op_readonly_paths, 0 },
	{ "readMounts", "ib", lc_op_read_mounts, 0 },
	{ "pollMounts", "i", lc_op_poll_mounts, 0 },
	{ "listMounts", "iiib", lc_op_list_mounts, 0 },
	{ "statMounts", "biib", lc_op_stat_mounts, 0 },
	{ 0 },
};
