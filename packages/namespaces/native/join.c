/* SPDX-License-Identifier: Apache-2.0 */
/* Into namespaces that exist. */
#include "ops.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static const char *type_name(int type)
{
	switch (type) {
	case 0x00000080: return "it is a time namespace";
	case 0x00020000: return "it is a mnt namespace";
	case 0x02000000: return "it is a cgroup namespace";
	case 0x04000000: return "it is a uts namespace";
	case 0x08000000: return "it is an ipc namespace";
	case 0x10000000: return "it is a user namespace";
	case 0x20000000: return "it is a pid namespace";
	case 0x40000000: return "it is a net namespace";
	default: return "it is a namespace of another type";
	}
}

static int64_t check_type(struct lc_ctx *c, int fd, int wanted)
{
	int64_t type = lc_namespace_type(c, fd);

	if (type < 0 || type == wanted)
		return type;
	lc_detail(c, type_name((int)type));
	return lc_refuse(c, "ioctl(NS_GET_NSTYPE)", EINVAL);
}

/* openNamespace(path, CLONE_ flag): a descriptor of the namespace at `path`, which must be of that type. */
int64_t lc_op_open_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	/* A path that is a fifo or a terminal by mistake neither blocks nor becomes ours. */
	int fd = open(a[0].s, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int64_t type;

	if (fd < 0)
		return lc_fail(c, "open");
	type = check_type(c, fd, (int)a[1].i);
	if (type < 0) {
		close(fd);
		return type;
	}
	return fd;
}

/* setNamespace(fd, CLONE_ flag): joins one namespace. */
int64_t lc_op_set_namespace(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t type = check_type(c, (int)a[0].i, (int)a[1].i);

	if (type < 0)
		return type;
	return setns((int)a[0].i, (int)a[1].i) < 0 ? lc_fail(c, "setns") : 0;
}

/* setProcessNamespaces(pidfd, CLONE_ flags): joins those namespaces of a process, all or none (Linux 5.8). */
int64_t lc_op_set_process_namespaces(struct lc_ctx *c, const union lc_arg *a)
{
	return setns((int)a[0].i, (int)a[1].i) < 0 ? lc_fail(c, "setns") : 0;
}

/* The arguments of joinNamespaces but the first, in the order of joining: `mnt` last, since it takes the root directory with it. */
static const struct {
	int flag;
	const char *name;
} kinds[] = {
	{ CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWIPC, "ipc" }, { CLONE_NEWUTS, "uts" }, { CLONE_NEWNET, "net" },
	{ 0x00000080, "time" }, { CLONE_NEWPID, "pid" }, { CLONE_NEWNS, "mnt" },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* "net, mnt": what is left. */
static void list_left(struct lc_ctx *c, const int *left)
{
	char text[64] = "left outside: ";
	size_t at = strlen(text);

	for (size_t i = 0; i < KINDS; i++) {
		if (!left[i])
			continue;
		if (text[at - 2] != ':') {
			memcpy(text + at, ", ", 2);
			at += 2;
		}
		memcpy(text + at, kinds[i].name, strlen(kinds[i].name));
		at += strlen(kinds[i].name);
	}
	text[at] = 0;
	lc_detail(c, text);
}

/* Joins what is left, as far as we may: 0, or -errno for what nobody may. */
static int64_t join_left(struct lc_ctx *c, const union lc_arg *a, int *left, int *any)
{
	*any = 0;
	for (size_t i = 0; i < KINDS; i++) {
		if (!left[i])
			continue;
		if (setns((int)a[1 + i].i, kinds[i].flag) == 0) {
			left[i] = 0;
		} else if (errno == EPERM) {
			*any = 1;
		} else {
			int64_t error = lc_fail(c, "setns");

			lc_detail(c, kinds[i].name);
			return error;
		}
	}
	return 0;
}

/*
 * joinNamespaces(user, cgroup, ipc, uts, net, time, pid, mnt): each a descriptor, or -1. What our own rights reach first, then the user namespace, then what
 * only its rights reach: no order of kinds would do for namespaces of several owners.
 */
int64_t lc_op_join_namespaces(struct lc_ctx *c, const union lc_arg *a)
{
	int left[KINDS], any;
	int64_t result = 0;

	/* Nothing is joined when one of them is of another kind. */
	if (a[0].i >= 0)
		result = check_type(c, (int)a[0].i, CLONE_NEWUSER);
	for (size_t i = 0; i < KINDS && result >= 0; i++) {
		left[i] = a[1 + i].i >= 0;
		if (left[i])
			result = check_type(c, (int)a[1 + i].i, kinds[i].flag);
	}
	if (result < 0)
		return result;
	result = join_left(c, a, left, &any);
	if (result == 0 && a[0].i >= 0) {
		if (setns((int)a[0].i, CLONE_NEWUSER) < 0) {
			result = lc_fail(c, "setns");
			lc_detail(c, "user");
			return result;
		}
		result = join_left(c, a, left, &any);
	}
	if (result == 0 && any) {
		list_left(c, left);
		return lc_refuse(c, "setns", EPERM);
	}
	return result;
}
