import { onAbort, sleep, type Waiting } from '@libcontainer/sys'

export interface Deadline extends Waiting {
  /** How long it may take at most, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * Does something that a signal ends, within a time.
 *
 * @param late - the reason that it is ended with when the time is over
 */
export async function withDeadline<T>(
  { timeoutMs, signal }: Deadline,
  late: () => Error,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const ended = new AbortController()
  const timer = new AbortController()
  const deaf = onAbort(signal, () => ended.abort(signal?.reason))
  const timing = sleep(timeoutMs, { signal: timer.signal }).then(
    () => ended.abort(late()),
    () => {},
  )
  try {
    return await act(ended.signal)
  } finally {
    deaf()
    timer.abort()
    await timing
  }
}

/** Waits for what others wait for, too, no longer than until the signal. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let deaf = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    deaf = onAbort(signal, () => reject(signal.reason))
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    deaf()
  }
}
