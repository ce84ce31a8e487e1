import { checked, decodeUtf8, isErrno, OwnedFd, POLLPRI, poll, sleep } from '@libcontainer/sys'
import { native } from './native.js'
import { fileIn, type Place } from './place.js'

export interface Bound {
  /** How long to wait at most, in milliseconds. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits until `cgroup.events` of a v2 cgroup says so: the kernel wakes us, nothing is polled.
 *
 * @returns whether it does; `true` also when the cgroup is gone
 */
export async function awaitEvent(
  place: Place,
  event: 'populated' | 'frozen',
  value: 0 | 1,
  bound: Bound,
): Promise<boolean> {
  const path = `${place.directory}/cgroup.events`
  const opened = native.sync.openCgroup(place.hierarchy.mountpoint, fileIn(place, 'cgroup.events'), 0)
  if (opened === -2 || opened === -19) return true
  const file = new OwnedFd(checked(opened, 'openat2', path))
  const buffer = new Uint8Array(256)
  try {
    return await within(bound, async signal => {
      for (;;) {
        const got = native.sync.readEvents(file.fd, buffer)
        if (got === -19) return true
        const text = decodeUtf8(buffer.subarray(0, checked(got, 'pread', path)))
        if (text.includes(`${event} ${value}`)) return true
        // kernfs answers POLLPRI for a change after the last read.
        await poll(file.fd, POLLPRI, { signal })
      }
    })
  } catch (error) {
    if (isErrno(error, 'ENODEV', 'ENOENT')) return true
    throw error
  } finally {
    file.close()
  }
}

/** Runs a wait with a bound: `false` when it ran out, and the reason thrown when the caller gave up. */
async function within({ timeoutMs, signal }: Bound, wait: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
  signal?.throwIfAborted()
  const ended = new AbortController()
  const timer = new AbortController()
  const onAbort = (): void => ended.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  let late = false
  const timeout = sleep(timeoutMs, { signal: timer.signal }).then(
    () => {
      late = true
      ended.abort()
    },
    () => undefined,
  )
  try {
    return await wait(ended.signal)
  } catch (error) {
    if (late && !signal?.aborted) return false
    throw error
  } finally {
    timer.abort()
    signal?.removeEventListener('abort', onAbort)
    await timeout
  }
}
