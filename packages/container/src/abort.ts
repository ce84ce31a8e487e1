import { InitDied } from '@libcontainer/init'
import { type OwnedFd, POLLIN, poll, waitExit } from '@libcontainer/sys'

/** What another wait is raced with: rejects with the signal's reason. `done` says that nobody waits any more. */
export function aborted(signal: AbortSignal): { promise: Promise<never>; done: () => void } {
  let onAbort = (): void => {}
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  if (signal.aborted) onAbort()
  return { promise, done: () => signal.removeEventListener('abort', onAbort) }
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
  const over = new AbortController()
  const done = new AbortController()
  const onAbort = (): void => over.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const ended = poll(child.fd, POLLIN, { signal: done.signal }).then(
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
    signal?.removeEventListener('abort', onAbort)
    done.abort()
    await ended
  }
}
