import type { Step } from '@libcontainer/sys'
import type { CgroupHost } from './host/host.js'
import type { CgroupPlaces, Place } from './host/place.js'
import { changeLimits } from './limits/change.js'
import { checkLimits, type Limits } from './limits/limits.js'
import { planLimits } from './limits/plan.js'
import { native } from './native.js'
import { limitSteps, type MakeOptions, madeSlot, makeSteps } from './steps.js'

export interface CreateOptions extends MakeOptions {
  /** The host to work on. Default: {@link cgroupHost} */
  readonly host?: CgroupHost | undefined
  /** Steps on files that are done first, in the same call: when one fails, nothing is made. Default: none */
  readonly before?: readonly Step[] | undefined
  /** Where the results of steps go, also when a later one fails. */
  readonly results?: Map<string, number> | undefined
  /** Buffers that steps fill: as for `apply` of sys. */
  readonly fills?: readonly Uint8Array[] | undefined
}

/** The steps that make a cgroup, with its limits. Pure. */
export function createSteps({ host, places }: CgroupPlaces, limits: Limits): Step[] {
  const planned = planLimits(limits, { host, places, when: 'create' })
  return [...makeSteps(host, places, limits), ...limitSteps(planned)]
}

/** Makes a cgroup with its limits, by one call; when any of it fails, nothing is left of what was made. */
export async function makeCgroup(group: CgroupPlaces, limits: Limits, options: CreateOptions): Promise<void> {
  const { host, places } = group
  if (!options.existing) return await makePlaces(places, createSteps(group, limits), options)
  checkLimits(limits)
  const results = options.results ?? new Map<string, number>()
  await makePlaces(places, makeSteps(host, places, limits, options), { ...options, results })
  try {
    await changeLimits(group, limits)
  } catch (error) {
    await unmake(places, results)
    throw error
  }
}

/** Applies the steps that make places; when one fails, those that were made are removed. */
export async function makePlaces(
  places: readonly Place[],
  steps: readonly Step[],
  { before = [], results = new Map(), fills }: CreateOptions = {},
): Promise<void> {
  try {
    await native.apply([...before, ...steps], { results, fills })
  } catch (error) {
    await unmake(places, results)
    throw error
  }
}

/** Removes what was made. A failure of it would hide the one before, which tells more. */
export async function unmake(places: readonly Place[], results: ReadonlyMap<string, number>): Promise<void> {
  for (const place of places) {
    const levels = results.get(madeSlot(place)) ?? 0
    if (levels > 0) await native.async.unmakeCgroup(place.hierarchy.mountpoint, place.path, levels)
  }
}
