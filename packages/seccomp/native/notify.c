/* SPDX-License-Identifier: Apache-2.0 */
/* User notification: what a listener does. seccomp_unotify(2). */
#include "ops.h"

#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * receiveNotification(listener, result): result is struct seccomp_notif. It waits where none is there: poll first. ENOENT where the call that was
 * told of has been interrupted meanwhile.
 */
int64_t lc_op_receive_notification(struct lc_ctx *c, const union lc_arg *a)
{
	struct seccomp_notif notification = { 0 };

	if (a[1].b.size < sizeof(notification))
		return lc_refuse(c, "ioctl(SECCOMP_IOCTL_NOTIF_RECV)", EINVAL);
	if (ioctl((int)a[0].i, SECCOMP_IOCTL_NOTIF_RECV, &notification) < 0)
		return lc_fail(c, "ioctl(SECCOMP_IOCTL_NOTIF_RECV)");
	memcpy(a[1].b.at, &notification, sizeof(notification));
	return 0;
}

/* sendNotification(listener, id, result of the call, -errno of the call, flags) */
int64_t lc_op_send_notification(struct lc_ctx *c, const union lc_arg *a)
{
	struct seccomp_notif_resp answer = {
		.id = (uint64_t)a[1].i, .val = a[2].i, .error = (int32_t)a[3].i, .flags = (uint32_t)a[4].i,
	};

	return ioctl((int)a[0].i, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? lc_fail(c, "ioctl(SECCOMP_IOCTL_NOTIF_SEND)") : 0;
}

/* notificationValid(listener, id): ENOENT where the call waits no more. */
int64_t lc_op_notification_valid(struct lc_ctx *c, const union lc_arg *a)
{
	uint64_t id = (uint64_t)a[1].i;

	return ioctl((int)a[0].i, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 ? lc_fail(c, "ioctl(SECCOMP_IOCTL_NOTIF_ID_VALID)") : 0;
}

/*
 * addNotificationFd(listener, id, flags, our descriptor, its number there, O_CLOEXEC or 0): its number there. It waits until whoever made the call
 * has taken it.
 */
int64_t lc_op_add_notification_fd(struct lc_ctx *c, const union lc_arg *a)
{
	struct seccomp_notif_addfd add = {
		.id = (uint64_t)a[1].i, .flags = (uint32_t)a[2].i, .srcfd = (uint32_t)a[3].i, .newfd = (uint32_t)a[4].i,
		.newfd_flags = (uint32_t)a[5].i,
	};
	int fd = ioctl((int)a[0].i, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	return fd < 0 ? lc_fail(c, "ioctl(SECCOMP_IOCTL_NOTIF_ADDFD)") : fd;
}

/* readProcessMemory(pid, address, buffer): how many bytes were read. EFAULT where nothing is. */
int64_t lc_op_read_process_memory(struct lc_ctx *c, const union lc_arg *a)
{
	struct iovec ours = { a[2].b.at, a[2].b.size }, theirs = { (void *)(uintptr_t)a[1].i, a[2].b.size };
	long got = syscall(SYS_process_vm_readv, (long)a[0].i, &ours, 1ul, &theirs, 1ul, 0ul);

	return got < 0 ? lc_fail(c, "process_vm_readv") : got;
}
