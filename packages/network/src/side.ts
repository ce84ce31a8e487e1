import {
  Addresses,
  Links,
  type NamespaceTarget,
  type NetlinkMessage,
  type NetlinkRequest,
  NetlinkSocket,
} from '@libcontainer/netlink'
import type { OwnedFd, Waiting } from '@libcontainer/sys'

/** A request, and the words for what it does. */
export interface Wanted {
  readonly about: string
  readonly request: NetlinkRequest
}

/** A network namespace, by a socket in it: the host's, or a container's. */
export class Side {
  readonly links: Links
  readonly addresses: Addresses
  readonly #socket: NetlinkSocket

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket
    this.links = new Links(socket)
    this.addresses = new Addresses(socket)
  }

  /** @param namespace - default: that of this process */
  static async open(namespace?: NamespaceTarget, { signal }: Waiting = {}): Promise<Side> {
    return new Side(await NetlinkSocket.open({ namespace, signal }))
  }

  /**
   * Sends requests in one system call: the answers in their order.
   *
   * @throws {SyscallError} for the first that is refused. The kernel goes on behind it: whoever sends several takes all of them back
   */
  async run(wanted: readonly Wanted[]): Promise<(NetlinkMessage | undefined)[]> {
    if (wanted.length === 0) return []
    const answers = await this.#socket.batch(wanted.map(({ about, request }) => ({ ...request, about })))
    const refused = answers.find(({ error }) => error !== undefined)
    if (refused !== undefined) throw refused.error
    return answers.map(({ answer }) => answer)
  }

  close(): void {
    this.#socket.close()
  }
}

/** Both: a container's is opened when it is needed, which takes a process of its own and a right that not everybody has. */
export class Sides {
  readonly host: Side
  readonly #namespace: OwnedFd | Promise<OwnedFd>
  readonly #waiting: Waiting
  #container: Promise<Side> | undefined

  private constructor(host: Side, namespace: OwnedFd | Promise<OwnedFd>, waiting: Waiting) {
    this.host = host
    this.#namespace = namespace
    this.#waiting = waiting
  }

  static async open(namespace: OwnedFd | Promise<OwnedFd>, waiting: Waiting = {}): Promise<Sides> {
    return new Sides(await Side.open(undefined, waiting), namespace, waiting)
  }

  container(): Promise<Side> {
    this.#container ??= (async () => await Side.open(await this.#namespace, this.#waiting))()
    return this.#container
  }

  close(): void {
    this.host.close()
    this.#container?.then(
      side => side.close(),
      () => {},
    )
  }
}
