import { mac } from '../address/codecs.js'
import { attributes, listOf, nested, nestedBytes, type UnknownAttribute, type ValuesOf } from '../message/attributes.js'
import { bytes, type Codec, s32, string, struct, u8, u16, u32 } from '../message/codec.js'
import { aligned, protocolError, viewOf } from '../message/wire.js'
import { ignored, ipv6, oneOf, told, unterminated } from './kinds/codecs.js'
import { statistics64 } from './statistics.js'

/** Of messages about ports of bridges, and what they forward. */
export const AF_BRIDGE = 7

export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18
export const RTM_SETLINK = 19
export const RTM_NEWLINKPROP = 108
export const RTM_DELLINKPROP = 109

/** RTEXT_FILTER_SKIP_STATS: leaves out what IPv6 and virtual functions have counted. */
export const RTEXT_FILTER_SKIP_STATS = 8

/** struct ifinfomsg. */
export const linkHeader = struct({ family: u8, type: u16, index: s32, flags: u32, change: u32 }, { whole: true })

/** IFLA_INFO_*. What `data` and `portData` hold depends on the kinds. */
const info = attributes({
  kind: [1, string],
  data: [2, nestedBytes],
  xstats: [3, ignored],
  portKind: [4, string],
  portData: [5, nestedBytes],
})

/** How addresses of IPv6 are made of a prefix: enum in6_addr_gen_mode. */
export const ADDRESS_GENERATION = { eui64: 0, none: 1, stable_secret: 2, random: 3 } as const

const inet6 = attributes({
  flags: [1, ignored],
  conf: [2, ignored],
  stats: [3, ignored],
  mcast: [4, ignored],
  cacheInfo: [5, ignored],
  icmp6Stats: [6, ignored],
  token: [7, ipv6],
  addressGeneration: [8, oneOf(u8, ADDRESS_GENERATION)],
  raMtu: [9, ignored],
})
const families = attributes({
  inet: [2, ignored],
  inet6: [10, nested(inet6)],
  mpls: [28, ignored],
  mctp: [45, ignored],
})

/** IFLA_*. */
export const linkEntries = {
  address: [1, mac],
  broadcast: [2, mac],
  ifname: [3, string],
  mtu: [4, u32],
  link: [5, u32],
  qdisc: [6, told(string)],
  stats: [7, ignored],
  cost: [8, ignored],
  priority: [9, ignored],
  master: [10, u32],
  wireless: [11, ignored],
  protinfo: [12, ignored],
  txqlen: [13, u32],
  map: [14, ignored],
  weight: [15, ignored],
  operstate: [16, u8],
  linkmode: [17, u8],
  linkinfo: [18, nested(info)],
  netNsPid: [19, u32],
  ifalias: [20, unterminated],
  numVf: [21, ignored],
  vfinfoList: [22, ignored],
  stats64: [23, statistics64],
  vfPorts: [24, ignored],
  portSelf: [25, ignored],
  afSpec: [26, nested(families)],
  group: [27, u32],
  netNsFd: [28, u32],
  extMask: [29, u32],
  promiscuity: [30, told(u32)],
  numTxQueues: [31, u32],
  numRxQueues: [32, u32],
  carrier: [33, u8],
  carrierChanges: [35, told(u32)],
  linkNetnsid: [37, s32],
  protoDown: [39, u8],
  gsoMaxSegs: [40, u32],
  gsoMaxSize: [41, u32],
  pad: [42, ignored],
  xdp: [43, ignored],
  event: [44, ignored],
  newNetnsid: [45, told(s32)],
  targetNetnsid: [46, s32],
  carrierUpCount: [47, told(u32)],
  carrierDownCount: [48, told(u32)],
  newIfindex: [49, s32],
  minMtu: [50, told(u32)],
  maxMtu: [51, told(u32)],
  propList: [52, listOf(string, { type: 53 })],
  altIfname: [53, string],
  permAddress: [54, told(mac)],
  protoDownReason: [55, ignored],
  parentDevName: [56, told(string)],
  parentDevBusName: [57, told(string)],
  groMaxSize: [58, u32],
  tsoMaxSize: [59, ignored],
  tsoMaxSegs: [60, ignored],
  allmulti: [61, told(u32)],
  devlinkPort: [62, ignored],
  gsoIpv4MaxSize: [63, u32],
  groIpv4MaxSize: [64, u32],
  dpllPin: [65, ignored],
  maxPacingOffloadHorizon: [66, ignored],
  headroom: [67, ignored],
  tailroom: [68, ignored],
  netnsImmutable: [69, told(u8)],
} as const
export const linkAttributes = attributes(linkEntries)
export type LinkAttributes = ValuesOf<typeof linkAttributes>

/** struct nlattr. */
const HEADER = 4
/** NLA_TYPE_MASK. */
const TYPE = 0x3fff

const codecs: (Codec<unknown> | undefined)[] = []
for (const [type, codec] of Object.values(linkEntries)) codecs[type] = codec

/** The values of a link's attributes by their types. An object with a field for each of so many names costs the engine more than reading them. */
export class LinkValues {
  readonly #values: unknown[] = []
  readonly unknown: readonly UnknownAttribute[] | undefined

  /** @param statistics - reads what was counted, which the kernel tells in any case */
  constructor(payload: Uint8Array, from: number, statistics: boolean) {
    const view = viewOf(payload)
    const end = payload.byteOffset + payload.length
    let unknown: UnknownAttribute[] | undefined
    for (let at = payload.byteOffset + from; at < end; ) {
      const length = end - at < HEADER ? 0 : view.getUint16(at, true)
      if (length < HEADER || length > end - at)
        throw protocolError(`has an attribute of ${length} bytes, where ${end - at} are left`)
      const type = view.getUint16(at + 2, true)
      const codec = codecs[type & TYPE]
      if (codec === undefined) {
        unknown ??= []
        unknown.push({ type, bytes: bytes.read(view, at + HEADER, length - HEADER) })
      } else if (codec !== ignored && (statistics || codec !== statistics64)) {
        this.#values[type & TYPE] = codec.read(view, at + HEADER, length - HEADER)
      }
      at += aligned(length)
    }
    this.unknown = unknown
  }

  /** @param entry - of {@link linkEntries} */
  get<T>([type]: readonly [type: number, codec: Codec<T>]): T | undefined {
    return this.#values[type] as T | undefined
  }
}
