import { type OwnedFd, onAbort, type SyscallError, type Waiting } from '@libcontainer/sys'
import type { NetlinkRequest } from '../message/message.js'
import { NETLINK_ROUTE, type NetlinkMessage } from '../message/wire.js'
import { type NamespaceTarget, openNamespace } from '../namespace/namespace.js'
import { type Dump, type DumpedList, type DumpRequest, dumpToList } from './dump.js'
import { DumpStream } from './dump-stream.js'
import { closedError, Exchange } from './exchange.js'
import { type OpenSocket, openSocket, ROOM } from './open.js'
import type { Carrier, Carriers, Running } from './pass.js'

export type { Dump, DumpedList, DumpRequest } from './dump.js'
export type { Running } from './pass.js'

export interface SocketOptions extends Waiting {
  /** Default: NETLINK_ROUTE */
  readonly protocol?: number | undefined
  /** Default: that of this process */
  readonly namespace?: NamespaceTarget | undefined
}

/** How one request of a batch went: the kernel goes on behind one that it refuses. */
export interface BatchAnswer {
  /** What it answered beside the acknowledgement. */
  readonly answer?: NetlinkMessage | undefined
  readonly error?: SyscallError | undefined
}

/** Sockets that are kept for the next dump. */
const MOST_IDLE = 2

/**
 * A netlink socket in a network namespace. It keeps no program from ending, but what is asked of it does.
 *
 * Whatever waits in the kernel waits off the thread. Requests at the same time go together in one system call; dumps have sockets of their own, so that one that is
 * read slowly holds up nothing.
 */
export class NetlinkSocket implements AsyncDisposable {
  readonly protocol: number
  readonly #namespace: OwnedFd | undefined
  readonly #exchange: Exchange
  readonly #idle: Carrier[] = []
  readonly #running = new Set<AbortController>()
  readonly #carriers: Carriers = {
    take: async signal =>
      this.#idle.pop() ?? { socket: await this.openAnother(this.protocol, { signal }), sequence: 0 },
    give: (carrier, clean) => {
      if (clean && !this.closed && this.#idle.length < MOST_IDLE) this.#idle.push(carrier)
      else carrier.socket.fd.close()
    },
  }
  /** Calls that use the namespace's descriptor. */
  #opening = 0

  private constructor(protocol: number, namespace: OwnedFd | undefined, { fd, port }: OpenSocket) {
    this.protocol = protocol
    this.#namespace = namespace
    this.#exchange = new Exchange(fd, port)
  }

  /**
   * Opens a socket. A namespace is opened once: what its path or pid means later does not matter.
   *
   * @throws {ConfigInvalid} for a namespace that cannot be one
   * @throws {SyscallError} `ENOENT` where there is none, `EINVAL` for something else, `EPERM` without CAP_SYS_ADMIN
   */
  static async open({ protocol = NETLINK_ROUTE, namespace, signal }: SocketOptions = {}): Promise<NetlinkSocket> {
    signal?.throwIfAborted()
    const held = namespace === undefined ? undefined : await openNamespace(namespace)
    try {
      return new NetlinkSocket(protocol, held, await openSocket(protocol, held, { signal }))
    } catch (error) {
      held?.close()
      throw error
    }
  }

  get closed(): boolean {
    return this.#exchange.closed
  }

  /**
   * Sends one message.
   *
   * @returns the first message that answers it (a copy), or `undefined` when it was acknowledged alone
   * @throws {SyscallError} the kernel's refusal, with its own words and the attribute that it names; `ENOBUFS` when the answer was lost
   */
  async request(request: NetlinkRequest): Promise<NetlinkMessage | undefined> {
    const { answer, error } = await this.#exchange.send(request, request)
    if (error !== undefined) throw error
    return answer
  }

  /**
   * Sends several at once, as far as possible in one system call. The kernel goes on behind one that it refuses.
   *
   * @returns how each went, in their order
   * @throws the signal's reason, or why the socket cannot be used; nothing for what the kernel refuses
   */
  async batch(requests: readonly NetlinkRequest[], { signal }: Waiting = {}): Promise<readonly BatchAnswer[]> {
    signal?.throwIfAborted()
    if (this.closed) throw closedError()
    const outcomes = await Promise.all(requests.map(request => this.#exchange.send(request, { signal })))
    signal?.throwIfAborted()
    return outcomes as readonly BatchAnswer[]
  }

  /** Streams the entries of a table. */
  dump<T>(request: DumpRequest<T>): Dump<T> {
    return new DumpStream(this.#carriers, request, () => this.begin(request.signal))
  }

  /** All entries of a table at once, which is the fastest; asked again where the table changed meanwhile. */
  async list<T>(request: DumpRequest<T>): Promise<DumpedList<T>> {
    const { signal, end } = this.begin(request.signal)
    try {
      return await dumpToList(this.#carriers, request, signal)
    } finally {
      end()
    }
  }

  /** Another socket in the same namespace. */
  async sibling({ protocol = this.protocol, signal }: Omit<SocketOptions, 'namespace'> = {}): Promise<NetlinkSocket> {
    if (this.closed) throw closedError()
    return await NetlinkSocket.open({ protocol, namespace: this.#namespace, signal })
  }

  /** Another descriptor in the same namespace, for who reads it himself: a monitor. @param room - in bytes, of what the kernel keeps for it */
  async openAnother(protocol: number, { signal }: Waiting = {}, room = ROOM): Promise<OpenSocket> {
    if (this.closed) throw closedError()
    this.#opening++
    try {
      return await openSocket(protocol, this.#namespace, { signal }, room)
    } finally {
      this.#opening--
      if (this.closed) this.#closeNamespace()
    }
  }

  /** For what goes on for a while, as dumps and monitors do: a signal that is the caller's and this socket's end in one. */
  begin(outer: AbortSignal | undefined): Running {
    if (this.closed) throw closedError()
    outer?.throwIfAborted()
    const controller = new AbortController()
    this.#running.add(controller)
    const deaf = onAbort(outer, () => controller.abort(outer?.reason))
    const end = (): void => {
      deaf()
      this.#running.delete(controller)
    }
    return { signal: controller.signal, end }
  }

  /** Ends it, and dumps that go on; requests that wait are refused. A second call does nothing. */
  close(): void {
    if (this.closed) return
    this.#exchange.close()
    for (const controller of this.#running) controller.abort(closedError())
    for (const { socket } of this.#idle.splice(0)) socket.fd.close()
    this.#closeNamespace()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.#exchange.ended()
  }

  #closeNamespace(): void {
    if (this.#opening === 0) this.#namespace?.close()
  }
}
