import { type FlagOf, FlagWords, MAX_U16, MAX_U32, type WordOf, Words } from '../message/words.js'

/** RT_TABLE_*. */
export const routeTables = new Words({ default: 253, main: 254, local: 255 }, MAX_U32)
export type RouteTable = WordOf<typeof routeTables>

/** RTN_*. */
export const routeTypes = new Words({
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
  xresolve: 11,
})
export type RouteType = WordOf<typeof routeTypes>

/** RTPROT_*: who made it. */
export const routeProtocols = new Words({
  unspec: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  gated: 8,
  ra: 9,
  mrt: 10,
  zebra: 11,
  bird: 12,
  dnrouted: 13,
  xorp: 14,
  ntk: 15,
  dhcp: 16,
  mrouted: 17,
  keepalived: 18,
  babel: 42,
  openr: 99,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
  eigrp: 192,
})
export type RouteProtocol = WordOf<typeof routeProtocols>

/** RT_SCOPE_*: how far away the destination is. */
export const routeScopes = new Words({ global: 0, site: 200, link: 253, host: 254, nowhere: 255 })
export type RouteScope = WordOf<typeof routeScopes>

/** RTNH_F_ONLINK: the gateway is reached by the link, whatever other routes say. */
export const ONLINK = 4

/** RTNH_F_* and RTM_F_*: what the kernel tells of a route or of one of its ways. */
const routeFlags = new FlagWords({
  dead: 1,
  pervasive: 2,
  offload: 8,
  linkdown: 16,
  unresolved: 32,
  trap: 64,
  notify: 0x100,
  cloned: 0x200,
  prefix: 0x800,
  rt_offload: 0x4000,
  rt_trap: 0x8000,
  rt_offload_failed: 0x2000_0000,
})
export type RouteFlag = FlagOf<typeof routeFlags>

/** What a mask of them says of a route, of one of its ways, or of a nexthop. */
export function putFlags(to: { onlink?: boolean; flags?: RouteFlag[] }, mask: number): void {
  if (mask === 0) return
  if ((mask & ONLINK) !== 0) to.onlink = true
  const flags = routeFlags.words(mask)
  if (flags.length > 0) to.flags = flags
}

/** ICMPV6_ROUTER_PREF_* of linux/icmpv6.h. */
export const routePreferences = new Words({ medium: 0, high: 1, low: 3 })
export type RoutePreference = WordOf<typeof routePreferences>

/** LWTUNNEL_ENCAP_*. */
export const encapTypes = new Words(
  { mpls: 1, ip: 2, ila: 3, ip6: 4, seg6: 5, bpf: 6, seg6local: 7, rpl: 8, ioam6: 9, xfrm: 10 },
  MAX_U16,
)
export type EncapType = WordOf<typeof encapTypes>

/** RTAX_* that may be locked, by their numbers: the mask has a bit of that number. */
export const lockableMetrics = new FlagWords({
  mtu: 1 << 2,
  window: 1 << 3,
  rttMs: 1 << 4,
  rttvarMs: 1 << 5,
  ssthresh: 1 << 6,
  cwnd: 1 << 7,
  advmss: 1 << 8,
  reordering: 1 << 9,
  hoplimit: 1 << 10,
  initcwnd: 1 << 11,
  features: 1 << 12,
  rtoMinMs: 1 << 13,
  initrwnd: 1 << 14,
  quickack: 1 << 15,
  congctl: 1 << 16,
  fastopenNoCookie: 1 << 17,
})
export type LockableMetric = FlagOf<typeof lockableMetrics>
