import type { UnknownAttribute } from '../message/attributes.js'
import { viewOf } from '../message/wire.js'
import { type ADDRESS_GENERATION, linkEntries as a, LinkValues, linkHeader } from './attributes.js'
import {
  hardwareType,
  LINK_FLAGS,
  type LinkFlag,
  linkFlags,
  OPERATIONAL_STATES,
  type OperationalState,
} from './flags.js'
import { decodeData, decodePort, type KnownKind, type LinkData, type PortData } from './kinds.js'
import type { LinkStatistics } from './statistics.js'

export type AddressGeneration = keyof typeof ADDRESS_GENERATION

/** A network device as the kernel tells of it. What it does not tell is absent. */
export interface Link<K extends string = string> {
  /** Its number in its namespace, from 1 on: it stays when the link is renamed. */
  readonly index: number
  readonly name: string
  readonly alternativeNames: readonly string[]
  /** A text for people. */
  readonly alias?: string | undefined
  /** Of the hardware: `ether`, `loopback`, `none`. */
  readonly type: string
  /** What it was made as: `veth`, `bridge`. Hardware and the loopback have none. */
  readonly kind?: K | undefined
  /** What its kind has of its own: of a kind that is not known here, the bytes of the attributes. */
  readonly data?: (K extends KnownKind ? LinkData[K] : object) | undefined
  /** Whether it was set up, which does not mean that it works: see `operstate`. */
  readonly up: boolean
  readonly flags: readonly LinkFlag[]
  readonly operstate: OperationalState
  /** Largest packet, in bytes. */
  readonly mtu: number
  readonly minMtu?: number | undefined
  /** 0 for no limit. */
  readonly maxMtu?: number | undefined
  /** Its link-layer address. */
  readonly mac?: string | undefined
  readonly broadcast?: string | undefined
  /** That which the hardware came with. */
  readonly permanentMac?: string | undefined
  /** In packets. */
  readonly txQueueLength: number
  readonly txQueues?: number | undefined
  readonly rxQueues?: number | undefined
  readonly qdisc?: string | undefined
  /** The index of the link that it is on top of, or of its peer: in the namespace `linkNamespaceId` where that is there. */
  readonly link?: number | undefined
  readonly linkNamespaceId?: number | undefined
  /** The index of the bridge, bond or VRF that it is a port of. */
  readonly master?: number | undefined
  /** The kind of the master. */
  readonly portKind?: string | undefined
  readonly bridgePort?: PortData['bridge'] | undefined
  readonly bondPort?: PortData['bond'] | undefined
  readonly vrfPort?: PortData['vrf'] | undefined
  readonly group: number
  /** How many ask for all packets. */
  readonly promiscuity: number
  readonly allMulticast?: number | undefined
  readonly carrier?: boolean | undefined
  /** It cannot be moved to another namespace. Since Linux 6.15 */
  readonly namespaceImmutable?: boolean | undefined
  readonly carrierChanges?: number | undefined
  readonly protoDown?: boolean | undefined
  /** How it makes addresses of IPv6. */
  readonly addressGeneration?: AddressGeneration | number | undefined
  /** Of the device that it is a part of, by the name in /sys: `0000:00:03.0`. */
  readonly parentDevice?: string | undefined
  /** Of an event: where it was moved to. */
  readonly newNamespaceId?: number | undefined
  readonly newIndex?: number | undefined
  /** Where they were asked for. */
  readonly statistics?: LinkStatistics | undefined
  /** Attributes that are younger than this package. */
  readonly unknown?: readonly UnknownAttribute[] | undefined
}

export interface GetOptions {
  /** Asks for {@link Link.statistics}. Default: `false` */
  statistics?: boolean | undefined
}

/** struct ifinfomsg. */
const HEADER = 16

/**
 * The link that a message of type RTM_NEWLINK or RTM_DELLINK tells of.
 *
 * @param options.statistics - reads what was counted, too. Default: `false`
 * @throws {LibcontainerError} `EPROTO` for a message that is none
 */
export function parseLink(payload: Uint8Array, { statistics = false }: GetOptions = {}): Link {
  const header = linkHeader.read(viewOf(payload), payload.byteOffset, payload.length)
  return linkOf(header, new LinkValues(payload, HEADER, statistics))
}

/** The index alone, which is enough to address it. */
export function parseLinkIndex(payload: Uint8Array): number {
  return linkHeader.read(viewOf(payload), payload.byteOffset, payload.length).index
}

/** What a link is, without all that it has. */
export type LinkIdentity = Pick<Link, 'index' | 'type' | 'kind'>

/** {@link parseLink}, of few fields. */
export function parseLinkIdentity(payload: Uint8Array): LinkIdentity {
  const { index, type } = linkHeader.read(viewOf(payload), payload.byteOffset, payload.length)
  return { index, type: hardwareType(type), kind: new LinkValues(payload, HEADER, false).get(a.linkinfo)?.kind }
}

function linkOf(header: ReturnType<(typeof linkHeader)['read']>, all: LinkValues): Link {
  const { kind, data, portKind, portData } = all.get(a.linkinfo) ?? {}
  const port = portKind !== undefined && portData !== undefined ? decodePort(portKind, portData) : undefined
  return {
    index: header.index,
    name: all.get(a.ifname) ?? '',
    alternativeNames: all.get(a.propList) ?? [],
    alias: all.get(a.ifalias),
    type: hardwareType(header.type),
    kind,
    data: kind !== undefined && data !== undefined ? decodeData(kind, data) : undefined,
    up: (header.flags & LINK_FLAGS.up) !== 0,
    flags: linkFlags(header.flags),
    operstate: OPERATIONAL_STATES[all.get(a.operstate) ?? 0] ?? 'unknown',
    mtu: all.get(a.mtu) ?? 0,
    minMtu: all.get(a.minMtu),
    maxMtu: all.get(a.maxMtu),
    mac: all.get(a.address),
    broadcast: all.get(a.broadcast),
    permanentMac: all.get(a.permAddress),
    txQueueLength: all.get(a.txqlen) ?? 0,
    txQueues: all.get(a.numTxQueues),
    rxQueues: all.get(a.numRxQueues),
    qdisc: all.get(a.qdisc),
    link: all.get(a.link),
    linkNamespaceId: all.get(a.linkNetnsid),
    master: all.get(a.master),
    portKind,
    bridgePort: portKind === 'bridge' ? (port as PortData['bridge']) : undefined,
    bondPort: portKind === 'bond' ? (port as PortData['bond']) : undefined,
    vrfPort: portKind === 'vrf' ? (port as PortData['vrf']) : undefined,
    group: all.get(a.group) ?? 0,
    promiscuity: all.get(a.promiscuity) ?? 0,
    allMulticast: all.get(a.allmulti),
    carrier: switched(all.get(a.carrier)),
    carrierChanges: all.get(a.carrierChanges),
    namespaceImmutable: switched(all.get(a.netnsImmutable)),
    protoDown: switched(all.get(a.protoDown)),
    addressGeneration: all.get(a.afSpec)?.inet6?.addressGeneration,
    parentDevice: all.get(a.parentDevName),
    newNamespaceId: all.get(a.newNetnsid),
    newIndex: all.get(a.newIfindex),
    statistics: all.get(a.stats64),
    unknown: all.unknown,
  }
}

const switched = (value: number | undefined): boolean | undefined => (value === undefined ? undefined : value !== 0)

/** Whether a link is of a kind, of which its data is typed then. */
export function isKind<K extends string>(link: Link, kind: K): link is Link<K> & { readonly kind: K } {
  return link.kind === kind
}
