import { connectConsoleSocket, sendTerminal, slavePath } from '@libcontainer/console'
import { encodeUtf8, type OwnedFd, sendMessage } from '@libcontainer/sys'
import type { ProcessSpec } from '../config/process-spec.js'

/** The sockets that somebody waits at for what belongs to a process. */
export class ProcessSockets {
  readonly #console: OwnedFd | undefined
  readonly #pidfd: OwnedFd | undefined

  private constructor(console: OwnedFd | undefined, pidfd: OwnedFd | undefined) {
    this.#console = console
    this.#pidfd = pidfd
  }

  /** Before anything is made: where nobody listens, nothing is started. @throws {SyscallError} with the socket's path */
  static async connect({ consoleSocket, pidfdSocket }: ProcessSpec): Promise<ProcessSockets> {
    const console = consoleSocket === undefined ? undefined : await connectConsoleSocket(consoleSocket)
    try {
      return new ProcessSockets(
        console,
        pidfdSocket === undefined ? undefined : await connectConsoleSocket(pidfdSocket),
      )
    } catch (error) {
      console?.close()
      throw error
    }
  }

  /** Gives the master away. @returns false where nobody waits for it, and it stays here */
  async takeTerminal(master: OwnedFd): Promise<boolean> {
    if (this.#console === undefined) return false
    await sendTerminal(this.#console, master.fd, slavePath(master))
    master.close()
    return true
  }

  /** @param first - it is the first process of its container */
  sendPidfd(pidfd: OwnedFd, first: boolean): void {
    if (this.#pidfd !== undefined) sendMessage(this.#pidfd, encodeUtf8(first ? 'standard' : 'setns'), [pidfd.fd])
  }

  close(): void {
    this.#console?.close()
    this.#pidfd?.close()
  }
}
