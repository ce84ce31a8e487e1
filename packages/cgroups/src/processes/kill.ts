import { checked, isErrno, sleep } from '@libcontainer/sys'
import { isGone } from '../errnos.js'
import { fileIn, type Place } from '../host/place.js'
import { native } from '../native.js'
import { freeze, freezersOf, thaw, thawSteps } from './freezer.js'

const SIGKILL = 9

/** Sends a signal to every process of a cgroup and of those below it. How many got it; a cgroup that is gone has none. */
export async function signalAll(place: Place, signal: number): Promise<number> {
  const count = await native.async.signalCgroup(place.hierarchy.mountpoint, place.path, signal)
  return isGone(count) ? 0 : checked(count, 'kill', place.directory)
}

/**
 * Kills every process of the cgroup and of those below it, also one that forks meanwhile: by `cgroup.kill` (Linux 5.14), else frozen so
 * that nothing forks, killed, and thawed so that it dies.
 */
export async function killAll(places: readonly Place[]): Promise<void> {
  const freezers = freezersOf(places)
  const { unified, v1 } = freezers
  if (unified !== undefined) {
    const file = fileIn(unified, 'cgroup.kill')
    const write = {
      op: 'writeCgroup',
      args: [unified.hierarchy.mountpoint, file, '1'],
      about: `kill all in ${unified.directory}`,
    }
    try {
      // What v1's freezer holds does not die before it is thawed.
      await native.apply([
        { ...write, path: `${unified.directory}/cgroup.kill` },
        ...thawSteps({ unified: undefined, v1 }),
      ])
      return
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error
    }
  }
  const place = unified ?? v1 ?? places[0]
  if (place === undefined) return
  if (unified === undefined && v1 === undefined) {
    await killRound(place)
    return
  }
  let frozen = true
  try {
    await freeze(freezers, { timeoutMs: 2000 })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return
    frozen = false
  }
  try {
    await signalAll(place, SIGKILL)
  } finally {
    await thaw(freezers)
  }
  if (!frozen) await killRound(place)
}

/** Without a freezer a process may fork while the list is read: again until a round finds nobody, within a bound. */
async function killRound(place: Place): Promise<void> {
  for (let pause = 1; pause < 1000 && (await signalAll(place, SIGKILL)) > 0; pause *= 2) await sleep(pause)
}
