/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities of the calling task, by raw calls: libc has no capset(2) of its own, and `init` links no libcap.
 * Masks are 64 bits wide, bit n for capability n, as in linux/capability.h.
 */
#include "ops.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

struct sets {
	uint64_t effective, permitted, inheritable;
};

/* prctl(2) reads every argument as a long, so each is passed as one. */
static long control(int option, unsigned long arg2, unsigned long arg3)
{
	return syscall(SYS_prctl, (long)option, arg2, arg3, 0UL, 0UL);
}

/*
 * Capabilities belong to a thread. In a process with several (Node.js) a change would leave them mixed, so it is
 * refused: unshare(CLONE_THREAD) changes nothing and is EINVAL exactly there. Any other answer, such as an outer
 * seccomp profile's EPERM, tells nothing and does not count.
 */
static int64_t alone(struct lc_ctx *c, const char *syscall_name)
{
	if (syscall(SYS_unshare, (long)CLONE_THREAD) == 0 || errno != EINVAL)
		return 0;
	lc_detail(c, "a process with several threads would end with mixed capabilities");
	return lc_refuse(c, syscall_name, EPERM);
}

static int64_t get(struct lc_ctx *c, struct sets *sets)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return lc_fail(c, "capget");
	sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	sets->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

static int64_t set(struct lc_ctx *c, const struct sets *sets)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)sets->effective, (uint32_t)sets->permitted, (uint32_t)sets->inheritable },
		{ (uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32), (uint32_t)(sets->inheritable >> 32) },
	};

	return syscall(SYS_capset, &header, data) < 0 ? lc_fail(c, "capset") : 0;
}

static int64_t op_drop_bounding(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t refused = alone(c, "prctl");

	if (refused < 0)
		return refused;
	/* PR_CAPBSET_READ is EINVAL past the kernel's last capability. */
	for (unsigned int cap = 0; cap < 64 && control(PR_CAPBSET_READ, cap, 0) >= 0; cap++) {
		if ((uint64_t)a[0].i >> cap & 1 || control(PR_CAPBSET_READ, cap, 0) == 0)
			continue;
		if (control(PR_CAPBSET_DROP, cap, 0) < 0)
			return lc_fail(c, "prctl");
	}
	return 0;
}

static int64_t op_set_keep_caps(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t refused = alone(c, "prctl");

	if (refused < 0)
		return refused;
	return control(PR_SET_KEEPCAPS, a[0].i != 0, 0) < 0 ? lc_fail(c, "prctl") : 0;
}

static int64_t op_set_capabilities(struct lc_ctx *c, const union lc_arg *a)
{
	struct sets sets = { (uint64_t)a[0].i, (uint64_t)a[1].i, (uint64_t)a[2].i };
	int64_t refused = alone(c, "capset");

	return refused < 0 ? refused : set(c, &sets);
}

static int64_t op_raise_effective(struct lc_ctx *c, const union lc_arg *a)
{
	struct sets sets = { 0 };
	int64_t result = alone(c, "capset");

	if (result < 0 || (result = get(c, &sets)) < 0)
		return result;
	sets.effective |= (uint64_t)a[0].i;
	return set(c, &sets);
}

static int64_t op_clear_inherited(struct lc_ctx *c, const union lc_arg *a)
{
	struct sets sets = { 0 };
	int64_t result = alone(c, "capset");

	(void)a;
	if (result < 0 || (result = get(c, &sets)) < 0)
		return result;
	/* An ambient capability that is no longer inheritable is no longer ambient: capabilities(7). */
	sets.inheritable = 0;
	return set(c, &sets);
}

/* The answer is the mask of what the kernel refused. */
static int64_t op_set_ambient(struct lc_ctx *c, const union lc_arg *a)
{
	uint64_t wanted = (uint64_t)a[0].i;
	int64_t refused = alone(c, "prctl");

	if (refused < 0)
		return refused;
	if (control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0) < 0)
		return lc_fail(c, "prctl");
	for (unsigned int cap = 0; cap < 63; cap++) {
		if (!(wanted >> cap & 1) || control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap) == 0)
			continue;
		if (a[1].i)
			return lc_fail(c, "prctl");
		refused |= (int64_t)1 << cap;
	}
	return refused;
}

static int64_t op_set_secure_bits(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t refused = alone(c, "prctl");

	if (refused < 0)
		return refused;
	return control(PR_SET_SECUREBITS, (unsigned long)a[0].i, 0) < 0 ? lc_fail(c, "prctl") : 0;
}

static int64_t op_get_secure_bits(struct lc_ctx *c, const union lc_arg *a)
{
	long bits = control(PR_GET_SECUREBITS, 0, 0);

	(void)a;
	return bits < 0 ? lc_fail(c, "prctl") : bits;
}

const struct lc_op lc_capabilities_ops[] = {
	{ .name = "dropBounding", .signature = "i", .call = op_drop_bounding },		/* the mask to keep */
	{ .name = "setKeepCaps", .signature = "i", .call = op_set_keep_caps },		/* 1 or 0 */
	{ .name = "setCapabilities", .signature = "iii", .call = op_set_capabilities },	/* effective, permitted, inheritable */
	{ .name = "raiseEffective", .signature = "i", .call = op_raise_effective },	/* the mask to add */
	{ .name = "clearInherited", .signature = "", .call = op_clear_inherited },
	{ .name = "setAmbient", .signature = "ii", .call = op_set_ambient },		/* mask, strict */
	{ .name = "setSecureBits", .signature = "i", .call = op_set_secure_bits },
	{ .name = "getSecureBits", .signature = "", .call = op_get_secure_bits },
	{ 0 },
};
