import { isErrno, type Step } from '@libcontainer/sys'
import { LimitUnsupported } from '../errors.js'
import { fileIn, type Place } from '../host/place.js'
import { type Amount, checkAmount } from '../limits/amount.js'
import { native } from '../native.js'
import { readFileOf } from '../read.js'

/**
 * Has the kernel take memory back from a cgroup, off the thread: it may take seconds.
 *
 * @returns whether all of it was
 */
export async function reclaimMemory(place: Place, bytes: Amount | undefined): Promise<boolean> {
  if (bytes !== undefined) checkAmount('bytes', bytes)
  if (place.hierarchy.version === 1) {
    if (bytes === undefined) return await written(place, 'memory.force_empty', '0', ['EBUSY', 'EINTR'])
    throw new LimitUnsupported(
      'memory.reclaim',
      'memory',
      'cgroup v1 can only take back all that it can: leave bytes out',
    )
  }
  const all = bytes ?? (await readFileOf(place, 'memory.current'))?.trim()
  return all === undefined || (await written(place, 'memory.reclaim', String(all), ['EAGAIN']))
}

async function written(place: Place, file: string, value: string, less: readonly string[]): Promise<boolean> {
  const step: Step = {
    op: 'writeCgroup',
    args: [place.hierarchy.mountpoint, fileIn(place, file), value],
    about: `write '${value}' to ${file}`,
    path: `${place.directory}/${file}`,
    hints: { ENOENT: 'memory.reclaim is Linux 5.19' },
  }
  try {
    await native.apply([step])
    return true
  } catch (error) {
    if (isErrno(error, ...less)) return false
    throw error
  }
}
