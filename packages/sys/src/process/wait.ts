import * as host from '#host'
import { SyscallError } from '../errors/errors.js'

/** poll(2)'s events, the same numbers as epoll's. */
export const POLLIN = 0x1
export const POLLOUT = 0x4
export const POLLERR = 0x8
export const POLLHUP = 0x10
export const POLLPRI = 0x2

export interface Waiting {
  /** Ends the wait; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export interface PollOptions extends Waiting {
  /** Lets the program end although this is awaited: see {@link holding}. Default: `false`. */
  weak?: boolean | undefined
}

/**
 * Calls `act` when `signal` is aborted: at once where it is already, of which a listener would never hear.
 *
 * @returns a function that takes it back
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return nothing
  if (signal.aborted) {
    act()
    return nothing
  }
  const { acts, tell } = listeners.get(signal) ?? listen(signal)
  const own = (): void => act()
  acts.add(own)
  return () => {
    if (!acts.delete(own) || acts.size > 0) return
    listeners.delete(signal)
    signal.removeEventListener('abort', tell)
  }
}

const nothing = (): void => {}

/** One for all that wait for a signal: of Node.js' each costs a look at all others, and more than ten are taken for a leak. */
interface Listener {
  readonly acts: Set<() => void>
  readonly tell: () => void
}
const listeners = new WeakMap<AbortSignal, Listener>()

function listen(signal: AbortSignal): Listener {
  const acts = new Set<() => void>()
  const tell = (): void => {
    for (const act of acts) act()
  }
  const listener = { acts, tell }
  listeners.set(signal, listener)
  signal.addEventListener('abort', tell, { once: true })
  return listener
}

/** Keeps the program from ending while `promise` is awaited, which a weak wait alone would not. */
export async function holding<T>(promise: Promise<T>): Promise<T> {
  const release = host.hold()
  try {
    return await promise
  } finally {
    release()
  }
}

/**
 * Waits until a descriptor is ready, once, without a thread of its own and without polling.
 *
 * @param events - `POLLIN`, `POLLOUT`, `POLLPRI`, or'ed; `POLLERR` and `POLLHUP` always count
 * @returns the events that are there
 * @throws {SyscallError} `EPERM` for a regular file, which is always ready
 */
export async function poll(fd: number, events: number, { signal, weak }: PollOptions = {}): Promise<number> {
  signal?.throwIfAborted()
  const watch = host.watch(fd, events, weak)
  if (signal === undefined) return await watch.events
  const done = onAbort(signal, () => watch.cancel())
  try {
    const ready = await watch.events
    if (ready === 0) signal.throwIfAborted()
    return ready
  } finally {
    done()
  }
}

/** Waits so many milliseconds. */
export function sleep(ms: number, { signal }: Waiting = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = host.timer(ms, () => {
      deaf()
      resolve()
    })
    const deaf = onAbort(signal, () => {
      timer.cancel()
      reject(signal?.reason)
    })
  })
}

/** Whether an error is the kernel's answer with one of these errnos: `isErrno(error, 'ENOENT', 'ESRCH')`. */
export function isErrno(error: unknown, ...codes: string[]): error is SyscallError {
  return error instanceof SyscallError && codes.includes(error.code)
}
