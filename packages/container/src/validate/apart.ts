import { capabilityNumber } from '@libcontainer/capabilities'
import { checkLimits, type Limits } from '@libcontainer/cgroups'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import { checkSharing } from '../config/sharing.js'
import { checkCommand, checkHooks } from '../start/hooks.js'

/*
 * Checks of fields that have parts, each part by itself: what is wrong with one does not hide what is wrong with the next.
 */

/** The problem that `part` throws, if any. */
export function problemOf(part: () => void): ConfigInvalid | undefined {
  try {
    part()
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error
  }
  return undefined
}

const problemsOf = (parts: readonly (() => void)[]): ConfigInvalid[] => parts.flatMap(part => problemOf(part) ?? [])

/** Controller by controller. */
export function limitProblems(cgroups: ContainerConfig['cgroups']): ConfigInvalid[] {
  if (typeof cgroups !== 'object' || cgroups === null) return []
  const { path: _, devices: __, checkBeforeUpdate: ___, owner: ____, ...limits } = cgroups
  return problemsOf(
    Object.entries(limits).map(
      ([controller, value]) =>
        () =>
          checkLimits({ [controller]: value } as Limits, 'cgroups'),
    ),
  )
}

/** Hook by hook. */
export function hookProblems(hooks: unknown): ConfigInvalid[] {
  const whole = problemOf(() => checkHooks(hooks))
  if (whole === undefined) return []
  if (typeof hooks !== 'object' || hooks === null || Array.isArray(hooks)) return [whole]
  return Object.entries(hooks).flatMap(([point, list]) => {
    const problem = problemOf(() => checkHooks({ [point]: list }))
    if (problem === undefined || !Array.isArray(list) || !problem.field.startsWith(`hooks.${point}[`))
      return problem ?? []
    return problemsOf(list.map((command: unknown, i) => () => checkCommand(command, `hooks.${point}[${i}]`)))
  })
}

/** Scheduler, priority, processors, personality, memory. */
export function sharingProblems(config: ContainerConfig): ConfigInvalid[] {
  const { scheduler, ioPriority, cpuAffinity, personality, memoryPolicy } = config
  const parts = [{ scheduler }, { ioPriority }, { cpuAffinity }, { personality }, { memoryPolicy }]
  return problemsOf(parts.map(part => () => checkSharing(part, '')))
}

/** Name by name. @param check - of all five sets together */
export function capabilityProblems(
  capabilities: ContainerConfig['capabilities'],
  check: (capabilities: ContainerConfig['capabilities']) => void,
): ConfigInvalid[] {
  const whole = problemOf(() => check(capabilities))
  if (whole === undefined) return []
  const lists = Array.isArray(capabilities) ? { bounding: capabilities as unknown } : capabilities
  const names = Object.entries(lists ?? {}).flatMap(([set, list]) =>
    Array.isArray(list)
      ? list.flatMap((name: unknown, i) =>
          typeof name === 'string' ? (problemOf(() => capabilityNumber(name, `capabilities.${set}[${i}]`)) ?? []) : [],
        )
      : [],
  )
  return names.some(({ field }) => field === whole.field) ? names : [whole, ...names]
}
