import type { Waiting } from '@libcontainer/sys'
import { Addresses } from './address/addresses.js'
import { EVENT_SUBJECTS, type EventSubject, eventSource, type NetlinkEvent } from './events.js'
import { BridgeVlans } from './link/bridge-vlans.js'
import { Links } from './link/links.js'
import { NETLINK_SOCK_DIAG } from './message/wire.js'
import { Monitor, type MonitorOptions } from './monitor.js'
import { NamespaceIds } from './namespace/ids.js'
import type { NamespaceTarget } from './namespace/namespace.js'
import { Fdb } from './neighbour/fdb.js'
import { Neighbours } from './neighbour/neighbours.js'
import { TrafficClasses } from './qdisc/classes.js'
import { Qdiscs } from './qdisc/qdiscs.js'
import { NextHops } from './route/nexthops.js'
import { Routes } from './route/routes.js'
import { Rules } from './route/rules.js'
import { listSockets, type SocketEntry, type SocketFilter } from './sock-diag/sock-diag.js'
import { type DumpedList, NetlinkSocket } from './socket/socket.js'

export interface NetlinkOptions extends Waiting {
  /** A pid, a path, a name of ip-netns(8), a descriptor, a `Netns`. Default: the namespace of this process */
  readonly namespace?: NamespaceTarget | undefined
}

export interface EventOptions extends MonitorOptions {
  /** What to listen to. Default: all */
  readonly events?: readonly EventSubject[] | undefined
}

/**
 * The network of a namespace, by rtnetlink.
 *
 * ```ts
 * await using net = await Netlink.open({ namespace: 'blue' })
 * for (const link of await net.links.list()) console.log(link.name, link.mtu)
 * ```
 */
export class Netlink implements AsyncDisposable {
  /** What all of them ask by; for requests of one's own. */
  readonly socket: NetlinkSocket
  readonly links: Links
  readonly addresses: Addresses
  readonly routes: Routes
  readonly rules: Rules
  readonly neighbours: Neighbours
  readonly nexthops: NextHops
  readonly qdiscs: Qdiscs
  readonly classes: TrafficClasses
  readonly fdb: Fdb
  readonly bridgeVlans: BridgeVlans
  readonly namespaceIds: NamespaceIds

  constructor(socket: NetlinkSocket) {
    this.socket = socket
    this.links = new Links(socket)
    this.addresses = new Addresses(socket)
    this.routes = new Routes(socket)
    this.rules = new Rules(socket)
    this.neighbours = new Neighbours(socket)
    this.nexthops = new NextHops(socket)
    this.qdiscs = new Qdiscs(socket)
    this.classes = new TrafficClasses(socket)
    this.fdb = new Fdb(socket)
    this.bridgeVlans = new BridgeVlans(socket)
    this.namespaceIds = new NamespaceIds(socket)
  }

  /**
   * Opens a namespace's network. The namespace is opened once and kept: what its name or pid means later does not matter.
   *
   * @throws {ConfigInvalid} for what is no network namespace
   * @throws {SyscallError} `ENOENT` when there is none, `EPERM` without CAP_SYS_ADMIN over it
   */
  static async open({ namespace, signal }: NetlinkOptions = {}): Promise<Netlink> {
    return new Netlink(await NetlinkSocket.open({ namespace, signal }))
  }

  /** What happens from now on, until the loop over it is left, or the signal or this network ends. Of what the kernel could not keep, see `LostEvents`. */
  async monitor({ events = EVENT_SUBJECTS, ...options }: EventOptions = {}): Promise<Monitor<NetlinkEvent>> {
    return await Monitor.open(this.socket, eventSource(this, events), options)
  }

  /** The sockets of the namespace's processes, as ss(8) lists them. */
  async sockets(filter: SocketFilter = {}): Promise<DumpedList<SocketEntry>> {
    const socket = await this.socket.sibling({ protocol: NETLINK_SOCK_DIAG, signal: filter.signal })
    try {
      return await listSockets(socket, filter)
    } finally {
      socket.close()
    }
  }

  get closed(): boolean {
    return this.socket.closed
  }

  /** Ends it, with dumps and monitors that go on. A second call does nothing. */
  close(): void {
    this.socket.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket[Symbol.asyncDispose]()
  }
}
