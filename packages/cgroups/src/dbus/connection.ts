import {
  connectUnix,
  holding,
  isErrno,
  LibcontainerError,
  O_NONBLOCK,
  type OwnedFd,
  onAbort,
  POLLIN,
  POLLOUT,
  poll,
  receiveMessage,
  SOCK_STREAM,
  sendSome,
  sleep,
  type Waiting,
} from '@libcontainer/sys'
import { authenticate, authenticateAtOnce, firstLine } from './auth.js'
import { DBusDisconnected, DBusError } from './errors.js'
import {
  type DBusMessage,
  decodeMessage,
  ERROR,
  encodeMessage,
  METHOD_CALL,
  METHOD_RETURN,
  messageSize,
  SIGNAL,
} from './message.js'
import type { DBusValue } from './value.js'

export interface MethodCall {
  /** Whom to ask; a socket that is one service's own needs none. */
  readonly destination?: string | undefined
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string | undefined
  readonly body?: readonly DBusValue[] | undefined
}

export interface ConnectOptions extends Waiting {
  /** Whether a bus listens there, which gives each client a name, or systemd itself. Default: true */
  readonly bus?: boolean | undefined
}

interface Waiter {
  readonly call: MethodCall
  readonly resolve: (body: readonly DBusValue[]) => void
  readonly reject: (error: unknown) => void
  sent: boolean
}

/** A connection to a bus, or to a service's own socket. It does not keep a program from ending, but a call does. */
export class DBusConnection {
  readonly #socket: OwnedFd
  readonly #stop = new AbortController()
  readonly #waiting = new Map<number, Waiter>()
  readonly #listeners = new Set<(message: DBusMessage) => void>()
  readonly #closers = new Set<(error: unknown) => void>()
  #unread = new Uint8Array()
  #serial = 0
  /** One message after another, each in one piece. */
  #sending: Promise<void> = Promise.resolve()
  #end: { readonly cause: unknown } | undefined

  private constructor(socket: OwnedFd) {
    this.#socket = socket
  }

  /**
   * Connects and says who this is.
   *
   * @param path - of a UNIX socket, or `@` and the name of an abstract one
   * @throws {SyscallError} `ENOENT`, `ECONNREFUSED` when nobody listens there
   * @throws {LibcontainerError} `EACCES` when it does not let this user in, `EPROTO` when it speaks something else
   */
  static async open(path: string, { bus = true, signal }: ConnectOptions = {}): Promise<DBusConnection> {
    const connection = new DBusConnection(await connect(path, signal))
    try {
      await (bus ? authenticate : authenticateAtOnce)({
        send: bytes => connection.#write(bytes, signal),
        line: () => connection.#line(signal),
      })
      void connection.#read()
      if (bus) await connection.call({ ...BUS, member: 'Hello' }, { signal })
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  get closed(): boolean {
    return this.#end !== undefined
  }

  /**
   * Calls a method and answers with what it returns.
   *
   * @param waiting.signal - ends the wait; the service may do what was asked all the same
   * @throws {DBusError} what the service says instead, by its name
   * @throws {DBusDisconnected} when the connection ends before
   */
  async call(call: MethodCall, { signal }: Waiting = {}): Promise<readonly DBusValue[]> {
    signal?.throwIfAborted()
    const serial = this.#nextSerial()
    const { signature, body = [], ...rest } = call
    const bytes = encodeMessage({ type: METHOD_CALL, serial, signature, body, ...rest })
    const answer = new Promise<readonly DBusValue[]>((resolve, reject) => {
      this.#waiting.set(serial, { call, resolve, reject, sent: false })
    })
    answer.catch(() => {})
    const deaf = onAbort(signal, () => this.#waiting.get(serial)?.reject(signal?.reason))
    try {
      await this.#send(bytes, serial, signal)
      return await holding(answer)
    } finally {
      deaf()
      this.#waiting.delete(serial)
    }
  }

  /** Calls back with every signal that comes, until it is told to stop. @param onClose - called when none can come any more */
  onSignal(listener: (message: DBusMessage) => void, onClose: (error: unknown) => void = () => {}): () => void {
    this.#listeners.add(listener)
    this.#closers.add(onClose)
    return () => {
      this.#listeners.delete(listener)
      this.#closers.delete(onClose)
    }
  }

  /** Ends it; calls that wait are refused. */
  close(): void {
    this.#fail(new LibcontainerError('ECONNABORTED', 'it was closed here'))
  }

  #nextSerial(): number {
    this.#serial = this.#serial === 0xffff_ffff ? 1 : this.#serial + 1
    return this.#serial
  }

  async #send(bytes: Uint8Array, serial: number, signal: AbortSignal | undefined): Promise<void> {
    const before = this.#sending
    const writing = (async () => {
      await before
      signal?.throwIfAborted()
      if (this.#end !== undefined) throw this.#disconnected(false)
      await this.#write(bytes, signal)
      const waiter = this.#waiting.get(serial)
      if (waiter !== undefined) waiter.sent = true
    })()
    this.#sending = writing.catch(() => {})
    await writing
  }

  /** All of it, or the connection is of no use any more: nobody could tell where the next message begins. */
  async #write(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const deaf = onAbort(signal, () => this.#fail(signal?.reason))
    try {
      for (let done = 0; done < bytes.length; ) done += await this.#writeSome(bytes.subarray(done))
    } catch (error) {
      this.#fail(error)
      signal?.throwIfAborted()
      throw this.#disconnected(false)
    } finally {
      deaf()
    }
  }

  async #writeSome(bytes: Uint8Array): Promise<number> {
    try {
      return sendSome(this.#socket, bytes)
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error
      await poll(this.#socket.fd, POLLOUT, { signal: this.#stop.signal })
      return 0
    }
  }

  /** Takes what is there; false at its end. */
  #receive(): boolean {
    let message: ReturnType<typeof receiveMessage>
    try {
      message = receiveMessage(this.#socket)
    } catch (error) {
      if (isErrno(error, 'EAGAIN')) return true
      throw error
    }
    if (message === undefined) return false
    // Nobody was told that descriptors are welcome here.
    for (const fd of message.fds) fd.close()
    const joined = new Uint8Array(this.#unread.length + message.bytes.length)
    joined.set(this.#unread)
    joined.set(message.bytes, this.#unread.length)
    this.#unread = joined
    return true
  }

  async #line(signal: AbortSignal | undefined): Promise<string> {
    for (;;) {
      const found = firstLine(this.#unread)
      if (found !== undefined) {
        this.#unread = this.#unread.slice(found.size)
        return found.line
      }
      await poll(this.#socket.fd, POLLIN, { signal })
      if (!this.#receive()) throw new LibcontainerError('EPROTO', 'what listens there ends the connection at once')
    }
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        this.#takeMessages()
        await poll(this.#socket.fd, POLLIN, { weak: true, signal: this.#stop.signal })
        if (!this.#receive()) throw new LibcontainerError('ECONNRESET', 'the service has ended it')
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #takeMessages(): void {
    for (;;) {
      const size = messageSize(this.#unread)
      if (size === undefined || this.#unread.length < size) return
      const message = decodeMessage(this.#unread.subarray(0, size))
      this.#unread = this.#unread.slice(size)
      this.#take(message)
    }
  }

  /** What calls us is left without an answer: there is no object here. */
  #take(message: DBusMessage): void {
    if (message.type === SIGNAL) for (const listener of [...this.#listeners]) listener(message)
    if (message.type !== METHOD_RETURN && message.type !== ERROR) return
    const waiter = this.#waiting.get(message.replySerial!)
    if (waiter === undefined) return
    const [text] = message.body
    const said = typeof text === 'string' ? text : ''
    if (message.type === METHOD_RETURN) waiter.resolve(message.body)
    else waiter.reject(new DBusError(message.errorName!, said, waiter.call.member))
  }

  #disconnected(sent: boolean): DBusDisconnected {
    const { cause } = this.#end ?? { cause: undefined }
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    return new DBusDisconnected(`the connection to the bus is gone${why}`, { sent, cause })
  }

  #fail(cause: unknown): void {
    if (this.#end !== undefined) return
    this.#end = { cause }
    this.#stop.abort()
    this.#socket.close()
    for (const { reject, sent } of this.#waiting.values()) reject(this.#disconnected(sent))
    for (const tell of [...this.#closers]) tell(this.#disconnected(true))
  }
}

/** The bus itself, as one that is asked. */
export const BUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const

/** Never waits in the call itself: a service that accepts nobody has a full queue (`EAGAIN`), and the wait could not be ended. */
async function connect(path: string, signal: AbortSignal | undefined): Promise<OwnedFd> {
  for (let pause = 1; ; pause = Math.min(pause * 2, 100)) {
    signal?.throwIfAborted()
    try {
      return await connectUnix(path, SOCK_STREAM | O_NONBLOCK)
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error
      await sleep(pause, { signal })
    }
  }
}
