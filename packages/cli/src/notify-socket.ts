import {
  changeMode,
  connectUnix,
  decodeUtf8,
  encodeUtf8,
  isErrno,
  LibcontainerError,
  listenUnix,
  lockFile,
  makeDirectory,
  type OwnedFd,
  openDirectory,
  POLLHUP,
  POLLIN,
  POLLOUT,
  pipe,
  poll,
  receiveMessage,
  removeFile,
  SOCK_DGRAM,
  sendMessage,
} from '@libcontainer/sys'

/*
 * sd_notify(3) for the program of a container. The socket of the service manager stays outside: what stands in for it passes on that the
 * program is ready, and nothing else that a program could say.
 */

const INSIDE = '/run/notify'
const NAME = 'notify.sock'

/** What a container needs so that its program can say that it is ready. */
export interface NotifyRequest {
  /** A read-only bind of the directory that {@link makeNotifyDirectory} makes. */
  readonly mount: {
    readonly type: 'bind'
    readonly source: string
    readonly destination: string
    readonly options: readonly string[]
  }
  /** `NOTIFY_SOCKET` for the program. */
  readonly variable: string
}

/** @param directory - of the container's state */
export function notifyRequest(directory: string): NotifyRequest {
  return {
    mount: {
      type: 'bind',
      source: sourceOf(directory),
      destination: INSIDE,
      options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
    },
    variable: `NOTIFY_SOCKET=${INSIDE}/${NAME}`,
  }
}

const sourceOf = (directory: string): string => `${directory}/notify`
/** Held by who listens: beside what the program sees, which cannot hold it in turn. */
const lockOf = (directory: string): string => `${directory}/notify.lock`

/** Makes the directory that is bound into the container, before that is started: the socket itself may come later. */
export async function makeNotifyDirectory(directory: string): Promise<void> {
  await makeDirectory(sourceOf(directory), { mode: 0o755 })
  const made = await openDirectory(sourceOf(directory))
  try {
    await changeMode(made, 0o755)
  } finally {
    made.close()
  }
}

/** How long the service manager may take to see that it was told, in milliseconds. */
const BARRIER_MS = 30_000

/** The socket that the program of a container writes to. */
export class NotifySocket {
  readonly #socket: OwnedFd
  readonly #lock: OwnedFd

  private constructor(socket: OwnedFd, lock: OwnedFd) {
    this.#socket = socket
    this.#lock = lock
  }

  /**
   * Receives at the socket from now on; `undefined` where the container was made without a directory for it.
   *
   * @param directory - of the container's state
   * @throws {SyscallError} `EAGAIN` while another process receives there, which goes on
   */
  static async open(directory: string): Promise<NotifySocket | undefined> {
    let place: OwnedFd
    let lock: OwnedFd | undefined
    try {
      place = await openDirectory(sourceOf(directory), { handle: true })
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined
      throw error
    }
    try {
      lock = await lockFile(lockOf(directory), { now: true })
      // Of a call that was ended before it had told.
      await removeFile(NAME, { at: place })
      // The program may run as any user of the container.
      return new NotifySocket(listenUnix(NAME, SOCK_DGRAM, { directory: place, mode: 0o777 }), lock)
    } catch (error) {
      lock?.close()
      throw error
    } finally {
      place.close()
    }
  }

  /**
   * Waits until the program says that it is ready, and tells the service manager: first that, then which process it is to watch; at last waits until
   * both were seen, which before systemd 246 is at once.
   *
   * @param to - the service manager's socket: a path, or `@` and an abstract name
   * @param options.mainPid - the process to watch. Default: the one that the service manager has started
   * @param options.signal - ends the waiting: when the container has ended
   * @throws {LibcontainerError} `ETIMEDOUT` when the service manager does not take notice within 30 s
   */
  async forward(to: string, { mainPid, signal }: { mainPid?: number; signal?: AbortSignal } = {}): Promise<void> {
    const ready = await this.#ready(signal)
    const manager = await connectUnix(to, SOCK_DGRAM)
    try {
      await send(manager, `${ready}\n`)
      if (mainPid !== undefined) await send(manager, `MAINPID=${mainPid}\n`)
      await passBarrier(manager)
    } finally {
      manager.close()
    }
  }

  /** The line by which the program says that it is ready: of the first message that has one. */
  async #ready(signal: AbortSignal | undefined): Promise<string> {
    for (;;) {
      await poll(this.#socket.fd, POLLIN, { signal })
      const line = this.#receive()
        .split('\n')
        .find(each => each.startsWith('READY='))
      if (line !== undefined) return line
    }
  }

  #receive(): string {
    try {
      const message = receiveMessage(this.#socket)
      for (const fd of message?.fds ?? []) fd.close()
      return message === undefined ? '' : decodeUtf8(message.bytes)
    } catch (error) {
      // One that is larger than what anybody has to say.
      if (isErrno(error, 'EMSGSIZE', 'EAGAIN')) return ''
      throw error
    }
  }

  close(): void {
    this.#socket.close()
    this.#lock.close()
  }
}

async function send(socket: OwnedFd, text: string, fds: readonly number[] = []): Promise<void> {
  for (;;) {
    try {
      sendMessage(socket, encodeUtf8(text), fds)
      return
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error
      await poll(socket.fd, POLLOUT)
    }
  }
}

/** sd_notify_barrier(3): the service manager closes what comes with the message when it has seen all before it. */
async function passBarrier(manager: OwnedFd): Promise<void> {
  const { read, write } = pipe()
  const limit = AbortSignal.timeout(BARRIER_MS)
  try {
    try {
      await send(manager, 'BARRIER=1', [write.fd])
    } finally {
      write.close()
    }
    await poll(read.fd, POLLHUP, { signal: limit })
  } catch (error) {
    if (!limit.aborted) throw error
    throw new LibcontainerError(
      'ETIMEDOUT',
      `the service manager did not take notice within ${BARRIER_MS / 1000} s that the program is ready`,
      { cause: error },
    )
  } finally {
    read.close()
  }
}
