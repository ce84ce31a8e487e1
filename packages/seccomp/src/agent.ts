import {
  acceptUnix,
  atSocketPath,
  listenUnix,
  type OwnedFd,
  POLLIN,
  poll,
  removeFile,
  SOCK_STREAM,
  type Waiting,
} from '@libcontainer/sys'
import { type ReceivedListener, receiveListener } from './process-state.js'
import { serveEach } from './serve-each.js'

export interface AgentOptions {
  /** Of the socket's file: who may write to it may have calls answered. Default: 0600. */
  mode?: number | undefined
  /** Told of connections that brought no listener. Default: nobody. */
  warn?: ((message: string) => void) | undefined
}

/** What a profile's `listenerPath` names: a socket on which runtimes hand over the listeners of filters. */
export class NotifyAgent {
  readonly path: string
  readonly #socket: OwnedFd
  readonly #warn: (message: string) => void

  private constructor(path: string, socket: OwnedFd, warn: (message: string) => void) {
    this.path = path
    this.#socket = socket
    this.#warn = warn
  }

  /** @throws {SyscallError} `EADDRINUSE` where something is at that path already */
  static async listen(path: string, { mode = 0o600, warn = () => {} }: AgentOptions = {}): Promise<NotifyAgent> {
    const socket = await atSocketPath(path, (name, directory) => listenUnix(name, SOCK_STREAM, { directory, mode }))
    return new NotifyAgent(path, socket, warn)
  }

  /**
   * Hands each listener that comes to `take`, which others do not wait for.
   *
   * @throws the signal's reason, or what `take` threw first: when all that were taken are done
   */
  async serve(take: (received: ReceivedListener) => void | Promise<void>, waiting: Waiting = {}): Promise<void> {
    await serveEach(
      async until => await this.#connection(until),
      async connection => {
        const received = await this.#receive(connection, waiting)
        if (received !== undefined) await take(received)
      },
      waiting,
    )
  }

  /** One listener alone; for who serves a single container. */
  async accept(waiting: Waiting = {}): Promise<ReceivedListener> {
    for (;;) {
      const received = await this.#receive(await this.#connection(waiting), waiting)
      if (received !== undefined) return received
    }
  }

  async #connection(waiting: Waiting): Promise<OwnedFd> {
    await poll(this.#socket.fd, POLLIN, waiting)
    return acceptUnix(this.#socket).connection
  }

  async #receive(connection: OwnedFd, waiting: Waiting): Promise<ReceivedListener | undefined> {
    try {
      return await receiveListener(connection, waiting)
    } catch (error) {
      if (!waiting.signal?.aborted) this.#warn((error as Error).message)
      return undefined
    } finally {
      connection.close()
    }
  }

  /** Nobody can connect any more; listeners that came stay. */
  async close(): Promise<void> {
    if (this.#socket.closed) return
    this.#socket.close()
    await removeFile(this.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
