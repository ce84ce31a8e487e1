/*
 * Writes the bodies of messages about links and addresses as the kernel's headers lay them out: what messages.ts beside this file has recorded.
 *
 *     gcc -Wall -o links links.c && ./links
 */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/if_vlan.h>
#include <linux/veth.h>
#include <linux/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned char buffer[4096];
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

static void u8(int type, uint8_t value) { attribute(type, &value, 1); }
static void u16(int type, uint16_t value) { attribute(type, &value, 2); }
static void u32(int type, uint32_t value) { attribute(type, &value, 4); }
static void u64(int type, uint64_t value) { attribute(type, &value, 8); }
static void be16(int type, uint16_t value) { u16(type, htons(value)); }
static void be32(int type, uint32_t value) { u32(type, htonl(value)); }
static void string(int type, const char *text) { attribute(type, text, strlen(text) + 1); }
static void mac(int type, const char *text)
{
	unsigned char bytes[ETH_ALEN];

	sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", bytes, bytes + 1, bytes + 2, bytes + 3, bytes + 4, bytes + 5);
	attribute(type, bytes, sizeof(bytes));
}
static void address(int family, int type, const char *text)
{
	unsigned char bytes[16];

	inet_pton(family, text, bytes);
	attribute(type, bytes, family == AF_INET ? 4 : 16);
}
static struct nlattr *nest(int type) { return attribute(type | NLA_F_NESTED, "", 0); }
static void end(struct nlattr *nest) { nest->nla_len = buffer + size - (unsigned char *)nest; }
static struct nlattr *plain;

static void link_header(int index, unsigned int flags, unsigned int change)
{
	struct ifinfomsg header = { .ifi_index = index, .ifi_flags = flags, .ifi_change = change };

	put(&header, sizeof(header));
}

static void address_header(int family, int length, int flags, int scope, int index)
{
	struct ifaddrmsg header = { family, length, flags, scope, index };

	put(&header, sizeof(header));
}

static void print(const char *name)
{
	printf("  %s: '", name);
	for (size_t i = 0; i < size; i++)
		printf("%02x", buffer[i]);
	printf("',\n");
	memset(buffer, 0, sizeof(buffer));
	size = 0;
}

static struct nlattr *info, *data;
static void kind(const char *name)
{
	info = nest(IFLA_LINKINFO);
	string(IFLA_INFO_KIND, name);
	data = nest(IFLA_INFO_DATA);
}
static void kind_end(const char *name)
{
	end(data);
	end(info);
	print(name);
}

int main(void)
{
	struct nlattr *inner, *inmost;

	printf("// Written by links.c.\nexport const golden = {\n");

	link_header(0, IFF_UP, IFF_UP);
	string(IFLA_IFNAME, "d0");
	u32(IFLA_MTU, 1400);
	mac(IFLA_ADDRESS, "02:42:ac:11:00:02");
	u32(IFLA_TXQLEN, 77);
	u32(IFLA_GROUP, 5);
	u32(IFLA_NUM_TX_QUEUES, 2);
	u32(IFLA_NUM_RX_QUEUES, 3);
	u32(IFLA_MASTER, 9);
	u32(IFLA_NET_NS_PID, 4711);
	info = nest(IFLA_LINKINFO);
	string(IFLA_INFO_KIND, "dummy");
	end(info);
	print("dummy");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "a");
	u32(IFLA_TXQLEN, 100);
	info = nest(IFLA_LINKINFO);
	string(IFLA_INFO_KIND, "veth");
	data = nest(IFLA_INFO_DATA);
	/* A header and attributes, and so no nest. */
	plain = attribute(VETH_INFO_PEER, "", 0);
	link_header(0, 0, 0);
	string(IFLA_IFNAME, "b");
	mac(IFLA_ADDRESS, "02:00:00:00:00:0b");
	u32(IFLA_TXQLEN, 100);
	u32(IFLA_NET_NS_FD, 13);
	end(plain);
	kind_end("veth");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "br0");
	kind("bridge");
	u32(IFLA_BR_FORWARD_DELAY, 400);
	u32(IFLA_BR_HELLO_TIME, 200);
	u32(IFLA_BR_MAX_AGE, 2000);
	u32(IFLA_BR_AGEING_TIME, 30000);
	u32(IFLA_BR_STP_STATE, 1);
	u16(IFLA_BR_PRIORITY, 4096);
	u8(IFLA_BR_VLAN_FILTERING, 1);
	be16(IFLA_BR_VLAN_PROTOCOL, ETH_P_8021AD);
	u16(IFLA_BR_GROUP_FWD_MASK, 8);
	mac(IFLA_BR_GROUP_ADDR, "01:80:c2:00:00:0e");
	u8(IFLA_BR_MCAST_ROUTER, 2);
	u8(IFLA_BR_MCAST_SNOOPING, 0);
	u8(IFLA_BR_MCAST_QUERIER, 1);
	u32(IFLA_BR_MCAST_HASH_MAX, 512);
	u64(IFLA_BR_MCAST_QUERY_INTVL, 12500);
	u8(IFLA_BR_NF_CALL_IPTABLES, 1);
	u16(IFLA_BR_VLAN_DEFAULT_PVID, 7);
	u8(IFLA_BR_VLAN_STATS_ENABLED, 1);
	u8(IFLA_BR_MCAST_MLD_VERSION, 2);
	inner = attribute(IFLA_BR_MULTI_BOOLOPT, &(uint32_t[]){ 1, 3 }, 8);
	(void)inner;
	kind_end("bridge");

	link_header(4, 0, 0);
	info = nest(IFLA_LINKINFO);
	string(IFLA_INFO_SLAVE_KIND, "bridge");
	data = nest(IFLA_INFO_SLAVE_DATA);
	u8(IFLA_BRPORT_STATE, 3);
	u16(IFLA_BRPORT_PRIORITY, 16);
	u32(IFLA_BRPORT_COST, 5);
	u8(IFLA_BRPORT_MODE, 1);
	u8(IFLA_BRPORT_GUARD, 1);
	u8(IFLA_BRPORT_PROTECT, 0);
	u8(IFLA_BRPORT_FAST_LEAVE, 1);
	u8(IFLA_BRPORT_LEARNING, 0);
	u8(IFLA_BRPORT_UNICAST_FLOOD, 0);
	u8(IFLA_BRPORT_PROXYARP, 1);
	u8(IFLA_BRPORT_MULTICAST_ROUTER, 1);
	u8(IFLA_BRPORT_MCAST_FLOOD, 0);
	u8(IFLA_BRPORT_VLAN_TUNNEL, 1);
	u8(IFLA_BRPORT_BCAST_FLOOD, 0);
	u8(IFLA_BRPORT_NEIGH_SUPPRESS, 1);
	u8(IFLA_BRPORT_ISOLATED, 1);
	u32(IFLA_BRPORT_BACKUP_PORT, 6);
	u8(IFLA_BRPORT_LOCKED, 1);
	kind_end("bridgePort");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "m0");
	u32(IFLA_LINK, 2);
	kind("macvlan");
	u32(IFLA_MACVLAN_MODE, MACVLAN_MODE_SOURCE);
	u16(IFLA_MACVLAN_FLAGS, MACVLAN_FLAG_NOPROMISC);
	u32(IFLA_MACVLAN_MACADDR_MODE, MACVLAN_MACADDR_SET);
	inner = nest(IFLA_MACVLAN_MACADDR_DATA);
	mac(IFLA_MACVLAN_MACADDR, "02:00:00:00:00:01");
	mac(IFLA_MACVLAN_MACADDR, "02:00:00:00:00:02");
	end(inner);
	u32(IFLA_MACVLAN_BC_QUEUE_LEN, 500);
	kind_end("macvlan");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "t0");
	u32(IFLA_LINK, 2);
	kind("macvtap");
	u32(IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	kind_end("macvtap");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "i0");
	u32(IFLA_LINK, 2);
	kind("ipvlan");
	u16(IFLA_IPVLAN_MODE, IPVLAN_MODE_L3S);
	u16(IFLA_IPVLAN_FLAGS, IPVLAN_F_VEPA);
	kind_end("ipvlan");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "v100");
	u32(IFLA_LINK, 2);
	kind("vlan");
	u16(IFLA_VLAN_ID, 100);
	attribute(IFLA_VLAN_FLAGS, &(struct ifla_vlan_flags){ VLAN_FLAG_REORDER_HDR | VLAN_FLAG_LOOSE_BINDING, 31 }, 8);
	inner = nest(IFLA_VLAN_EGRESS_QOS);
	attribute(IFLA_VLAN_QOS_MAPPING, &(struct ifla_vlan_qos_mapping){ 1, 5 }, 8);
	end(inner);
	be16(IFLA_VLAN_PROTOCOL, ETH_P_8021AD);
	kind_end("vlan");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "vx0");
	kind("vxlan");
	u32(IFLA_VXLAN_ID, 0xabcdef);
	u32(IFLA_VXLAN_LINK, 2);
	u8(IFLA_VXLAN_TTL, 16);
	u8(IFLA_VXLAN_LEARNING, 0);
	u32(IFLA_VXLAN_AGEING, 300);
	attribute(IFLA_VXLAN_PORT_RANGE, &(struct ifla_vxlan_port_range){ htons(32768), htons(61000) }, 4);
	be16(IFLA_VXLAN_PORT, 4789);
	u8(IFLA_VXLAN_UDP_CSUM, 1);
	attribute(IFLA_VXLAN_GBP, "", 0);
	u8(IFLA_VXLAN_COLLECT_METADATA, 0);
	be32(IFLA_VXLAN_LABEL, 0x12345);
	u8(IFLA_VXLAN_DF, VXLAN_DF_SET);
	address(AF_INET, IFLA_VXLAN_GROUP, "239.1.1.1");
	address(AF_INET, IFLA_VXLAN_LOCAL, "192.0.2.1");
	kind_end("vxlan");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "vx6");
	kind("vxlan");
	u32(IFLA_VXLAN_ID, 1);
	address(AF_INET6, IFLA_VXLAN_GROUP6, "ff05::100");
	address(AF_INET6, IFLA_VXLAN_LOCAL6, "2001:db8::1");
	kind_end("vxlan6");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "bond0");
	kind("bond");
	u8(IFLA_BOND_MODE, 1);
	u32(IFLA_BOND_ACTIVE_SLAVE, 3);
	u32(IFLA_BOND_MIIMON, 100);
	u32(IFLA_BOND_UPDELAY, 200);
	u32(IFLA_BOND_DOWNDELAY, 300);
	u8(IFLA_BOND_USE_CARRIER, 1);
	u32(IFLA_BOND_ARP_INTERVAL, 1000);
	inner = nest(IFLA_BOND_ARP_IP_TARGET);
	address(AF_INET, 0, "192.0.2.1");
	address(AF_INET, 1, "192.0.2.2");
	end(inner);
	u32(IFLA_BOND_ARP_VALIDATE, 3);
	u32(IFLA_BOND_ARP_ALL_TARGETS, 1);
	u32(IFLA_BOND_PRIMARY, 3);
	u8(IFLA_BOND_PRIMARY_RESELECT, 2);
	u8(IFLA_BOND_FAIL_OVER_MAC, 1);
	u8(IFLA_BOND_XMIT_HASH_POLICY, 1);
	u32(IFLA_BOND_RESEND_IGMP, 2);
	u8(IFLA_BOND_NUM_PEER_NOTIF, 4);
	u8(IFLA_BOND_ALL_SLAVES_ACTIVE, 1);
	u32(IFLA_BOND_MIN_LINKS, 1);
	u32(IFLA_BOND_LP_INTERVAL, 2);
	u32(IFLA_BOND_PACKETS_PER_SLAVE, 8);
	u8(IFLA_BOND_AD_LACP_RATE, 1);
	u8(IFLA_BOND_AD_SELECT, 2);
	u16(IFLA_BOND_AD_ACTOR_SYS_PRIO, 1000);
	u16(IFLA_BOND_AD_USER_PORT_KEY, 11);
	mac(IFLA_BOND_AD_ACTOR_SYSTEM, "02:00:00:00:00:09");
	u8(IFLA_BOND_TLB_DYNAMIC_LB, 0);
	u32(IFLA_BOND_PEER_NOTIF_DELAY, 500);
	u8(IFLA_BOND_AD_LACP_ACTIVE, 1);
	u8(IFLA_BOND_MISSED_MAX, 5);
	inner = nest(IFLA_BOND_NS_IP6_TARGET);
	address(AF_INET6, 0, "2001:db8::1");
	end(inner);
	kind_end("bond");

	link_header(4, 0, 0);
	info = nest(IFLA_LINKINFO);
	string(IFLA_INFO_SLAVE_KIND, "bond");
	data = nest(IFLA_INFO_SLAVE_DATA);
	u16(IFLA_BOND_SLAVE_QUEUE_ID, 2);
	u32(IFLA_BOND_SLAVE_PRIO, (uint32_t)-3);
	kind_end("bondPort");

	link_header(0, 0, 0);
	string(IFLA_IFNAME, "red");
	kind("vrf");
	u32(IFLA_VRF_TABLE, 10);
	kind_end("vrf");

	link_header(3, IFF_PROMISC, IFF_UP | IFF_PROMISC | IFF_NOARP);
	string(IFLA_IFNAME, "new");
	u32(IFLA_MTU, 9000);
	u32(IFLA_MASTER, 0);
	/* As long as it is. */
	attribute(IFLA_IFALIAS, "to the world", 12);
	u8(IFLA_CARRIER, 1);
	u8(IFLA_PROTO_DOWN, 0);
	inner = nest(IFLA_AF_SPEC);
	inmost = nest(AF_INET6);
	u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	end(inmost);
	end(inner);
	print("set");

	link_header(0, 0, IFF_UP);
	string(IFLA_IFNAME, "eth0");
	print("down");

	link_header(7, 0, 0);
	kind("bridge");
	u32(IFLA_BR_STP_STATE, 0);
	kind_end("change");

	link_header(3, 0, 0);
	string(IFLA_IFNAME, "eth%d");
	u32(IFLA_NET_NS_FD, 21);
	u32(IFLA_NEW_IFINDEX, 8);
	print("move");

	link_header(0, 0, 0);
	string(IFLA_ALT_IFNAME, "a-name-of-more-than-fifteen-bytes");
	print("byAlternativeName");

	link_header(3, 0, 0);
	inner = nest(IFLA_PROP_LIST);
	string(IFLA_ALT_IFNAME, "first");
	string(IFLA_ALT_IFNAME, "second-and-longer-than-15");
	end(inner);
	print("alternativeNames");

	link_header(3, 0, 0);
	u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	print("get");

	link_header(0, 0, 0);
	u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	u32(IFLA_MASTER, 9);
	info = nest(IFLA_LINKINFO);
	string(IFLA_INFO_KIND, "veth");
	end(info);
	print("list");

	address_header(AF_INET, 24, 0, RT_SCOPE_UNIVERSE, 3);
	address(AF_INET, IFA_LOCAL, "192.0.2.1");
	address(AF_INET, IFA_ADDRESS, "192.0.2.1");
	string(IFA_LABEL, "eth0:x");
	address(AF_INET, IFA_BROADCAST, "192.0.2.255");
	attribute(IFA_CACHEINFO, &(struct ifa_cacheinfo){ 60, 120, 0, 0 }, sizeof(struct ifa_cacheinfo));
	u32(IFA_FLAGS, IFA_F_NOPREFIXROUTE);
	u32(IFA_RT_PRIORITY, 50);
	u8(IFA_PROTO, 66);
	print("address4");

	address_header(AF_INET, 30, 0, RT_SCOPE_LINK, 3);
	address(AF_INET, IFA_LOCAL, "10.0.0.1");
	address(AF_INET, IFA_ADDRESS, "10.0.0.2");
	print("addressPeer");

	address_header(AF_INET, 8, 0, RT_SCOPE_HOST, 1);
	address(AF_INET, IFA_LOCAL, "127.0.0.1");
	address(AF_INET, IFA_ADDRESS, "127.0.0.1");
	print("addressLoopback");

	address_header(AF_INET6, 64, IFA_F_NODAD, RT_SCOPE_UNIVERSE, 3);
	address(AF_INET6, IFA_LOCAL, "2001:db8::1");
	address(AF_INET6, IFA_ADDRESS, "2001:db8::1");
	attribute(IFA_CACHEINFO, &(struct ifa_cacheinfo){ 0, 0xffffffff, 0, 0 }, sizeof(struct ifa_cacheinfo));
	u32(IFA_FLAGS, IFA_F_NODAD | IFA_F_MCAUTOJOIN);
	print("address6");

	address_header(AF_INET6, 0, 0, 0, 3);
	print("addressList");

	/* As the kernel tells of one, which leaves the flag of a nest out in places. */
	put(&(struct ifinfomsg){ .ifi_type = 1, .ifi_index = 5, .ifi_flags = 0x11043 }, sizeof(struct ifinfomsg));
	string(IFLA_IFNAME, "p0");
	u32(IFLA_TXQLEN, 1000);
	u8(IFLA_OPERSTATE, IF_OPER_UP);
	u32(IFLA_MTU, 1500);
	u32(IFLA_MIN_MTU, 68);
	u32(IFLA_MAX_MTU, 65535);
	u32(IFLA_GROUP, 0);
	u32(IFLA_PROMISCUITY, 1);
	u32(IFLA_MASTER, 9);
	u8(IFLA_CARRIER, 1);
	string(IFLA_QDISC, "noqueue");
	mac(IFLA_ADDRESS, "02:00:00:00:00:05");
	mac(IFLA_BROADCAST, "ff:ff:ff:ff:ff:ff");
	u32(IFLA_LINK, 2);
	u32(IFLA_LINK_NETNSID, 0);
	{
		struct rtnl_link_stats64 statistics = { .rx_packets = 1, .tx_packets = 2, .rx_bytes = 1ull << 32, .tx_bytes = -1ull, .rx_otherhost_dropped = 7 };

		attribute(IFLA_STATS64, &statistics, sizeof(statistics));
	}
	info = attribute(IFLA_LINKINFO, "", 0);
	string(IFLA_INFO_KIND, "macvlan");
	data = attribute(IFLA_INFO_DATA, "", 0);
	u32(IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	u16(IFLA_MACVLAN_FLAGS, 0);
	end(data);
	string(IFLA_INFO_SLAVE_KIND, "bridge");
	data = attribute(IFLA_INFO_SLAVE_DATA, "", 0);
	u8(IFLA_BRPORT_STATE, 3);
	u8(IFLA_BRPORT_MODE, 1);
	attribute(IFLA_BRPORT_BRIDGE_ID, "\x80\0\2\0\0\0\0\x09", 8);
	u64(IFLA_BRPORT_HOLD_TIMER, 3);
	end(data);
	end(info);
	inner = nest(IFLA_PROP_LIST);
	string(IFLA_ALT_IFNAME, "first");
	string(IFLA_ALT_IFNAME, "second");
	end(inner);
	inner = attribute(IFLA_AF_SPEC, "", 0);
	inmost = attribute(AF_INET6, "", 0);
	u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_EUI64);
	end(inmost);
	end(inner);
	u16(0x3ff0, 77);
	print("told");

	address_header(AF_INET6, 64, IFA_F_PERMANENT, RT_SCOPE_LINK, 5);
	address(AF_INET6, IFA_ADDRESS, "fe80::5");
	attribute(IFA_CACHEINFO, &(struct ifa_cacheinfo){ 0xffffffff, 0xffffffff, 123, 124 }, sizeof(struct ifa_cacheinfo));
	u32(IFA_FLAGS, IFA_F_PERMANENT | IFA_F_TEMPORARY | 0x100000);
	u8(IFA_PROTO, IFAPROT_KERNEL_LL);
	print("addressTold");

	address_header(AF_INET, 30, IFA_F_PERMANENT, RT_SCOPE_UNIVERSE, 5);
	address(AF_INET, IFA_ADDRESS, "10.0.0.2");
	address(AF_INET, IFA_LOCAL, "10.0.0.1");
	string(IFA_LABEL, "p0");
	attribute(IFA_CACHEINFO, &(struct ifa_cacheinfo){ 60, 120, 1, 2 }, sizeof(struct ifa_cacheinfo));
	u32(IFA_FLAGS, IFA_F_SECONDARY);
	print("addressPeerTold");

	printf("} as const\n");
	return 0;
}
