import { parseList } from '@libcontainer/cgroups'
import {
  checkIoPriority,
  checkMemoryPolicy,
  checkPersonality,
  checkScheduler,
  type IoPriority,
  MAX_NODES,
  type MemoryPolicy,
  type Personality,
  type Scheduler,
  setAffinity,
  setCoreScheduling,
  setIoPriority,
  setMemoryPolicy,
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
  readonly memoryPolicy?: MemoryPolicy | undefined
}

export interface Sharing {
  /** Before all else. */
  readonly initial: readonly Step[]
  /** In the cgroup, in place of running on all processors. */
  readonly affinity: Step | undefined
  readonly steps: readonly Step[]
}

/**
 * The process's own word where there is one, else the container's.
 *
 * @param company - the first process, where it is not that itself
 */
export function sharingOf(
  config: SharingRequest & { readonly coreScheduling?: boolean | undefined },
  spec: SharingRequest,
  company?: number,
): Sharing {
  const scheduler = spec.scheduler ?? config.scheduler
  const ioPriority = spec.ioPriority ?? config.ioPriority
  const personality = spec.personality ?? config.personality
  const memoryPolicy = spec.memoryPolicy ?? config.memoryPolicy
  const { initial, final } = spec.cpuAffinity ?? config.cpuAffinity ?? {}
  return {
    initial: [
      ...(config.coreScheduling ? [setCoreScheduling(company)] : []),
      ...(initial === undefined ? [] : [setAffinity(processors(initial, 'cpuAffinity.initial'))]),
    ],
    affinity: final === undefined ? undefined : setAffinity(processors(final, 'cpuAffinity.final')),
    steps: [
      ...(scheduler === undefined ? [] : [setScheduler(scheduler)]),
      ...(ioPriority === undefined ? [] : [setIoPriority(ioPriority)]),
      ...(personality === undefined ? [] : [setPersonality(personality)]),
      ...(memoryPolicy === undefined ? [] : [setMemoryPolicy(memoryPolicy, nodesOf(memoryPolicy, 'memoryPolicy'))]),
    ],
  }
}

/** @param at - before the name of a field */
export function checkSharing(request: SharingRequest, at: string): void {
  const { scheduler, ioPriority, cpuAffinity, personality, memoryPolicy } = request
  if (scheduler !== undefined) checkScheduler(scheduler, `${at}scheduler`)
  if (ioPriority !== undefined) checkIoPriority(ioPriority, `${at}ioPriority`)
  if (personality !== undefined) checkPersonality(personality, `${at}personality`)
  if (memoryPolicy !== undefined) {
    checkMemoryPolicy(memoryPolicy, `${at}memoryPolicy`)
    nodesOf(memoryPolicy, `${at}memoryPolicy`)
  }
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

/** The processors of a list; empty parts of it say nothing. @param most - the last that there can be */
export function processors(list: string, field: string, most = MAX_PROCESSOR): number[] {
  return numbersOf(list, field, 'processor', most)
}

/** The nodes of a memory policy: none where it names none. */
export function nodesOf({ nodes = '' }: MemoryPolicy, at: string): number[] {
  return nodes === '' ? [] : numbersOf(nodes, `${at}.nodes`, 'node', MAX_NODES - 1)
}

function numbersOf(list: string, field: string, what: string, most: number): number[] {
  const parts = kernelString(list, field)
    .split(',')
    .filter(part => part.trim() !== '')
  if (parts.length === 0) throw new ConfigInvalid(field, list, `must name a ${what}: a list such as 0-3,7`)
  const numbers = parts.flatMap(part => {
    if (part.split('-').some(number => Number(number) > most))
      throw new ConfigInvalid(field, list, `must name ${what}s up to ${most}`)
    return parseList(part, field)
  })
  return [...new Set(numbers)].sort((a, b) => a - b)
}
