import { ConfigInvalid } from '@libcontainer/sys'
import { type AttributeTable, decodeAttributes, encodeAttributes } from '../message/attributes.js'
import { type BondOptions, type BondPortOptions, bondPortTable, bondTable } from './kinds/bond.js'
import { type BridgeOptions, type BridgePortOptions, bridgePortTable, bridgeTable } from './kinds/bridge.js'
import { type IpvlanOptions, ipvlanTable } from './kinds/ipvlan.js'
import { type MacvlanOptions, macvlanTable } from './kinds/macvlan.js'
import { type TunOptions, tunTable } from './kinds/tun.js'
import { type VlanOptions, vlanTable } from './kinds/vlan.js'
import { type VrfOptions, type VrfPortOptions, vrfPortTable, vrfTable } from './kinds/vrf.js'
import { type VxlanOptions, vxlanFromWire, vxlanTable, vxlanToWire } from './kinds/vxlan.js'

/** What the kinds have of their own: the values of IFLA_INFO_DATA. Links are told by their index. */
export interface LinkData {
  bond: BondOptions
  bridge: BridgeOptions
  ipvlan: IpvlanOptions
  ipvtap: IpvlanOptions
  macvlan: MacvlanOptions
  macvtap: MacvlanOptions
  tun: TunOptions
  vlan: VlanOptions
  vrf: VrfOptions
  vxlan: VxlanOptions
}
/** A kind whose data has a table here. */
export type KnownKind = keyof LinkData

/** What a port has of its master's kind: the values of IFLA_INFO_SLAVE_DATA. */
export interface PortData {
  bond: BondPortOptions
  bridge: BridgePortOptions
  vrf: VrfPortOptions
}
export type PortKind = keyof PortData

interface DataCodec {
  readonly table: AttributeTable
  /** Fields that name another link. */
  readonly links?: readonly string[]
  /** Is on top of another link, and cannot be without: IFLA_LINK. */
  readonly needsLink?: boolean
  readonly toWire?: (data: object, field: string) => object
  readonly fromWire?: (values: object) => object
}

const kinds: { readonly [K in KnownKind]: DataCodec } = {
  bond: { table: bondTable, links: ['activeSlave', 'primary'] },
  bridge: { table: bridgeTable },
  ipvlan: { table: ipvlanTable, needsLink: true },
  ipvtap: { table: ipvlanTable, needsLink: true },
  macvlan: { table: macvlanTable, needsLink: true },
  macvtap: { table: macvlanTable, needsLink: true },
  tun: { table: tunTable },
  vlan: { table: vlanTable, needsLink: true },
  vrf: { table: vrfTable },
  vxlan: {
    table: vxlanTable,
    links: ['link'],
    toWire: vxlanToWire as NonNullable<DataCodec['toWire']>,
    fromWire: vxlanFromWire,
  },
}
const ports: { readonly [K in PortKind]: DataCodec } = {
  bond: { table: bondPortTable },
  bridge: { table: bridgePortTable, links: ['backupPort'] },
  vrf: { table: vrfPortTable },
}

/** Kinds of links whose own settings have fields here, or that have none; any other is made by its name, with its data as bytes. */
export const LINK_KINDS: readonly string[] = Object.freeze(
  [...Object.keys(kinds), 'dummy', 'ifb', 'veth', 'wireguard'].sort(),
)

function codecOf(kind: string): DataCodec | undefined {
  return Object.hasOwn(kinds, kind) ? kinds[kind as KnownKind] : undefined
}

/** Whether a link of this kind is on top of another one, and cannot be without. */
export function needsLink(kind: string): boolean {
  return codecOf(kind)?.needsLink ?? false
}

/** The fields of a kind's data that name another link. */
export function linksIn(kind: string): readonly string[] {
  return codecOf(kind)?.links ?? []
}

/** The table of a kind's data: for the names that errors have. */
export function dataTable(kind: string): AttributeTable | undefined {
  return codecOf(kind)?.table
}

export function portTable(kind: PortKind): AttributeTable {
  return ports[kind].table
}

/** @param data - of a kind that has no table here: the bytes of its attributes */
export function encodeData(kind: string, data: object, field = 'data'): Uint8Array {
  if (data instanceof Uint8Array) return data
  const codec = codecOf(kind)
  if (codec === undefined)
    throw new ConfigInvalid(
      field,
      data,
      `must be a Uint8Array of attributes: nothing is known of the data of the kind ${kind}`,
    )
  if (typeof data !== 'object' || data === null) throw new ConfigInvalid(field, data, 'must be an object')
  return encodeAttributes(codec.table, codec.toWire?.(data, field) ?? data, field)
}

export function decodeData(kind: string, bytes: Uint8Array): object {
  const codec = codecOf(kind)
  if (codec === undefined) return bytes
  const values = decodeAttributes(codec.table, bytes)
  return codec.fromWire?.(values) ?? values
}

export function encodePort<K extends PortKind>(kind: K, data: PortData[K], field: string): Uint8Array {
  return encodeAttributes(ports[kind].table, data, field)
}

export function decodePort(kind: string, bytes: Uint8Array): object | undefined {
  return Object.hasOwn(ports, kind) ? decodeAttributes(ports[kind as PortKind].table, bytes) : undefined
}
