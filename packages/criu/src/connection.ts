import {
  connectUnix,
  holding,
  isErrno,
  LibcontainerError,
  type OwnedFd,
  onAbort,
  POLLIN,
  type Program,
  poll,
  receiveMessage,
  SOCK_SEQPACKET,
  type StdioRequest,
  sendMessage,
  socketPair,
  startProgram,
  type Waiting,
} from '@libcontainer/sys'
import { type CriuReq, type CriuResp, criuReq, criuResp } from './messages.js'
import { type Criu, criuPath } from './place.js'
import { decodeMessage, encodeMessage } from './protobuf.js'

/** CRIU runs iptables, nft, ip and tar: of the host, whatever PATH a caller has. */
export const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

/** The descriptor of the socket in CRIU; those after it are the caller's. */
const SOCKET = 3

export interface ConnectOptions extends Waiting {
  /** Descriptors that become 4, 5, … of CRIU. */
  readonly fds?: readonly (number | OwnedFd)[] | undefined
  /** Default: nothing to read, and what is written is thrown away. A shell job is restored on the terminal of its input. */
  readonly stdio?: StdioRequest | undefined
}

export interface Answer {
  readonly response: CriuResp
  /** Descriptors that came with it: the caller's. */
  readonly fds: readonly OwnedFd[]
}

/** `criu swrk` as a child of this process, or a connection to a service; for one request, and what is told meanwhile. */
export class Connection {
  /** The program; `undefined` for a service. */
  readonly program: Program | undefined
  readonly #socket: OwnedFd
  /** CRIU's end. What it has forked may keep its side of the socket open. */
  readonly #over = new AbortController()

  constructor(socket: OwnedFd, program: Program | undefined) {
    this.#socket = socket
    this.program = program
    const over = (): void => this.#over.abort()
    program?.wait().then(over, over)
  }

  async request(request: CriuReq, waiting: Waiting = {}): Promise<Answer> {
    await this.send(request)
    return await this.receive(waiting)
  }

  /** @throws {LibcontainerError} `CriuEnded` when it has hung up */
  async send(request: CriuReq): Promise<void> {
    try {
      sendMessage(this.#socket, encodeMessage(criuReq, request))
    } catch (error) {
      throw isErrno(error, 'EPIPE', 'ECONNRESET') ? await this.#ended() : error
    }
  }

  /** Waits for one message. @throws {LibcontainerError} `CriuEnded` when it hangs up, or ends, instead */
  async receive({ signal }: Waiting = {}): Promise<Answer> {
    await this.#untilReadable(signal)
    let message: ReturnType<typeof receiveMessage>
    try {
      message = receiveMessage(this.#socket)
    } catch (error) {
      throw isErrno(error, 'ECONNRESET', 'EAGAIN') ? await this.#ended() : error
    }
    if (message === undefined) throw await this.#ended()
    try {
      return { response: decodeMessage(criuResp, message.bytes), fds: message.fds }
    } catch (error) {
      for (const fd of message.fds) fd.close()
      throw error
    }
  }

  async #untilReadable(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    const stop = new AbortController()
    const deaf = [signal, this.#over.signal].map(one => onAbort(one, () => stop.abort()))
    try {
      await poll(this.#socket.fd, POLLIN, { signal: stop.signal })
    } catch (error) {
      signal?.throwIfAborted()
      if (!this.#over.signal.aborted) throw error
    } finally {
      for (const stopListening of deaf) stopListening()
    }
  }

  async #ended(): Promise<LibcontainerError> {
    const status = await this.program?.wait()
    const how =
      status === undefined
        ? 'the service hung up'
        : status.signal === undefined
          ? `it ended with ${status.code}`
          : `signal ${status.signal} ended it`
    return new LibcontainerError('CriuEnded', `CRIU gave no answer: ${how}`)
  }

  /** Hangs up, and waits for the program's end. */
  async end(): Promise<void> {
    this.#socket.close()
    await this.program?.wait().catch(() => undefined)
  }

  /** Ends the program at once. */
  async kill(): Promise<void> {
    this.program?.signal('SIGKILL')
    await this.end()
  }
}

/**
 * @throws {SyscallError} `ENOENT` where CRIU is not installed; `ENOENT`, `ECONNREFUSED` where no service listens
 */
export async function connect(
  criu: Criu,
  { fds = [], stdio = 'null', signal }: ConnectOptions = {},
): Promise<Connection> {
  signal?.throwIfAborted()
  if (criu.service !== undefined)
    return new Connection(await holding(connectUnix(criu.service, SOCK_SEQPACKET)), undefined)
  const path = await criuPath(criu)
  const [ours, theirs] = socketPair(SOCK_SEQPACKET)
  try {
    const program = await startProgram({ steps: [] }, [path, 'swrk', `${SOCKET}`], {
      env: ENVIRONMENT,
      cwd: '/',
      stdio,
      extraFds: [theirs, ...fds],
    })
    return new Connection(ours, program)
  } catch (error) {
    ours.close()
    throw error
  } finally {
    theirs.close()
  }
}
