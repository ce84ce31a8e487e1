import { checked, isErrno, OwnedFd, onAbort, POLLHUP, POLLIN, poll, type Waiting } from '@libcontainer/sys'
import { native } from './native.js'
import { type AddFdOptions, isGone, NOTIFICATION, Notification } from './notification.js'
import { serveEach } from './serve-each.js'

/** What becomes of a call: it goes on; it fails by an errno; it has a result; or its result is a descriptor, which is closed here then. */
export type Decision =
  | 'allow'
  | { readonly errno: number | string }
  | { readonly value: number | bigint }
  | (Pick<AddFdOptions, 'at' | 'closeOnExec'> & { readonly fd: OwnedFd })

/** Called for each notification, also while others are not decided yet. */
export type Decide = (notification: Notification) => Decision | Promise<Decision>

/**
 * The listener of a filter with `SCMP_ACT_NOTIFY`: what gets its notifications. One receiver each: the kernel hands a call to only one.
 *
 * Without any listener a call that the filter tells of is `ENOSYS`.
 */
export class NotifyListener {
  readonly #file: OwnedFd
  /** Receivers take turns: one alone may find what poll(2) has told of. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @param file - becomes this object's */
  constructor(file: OwnedFd) {
    this.#file = file
  }

  /** The listener behind a descriptor, such as one of another process's that pidfd_getfd(2) has answered: it becomes this object's. */
  static of(fd: number): NotifyListener {
    return new NotifyListener(new OwnedFd(fd))
  }

  /**
   * Waits for the next call.
   *
   * @returns `undefined` when nobody is left who has the filter: all its processes have ended. Linux 5.9 tells
   */
  async receive(waiting: Waiting = {}): Promise<Notification | undefined> {
    const { signal } = waiting
    let begun = false
    const next = this.#turn.then(() => {
      begun = true
      return this.#receive(waiting)
    })
    this.#turn = next.catch(() => {})
    return await new Promise((resolve, reject) => {
      // Whoever has not had a turn has lost no call by it.
      const done = onAbort(signal, () => {
        if (!begun) reject(signal?.reason)
      })
      next.then(resolve, reject).finally(done)
    })
  }

  async #receive(waiting: Waiting): Promise<Notification | undefined> {
    const bytes = new Uint8Array(NOTIFICATION)
    for (;;) {
      const events = await poll(this.#file.fd, POLLIN, waiting)
      if ((events & POLLIN) === 0) {
        if ((events & POLLHUP) !== 0) return undefined
        continue
      }
      // It is there: the call does not wait. Its caller may be gone by now.
      try {
        checked(native.sync.receiveNotification(this.#file.fd, bytes), 'ioctl(SECCOMP_IOCTL_NOTIF_RECV)')
        return new Notification(this.#file, bytes)
      } catch (error) {
        if (!isErrno(error, 'ENOENT', 'EINTR')) throw error
      }
    }
  }

  /** Each call, until nobody is left who has the filter. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Notification, void, undefined> {
    for (let next = await this.receive(); next !== undefined; next = await this.receive()) yield next
  }

  /**
   * Answers every call by what `decide` says, until nobody is left who has the filter. Callers that go meanwhile need no answer.
   *
   * @throws what `decide` threw first, whose call is refused with `EPERM`: when the calls that it was asked about before are answered
   */
  async serve(decide: Decide, waiting: Waiting = {}): Promise<void> {
    await serveEach(
      until => this.receive(until),
      (notification, fail) => decided(notification, decide, fail),
      waiting,
    )
  }

  /** From now on the calls that it would tell of are `ENOSYS`, and so are those that wait. */
  close(): void {
    this.#file.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

async function decided(notification: Notification, decide: Decide, fail: (error: unknown) => void): Promise<void> {
  try {
    await answer(notification, await decisionOn(notification, decide, fail))
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

async function decisionOn(
  notification: Notification,
  decide: Decide,
  fail: (error: unknown) => void,
): Promise<Decision> {
  try {
    return await decide(notification)
  } catch (error) {
    // Before its caller goes on, and makes the next call.
    fail(error)
    return { errno: 'EPERM' }
  }
}

async function answer(notification: Notification, decision: Decision): Promise<void> {
  if (decision === 'allow') notification.allow()
  else if ('errno' in decision) notification.refuse(decision.errno)
  else if ('value' in decision) notification.answer(decision.value)
  else {
    const { fd, ...options } = decision
    try {
      await notification.addFd(fd, { ...options, answer: true })
    } finally {
      fd.close()
    }
  }
}
