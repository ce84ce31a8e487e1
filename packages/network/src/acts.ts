import type { Family } from '@libcontainer/netlink/text'

/* What is done for the networks of a container: plain data, in order. */

/** VLANs in a row that a port of a bridge is a member of. */
export interface PortVlan {
  readonly vid: number
  readonly vidEnd?: number | undefined
  /** The one of packets without a tag. */
  readonly untagged?: true | undefined
}

/** What a host's end is as a port of its bridge. */
export interface PortSettings {
  readonly hairpinMode?: boolean | undefined
  /** All that it is a member of. Default: what the bridge gives it. */
  readonly vlans?: readonly PortVlan[] | undefined
}

/** Makes a pair: one end on the host, in a bridge and up; the other in the container's namespace from its first moment. */
export interface PairAct extends PortSettings {
  readonly act: 'pair'
  readonly about: string
  readonly hostName: string
  /** Random: by it the host's end is known again, whatever became of its name. */
  readonly hostMac: string
  readonly bridge: string
  readonly name: string
  readonly macAddress?: string | undefined
  readonly mtu?: number | undefined
  readonly txQueueLen?: number | undefined
}

/** Makes a link on a link of the host, in the container's namespace from its first moment. */
export interface UpperAct {
  readonly act: 'upper'
  readonly about: string
  readonly kind: 'macvlan' | 'ipvlan' | 'vlan'
  readonly parent: string
  readonly name: string
  /** Of macvlan and ipvlan. */
  readonly mode?: string | undefined
  /** Of vlan. */
  readonly id?: number | undefined
  readonly macAddress?: string | undefined
  readonly mtu?: number | undefined
  readonly txQueueLen?: number | undefined
}

/** Moves a device of the host into the container. */
export interface MoveAct {
  readonly act: 'move'
  readonly about: string
  readonly device: string
  /** In the container; `%d` in it is a number of the kernel's choice. */
  readonly name: string
  /** Gives it back when the container is removed. Else it has its global addresses in the container, too, and is up there. */
  readonly giveBack: boolean
}

/** Changes an interface of the container. */
export interface SetAct {
  readonly act: 'set'
  readonly about: string
  readonly name: string
  readonly macAddress?: string | undefined
  readonly mtu?: number | undefined
  readonly txQueueLen?: number | undefined
  readonly up?: boolean | undefined
}

/** Gives an interface of the container an address. */
export interface AddressAct {
  readonly act: 'address'
  readonly about: string
  readonly name: string
  readonly address: string
}

/** Adds a route in the container. */
export interface RouteAct {
  readonly act: 'route'
  readonly about: string
  readonly family: Family
  /** Default: everything. */
  readonly destination?: string | undefined
  readonly source?: string | undefined
  readonly gateway?: string | undefined
  readonly name?: string | undefined
  /** The gateway is a neighbour although no address says so. */
  readonly onLink?: boolean | undefined
}

/** Starts a program of the host that passes the container's traffic on. */
export interface HelperAct {
  readonly act: 'helper'
  readonly about: string
  readonly helper?: 'pasta' | 'slirp4netns' | undefined
  readonly name: string
  readonly mtu?: number | undefined
}

/** Puts a host's end into its bridge, or takes it out. */
export interface PortAct extends PortSettings {
  readonly act: 'port'
  readonly about: string
  readonly hostName: string
  readonly hostMac: string
  /** `undefined` takes it out. */
  readonly bridge: string | undefined
}

/** What a strategy of somebody else does. */
export interface RunAct {
  readonly act: 'run'
  readonly about: string
  /** @returns what takes it back */
  run(place: RunPlace): Promise<() => Promise<void>>
}

export interface RunPlace {
  /** A process in the container's namespace, where one is known. */
  readonly pid: number | undefined
  /** A descriptor of the container's network namespace, valid while it runs. */
  readonly namespace: number
}

export type Act = PairAct | UpperAct | MoveAct | SetAct | AddressAct | RouteAct | HelperAct | PortAct | RunAct
