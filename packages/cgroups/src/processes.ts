import { decodeUtf8, isErrno } from '@libcontainer/sys'
import { native } from './native.js'
import type { Place } from './place.js'
import { filling } from './read.js'

/** The processes in a cgroup. One that is gone has none. */
export async function listProcesses(place: Place, recursive: boolean): Promise<number[]> {
  const { hierarchy, path, directory } = place
  try {
    const bytes = await filling(
      buffer => native.async.listProcesses(hierarchy.mountpoint, path, recursive ? 1 : 0, buffer),
      'read',
      `${directory}/cgroup.procs`,
    )
    const pids = decodeUtf8(bytes).split('\n').filter(Boolean).map(Number)
    // v1 lists a process twice when it is moved meanwhile.
    return [...new Set(pids)].sort((a, b) => a - b)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return []
    throw error
  }
}
