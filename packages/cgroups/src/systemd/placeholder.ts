import { checked, isErrno, killPidfd, LibcontainerError, OwnedFd, waitExit } from '@libcontainer/sys'
import { withDeadline } from '../deadline.js'
import { native } from '../native.js'

/** For a process that is killed to be gone. */
const END_MS = 5000

/** A process that does nothing, until it is ended, or whoever made it ends. */
export class Placeholder {
  readonly pid: number
  readonly #pidfd: OwnedFd
  readonly #end: OwnedFd
  #ending: Promise<void> | undefined
  #after: () => Promise<void> = async () => {}

  private constructor(pid: number, pidfd: number, end: number) {
    this.pid = pid
    this.#pidfd = new OwnedFd(pidfd)
    this.#end = new OwnedFd(end)
  }

  static async start(): Promise<Placeholder> {
    const result = new Int32Array(2)
    const pid = checked(await native.async.forkPlaceholder(new Uint8Array(result.buffer)), 'clone')
    return new Placeholder(pid, result[0]!, result[1]!)
  }

  /** Does something when it has ended. */
  atEnd(act: () => Promise<void>): void {
    this.#after = act
  }

  /**
   * Ends it, and waits until it is gone from its cgroup. Once more is fine.
   *
   * @throws {LibcontainerError} `ETIMEDOUT` while it is frozen by v1's freezer: what that holds dies when it is thawed
   */
  async end(): Promise<void> {
    this.#ending ??= this.#finish()
    try {
      await this.#ending
    } catch (error) {
      this.#ending = undefined
      throw error
    }
  }

  async #finish(): Promise<void> {
    this.#end.close()
    if (!this.#pidfd.closed) {
      // Frozen by v2 it does not see its pipe's end, but dies of this.
      this.#kill()
      await withDeadline(
        { timeoutMs: END_MS },
        () => notEnding(this.pid),
        signal => waitExit(this.#pidfd, { signal }),
      )
      this.#pidfd.close()
    }
    const after = this.#after
    this.#after = async () => {}
    await after()
  }

  /** Where a seccomp profile around us refuses that, the end of its pipe is enough unless it is frozen. */
  #kill(): void {
    try {
      killPidfd(this.#pidfd)
    } catch (error) {
      if (!isErrno(error, 'ENOSYS', 'EPERM')) throw error
    }
  }
}

const notEnding = (pid: number): LibcontainerError =>
  new LibcontainerError('ETIMEDOUT', `the process ${pid}, which keeps a scope from ending, does not end`, {
    hint: 'the freezer of cgroup v1 holds it: thaw its cgroup, and those above',
  })
