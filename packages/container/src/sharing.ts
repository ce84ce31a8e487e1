import { parseList } from '@libcontainer/cgroups'
import {
  checkIoPriority,
  checkPersonality,
  checkScheduler,
  type IoPriority,
  type Personality,
  type Scheduler,
  setAffinity,
  setIoPriority,
  setPersonality,
  setScheduler,
} from '@libcontainer/init'
import { ConfigInvalid, kernelString, type Step } from '@libcontainer/sys'
import type { CpuAffinity } from './process-spec.js'

/** How a process shares the machine: of a config for all its processes, of a process for itself. */
export interface SharingRequest {
  readonly scheduler?: Scheduler | undefined
  readonly ioPriority?: IoPriority | undefined
  readonly cpuAffinity?: CpuAffinity | undefined
  readonly personality?: Personality | undefined
}

export interface Sharing {
  /** Before all else. */
  readonly initial: readonly Step[]
  /** In the cgroup, in place of running on all processors. */
  readonly affinity: Step | undefined
  readonly steps: readonly Step[]
}

/** The process's own word where there is one, else the container's. */
export function sharingOf(config: SharingRequest, spec: SharingRequest): Sharing {
  const scheduler = spec.scheduler ?? config.scheduler
  const ioPriority = spec.ioPriority ?? config.ioPriority
  const personality = spec.personality ?? config.personality
  const { initial, final } = spec.cpuAffinity ?? config.cpuAffinity ?? {}
  return {
    initial: initial === undefined ? [] : [setAffinity(processors(initial, 'cpuAffinity.initial'))],
    affinity: final === undefined ? undefined : setAffinity(processors(final, 'cpuAffinity.final')),
    steps: [
      ...(scheduler === undefined ? [] : [setScheduler(scheduler)]),
      ...(ioPriority === undefined ? [] : [setIoPriority(ioPriority)]),
      ...(personality === undefined ? [] : [setPersonality(personality)]),
    ],
  }
}

/** @param at - before the name of a field */
export function checkSharing({ scheduler, ioPriority, cpuAffinity, personality }: SharingRequest, at: string): void {
  if (scheduler !== undefined) checkScheduler(scheduler, `${at}scheduler`)
  if (ioPriority !== undefined) checkIoPriority(ioPriority, `${at}ioPriority`)
  if (personality !== undefined) checkPersonality(personality, `${at}personality`)
  if (cpuAffinity === undefined) return
  if (typeof cpuAffinity !== 'object' || cpuAffinity === null)
    throw new ConfigInvalid(`${at}cpuAffinity`, cpuAffinity, 'must be { initial, final }')
  for (const [name, list] of Object.entries(cpuAffinity)) {
    const field = `${at}cpuAffinity.${name}`
    if (name !== 'initial' && name !== 'final') throw new ConfigInvalid(field, list, 'must be one of initial, final')
    if (list !== undefined) processors(list, field)
  }
}

/** More processors than this no kernel has: a list must not fill our memory. */
const MAX_PROCESSOR = 65536

/** The processors of a list; empty parts of it say nothing. */
function processors(list: string, field: string): number[] {
  const parts = kernelString(list, field)
    .split(',')
    .filter(part => part.trim() !== '')
  if (parts.length === 0) throw new ConfigInvalid(field, list, 'must name a processor: a list such as 0-3,7')
  const numbers = parts.flatMap(part => {
    if (part.split('-').some(number => Number(number) > MAX_PROCESSOR))
      throw new ConfigInvalid(field, list, `must name processors up to ${MAX_PROCESSOR}`)
    return parseList(part, field)
  })
  return [...new Set(numbers)].sort((a, b) => a - b)
}
