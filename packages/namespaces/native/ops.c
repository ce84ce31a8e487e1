/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces as init needs them. src/plan.ts decides on the order. */
#include "ops.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "../../sys/native/path.h"
#include "../../sys/native/start.h"

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

static int64_t op_unshare_namespaces(struct lc_ctx *c, const union lc_arg *a)
{
	return unshare((int)a[0].i) < 0 ? lc_fail(c, "unshare") : 0;
}

/* setTimeOffsets(text): the offsets of the time namespace that this process has unshared and nobody has entered. */
static int64_t op_set_time_offsets(struct lc_ctx *c, const union lc_arg *a)
{
	int proc = lc_open_proc(c);
	int64_t result = 0;
	int fd;

	if (proc < 0)
		return proc;
	fd = lc_open_in_proc(c, proc, "self/timens_offsets", O_WRONLY);
	close(proc);
	if (fd < 0)
		return fd;
	/* In one piece: the file takes no second write at another offset. */
	if (write(fd, a[0].b.at, a[0].b.size) != (ssize_t)a[0].b.size)
		result = lc_fail(c, "write");
	close(fd);
	return result;
}

/*
 * becomeRoot(): ids 0 of the user namespace, whose maps are written, or which was joined. What carried the capabilities over the exec
 * into init (they were made inheritable and ambient) ends here, before anything else can be executed.
 */
static int64_t op_become_root(struct lc_ctx *c, const union lc_arg *a)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	(void)a;
	if (syscall(SYS_setresgid, 0, 0, 0) < 0)
		return lc_fail(c, "setresgid");
	if (syscall(SYS_setresuid, 0, 0, 0) < 0)
		return lc_fail(c, "setresuid");
	if (syscall(SYS_capget, &header, data) < 0)
		return lc_fail(c, "capget");
	data[0].inheritable = 0;
	data[1].inheritable = 0;
	if (syscall(SYS_capset, &header, data) < 0)
		return lc_fail(c, "capset");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return lc_fail(c, "prctl(PR_CAP_AMBIENT_CLEAR_ALL)");
	return 0;
}

#ifndef LC_INIT
/* openProcessDirectory(path): /proc/<pid>, so that several files of it are one process's. */
static int64_t op_open_process_directory(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = open(a[0].s, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? lc_fail(c, "open") : fd;
}

/* writeProcessFile(directory, name, text): in one write(2), as uid_map and its like ask for. */
static int64_t op_write_process_file(struct lc_ctx *c, const union lc_arg *a)
{
	int fd = openat((int)a[0].i, a[1].s, O_WRONLY | O_CLOEXEC);
	int64_t result = 0;
	ssize_t put;

	if (fd < 0)
		return lc_fail(c, "openat");
	put = write(fd, a[2].b.at, a[2].b.size);
	if (put < 0)
		result = lc_fail(c, "write");
	else if ((size_t)put != a[2].b.size)
		result = lc_refuse(c, "write", EIO);
	close(fd);
	return result;
}

/* takeGroups(bytes of u32): the supplementary groups, all of them. */
static int64_t op_take_groups(struct lc_ctx *c, const union lc_arg *a)
{
	/* By itself: a library's would ask the other threads, which a copy of the memory does not have. */
	return syscall(SYS_setgroups, a[0].b.size / 4, a[0].b.at) < 0 ? lc_fail(c, "setgroups") : 0;
}

/* takeIds(uid, gid): real, effective and saved. */
static int64_t op_take_ids(struct lc_ctx *c, const union lc_arg *a)
{
	if (syscall(SYS_setresgid, a[1].i, a[1].i, a[1].i) < 0)
		return lc_fail(c, "setresgid");
	return syscall(SYS_setresuid, a[0].i, a[0].i, a[0].i) < 0 ? lc_fail(c, "setresuid") : 0;
}

/* hideMemory(): nobody may trace this process or look through its /proc until it executes: what is around it now may be hostile. */
static int64_t op_hide_memory(struct lc_ctx *c, const union lc_arg *a)
{
	(void)a;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? lc_fail(c, "prctl(PR_SET_DUMPABLE)") : 0;
}

/* propagateMounts(flags): of every mount of this mount namespace. */
static int64_t op_propagate_mounts(struct lc_ctx *c, const union lc_arg *a)
{
	return mount("none", "/", NULL, (unsigned long)a[0].i | MS_REC, NULL) < 0 ? lc_fail(c, "mount") : 0;
}

/* mountOwnProc(path): a proc file system of the pid namespace that this process is in. */
static int64_t op_mount_own_proc(struct lc_ctx *c, const union lc_arg *a)
{
	return mount("proc", a[0].s, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? lc_fail(c, "mount") : 0;
}

/* startInNamespaces(…): startProgram of sys, with the steps of this table. */
static int64_t op_start_in_namespaces(struct lc_ctx *c, const union lc_arg *a)
{
	return lc_start_program(c, a, lc_namespaces_ops);
}
#endif

const struct lc_op lc_namespaces_ops[] = {
	{ "openNamespace", "si", lc_op_open_namespace, 0 },
	{ "setNamespace", "ii", lc_op_set_namespace, 0 },
	{ "setProcessNamespaces", "ii", lc_op_set_process_namespaces, 0 },
	{ "joinNamespaces", "iiiiiiii", lc_op_join_namespaces, 0 },
	{ "unshareNamespaces", "i", op_unshare_namespaces, 0 },
	{ "setTimeOffsets", "b", op_set_time_offsets, 0 },
	{ "becomeRoot", "", op_become_root, 0 },
#ifndef LC_INIT
	/* A plan for `init` names none of these. */
	{ "takeGroups", "b", op_take_groups, 0 },
	{ "takeIds", "ii", op_take_ids, 0 },
	{ "hideMemory", "", op_hide_memory, 0 },
	{ "propagateMounts", "i", op_propagate_mounts, 0 },
	{ "mountOwnProc", "s", op_mount_own_proc, 0 },
	{ "startInNamespaces", LC_START_SIGNATURE, op_start_in_namespaces, LC_SPAWNER },
	{ "openProcessDirectory", "s", op_open_process_directory, 0 },
	{ "writeProcessFile", "isb", op_write_process_file, 0 },
	{ "inspectNamespace", "ib", lc_op_inspect_namespace, 0 },
	{ "readNamespaceMaps", "ibb", lc_op_read_namespace_maps, 0 },
	{ "scanNamespaces", "b", lc_op_scan_namespaces, 0 },
#endif
	{ 0 },
};
