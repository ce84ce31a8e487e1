import type { NamespaceTarget } from '../namespace/namespace.js'
import type { LinkData, PortData } from './kinds.js'
import type { AddressGeneration } from './link.js'

/** A link of the namespace: by name, by alternative name, or by index. */
export type LinkReference = string | number

/** What both a new link and the peer of a veth may have from the start. */
export interface LinkStart {
  /** At most 15 bytes. */
  name: string
  /** The index that it gets, which must be free. */
  index?: number | undefined
  /** In bytes. */
  mtu?: number | undefined
  /** Default: a random one. */
  mac?: string | undefined
  broadcast?: string | undefined
  /** In packets. */
  txQueueLength?: number | undefined
  group?: number | undefined
  txQueues?: number | undefined
  rxQueues?: number | undefined
}

/** What can be switched in a link: bits of its flags. */
export interface LinkSwitches {
  up?: boolean | undefined
  /** Takes all packets, whoever they are for. */
  promiscuous?: boolean | undefined
  allMulticast?: boolean | undefined
  multicast?: boolean | undefined
  /** Asks for link-layer addresses: by ARP, or neighbour discovery. */
  arp?: boolean | undefined
}

/** What the kernel only takes of a link that is there. */
export interface LinkLater {
  /** Text for people, at most 255 bytes; an empty one takes it away. */
  alias?: string | undefined
  addressGeneration?: AddressGeneration | undefined
  protoDown?: boolean | undefined
  /** What it has as a port of a bridge: hairpin, isolation, learning. */
  bridgePort?: Given<PortData['bridge'], 'backupPort'> | undefined
  bondPort?: PortData['bond'] | undefined
}

/** The same with other links by name, too. */
type Given<D, L extends keyof D> = { [F in keyof D]: F extends L ? LinkReference | undefined : D[F] }

/** What a kind has of its own when it is made or changed. */
export interface LinkOptions extends Omit<LinkData, 'bond' | 'vxlan' | 'tun'> {
  bond: Given<LinkData['bond'], 'activeSlave' | 'primary'>
  vxlan: Given<LinkData['vxlan'], 'link'>
}

/** The other end of a veth. It is set up by a request of its own: the kernel makes the pair before it joins its ends. */
export interface VethPeer extends LinkStart {
  /** Where it is made. Default: where the link is asked for */
  namespace?: NamespaceTarget | undefined
}

type OfKind =
  | { [K in keyof LinkOptions]: { kind: K; data?: LinkOptions[K] | undefined; peer?: undefined } }[keyof LinkOptions]
  | { kind: 'veth'; peer: string | VethPeer; data?: undefined }
  /** Of any other kind, the bytes of its attributes. */
  | { kind: 'dummy' | 'ifb' | 'wireguard' | (string & {}); data?: Uint8Array | undefined; peer?: undefined }

export type NewLink = OfKind &
  LinkStart &
  LinkSwitches &
  LinkLater & {
    /** What it is on top of: of macvlan, macvtap, ipvlan and vlan. */
    link?: LinkReference | undefined
    /** The bridge, bond or VRF that it becomes a port of. */
    master?: LinkReference | undefined
    alternativeNames?: readonly string[] | undefined
    /** Where it is made. Default: here. */
    namespace?: NamespaceTarget | undefined
  }

export type LinkChanges = Partial<Omit<LinkStart, 'index' | 'txQueues' | 'rxQueues'>> &
  LinkSwitches &
  LinkLater & {
    /** `null` takes it out of its bridge, bond or VRF. */
    master?: LinkReference | null | undefined
    carrier?: boolean | undefined
    /** Of `data`. Default: it is asked for. */
    kind?: string | undefined
    data?: LinkOptions[keyof LinkOptions] | Uint8Array | undefined
  }
