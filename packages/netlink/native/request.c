/* SPDX-License-Identifier: Apache-2.0 */
/* One request of rtnetlink's as a step of a plan: of init's, for the interfaces of its container, and of who makes them from outside. */
#include "ops.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#define INDEX 4u	/* bytes */
#define MOST 4096u

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

static int64_t ask(struct lc_ctx *c, int fd, const uint8_t *message, size_t size)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int on = 1;

	/* What a kernel lacks of it makes an error shorter. The order of both is that of linux/netlink.h. */
	for (int option = NETLINK_CAP_ACK; option <= NETLINK_EXT_ACK; option++)
		setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return lc_fail(c, "connect");
	if (send(fd, message, size, 0) < 0)
		return lc_fail(c, "sendmsg");
	return acknowledged(c, fd);
}

/* Puts in the index of a link. */
static int64_t complete(struct lc_ctx *c, int fd, uint8_t *place, const char *name)
{
	struct ifreq link = { 0 };

	if (!*name)
		return 0;
	strcpy(link.ifr_name, name);
	if (ioctl(fd, SIOCGIFINDEX, &link) < 0)
		return lc_fail(c, "ioctl(SIOCGIFINDEX)");
	memcpy(place, &link.ifr_ifindex, INDEX);
	return 0;
}

/*
 * requestNetlink(message, name of a link, or "", place): sends it, with the index of that link, which nobody has known before, at its place; waits for the
 * kernel's leave.
 */
int64_t lc_op_request_netlink(struct lc_ctx *c, const union lc_arg *a)
{
	uint8_t message[MOST];
	size_t size = a[0].b.size;
	uint64_t place = (uint64_t)a[2].i;
	int64_t result;
	int fd;

	if (size < NLMSG_HDRLEN + INDEX || size > MOST || place > size - INDEX || strlen(a[1].s) >= IFNAMSIZ)
		return lc_refuse(c, "sendmsg", EINVAL);
	memcpy(message, a[0].b.at, size);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return lc_fail(c, "socket");
	result = complete(c, fd, message + place, a[1].s);
	if (result == 0)
		result = ask(c, fd, message, size);
	close(fd);
	return result;
}

const struct lc_op lc_netlink_request_ops[] = {
	LC_REQUEST_NETLINK,
	{ 0 },
};
