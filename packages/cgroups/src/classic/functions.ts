import { ConfigInvalid } from '@libcontainer/sys'
import { Cgroup } from '../cgroup.js'
import { cleanPath } from '../host/place.js'
import { checkFreezerState } from '../processes/freezer.js'
import type { CgroupStats } from '../stats/stats.js'
import { type ClassicLimits, limitsFromClassic } from './classic.js'

/** A cgroup as libcontainer's first packages were given one: where it is, and its limits. */
export interface ClassicCgroup extends ClassicLimits {
  readonly name?: string | undefined
  readonly parent?: string | undefined
  /** In place of both. */
  readonly path?: string | undefined
}

/** What ends a cgroup that {@link apply} made. */
export interface ActiveCgroup {
  readonly paths: ReadonlyMap<string, string>
  cleanup(): Promise<void>
}

/** `parent/name`, or `path`; cleaned so that it climbs nowhere. @throws {ConfigInvalid} for both ways at once, and for neither */
export function classicPath({ name, parent, path }: ClassicCgroup): string {
  if (path && (name || parent)) throw new ConfigInvalid('path', path, 'must be alone, or name and parent without it')
  const whole = path || (parent ? `${parent}/${name ?? ''}` : (name ?? ''))
  const clean = cleanPath(whole, path ? 'path' : 'name')
  if (!name && !path) throw new ConfigInvalid('name', name, 'must name the cgroup')
  return whole.startsWith('/') ? `/${clean}` : clean
}

/** Makes the cgroup unless it is there, sets its limits, and moves the process in. A pid of -1 makes it only. What was made is removed on failure. */
export async function apply(cgroup: ClassicCgroup, pid: number): Promise<ActiveCgroup> {
  const path = classicPath(cgroup)
  const limits = limitsFromClassic(cgroup)
  const made = new Map<string, number>()
  const group = await Cgroup.create(path, limits, { existing: true, results: made })
  try {
    if (pid !== -1) await group.add(pid)
  } catch (error) {
    if ([...made.values()].some(levels => levels > 0)) await group.destroy()
    throw error
  }
  return { paths: group.paths, cleanup: () => group.destroy() }
}

export async function getStats(cgroup: ClassicCgroup): Promise<CgroupStats> {
  return await (await Cgroup.open(classicPath(cgroup))).stats()
}

/** @param state - `FROZEN` or `THAWED` */
export async function freeze(cgroup: ClassicCgroup, state: 'FROZEN' | 'THAWED'): Promise<void> {
  checkFreezerState(state)
  await (await Cgroup.open(classicPath(cgroup))).setFreezer(state)
}

/** The processes in it, without those below it. */
export async function getPids(cgroup: ClassicCgroup): Promise<number[]> {
  return await (await Cgroup.open(classicPath(cgroup))).processes({ recursive: false })
}
