import {
  acceptUnix,
  atSocketPath,
  connectUnix,
  encodeUtf8,
  kernelString,
  LibcontainerError,
  listenUnix,
  type OwnedFd,
  POLLIN,
  poll,
  receiveFd,
  removeFile,
  SOCK_STREAM,
  sendMessage,
  type Waiting,
} from '@libcontainer/sys'
import { native } from './native.js'
import { isTerminal } from './termios.js'

/** Connects to a console socket, on which `sendTerminal` then sends: so that a wrong path is known before a container is made. */
export async function connectConsoleSocket(path: string): Promise<OwnedFd> {
  return await atSocketPath(path, (name, directory) => connectUnix(name, SOCK_STREAM, { directory }))
}

/**
 * Sends a terminal's master over a console socket (SCM_RIGHTS), with a name for it; the receiver gets a descriptor of its own.
 *
 * @param to - the socket's path, or a connection
 * @throws {SyscallError} `ENOENT` for no such socket, `ECONNREFUSED` when nobody listens
 */
export async function sendTerminal(to: string | OwnedFd, fd: number, name = '/dev/ptmx'): Promise<void> {
  kernelString(name, 'name')
  const socket = typeof to === 'string' ? await connectConsoleSocket(to) : to
  try {
    sendMessage(socket, encodeUtf8(name), [fd])
  } finally {
    if (typeof to === 'string') socket.close()
  }
}

/** A terminal that came over a console socket. */
export interface ReceivedTerminal {
  /** The master. The caller closes it. */
  readonly master: OwnedFd
  readonly name: string
}

/** A console socket that is listened on: a runtime connects and sends the master of a container's terminal. */
export class ConsoleSocket {
  readonly path: string
  readonly #socket: OwnedFd

  private constructor(path: string, socket: OwnedFd) {
    this.path = path
    this.#socket = socket
  }

  /** Makes the socket's file, with mode 0600. @throws {SyscallError} `EADDRINUSE` when something is at `path` */
  static async listen(path: string): Promise<ConsoleSocket> {
    return new ConsoleSocket(
      path,
      await atSocketPath(path, (name, directory) => listenUnix(name, SOCK_STREAM, { directory })),
    )
  }

  /**
   * Waits for a runtime to connect and send a terminal.
   *
   * @throws {LibcontainerError} `EPROTO` when it sent none, several, or something else
   */
  async receive(waiting: Waiting = {}): Promise<ReceivedTerminal> {
    await poll(this.#socket.fd, POLLIN, waiting)
    const { connection } = acceptUnix(this.#socket)
    try {
      return await takeTerminal(connection, waiting)
    } finally {
      connection.close()
    }
  }

  /** Stops listening and removes the file. */
  async close(): Promise<void> {
    if (this.#socket.closed) return
    this.#socket.close()
    await removeFile(this.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function takeTerminal(connection: OwnedFd, waiting: Waiting): Promise<ReceivedTerminal> {
  const { file, name } = await receiveFd(connection, waiting).catch((cause: LibcontainerError) => {
    throw cause.code === 'ERR_FD_MESSAGE' ? notOne(cause.message, cause) : cause
  })
  if (isTerminal(file.fd)) {
    native.sync.neverWait(file.fd)
    return { master: file, name }
  }
  file.close()
  throw notOne('what came is no terminal')
}

const notOne = (problem: string, cause?: unknown): LibcontainerError =>
  new LibcontainerError('EPROTO', `the peer of the console socket must send one terminal: ${problem}`, { cause })

/** Listens at `path`, receives one terminal, and removes the socket again. */
export async function receiveTerminal(path: string, waiting: Waiting = {}): Promise<ReceivedTerminal> {
  const socket = await ConsoleSocket.listen(path)
  try {
    return await socket.receive(waiting)
  } finally {
    await socket.close()
  }
}
