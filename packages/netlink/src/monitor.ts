import { checked, LibcontainerError, onAbort, POLLIN, poll, SyscallError, type Waiting } from '@libcontainer/sys'
import { messagesOf, type NetlinkMessage, NLMSG_OVERRUN } from './message/wire.js'
import { native } from './native.js'
import type { OpenSocket } from './socket/open.js'
import type { Running } from './socket/pass.js'
import { ENOBUFS, Receiver } from './socket/receive.js'
import type { NetlinkSocket } from './socket/socket.js'

/** The kernel had more to tell than its queue holds: what was told meanwhile is gone. */
export interface LostEvents {
  readonly type: 'lost'
}

/** What a monitor listens to. */
export interface MonitorSource<E> {
  /** Numbers of multicast groups: RTNLGRP_LINK is 1. */
  readonly groups: readonly number[]
  /** Makes an event of a message, whose payload is only there during the call; `undefined` leaves it out. */
  readonly read: (message: NetlinkMessage) => E | undefined
  /** What is there now, told after events were lost, so that whoever keeps a table of it can put it right. */
  readonly now?: ((waiting: Waiting) => AsyncIterable<E>) | undefined
}

export interface MonitorOptions extends Waiting {
  /** In bytes: how much the kernel keeps while nobody reads, where this process may say so. Default: 4 MiB */
  readonly room?: number | undefined
}

const ROOM = 4 * 1024 * 1024
const BUFFER = 262144
const NOTHING = new Uint8Array()

/**
 * Events of the kernel from the moment it is opened, whether or not anybody reads yet. Read it once, by `for await`; leaving the loop closes it.
 *
 * ```ts
 * for await (const event of await net.monitor({ signal })) console.log(event)
 * ```
 */
export class Monitor<E> implements AsyncIterable<E | LostEvents>, AsyncDisposable {
  readonly #socket: OpenSocket
  readonly #source: MonitorSource<E>
  readonly #running: Running
  readonly #over = new AbortController()
  readonly #deaf: () => void
  #read = false
  /** The kernel may be using the socket: it must not become somebody else's. */
  #calling = false

  private constructor(socket: OpenSocket, source: MonitorSource<E>, running: Running) {
    this.#socket = socket
    this.#source = source
    this.#running = running
    this.#deaf = onAbort(running.signal, () => this.#stop())
  }

  /**
   * Begins to listen, in the namespace of a socket and as long as that is open.
   *
   * @throws {SyscallError} `EPERM`, `EINVAL` or `ENOENT` for groups that the kernel does not let this process join, or does not have
   */
  static async open<E>(
    socket: NetlinkSocket,
    source: MonitorSource<E>,
    { signal, room = ROOM }: MonitorOptions = {},
  ): Promise<Monitor<E>> {
    const own = await socket.openAnother(socket.protocol, { signal }, room)
    try {
      for (const group of source.groups)
        checked(native.sync.joinNetlinkGroup(own.fd.fd, group, 1), 'setsockopt(NETLINK_ADD_MEMBERSHIP)', undefined, {
          detail: `group ${group}`,
        })
      return new Monitor(own, source, socket.begin(signal))
    } catch (error) {
      own.fd.close()
      throw error
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<E | LostEvents, void, undefined> {
    if (this.#read) throw new LibcontainerError('EALREADY', 'a monitor is read once')
    this.#read = true
    this.#calling = true
    try {
      for await (const event of this.#events()) {
        this.#calling = false
        yield event
        this.#calling = true
        this.#running.signal.throwIfAborted()
        if (this.#over.signal.aborted) return
      }
    } catch (error) {
      if (!this.#over.signal.aborted) throw error
      this.#running.signal.throwIfAborted()
      // Closed by `close`: that is the end, and no failure.
    } finally {
      this.#release()
    }
  }

  async *#events(): AsyncGenerator<E | LostEvents, void, undefined> {
    const { signal } = this.#over
    const receiver = new Receiver(BUFFER)
    while (!signal.aborted) {
      const failure = await receiver.exchange(this.#socket.fd.fd, NOTHING)
      if (failure !== undefined) throw failure
      const { received, error, drained } = receiver
      for (const message of messagesOf(received)) {
        const event = message.type > NLMSG_OVERRUN ? this.#source.read(message) : undefined
        if (event !== undefined) yield event
      }
      if (error === ENOBUFS) receiver.lost = true
      else if (error !== 0) throw new SyscallError(error, 'recvmsg')
      if (!drained) continue
      if (receiver.lost) {
        // Only now: what was in the queue is older than the loss, and must not be told behind what is there after it.
        receiver.lost = false
        yield { type: 'lost' }
        if (this.#source.now !== undefined) yield* this.#source.now({ signal })
      }
      await poll(this.#socket.fd.fd, POLLIN, { signal })
    }
    this.#running.signal.throwIfAborted()
  }

  /** Ends it: a loop over it is left. A second call does nothing. */
  close(): void {
    this.#stop()
    this.#deaf()
    this.#running.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #stop(): void {
    this.#over.abort()
    // Else the call that goes on ends, and then closes it.
    if (!this.#calling) this.#release()
  }

  #release(): void {
    this.#over.abort()
    this.#deaf?.()
    this.#running.end()
    this.#socket.fd.close()
  }
}
