import { familyNumber, familyOf, formatAddress, parseAddress } from '../address/text.js'
import {
  attributes,
  be16,
  bytes,
  type Codec,
  ip,
  nested,
  nestedBytes,
  s32,
  string,
  struct,
  u8,
  u16,
  u32,
  type ValuesOf,
} from '../message/attributes.js'
import { aligned, protocolError } from '../message/wire.js'

/** struct rtmsg of linux/rtnetlink.h. */
export const routeHeader = struct(
  {
    family: u8,
    destinationLength: u8,
    fromLength: u8,
    tos: u8,
    table: u8,
    protocol: u8,
    scope: u8,
    type: u8,
    flags: u32,
  },
  { whole: true },
)

/** RTAX_*: `lock` is a mask of the others' numbers, times and windows are as the kernel has them. */
export const metricAttributes = attributes({
  lock: [1, u32],
  mtu: [2, u32],
  window: [3, u32],
  rtt: [4, u32],
  rttvar: [5, u32],
  ssthresh: [6, u32],
  cwnd: [7, u32],
  advmss: [8, u32],
  reordering: [9, u32],
  hoplimit: [10, u32],
  initcwnd: [11, u32],
  features: [12, u32],
  rtoMin: [13, u32],
  initrwnd: [14, u32],
  quickack: [15, u32],
  congctl: [16, string],
  fastopenNoCookie: [17, u32],
})

/** struct rtvia: a gateway of another family than the route's, which stands before it. */
const via: Codec<string> = {
  write(to, value, field) {
    const address = parseAddress(value, field)
    const at = to.grow(2)
    to.view.setUint16(at, familyNumber(familyOf(address)), true)
    to.append(address)
  },
  read(view, at, size) {
    if (size !== 6 && size !== 18) throw protocolError(`has a gateway of ${size} bytes`)
    return formatAddress(new Uint8Array(view.buffer, at + 2, size - 2))
  },
}

/** What may stand behind struct rtnexthop. */
const hopAttributes = attributes({
  gateway: [5, ip],
  realms: [11, u32],
  via: [18, via],
  encapType: [21, u16],
  encap: [22, nestedBytes],
})

/** One of several ways: struct rtnexthop. */
export interface HopValues {
  flags: number
  /** Its weight less one. */
  hops: number
  dev: number
  attributes: ValuesOf<typeof hopAttributes>
}

const HOP_SIZE = 8

/** RTA_MULTIPATH: structs, each with attributes of its own behind it and its length in front. */
const hopList: Codec<readonly HopValues[]> = {
  write(to, hops, field) {
    for (const [index, { flags, hops: more, dev, attributes }] of hops.entries()) {
      const at = to.grow(HOP_SIZE)
      to.view.setUint8(at + 2, flags)
      to.view.setUint8(at + 3, more)
      to.view.setInt32(at + 4, dev, true)
      hopAttributes.write(to, attributes, `${field}[${index}]`)
      to.view.setUint16(at, to.size - at, true)
      to.align()
    }
  },
  read(view, start, size) {
    const hops: HopValues[] = []
    const end = start + size
    for (let at = start; at < end; ) {
      if (end - at < HOP_SIZE) throw protocolError(`ends within a next hop: ${end - at} bytes of ${HOP_SIZE}`)
      const length = view.getUint16(at, true)
      if (length < HOP_SIZE || length > end - at)
        throw protocolError(`has a next hop that says ${length} bytes, where ${end - at} are left`)
      hops.push({
        flags: view.getUint8(at + 2),
        hops: view.getUint8(at + 3),
        dev: view.getInt32(at + 4, true),
        attributes: hopAttributes.read(view, at + HOP_SIZE, length - HOP_SIZE),
      })
      at += aligned(length)
    }
    return hops
  },
}

/** struct rta_cacheinfo. `expires` is in 1/100 s. */
const cacheInfo = struct({
  references: u32,
  lastUse: u32,
  expires: s32,
  error: u32,
  used: u32,
  id: u32,
  timestamp: u32,
  timestampAge: u32,
})

/** RTA_* by the names of a route's fields, so that errors of both sides name those. */
export const routeAttributes = attributes({
  destination: [1, ip],
  from: [2, ip],
  iif: [3, u32],
  dev: [4, u32],
  gateway: [5, ip],
  metric: [6, u32],
  source: [7, ip],
  metrics: [8, nested(metricAttributes)],
  nextHops: [9, hopList],
  realms: [11, u32],
  cache: [12, cacheInfo],
  table: [15, u32],
  mark: [16, u32],
  via: [18, via],
  newDestination: [19, bytes],
  preference: [20, u8],
  encapType: [21, u16],
  encap: [22, nestedBytes],
  expiresS: [23, u32],
  uid: [25, u32],
  ttlPropagate: [26, u8],
  ipProtocol: [27, u8],
  sourcePort: [28, be16],
  destinationPort: [29, be16],
  nextHopId: [30, u32],
})
