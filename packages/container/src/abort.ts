import { InitDied } from '@libcontainer/init'
import { isErrno, type OwnedFd, onAbort, POLLIN, poll, waitExit } from '@libcontainer/sys'

/** What another wait is raced with: rejects with the signal's reason. `done` says that nobody waits any more. */
export function aborted(signal: AbortSignal): { promise: Promise<never>; done: () => void } {
  let done = (): void => {}
  const promise = new Promise<never>((_, reject) => {
    done = onAbort(signal, () => reject(signal.reason))
  })
  return { promise, done }
}

/**
 * Does something that a child of this process waits for, for as long as it lives and nobody gives it up.
 *
 * @param act - gets a signal that is aborted when the child has ended, or `signal` is
 * @throws {InitDied} when the child has ended meanwhile; the reason of `signal`
 */
export async function whileAlive(
  child: OwnedFd,
  signal: AbortSignal | undefined,
  act: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  signal?.throwIfAborted()
  // Of the act, and of this wait for its end.
  const over = new AbortController()
  const deaf = onAbort(signal, () => over.abort(signal?.reason))
  const ended = poll(child.fd, POLLIN, { signal: over.signal }).then(
    () => over.abort(),
    () => {},
  )
  try {
    await act(over.signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (!over.signal.aborted) throw error
    throw new InitDied(await waitExit(child))
  } finally {
    deaf()
    over.abort()
    await ended
  }
}

/** Waits for what is asked of a child by its number, and for nobody else. @throws {InitDied} when the child has ended meanwhile */
export async function orDied<T>(child: OwnedFd, asking: Promise<T>): Promise<T> {
  try {
    return await asking
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ESRCH')) throw error
    throw new InitDied(await waitExit(child))
  }
}
