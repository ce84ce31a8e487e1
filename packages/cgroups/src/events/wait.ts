import { checked, decodeUtf8, isErrno, LibcontainerError, OwnedFd, POLLPRI, poll } from '@libcontainer/sys'
import { type Deadline, withDeadline } from '../deadline.js'
import { fileIn, type Place } from '../host/place.js'
import { native } from '../native.js'

export type Bound = Deadline

/** The time was over before the kernel said anything. */
const LATE = new LibcontainerError('ETIMEDOUT', 'the cgroup has told of no change in time')

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
    return await withDeadline(
      bound,
      () => LATE,
      async signal => {
        for (;;) {
          const got = native.sync.readEvents(file.fd, buffer)
          if (got === -19) return true
          const text = decodeUtf8(buffer.subarray(0, checked(got, 'pread', path)))
          if (text.includes(`${event} ${value}`)) return true
          // kernfs answers POLLPRI for a change after the last read.
          await poll(file.fd, POLLPRI, { signal })
        }
      },
    )
  } catch (error) {
    if (error === LATE) return false
    if (isErrno(error, 'ENODEV', 'ENOENT')) return true
    throw error
  } finally {
    file.close()
  }
}
