/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink sockets. What the messages mean is TypeScript's to know. */
#include "namespace.h"
#include "ops.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/sockios.h>

/* The kernel makes dumps in datagrams of 32 KiB. An answer that is longer has one attribute of 64 KiB, and little more: a link with many virtual functions. */
#define ENOUGH 131072
/* Datagrams of one call: whoever else may send to us must not keep a thread for ever. */
#define MOST 1024
/* Of one sendto: each message is answered before it returns, and who may not have a larger queue has one for a hundred answers that are links. */
#define MOST_MESSAGES 32
#define MOST_BYTES 32768

struct outcome {
	int32_t error;		/* why no more was received; 0: there may be more */
	uint32_t strangers;	/* datagrams of other processes, which were dropped */
	uint32_t sent;		/* bytes of the messages that the kernel has taken */
	int32_t refused;	/* why it has not taken what is behind them; 0: there was no room for the answers, if anything is */
};

/* The size of what goes with one sendto: whole messages, one at least. */
static size_t portion(const uint8_t *at, size_t size)
{
	size_t done = 0;

	for (int i = 0; i < MOST_MESSAGES && done < size; i++) {
		uint32_t length;

		if (size - done < sizeof(length))
			return size;
		memcpy(&length, at + done, sizeof(length));
		length = NLMSG_ALIGN(length);
		if (length == 0 || length > size - done)
			return size;
		if (i > 0 && done + length > MOST_BYTES)
			break;
		done += length;
	}
	return done;
}

/* One datagram: its size; 0 for one that is not the kernel's; or -errno. */
static int64_t receive(int fd, uint8_t *at, size_t room)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = at, .iov_len = room };
	struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t got;

	do
		got = recvmsg(fd, &message, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -(int64_t)errno;
	/* A connected socket hears no other process, but for what one sends to a group. */
	if (from.nl_pid != 0 || message.msg_namelen < sizeof(from))
		return 0;
	return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : got;
}

/* Takes what is there behind what was taken before: how many bytes there are then. */
static size_t take(int fd, uint8_t *at, size_t done, size_t room, struct outcome *outcome)
{
	outcome->error = 0;
	for (int i = 0; i < MOST && done + ENOUGH <= room; i++) {
		/* There is room to fill the last up. */
		int64_t got = receive(fd, at + done, (room - done) & ~(size_t)3);

		if (got < 0) {
			outcome->error = (int32_t)-got;
			break;
		}
		if (got == 0)
			outcome->strangers++;
		done += (size_t)got;
		while (done & 3)
			at[done++] = 0;
	}
	return done;
}

/*
 * exchangeNetlink(fd, messages, buffer, outcome): sends messages, as many as there is room for their answers, and takes what is there then, datagram behind
 * datagram, each at a multiple of 4; how many bytes. The kernel has answered most requests when sendto returns, so that this is one change of threads for many.
 */
static int64_t op_exchange(struct lc_ctx *c, const union lc_arg *a)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct outcome outcome = { 0 };
	size_t done = 0, size = a[1].b.size;
	int fd = (int)a[0].i;

	if (a[3].b.size < sizeof(outcome))
		return lc_refuse(c, "recvmsg", EINVAL);
	do {
		if (size > 0) {
			const uint8_t *at = a[1].b.at + outcome.sent;
			size_t some = portion(at, size - outcome.sent);
			ssize_t sent;

			do
				sent = sendto(fd, at, some, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&kernel, sizeof(kernel));
			while (sent < 0 && errno == EINTR);
			if (sent < 0)
				outcome.refused = errno;
			else
				outcome.sent += (uint32_t)some;
		}
		done = take(fd, a[2].b.at, done, a[2].b.size, &outcome);
		/* What is lost is told before more is asked. */
	} while (outcome.sent < size && outcome.refused == 0 && outcome.error == EAGAIN && done + ENOUGH <= a[2].b.size);
	memcpy(a[3].b.at, &outcome, sizeof(outcome));
	return (int64_t)done;
}

/* joinNetlinkGroup(fd, group, 1 to join and 0 to leave): by number, which is not a bit of a mask. */
static int64_t op_join_group(struct lc_ctx *c, const union lc_arg *a)
{
	int group = (int)a[1].i;

	if (setsockopt((int)a[0].i, SOL_NETLINK, a[2].i ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group, sizeof(group)) < 0)
		return lc_fail(c, a[2].i ? "setsockopt(NETLINK_ADD_MEMBERSHIP)" : "setsockopt(NETLINK_DROP_MEMBERSHIP)");
	return 0;
}

/* isBridge(name): 1 when a link of this namespace is a bridge. */
static int64_t op_is_bridge(struct lc_ctx *c, const union lc_arg *a)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq link = { .ifr_data = (void *)&driver };
	int64_t result = 0;
	int fd;

	if (strlen(a[0].s) >= IFNAMSIZ)
		return lc_refuse(c, "ioctl(SIOCETHTOOL)", ENODEV);
	strcpy(link.ifr_name, a[0].s);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return lc_fail(c, "socket");
	if (ioctl(fd, SIOCETHTOOL, &link) < 0)
		result = lc_fail(c, "ioctl(SIOCETHTOOL)");
	else
		result = strcmp(driver.driver, "bridge") == 0;
	close(fd);
	return result;
}

const struct lc_op lc_netlink_ops[] = {
	{ "openNetlink", "iiib", lc_op_open_netlink, 0 },
	{ "openTun", "isiiii", lc_op_open_tun, 0 },
	{ "exchangeNetlink", "ibob", op_exchange, 0 },
	{ "joinNetlinkGroup", "iii", op_join_group, 0 },
	LC_REQUEST_NETLINK,
	{ "isBridge", "s", op_is_bridge, 0 },
	{ "makeNetworkNamespace", "", lc_op_make_network_namespace, 0 },
	{ "shareMounts", "s", lc_op_share_mounts, 0 },
	{ "becomeInNetworkNamespace", "ibbbb", lc_op_become_in_network_namespace, 0 },
	{ 0 },
};
