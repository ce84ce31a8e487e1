/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

const char *lc_next_string(const struct lc_bytes *b, const char *at)
{
	const char *end = (const char *)b->at + b->size;

	if (b->size == 0 || end[-1] != 0)
		return NULL;
	at = at == NULL ? (const char *)b->at : at + strlen(at) + 1;
	return at < end ? at : NULL;
}

/*
 * What the file system said about its refusal, which a mere EINVAL leaves out: the context's log, one message a read, each
 * with a letter for its level before it.
 */
static int64_t explain(struct lc_ctx *c, int fs, const char *call)
{
	int error = errno;
	char text[sizeof(c->detail)];
	ssize_t size;

	while ((size = read(fs, text, sizeof(text) - 1)) > 0) {
		if (text[size - 1] == '\n')
			size--;
		text[size] = 0;
		if (size > 2 && text[0] == 'e')
			lc_detail(c, text + 2);
	}
	return lc_refuse(c, call, error);
}

static int64_t configure(struct lc_ctx *c, int fs, const char *option)
{
	size_t size = strcspn(option, "=");
	char key[256];

	lc_detail(c, option);
	if (size >= sizeof(key))
		return lc_refuse(c, "fsconfig", EINVAL);
	memcpy(key, option, size);
	key[size] = 0;
	if (option[size] == 0) {
		if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, NULL, 0) < 0)
			return explain(c, fs, "fsconfig");
	} else if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, option + size + 1, 0) < 0) {
		return explain(c, fs, "fsconfig");
	}
	c->detail[0] = 0;
	return 0;
}

static int64_t configure_all(struct lc_ctx *c, int fs, const char *source, const struct lc_bytes *options, const char *mode)
{
	if (source[0] != 0 && syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0) < 0) {
		lc_detail(c, source);
		return explain(c, fs, "fsconfig");
	}
	if (mode != NULL && syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", mode, 0) < 0)
		return explain(c, fs, "fsconfig");
	for (const char *option = NULL; (option = lc_next_string(options, option)) != NULL;) {
		int64_t result = configure(c, fs, option);

		if (result < 0)
			return result;
	}
	return 0;
}

int lc_mount_create(struct lc_ctx *c, const char *type, const char *source, const struct lc_bytes *options, const char *mode,
		    unsigned int attributes)
{
	int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int64_t result;

	if (fs < 0) {
		lc_detail(c, type);
		return (int)lc_fail(c, "fsopen");
	}
	result = configure_all(c, fs, source, options, mode);
	if (result == 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		result = explain(c, fs, "fsconfig");
	if (result == 0) {
		result = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
		if (result < 0)
			result = explain(c, fs, "fsmount");
	}
	close(fs);
	return (int)result;
}

static void octal(mode_t mode, char text[5])
{
	for (int i = 3; i >= 0; i--, mode >>= 3)
		text[i] = (char)('0' + (mode & 7));
	text[4] = 0;
}

/* An overlay of which somebody wants to write to its upper directory. */
static int is_written(const char *type, const struct lc_bytes *options, unsigned int attributes)
{
	const char *option = NULL;

	if (attributes & MOUNT_ATTR_RDONLY || strcmp(type, "overlay") != 0)
		return 0;
	while ((option = lc_next_string(options, option)) != NULL && strncmp(option, "upperdir=", 9) != 0)
		;
	return option != NULL;
}

static int is_there(struct lc_ctx *c, int root, const char *path)
{
	int fd = lc_no_root(root) ? open(path, O_PATH | O_CLOEXEC) : lc_open_in_root(c, root, path, O_PATH);

	if (fd >= 0)
		close(fd);
	c->detail[0] = 0;
	return fd >= 0;
}

/* root, target, type, source, options, attributes, flags, propagation */
int64_t lc_op_mount_filesystem(struct lc_ctx *c, const union lc_arg *a)
{
	int root = (int)a[0].i, flags = (int)a[6].i, target, tree, scratch = -1, before = -1;
	/* What is to be filled first becomes read-only afterwards, while it is still detached: not before 5.12. */
	unsigned int attributes = (unsigned int)a[5].i, late;
	const char *path = a[1].s;
	char mode[5] = "";
	struct stat st;
	int64_t result;

	/* One that is made for the mount has no mode to give: what is in it is everybody's then, as in /tmp. */
	if (flags & LC_COPY_MODE && !is_there(c, root, path))
		flags &= ~LC_COPY_MODE;
	target = lc_mount_target(c, root, path, S_IFDIR, flags);
	if (target < 0)
		return target;
	if (flags & LC_COPY_MODE && fstat(target, &st) == 0)
		octal(st.st_mode & 07777, mode);
	late = flags & LC_COPY_UP ? attributes & MOUNT_ATTR_RDONLY : 0;
	if (flags & LC_SCRATCH && (scratch = lc_mount_enter_scratch(c, target, &before)) < 0) {
		close(target);
		return scratch;
	}
	tree = lc_mount_create(c, a[2].s, a[3].s, &a[4].b, mode[0] ? mode : NULL, attributes & ~late);
	if (tree >= 0 && is_written(a[2].s, &a[4].b, attributes))
		tree = lc_mount_confirm_writable(c, tree);
	if (scratch >= 0 && (result = lc_mount_leave_scratch(c, scratch, before, tree)) < 0 && tree >= 0) {
		close(tree);
		tree = (int)result;
	}
	if (tree < 0) {
		close(target);
		return tree;
	}
	result = flags & LC_COPY_UP ? lc_mount_copy_up(c, target, tree) : 0;
	if (result == 0)
		result = lc_mount_attributes(c, tree, late, 0);
	if (result == 0)
		result = lc_mount_attach(c, root, tree, target, path, flags, a[7].i);
	close(target);
	if (result == 0 && flags & LC_KEEP)
		return tree;
	close(tree);
	return result;
}

/* root, target, options, attributes: changes the file system's own options, then the mount's attributes. */
int64_t lc_op_remount_filesystem(struct lc_ctx *c, const union lc_arg *a)
{
	int target = lc_no_root((int)a[0].i) ? open(a[1].s, O_PATH | O_CLOEXEC) : lc_open_in_root(c, (int)a[0].i, a[1].s, O_PATH);
	int64_t result;
	int fs;

	if (target < 0)
		return lc_no_root((int)a[0].i) ? lc_fail(c, "open") : target;
	fs = (int)syscall(SYS_fspick, target, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	if (fs < 0) {
		lc_close(target);
		return lc_fail(c, "fspick");
	}
	result = configure_all(c, fs, "", &a[2].b, NULL);
	if (result == 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		result = explain(c, fs, "fsconfig");
	close(fs);
	if (result == 0)
		result = lc_mount_attributes(c, target, a[3].i, 0);
	if (result == -ENOSYS)
		result = lc_mount_remount(c, target, a[3].i);
	close(target);
	return result;
}
