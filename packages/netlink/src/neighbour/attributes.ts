import { attributes, be16, bytes, ip, linkLayerAddress, mac, s32, struct, u8, u16, u32 } from '../message/attributes.js'

/** struct ndmsg of linux/neighbour.h. */
export const neighbourHeader = struct(
  { family: u8, pad1: u8, pad2: u16, dev: s32, state: u16, flags: u8, type: u8 },
  { whole: true },
)

/** struct nda_cacheinfo: 1/100 s since each of them. */
const cacheInfo = struct({ confirmed: u32, used: u32, updated: u32, references: u32 })

/** NDA_* that neighbours and the forwarding tables of bridges share. */
const shared = {
  cache: [3, cacheInfo],
  probes: [4, u32],
  vlan: [5, u16],
  port: [6, be16],
  vni: [7, u32],
  via: [8, u32],
  master: [9, u32],
  linkNamespaceId: [10, s32],
  sourceVni: [11, u32],
  protocol: [12, u8],
  nextHopId: [13, u32],
  extended: [14, bytes],
  extendedFlags: [15, u32],
} as const

/** NDA_* of a neighbour. */
export const neighbourAttributes = attributes({ address: [1, ip], lladdr: [2, linkLayerAddress], ...shared })

/** NDA_* of an entry in the forwarding table of a bridge or of a vxlan. */
export const fdbAttributes = attributes({ destination: [1, ip], mac: [2, mac], ...shared })
