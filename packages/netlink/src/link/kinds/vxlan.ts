import { ConfigInvalid } from '@libcontainer/sys'
import { parseAddress } from '../../address/text.js'
import { attributes, type ValuesOf } from '../../message/attributes.js'
import { be16, be32, bytes, type FixedCodec, flag, struct, u8, u32 } from '../../message/codec.js'
import { ipv4, ipv6, oneOf, onOff } from './codecs.js'

const on = onOff(u8)

/** A VXLAN network identifier has 24 bits. */
const vni: FixedCodec<number> = {
  ...u32,
  write(to, value, field) {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffff)
      throw new ConfigInvalid(field, value, 'must be a whole number from 0 to 16777215')
    u32.write(to, value, field)
  },
}

/** IFLA_VXLAN_*. */
export const vxlanTable = attributes({
  id: [1, vni],
  group4: [2, ipv4],
  /** By index: the link that packets leave by. */
  link: [3, u32],
  local4: [4, ipv4],
  /** 0 for that of the packet within. */
  ttl: [5, u8],
  tos: [6, u8],
  learning: [7, on],
  /** In seconds. */
  ageing: [8, u32],
  /** Most entries of the FDB; 0 for no limit. */
  limit: [9, u32],
  /** Of source ports. */
  portRange: [10, struct({ low: be16, high: be16 })],
  proxy: [11, on],
  routeShortCircuit: [12, on],
  l2miss: [13, on],
  l3miss: [14, on],
  /** Of the destination. The default of the kernel is 8472, IANA's is 4789. */
  port: [15, be16],
  group6: [16, ipv6],
  local6: [17, ipv6],
  udpChecksum: [18, on],
  udpZeroChecksum6Tx: [19, on],
  udpZeroChecksum6Rx: [20, on],
  remoteChecksumTx: [21, on],
  remoteChecksumRx: [22, on],
  groupPolicy: [23, flag],
  remoteChecksumNoPartial: [24, flag],
  /** Its packets say where they go: by routes, or tc(8). */
  collectMetadata: [25, on],
  label: [26, be32],
  genericProtocol: [27, flag],
  ttlInherit: [28, flag],
  dontFragment: [29, oneOf(u8, { unset: 0, set: 1, inherit: 2 })],
  vnifilter: [30, on],
  localBypass: [31, on],
  labelPolicy: [32, oneOf(u32, { fixed: 0, inherit: 1 })],
  reservedBits: [33, bytes],
})

type Wire = ValuesOf<typeof vxlanTable>
export interface VxlanOptions extends Omit<Wire, 'group4' | 'group6' | 'local4' | 'local6'> {
  /** A multicast group, or the other end: an address of IPv4 or IPv6. */
  group?: string | undefined
  /** The address that packets come from, of the family of the group. */
  local?: string | undefined
}

/** The family of an address chooses the attribute. */
export function vxlanToWire({ group, local, ...rest }: VxlanOptions, field: string): Wire {
  const six = (text: string, name: string) => parseAddress(text, `${field}.${name}`).length === 16
  const group6 = group !== undefined && six(group, 'group')
  const local6 = local !== undefined && six(local, 'local')
  if (group !== undefined && local !== undefined && group6 !== local6)
    throw new ConfigInvalid(`${field}.local`, local, `must be of the family of ${field}.group, ${group}`)
  return {
    ...rest,
    ...(group !== undefined && (group6 ? { group6: group } : { group4: group })),
    ...(local !== undefined && (local6 ? { local6: local } : { local4: local })),
  }
}

export function vxlanFromWire({ group4, group6, local4, local6, ...rest }: Wire): VxlanOptions {
  const group = group4 ?? group6
  const local = local4 ?? local6
  return { ...rest, ...(group !== undefined && { group }), ...(local !== undefined && { local }) }
}
