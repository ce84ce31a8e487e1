/* SPDX-License-Identifier: Apache-2.0 */
/* One request of rtnetlink's by a process that is in the network namespace itself: init, for the interfaces of its container. */
#include "ops.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/netlink.h>

#define INDEX 4u	/* bytes */

/* The kernel's own words, behind an acknowledgement that repeats the header of the request alone: NLMSGERR_ATTR_MSG. */
static void tell_words(struct lc_ctx *c, const uint8_t *at, size_t size)
{
	struct nlattr a;

	for (; size >= sizeof(a); at += NLMSG_ALIGN(a.nla_len), size -= NLMSG_ALIGN(a.nla_len)) {
		memcpy(&a, at, sizeof(a));
		if (a.nla_len <= sizeof(a) || NLMSG_ALIGN(a.nla_len) > size)
			return;
		if ((a.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG && at[a.nla_len - 1] == 0)
			return lc_detail(c, (const char *)at + sizeof(a));
	}
}

static int64_t acknowledged(struct lc_ctx *c, int fd)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		uint8_t more[1024];
	} answer;
	ssize_t got = recv(fd, &answer, sizeof(answer), 0);

	if (got < 0)
		return lc_fail(c, "recv");
	if (got < (ssize_t)offsetof(typeof(answer), more) || answer.head.nlmsg_type != NLMSG_ERROR)
		return lc_refuse(c, "recv", EPROTO);
	if (answer.error.error == 0)
		return 0;
	if ((answer.head.nlmsg_flags & (NLM_F_ACK_TLVS | NLM_F_CAPPED)) == (NLM_F_ACK_TLVS | NLM_F_CAPPED))
		tell_words(c, answer.more, (size_t)got - offsetof(typeof(answer), more));
	return lc_refuse(c, "sendmsg", -answer.error.error);
}

static int64_t request(struct lc_ctx *c, int fd, const struct lc_bytes *message, const char *name, size_t place)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct ifreq link = { 0 };
	struct iovec parts[] = {
		{ message->at, place },
		{ &link.ifr_ifindex, INDEX },
		{ message->at + place + INDEX, message->size - place - INDEX },
	};
	struct msghdr all = { .msg_iov = parts, .msg_iovlen = 3 };
	int on = 1;

	strcpy(link.ifr_name, name);
	if (*name && ioctl(fd, SIOCGIFINDEX, &link) < 0)
		return lc_fail(c, "ioctl(SIOCGIFINDEX)");
	if (!*name)
		memcpy(&link.ifr_ifindex, message->at + place, INDEX);
	/* What a kernel lacks of it makes an error shorter. The order of both is that of linux/netlink.h. */
	for (int option = NETLINK_CAP_ACK; option <= NETLINK_EXT_ACK; option++)
		setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return lc_fail(c, "connect");
	if (sendmsg(fd, &all, 0) < 0)
		return lc_fail(c, "sendmsg");
	return acknowledged(c, fd);
}

/*
 * requestNetlink(message, name of a link, or "", place): sends it, with the index of that link, which nobody has known before, at its place; waits for the
 * kernel's leave.
 */
static int64_t op_request(struct lc_ctx *c, const union lc_arg *a)
{
	uint64_t place = (uint64_t)a[2].i;
	int64_t result;
	int fd;

	if (a[0].b.size < NLMSG_HDRLEN + INDEX || place > a[0].b.size - INDEX || strlen(a[1].s) >= IFNAMSIZ)
		return lc_refuse(c, "sendmsg", EINVAL);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return lc_fail(c, "socket");
	result = request(c, fd, &a[0].b, a[1].s, (size_t)place);
	close(fd);
	return result;
}

const struct lc_op lc_netlink_request_ops[] = {
	{ "requestNetlink", "bsi", op_request },
	{ 0 },
};
