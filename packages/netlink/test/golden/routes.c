/*
 * Writes the bodies of messages about routes, rules, neighbours, nexthops, queueing disciplines and sockets as the kernel's headers lay them out:
 * what route-messages.ts beside this file has recorded.
 *
 *     gcc -Wall -o routes routes.c && ./routes
 */
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/lwtunnel.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned char buffer[8192];
static size_t size;

static void *put(const void *bytes, size_t count)
{
	void *at = buffer + size;

	memcpy(at, bytes, count);
	size += NLMSG_ALIGN(count);
	return at;
}

static struct nlattr *attribute(int type, const void *bytes, size_t count)
{
	struct nlattr header = { .nla_len = NLA_HDRLEN + count, .nla_type = type };
	struct nlattr *at = put(&header, sizeof(header));

	put(bytes, count);
	return at;
}

#define value(type, ...) attribute(type, &(__VA_ARGS__), sizeof(__VA_ARGS__))
static void u8(int type, uint8_t number) { value(type, number); }
static void u16(int type, uint16_t number) { value(type, number); }
static void u32(int type, uint32_t number) { value(type, number); }
static void u64(int type, uint64_t number) { value(type, number); }
static void s64(int type, int64_t number) { value(type, number); }
static void string(int type, const char *text) { attribute(type, text, strlen(text) + 1); }
static void mac(int type, const char *text)
{
	unsigned char bytes[6];

	sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", bytes, bytes + 1, bytes + 2, bytes + 3, bytes + 4, bytes + 5);
	attribute(type, bytes, sizeof(bytes));
}
static void address(int type, const char *text)
{
	unsigned char bytes[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	inet_pton(family, text, bytes);
	attribute(type, bytes, family == AF_INET ? 4 : 16);
}
static struct nlattr *open_at(int type) { return attribute(type, "", 0); }
static struct nlattr *nest(int type) { return open_at(type | NLA_F_NESTED); }
static void end(struct nlattr *of) { of->nla_len = buffer + size - (unsigned char *)of; }

static void begin(const void *header, size_t count)
{
	memset(buffer, 0, sizeof(buffer));
	size = 0;
	put(header, count);
}
#define BEGIN(type, ...) begin(&(struct type){ __VA_ARGS__ }, sizeof(struct type))

static void done(const char *name)
{
	printf("  %s:\n    '", name);
	for (size_t i = 0; i < size; i++)
		printf("%02x", buffer[i]);
	printf("',\n");
}

static void routes(void)
{
	BEGIN(rtmsg, .rtm_family = AF_INET, .rtm_dst_len = 16, .rtm_table = RT_TABLE_UNSPEC, .rtm_protocol = RTPROT_STATIC,
	      .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST, .rtm_flags = RTNH_F_ONLINK);
	address(RTA_DST, "10.1.0.0");
	u32(RTA_OIF, 3);
	address(RTA_GATEWAY, "192.0.2.1");
	u32(RTA_PRIORITY, 100);
	address(RTA_PREFSRC, "192.0.2.9");
	struct nlattr *metrics = nest(RTA_METRICS);
	u32(RTAX_MTU, 1400);
	string(RTAX_CC_ALGO, "reno");
	u32(RTAX_RTT, 12);
	u32(RTAX_QUICKACK, 1);
	u32(RTAX_LOCK, 1 << RTAX_MTU);
	end(metrics);
	u32(RTA_TABLE, 1000);
	done("route4");

	BEGIN(rtmsg, .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_scope = RT_SCOPE_UNIVERSE,
	      .rtm_type = RTN_UNICAST);
	address(RTA_GATEWAY, "172.17.42.1");
	u32(RTA_TABLE, RT_TABLE_MAIN);
	done("routeDefault4");

	BEGIN(rtmsg, .rtm_family = AF_INET, .rtm_dst_len = 24, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
	      .rtm_scope = RT_SCOPE_LINK, .rtm_type = RTN_UNICAST);
	address(RTA_DST, "192.0.2.0");
	u32(RTA_OIF, 2);
	u32(RTA_TABLE, RT_TABLE_MAIN);
	done("routeLink");

	BEGIN(rtmsg, .rtm_family = AF_INET6, .rtm_dst_len = 32, .rtm_src_len = 64, .rtm_table = RT_TABLE_MAIN,
	      .rtm_protocol = RTPROT_BOOT, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST);
	address(RTA_DST, "2001:db8::");
	address(RTA_SRC, "2001:db8:1::");
	struct nlattr *ways = open_at(RTA_MULTIPATH);
	struct rtnexthop *hop = put(&(struct rtnexthop){ .rtnh_ifindex = 3, .rtnh_hops = 1, .rtnh_flags = RTNH_F_ONLINK },
				    sizeof(struct rtnexthop));
	address(RTA_GATEWAY, "fe80::1");
	hop->rtnh_len = buffer + size - (unsigned char *)hop;
	hop = put(&(struct rtnexthop){ .rtnh_ifindex = 4 }, sizeof(struct rtnexthop));
	u16(RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_IP6);
	struct nlattr *encap = nest(RTA_ENCAP);
	u8(LWTUNNEL_IP6_HOPLIMIT, 9);
	end(encap);
	hop->rtnh_len = buffer + size - (unsigned char *)hop;
	end(ways);
	u32(RTA_TABLE, RT_TABLE_MAIN);
	u8(RTA_PREF, 1);
	u32(RTA_EXPIRES, 60);
	done("route6");

	BEGIN(rtmsg, .rtm_family = AF_INET, .rtm_dst_len = 8, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
	      .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST);
	address(RTA_DST, "10.0.0.0");
	u32(RTA_OIF, 3);
	u32(RTA_TABLE, RT_TABLE_MAIN);
	unsigned char via[sizeof(struct rtvia) + 16] = { 0 };
	((struct rtvia *)via)->rtvia_family = AF_INET6;
	inet_pton(AF_INET6, "fe80::2", ((struct rtvia *)via)->rtvia_addr);
	attribute(RTA_VIA, via, sizeof(via));
	done("routeVia");

	BEGIN(rtmsg, .rtm_family = AF_INET, .rtm_dst_len = 8, .rtm_table = RT_TABLE_MAIN, .rtm_scope = RT_SCOPE_NOWHERE);
	address(RTA_DST, "10.0.0.0");
	u32(RTA_TABLE, RT_TABLE_MAIN);
	done("routeDelete");

	BEGIN(rtmsg, .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_src_len = 32, .rtm_flags = RTM_F_LOOKUP_TABLE);
	address(RTA_DST, "198.51.100.7");
	address(RTA_SRC, "192.0.2.9");
	u32(RTA_MARK, 5);
	u8(RTA_IP_PROTO, 17);
	u16(RTA_DPORT, htons(53));
	done("routeGet");

	BEGIN(fib_rule_hdr, .family = AF_INET, .src_len = 24, .table = 100, .action = FR_ACT_TO_TBL, .flags = FIB_RULE_INVERT);
	address(FRA_SRC, "192.0.2.0");
	string(FRA_IIFNAME, "eth0");
	u32(FRA_PRIORITY, 500);
	u32(FRA_FWMARK, 16);
	u32(FRA_SUPPRESS_PREFIXLEN, 0);
	u32(FRA_TABLE, 100);
	u32(FRA_FWMASK, 255);
	value(FRA_UID_RANGE, (struct fib_rule_uid_range){ 1000, 2000 });
	u8(FRA_PROTOCOL, RTPROT_BOOT);
	u8(FRA_IP_PROTO, 6);
	value(FRA_DPORT_RANGE, (struct fib_rule_port_range){ 80, 90 });
	done("rule");
}

static void neighbours(void)
{
	BEGIN(ndmsg, .ndm_family = AF_INET, .ndm_ifindex = 3, .ndm_state = NUD_PERMANENT, .ndm_flags = NTF_ROUTER);
	address(NDA_DST, "192.0.2.7");
	mac(NDA_LLADDR, "02:42:ac:11:00:02");
	u8(NDA_PROTOCOL, RTPROT_STATIC);
	u32(NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	done("neighbour");

	BEGIN(ndmsg, .ndm_family = AF_BRIDGE, .ndm_ifindex = 4, .ndm_state = NUD_NOARP | NUD_REACHABLE, .ndm_flags = NTF_SELF);
	address(NDA_DST, "192.0.2.8");
	mac(NDA_LLADDR, "02:42:ac:11:00:02");
	u16(NDA_VLAN, 10);
	u16(NDA_PORT, htons(8472));
	u32(NDA_VNI, 42);
	u32(NDA_IFINDEX, 5);
	done("fdb");

	BEGIN(ifinfomsg, .ifi_family = AF_BRIDGE, .ifi_index = 4);
	struct nlattr *bridge = nest(IFLA_AF_SPEC);
	u16(IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS_SELF);
	value(IFLA_BRIDGE_VLAN_INFO, (struct bridge_vlan_info){ BRIDGE_VLAN_INFO_UNTAGGED | BRIDGE_VLAN_INFO_RANGE_BEGIN, 10 });
	value(IFLA_BRIDGE_VLAN_INFO, (struct bridge_vlan_info){ BRIDGE_VLAN_INFO_UNTAGGED | BRIDGE_VLAN_INFO_RANGE_END, 20 });
	end(bridge);
	done("bridgeVlans");

	BEGIN(nhmsg, .nh_family = AF_INET6, .nh_protocol = RTPROT_BOOT, .nh_flags = RTNH_F_ONLINK);
	u32(NHA_ID, 7);
	u32(NHA_OIF, 3);
	address(NHA_GATEWAY, "fe80::1");
	done("nextHop");

	BEGIN(nhmsg, .nh_protocol = RTPROT_BOOT);
	struct nexthop_grp members[] = { { .id = 7, .weight = 0 }, { .id = 8, .weight = 2 } };
	value(NHA_GROUP, members);
	u16(NHA_GROUP_TYPE, NEXTHOP_GRP_TYPE_RES);
	struct nlattr *resilient = nest(NHA_RES_GROUP);
	u16(NHA_RES_GROUP_BUCKETS, 32);
	u32(NHA_RES_GROUP_IDLE_TIMER, 6000);
	end(resilient);
	done("nextHopGroup");
}

static void disciplines(void)
{
	BEGIN(tcmsg, .tcm_ifindex = 3, .tcm_handle = 0x10000, .tcm_parent = TC_H_ROOT);
	string(TCA_KIND, "netem");
	struct nlattr *options = open_at(TCA_OPTIONS);
	struct tc_netem_qopt netem = {
		.latency = 100000000 / 64,
		.limit = 1000,
		.loss = 42949673,
		.gap = 1,
		.duplicate = UINT32_MAX,
		.jitter = 10000000 / 64,
	};
	put(&netem, sizeof(netem));
	value(TCA_NETEM_CORR, (struct tc_netem_corr){ .delay_corr = 1073741824 });
	value(TCA_NETEM_REORDER, (struct tc_netem_reorder){ .probability = 2147483648 });
	value(TCA_NETEM_CORRUPT, (struct tc_netem_corrupt){ 0 });
	value(TCA_NETEM_RATE, (struct tc_netem_rate){ .rate = UINT32_MAX, .packet_overhead = -4 });
	u64(TCA_NETEM_RATE64, 12500000000);
	s64(TCA_NETEM_LATENCY64, 100000000);
	s64(TCA_NETEM_JITTER64, 10000000);
	end(options);
	done("netem");

	BEGIN(tcmsg, .tcm_ifindex = 3, .tcm_parent = 0x10010);
	string(TCA_KIND, "tbf");
	options = open_at(TCA_OPTIONS);
	struct tc_tbf_qopt tbf = {
		.rate = { .linklayer = TC_LINKLAYER_ETHERNET, .rate = 125000 },
		.limit = 10000,
		.buffer = 5000 * 1000000000ll / 125000 / 64,
	};
	value(TCA_TBF_PARMS, tbf);
	u32(TCA_TBF_BURST, 5000);
	end(options);
	done("tbf");

	BEGIN(tcmsg, .tcm_ifindex = 3, .tcm_handle = 0x10000, .tcm_parent = TC_H_ROOT);
	string(TCA_KIND, "htb");
	options = open_at(TCA_OPTIONS);
	value(TCA_HTB_INIT, (struct tc_htb_glob){ .version = TC_HTB_PROTOVER, .rate2quantum = 10, .defcls = 0x20 });
	u32(TCA_HTB_DIRECT_QLEN, 500);
	end(options);
	done("htb");

	BEGIN(tcmsg, .tcm_ifindex = 3, .tcm_handle = 0x10020, .tcm_parent = 0x10000);
	string(TCA_KIND, "htb");
	options = open_at(TCA_OPTIONS);
	struct tc_htb_opt class = {
		.rate = { .linklayer = TC_LINKLAYER_ETHERNET, .rate = 125000, .mpu = 64 },
		.ceil = { .linklayer = TC_LINKLAYER_ETHERNET, .rate = 1250000, .mpu = 64 },
		.buffer = 1600 * 1000000000ll / 125000 / 64,
		.cbuffer = 2000 * 1000000000ll / 1250000 / 64,
		.prio = 3,
	};
	value(TCA_HTB_PARMS, class);
	end(options);
	done("htbClass");

	BEGIN(tcmsg, .tcm_ifindex = 3, .tcm_parent = TC_H_ROOT);
	string(TCA_KIND, "fq_codel");
	options = open_at(TCA_OPTIONS);
	u32(TCA_FQ_CODEL_TARGET, 5000);
	u32(TCA_FQ_CODEL_LIMIT, 1000);
	u32(TCA_FQ_CODEL_ECN, 0);
	u32(TCA_FQ_CODEL_MEMORY_LIMIT, 1 << 20);
	end(options);
	done("fqCodel");

	BEGIN(tcmsg, .tcm_ifindex = 3, .tcm_handle = 0xffff0000, .tcm_parent = TC_H_CLSACT);
	string(TCA_KIND, "clsact");
	done("clsact");

	BEGIN(tcmsg, .tcm_ifindex = 3, .tcm_handle = 0x10000, .tcm_parent = TC_H_ROOT, .tcm_info = 2);
	string(TCA_KIND, "pfifo");
	value(TCA_OPTIONS, (struct tc_fifo_qopt){ .limit = 5 });
	struct nlattr *statistics = open_at(TCA_STATS2);
	unsigned char basic[16] = { 0 };
	memcpy(basic, &(uint64_t){ 123456789012 }, 8);
	memcpy(basic + 8, &(uint32_t){ 77 }, 4);
	value(1 /* TCA_STATS_BASIC */, basic);
	value(3 /* TCA_STATS_QUEUE */, (uint32_t[]){ 1, 2, 3, 4, 5 });
	end(statistics);
	done("pfifo");
}

static void sockets(void)
{
	BEGIN(inet_diag_req_v2, .sdiag_family = AF_INET6, .sdiag_protocol = IPPROTO_TCP,
	      .idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1), .idiag_states = 1 << 10);
	done("tcpRequest");

	struct inet_diag_msg tcp = {
		.idiag_family = AF_INET,
		.idiag_state = 1,
		.id = { .idiag_sport = htons(80), .idiag_dport = htons(40000), .idiag_if = 3, .idiag_cookie = { 9, 1 } },
		.idiag_rqueue = 1,
		.idiag_wqueue = 2,
		.idiag_uid = 1000,
		.idiag_inode = 4711,
	};
	inet_pton(AF_INET, "192.0.2.1", tcp.id.idiag_src);
	inet_pton(AF_INET, "192.0.2.2", tcp.id.idiag_dst);
	begin(&tcp, sizeof(tcp));
	string(INET_DIAG_CONG, "cubic");
	unsigned char info[104] = { 1 };
	memcpy(info + 68, &(uint32_t){ 250 }, 4);
	memcpy(info + 80, &(uint32_t){ 10 }, 4);
	value(INET_DIAG_INFO, info);
	u32(INET_DIAG_MARK, 6);
	done("tcp");

	BEGIN(unix_diag_req, .sdiag_family = AF_UNIX, .udiag_states = 1 << 10,
	      .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID);
	done("unixRequest");

	BEGIN(unix_diag_msg, .udiag_family = AF_UNIX, .udiag_type = 1, .udiag_state = 10, .udiag_ino = 4712, .udiag_cookie = { 3, 0 });
	attribute(UNIX_DIAG_NAME, "\0bus", 4);
	value(UNIX_DIAG_ICONS, (uint32_t[]){ 11, 12 });
	value(UNIX_DIAG_RQLEN, (struct unix_diag_rqlen){ 2, 128 });
	u32(UNIX_DIAG_UID, 1000);
	done("unix");
}

int main(void)
{
	printf("/** Bodies of messages as routes.c beside this file lays them out. */\nexport const golden = {\n");
	routes();
	neighbours();
	disciplines();
	sockets();
	printf("} as const\n");
	return 0;
}
