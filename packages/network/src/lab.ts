import { enter, type ProgramOptions, type ProgramOutput } from '@libcontainer/namespaces'
import {
  addAddressRequest,
  type Links,
  Netlink,
  NetlinkSocket,
  Netns,
  parseCidr,
  type QdiscSpec,
  type Qdiscs,
  type Routes,
  setLinkRequest,
} from '@libcontainer/netlink'
import { checkLinkName } from '@libcontainer/netlink/text'
import { ConfigInvalid } from '@libcontainer/sys'
import { checkFields } from './fields.js'
import { type Topology, type TopologyLink, type TopologyNode, topologySvg } from './topology-svg.js'

export { type Topology, type TopologyLink, type TopologyNode, topologySvg }

/** How late, lossy and slow a line is: tc-netem(8). */
export type LineOptions = NonNullable<QdiscSpec['netem']>

/** What a link is like, in both directions. */
export interface LabLinkOptions {
  /** The interface of the first end, and of the second. Default: `eth0`, `eth1`, … of a host; of a switch the name of the other end. */
  readonly names?: readonly [string | undefined, string | undefined] | undefined
  /** With their lengths: of the first end, and of the second. */
  readonly addresses?:
    | readonly [string | readonly string[] | undefined, (string | readonly string[] | undefined)?]
    | undefined
  readonly mtu?: number | undefined
  /** How late, lossy and slow: tc-netem(8). Half of the delay of a ping. */
  readonly line?: LineOptions | undefined
}

interface Made {
  readonly ends: readonly [string, string]
  readonly line: LineOptions | undefined
}

const BRIDGE = 'br0'

/** A host or a switch of a laboratory: a network namespace without a name, in which the requests of its fields act; its bridge is called `br0`. */
export class LabNode {
  readonly name: string
  readonly kind: 'host' | 'switch'
  readonly netns: Netns
  /** All that there is to ask of its network: addresses, rules, neighbours, events, … */
  readonly net: Netlink
  readonly links: Links
  readonly routes: Routes
  readonly qdiscs: Qdiscs
  /** @internal */
  readonly socket: NetlinkSocket
  /** @internal */
  readonly addresses: string[] = []

  /** @internal nodes come from a `Lab` */
  constructor(name: string, kind: 'host' | 'switch', netns: Netns, socket: NetlinkSocket) {
    this.name = name
    this.kind = kind
    this.netns = netns
    this.socket = socket
    this.net = new Netlink(socket)
    this.links = this.net.links
    this.routes = this.net.routes
    this.qdiscs = this.net.qdiscs
  }

  /**
   * Runs a program of this machine in the node's network, to its end.
   *
   * @param argv - found by `PATH`
   */
  async run(argv: readonly string[], options: Omit<ProgramOptions, 'stdio'> = {}): Promise<ProgramOutput> {
    const paths = { net: `/proc/self/fd/${this.netns.fd.fd}` }
    await using program = await enter({ paths }, argv, { ...options, stdio: ['null', 'pipe', 'pipe'] })
    return await program.output()
  }

  /** @internal */
  async close(): Promise<void> {
    this.socket.close()
    this.netns.close()
  }
}

/**
 * A laboratory of hosts, switches and lines that are late and lossy. All of it is in network namespaces without names: when the lab is closed, or its
 * process ends however it does, the kernel takes it away.
 *
 * ```ts
 * await using lab = new Lab()
 * const [a, b] = [await lab.host('a'), await lab.host('b')]
 * await lab.link(a, b, { addresses: ['10.0.0.1/24', '10.0.0.2/24'] })
 * ```
 */
export class Lab implements AsyncDisposable {
  readonly #nodes = new Map<string, LabNode>()
  readonly #links: Made[] = []
  #closed = false

  /** A host, with its loopback up. @throws {ConfigInvalid} for a name that is taken @throws {SyscallError} `EPERM` without CAP_SYS_ADMIN */
  async host(name: string): Promise<LabNode> {
    return await this.#node(name, 'host')
  }

  /** A switch: a bridge in a network of its own, whose ports are what is linked to it. */
  async switch(name: string): Promise<LabNode> {
    return await this.#node(name, 'switch')
  }

  /**
   * Lays a line between two nodes. What is wrong is refused before anything is made, and when any of it fails the line is not there.
   *
   * @throws {ConfigInvalid} by field
   * @throws {SyscallError} `EEXIST` where an interface has the name; `ENOENT` or `EOPNOTSUPP` where the kernel has no netem
   */
  async link(one: LabNode, other: LabNode, options: LabLinkOptions = {}): Promise<void> {
    const {
      names = [undefined, undefined],
      addresses = [undefined],
      mtu,
      line,
    } = checkFields(options, 'link', ['names', 'addresses', 'mtu', 'line']) as LabLinkOptions
    const ends = [one, other] as const
    for (const [i, node] of ends.entries())
      if (this.#nodes.get(node.name) !== node)
        throw new ConfigInvalid(`ends[${i}]`, node.name, 'must be a node of this lab')
    const lists = [0, 1].map(i => listOf(addresses[i]))
    for (const [i, list] of lists.entries())
      for (const [n, address] of list.entries()) {
        parseCidr(address, `link.addresses[${i}][${n}]`)
        if (ends[i]!.kind === 'switch')
          throw new ConfigInvalid(`link.addresses[${i}][${n}]`, address, 'is of a port of a switch, which has none')
      }
    const [first, second] = [
      await this.#nameOf(one, other, names[0], 0),
      await this.#nameOf(other, one, names[1], one === other ? 1 : 0),
    ]
    await one.links.add({ kind: 'veth', name: first, mtu, peer: { name: second, mtu, namespace: other.netns.fd } })
    try {
      for (const [node, name, list] of [
        [one, first, lists[0]!],
        [other, second, lists[1]!],
      ] as const)
        await settle(node, name, list, line)
    } catch (error) {
      await one.links.delete(first).catch(() => undefined)
      throw error
    }
    one.addresses.push(...lists[0]!)
    other.addresses.push(...lists[1]!)
    this.#links.push({ ends: [one.name, other.name], line })
  }

  /** What there is, as a drawing takes it. */
  topology(): Topology {
    return {
      nodes: [...this.#nodes.values()].map(
        ({ name, kind, addresses }): TopologyNode => ({ name, kind, notes: [...addresses] }),
      ),
      links: this.#links.map(({ ends, line }): TopologyLink => ({ ends, note: line && noteOf(line) })),
    }
  }

  /** The drawing of it. */
  svg(): string {
    return topologySvg(this.topology())
  }

  /** Takes all of it away. Once more is fine. */
  async close(): Promise<void> {
    this.#closed = true
    const nodes = [...this.#nodes.values()]
    this.#nodes.clear()
    for (const node of nodes) await node.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #node(name: string, kind: LabNode['kind']): Promise<LabNode> {
    checkLinkName(name, 'name')
    this.#checkFree(name)
    const netns = await Netns.create()
    let socket: NetlinkSocket | undefined
    try {
      socket = await NetlinkSocket.open({ namespace: netns.fd })
      const node = new LabNode(name, kind, netns, socket)
      if (kind === 'switch') await node.links.add({ kind: 'bridge', name: BRIDGE, up: true })
      await node.links.set('lo', { up: true })
      // Meanwhile another may have been made, or the lab closed.
      this.#checkFree(name)
      this.#nodes.set(name, node)
      return node
    } catch (error) {
      socket?.close()
      netns.close()
      throw error
    }
  }

  #checkFree(name: string): void {
    if (this.#closed) throw new ConfigInvalid('name', name, 'cannot be had: the lab is closed')
    if (this.#nodes.has(name)) throw new ConfigInvalid('name', name, 'is a node already')
  }

  /** A port of a switch is called as what is at its other end, with a number where that is taken. */
  async #nameOf(node: LabNode, other: LabNode, given: string | undefined, more: number): Promise<string> {
    if (given !== undefined) return checkLinkName(given, 'link.names')
    const taken = new Set((await node.links.list()).map(({ name }) => name))
    if (node.kind === 'switch' && !taken.has(other.name)) return other.name
    const stem = node.kind === 'switch' ? other.name.slice(0, 11) : 'eth'
    let n = 0
    while (taken.has(`${stem}${n}`)) n++
    return `${stem}${n + more}`
  }
}

/** What an end has: its port, addresses, the line, and up. */
async function settle(
  node: LabNode,
  name: string,
  addresses: readonly string[],
  line: LineOptions | undefined,
): Promise<void> {
  const index = await node.links.index(name)
  const master = node.kind === 'switch' ? await node.links.index(BRIDGE) : undefined
  const answers = await node.socket.batch([
    ...addresses.map(address => addAddressRequest(index, address, address.includes(':') ? { flags: ['nodad'] } : {})),
    setLinkRequest(index, { up: true, master }),
  ])
  const refused = answers.find(({ error }) => error !== undefined)
  if (refused !== undefined) throw refused.error
  if (line !== undefined) await node.qdiscs.add({ dev: index, netem: line })
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

/** `20 ms, 1 % lost`. */
function noteOf({ delayUs, lossPercent, rateBytesPerSecond: rate }: LineOptions): string {
  return [
    ...(delayUs === undefined ? [] : [`${delayUs / 1000} ms`]),
    ...(lossPercent === undefined ? [] : [`${lossPercent} % lost`]),
    ...(rate === undefined ? [] : [`${rate} B/s`]),
  ].join(', ')
}
