/** What an interface of a container has inside, whatever it is made of. */
export interface InterfaceSettings {
  /** Its name in the container: 1 to 15 bytes. Default: `eth0` for the first network that has no name, then `eth1`, … */
  readonly name?: string | undefined
  /** Its link-layer address: `02:42:ac:11:00:02`. Default: the kernel's choice. */
  readonly macAddress?: string | undefined
  /** IPv4 with its prefix length: `172.17.0.101/16`. */
  readonly address?: string | undefined
  /** The default route's IPv4 gateway. Outside of the prefix of `address` it is reached directly on this link. */
  readonly gateway?: string | undefined
  /** IPv6 with its prefix length: `2001:db8::2/64`. Usable at once: no other host is asked for it. */
  readonly ipv6Address?: string | undefined
  readonly ipv6Gateway?: string | undefined
  /** Bytes of a packet: 68 to 65535, and from 1280 with IPv6. Default: the kernel's. */
  readonly mtu?: number | undefined
  /** Packets that may wait to be sent. Default: the kernel's. */
  readonly txQueueLen?: number | undefined
}

/** The container's own loopback, which every new network namespace has and which is brought up in any case. */
export interface LoopbackNetwork {
  readonly type: 'loopback'
  readonly mtu?: number | undefined
}

/** A pair of interfaces: one in the container, one of the host in a bridge. */
export interface VethNetwork extends InterfaceSettings {
  readonly type: 'veth'
  /** A bridge of the host, which is there. */
  readonly bridge: string
  /** The host's end. Default: {@link hostInterfacePrefix} and random digits. */
  readonly hostInterfaceName?: string | undefined
  /** At most 8 bytes. Default: `veth`. */
  readonly hostInterfacePrefix?: string | undefined
  /** The bridge may send a packet back through this port. Default: false. */
  readonly hairpinMode?: boolean | undefined
  /**
   * The VLAN of the bridge that the container is in, 1 to 4094: it sends and gets its packets without a tag. Needs a bridge that filters VLANs. Default: what
   * the bridge gives every port (`vlan_default_pvid`), unless there is a {@link vlanTrunk}: what comes without a tag is dropped then.
   */
  readonly vlan?: number | undefined
  /** VLANs that it sends and gets with their tags: `[20, '100-199']`. Needs a bridge that filters VLANs. Default: none. */
  readonly vlanTrunk?: readonly (number | string)[] | undefined
}

export const macvlanModes = ['private', 'vepa', 'bridge', 'passthru'] as const

/** An address of its own on a link of the host. */
export interface MacvlanNetwork extends InterfaceSettings {
  readonly type: 'macvlan'
  /** The link of the host. */
  readonly parent: string
  /** Default: `bridge`: containers on one parent reach each other. */
  readonly mode?: (typeof macvlanModes)[number] | undefined
}

export const ipvlanModes = ['l2', 'l3', 'l3s'] as const

/** IP addresses of its own behind the link-layer address of a link of the host. */
export interface IpvlanNetwork extends Omit<InterfaceSettings, 'macAddress'> {
  readonly type: 'ipvlan'
  readonly parent: string
  /** Default: `l2`. */
  readonly mode?: (typeof ipvlanModes)[number] | undefined
}

/** A VLAN of a link of the host. */
export interface VlanNetwork extends InterfaceSettings {
  readonly type: 'vlan'
  readonly parent: string
  /** 802.1Q: 1 to 4094. */
  readonly id: number
}

/** A device of the host, which the container has while it lives, and which the host gets back under its name when the container is removed. */
export interface PhysNetwork extends InterfaceSettings {
  readonly type: 'phys'
  /** Its name on the host. */
  readonly device: string
}

/** The network namespace of a path in place of a new one: the same as `{ kind: 'net', path }` among the namespaces. */
export interface NetnsNetwork {
  readonly type: 'netns'
  readonly path: string
}

/** No other interface than the loopback: what a container without networks has anyway. */
export interface NoneNetwork {
  readonly type: 'none'
}

/** That of whoever starts the container, who then leaves `net` out of the namespaces. */
export interface HostNetwork {
  readonly type: 'host'
}

export const userModeHelpers = ['pasta', 'slirp4netns'] as const

/** A network of an ordinary user: a program of the host passes the container's traffic on. */
export interface UserModeNetwork {
  readonly type: 'user'
  /** Default: that which is installed, pasta first. */
  readonly helper?: (typeof userModeHelpers)[number] | undefined
  /** The name of the interface in the container. Default: `tap0`. */
  readonly name?: string | undefined
  readonly mtu?: number | undefined
}

/** A network of a type that an embedder has added: see `addStrategy`. */
export interface OtherNetwork {
  readonly type: string
}

/** A network of a container. */
export type Network =
  | LoopbackNetwork
  | VethNetwork
  | MacvlanNetwork
  | IpvlanNetwork
  | VlanNetwork
  | PhysNetwork
  | NetnsNetwork
  | NoneNetwork
  | HostNetwork
  | UserModeNetwork

/** A route of a container: one of the first three is given, and all that are given are of one family. */
export interface Route {
  /** With its length: `10.0.0.0/8`. Default: everything, of the family of the others. */
  readonly destination?: string | undefined
  /** The address that packets are sent from: `172.17.0.101`. */
  readonly source?: string | undefined
  readonly gateway?: string | undefined
  /** An interface of the container. Default: the one that the gateway is reached by. */
  readonly interfaceName?: string | undefined
}

/** Devices of the host by their names there, moved into the container for good: OCI's `linux.netDevices`. */
export type NetDevices = Readonly<Record<string, { readonly name?: string | undefined }>>

/** What a config says of networks. */
export interface NetworkConfig {
  readonly networks?: readonly Network[] | undefined
  readonly routes?: readonly Route[] | undefined
  readonly netDevices?: NetDevices | undefined
}
