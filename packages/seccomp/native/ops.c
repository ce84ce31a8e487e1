/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp(2): a filter for the calling thread, and what the kernel can do. */
#include "ops.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/seccomp.h; older headers lack some. */
#define SET_MODE_FILTER		1
#define GET_ACTION_AVAIL	2

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define NATIVE AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define NATIVE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define NATIVE AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE AUDIT_ARCH_PPC64LE
#elif defined(__powerpc64__)
#define NATIVE AUDIT_ARCH_PPC64
#elif defined(__loongarch64)
#define NATIVE (258 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)
#else
#define NATIVE 0
#endif

int64_t lc_confirm_one_thread(struct lc_ctx *c)
{
	/* A filter of one thread of several (Node.js) would be a trap that nobody can take away again. The flag
	 * changes nothing, and is EINVAL exactly where the process has more than one. */
	if (syscall(SYS_unshare, (long)CLONE_THREAD) == 0 || errno != EINVAL)
		return 0;
	lc_detail(c, "a process with several threads loads no filter");
	return lc_refuse(c, "seccomp", EPERM);
}

int64_t lc_load_filter(struct lc_ctx *c, const union lc_arg *a)
{
	struct sock_fprog program = {
		.len = (unsigned short)(a[1].b.size / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(void *)a[1].b.at,
	};
	long result;

	if (a[1].b.size % sizeof(struct sock_filter) != 0 || a[1].b.size > BPF_MAXINSNS * sizeof(struct sock_filter))
		return lc_refuse(c, "seccomp", EINVAL);
	result = syscall(SYS_seccomp, SET_MODE_FILTER, (unsigned long)a[0].i, &program);
	return result < 0 ? lc_fail(c, "seccomp") : result;
}

/* setSeccompFilter(flags, filter): 0, or the listener's descriptor (close-on-exec from the kernel) where NEW_LISTENER is among the flags. */
int64_t lc_op_set_seccomp_filter(struct lc_ctx *c, const union lc_arg *a)
{
	int64_t result = lc_confirm_one_thread(c);

	return result < 0 ? result : lc_load_filter(c, a);
}

/* A value of SECCOMP_RET_*: 1 where the kernel has it. */
static int64_t op_action_available(struct lc_ctx *c, const union lc_arg *a)
{
	uint32_t action = (uint32_t)a[0].i;

	(void)c;
	return syscall(SYS_seccomp, GET_ACTION_AVAIL, 0, &action) == 0;
}

/* Flags of SET_MODE_FILTER: 1 where the kernel has all. Nothing is loaded: no filter lies at address 0 (EFAULT). */
static int64_t op_flags_available(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	return syscall(SYS_seccomp, SET_MODE_FILTER, (unsigned long)a[0].i, NULL) < 0 && errno == EFAULT;
}

/* AUDIT_ARCH_* of this program, or 0 for one that it does not know. */
static int64_t op_native_architecture(struct lc_ctx *c, const union lc_arg *a)
{
	(void)c;
	(void)a;
	return (int64_t)(uint32_t)NATIVE;
}

const struct lc_op lc_seccomp_ops[] = {
	{ .name = "setSeccompFilter", .signature = "ib", .call = lc_op_set_seccomp_filter },
	{ .name = "seccompActionAvailable", .signature = "i", .call = op_action_available },
	{ .name = "seccompFlagsAvailable", .signature = "i", .call = op_flags_available },
	{ .name = "seccompNativeArchitecture", .signature = "", .call = op_native_architecture, .constant = 1 },
	{ .name = "receiveNotification", .signature = "ib", .call = lc_op_receive_notification },
	{ .name = "sendNotification", .signature = "iiiii", .call = lc_op_send_notification },
	{ .name = "notificationValid", .signature = "ii", .call = lc_op_notification_valid },
	{ .name = "addNotificationFd", .signature = "iiiiii", .call = lc_op_add_notification_fd },
	{ .name = "readProcessMemory", .signature = "iib", .call = lc_op_read_process_memory },
	{ 0 },
};
