import { decodeUtf8, isErrno } from '@libcontainer/sys'
import type { Place } from '../host/place.js'
import { native } from '../native.js'
import { filling, readFileOf } from '../read.js'

/** The processes in a cgroup. One that is gone has none. */
export async function listProcesses(place: Place, recursive: boolean): Promise<number[]> {
  const { hierarchy, path, directory } = place
  try {
    const bytes = await filling(
      buffer => native.async.listProcesses(hierarchy.mountpoint, path, recursive ? 1 : 0, buffer),
      'read',
      `${directory}/cgroup.procs`,
    )
    return numbersIn(decodeUtf8(bytes))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return []
    throw error
  }
}

/** The threads in a cgroup, not those below it. */
export async function listThreads(places: readonly Place[]): Promise<number[]> {
  const place = places.find(({ hierarchy }) => hierarchy.version === 1) ?? places[0]!
  return numbersIn((await readFileOf(place, place.hierarchy.version === 1 ? 'tasks' : 'cgroup.threads')) ?? '')
}

/** v1 lists a process twice when it is moved meanwhile. */
const numbersIn = (text: string): number[] =>
  [...new Set(text.split('\n').filter(Boolean).map(Number))].sort((a, b) => a - b)
