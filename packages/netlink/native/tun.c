/* SPDX-License-Identifier: Apache-2.0 */
/* Tun and tap devices, which the kernel makes by ioctls on /dev/net/tun alone, in the namespace in which that was opened. */
#include "ops.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

static int64_t make(struct lc_ctx *c, int fd, const union lc_arg *a)
{
	struct ifreq request = { .ifr_flags = (short)a[2].i };

	if (strlen(a[1].s) >= sizeof(request.ifr_name))
		return lc_refuse(c, "ioctl(TUNSETIFF)", ENAMETOOLONG);
	strcpy(request.ifr_name, a[1].s);
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return lc_fail(c, "ioctl(TUNSETIFF)");
	if (a[3].i >= 0 && ioctl(fd, TUNSETOWNER, (unsigned long)a[3].i) < 0)
		return lc_fail(c, "ioctl(TUNSETOWNER)");
	if (a[4].i >= 0 && ioctl(fd, TUNSETGROUP, (unsigned long)a[4].i) < 0)
		return lc_fail(c, "ioctl(TUNSETGROUP)");
	/* Last: until then the device goes with the descriptor, so that what fails leaves none. */
	if (a[5].i && ioctl(fd, TUNSETPERSIST, 1UL) < 0)
		return lc_fail(c, "ioctl(TUNSETPERSIST)");
	return 0;
}

/* openTun(namespace or -1, name, flags, owner or -1, group or -1, persistent): a descriptor that packets are read from and written to. */
int64_t lc_op_open_tun(struct lc_ctx *c, const union lc_arg *a)
{
	static const char path[] = "/dev/net/tun";
	int64_t fd, result;

	if (a[0].i >= 0)
		fd = lc_open_in_network_namespace(c, (int)a[0].i, path, 0);
	else {
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			fd = lc_fail(c, "openat");
	}
	if (fd < 0)
		return fd;
	result = make(c, (int)fd, a);
	if (result < 0)
		close((int)fd);
	return result < 0 ? result : fd;
}
