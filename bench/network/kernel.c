/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel takes for a container's network, for the benchmark: a pair of veth, one end in a bridge and up, the other in a network namespace from its
 * first moment, where it gets an address, is brought up, and gets a default route. The messages are made before; what is timed is the kernel and
 * the system calls alone.
 *
 * usage: kernel BRIDGE      each line on its input is an order; answers "nanoseconds microseconds nanoseconds": by the clock, of the processor, and what the
 *                           network namespace took, which comes before
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

static const char host_name[] = "bench-host", name[] = "eth0";

static void fail(const char *what)
{
	printf("error %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t used(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000ll + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

/* Messages behind each other. */
struct buffer {
	uint8_t bytes[2048];
	size_t size;
	struct nlmsghdr *message;
};

static void *grow(struct buffer *b, size_t size)
{
	void *at = b->bytes + b->size;

	b->size += NLMSG_ALIGN(size);
	if (b->message)
		b->message->nlmsg_len = (uint32_t)(b->bytes + b->size - (uint8_t *)b->message);
	return at;
}

static void *message(struct buffer *b, int type, int flags, size_t size)
{
	b->message = NULL;
	b->message = grow(b, NLMSG_HDRLEN);
	b->message->nlmsg_type = (uint16_t)type;
	b->message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return grow(b, size);
}

static struct rtattr *attribute(struct buffer *b, int type, const void *value, size_t size)
{
	struct rtattr *a = grow(b, RTA_LENGTH(size));

	a->rta_type = (uint16_t)type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), value, size);
	return a;
}

static void end(struct buffer *b, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)(b->bytes + b->size - (uint8_t *)nest);
}

static int open_socket(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		fail("socket");
	return fd;
}

/* Sends messages in one call, and takes so many acknowledgements. */
static void ask(int fd, const struct buffer *b, int count, const char *what)
{
	static uint8_t answer[32768];

	if (send(fd, b->bytes, b->size, 0) < 0)
		fail("send");
	while (count-- > 0) {
		struct nlmsghdr *m = (void *)answer;

		if (recv(fd, answer, sizeof(answer), 0) < 0)
			fail("recv");
		if (m->nlmsg_type != NLMSG_ERROR)
			continue;
		errno = -((struct nlmsgerr *)NLMSG_DATA(m))->error;
		if (errno)
			fail(what);
	}
}

static void make_pair(struct buffer *b, int bridge, int namespace)
{
	struct ifinfomsg *link = message(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*link));
	struct rtattr *info, *data, *peer;

	link->ifi_flags = link->ifi_change = IFF_UP;
	attribute(b, IFLA_IFNAME, host_name, sizeof(host_name));
	attribute(b, IFLA_MASTER, &bridge, sizeof(bridge));
	info = attribute(b, IFLA_LINKINFO, NULL, 0);
	attribute(b, IFLA_INFO_KIND, "veth", 5);
	data = attribute(b, IFLA_INFO_DATA, NULL, 0);
	peer = attribute(b, VETH_INFO_PEER, NULL, 0);
	grow(b, sizeof(*link));
	attribute(b, IFLA_IFNAME, name, sizeof(name));
	attribute(b, IFLA_NET_NS_FD, &namespace, sizeof(namespace));
	end(b, peer);
	end(b, data);
	end(b, info);
}

static void settle(struct buffer *b, int index)
{
	struct ifaddrmsg *address = message(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*address));
	struct in_addr own = { inet_addr("10.99.0.2") }, gateway = { inet_addr("10.99.0.1") };
	struct ifinfomsg *link;
	struct rtmsg *route;

	address->ifa_family = AF_INET;
	address->ifa_prefixlen = 24;
	address->ifa_index = (unsigned)index;
	attribute(b, IFA_LOCAL, &own, sizeof(own));
	attribute(b, IFA_ADDRESS, &own, sizeof(own));
	link = message(b, RTM_NEWLINK, 0, sizeof(*link));
	link->ifi_index = index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	route = message(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*route));
	route->rtm_family = AF_INET;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_BOOT;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	attribute(b, RTA_GATEWAY, &gateway, sizeof(gateway));
	attribute(b, RTA_OIF, &index, sizeof(index));
}

int main(int argc, char **argv)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), host = open_socket(), bridge;
	char line[64];

	if (argc != 2 || home < 0 || (bridge = (int)if_nametoindex(argv[1])) == 0)
		fail("the bridge");
	while (fgets(line, sizeof(line), stdin)) {
		struct buffer pair = { .size = 0 }, rest = { .size = 0 }, away = { .size = 0 };
		int64_t begin = now(), start, took, before;
		int namespace, inside, index;

		if (unshare(CLONE_NEWNET) < 0)
			fail("unshare");
		start = now();
		before = used();
		namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (namespace < 0)
			fail("open");
		inside = open_socket();
		make_pair(&pair, bridge, namespace);
		ask(host, &pair, 1, "RTM_NEWLINK");
		index = (int)if_nametoindex(name);
		settle(&rest, index);
		ask(inside, &rest, 3, "the address, up, the route");
		took = now() - start;
		printf("%lld %lld %lld\n", (long long)took, (long long)(used() - before), (long long)(start - begin));
		fflush(stdout);

		message(&away, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
		attribute(&away, IFLA_IFNAME, host_name, sizeof(host_name));
		ask(host, &away, 1, "RTM_DELLINK");
		close(inside);
		close(namespace);
		if (setns(home, CLONE_NEWNET) < 0)
			fail("setns");
	}
	return 0;
}
