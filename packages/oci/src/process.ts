import type { ContainerConfig, ProcessSpec, ResourceLimit } from '@libcontainer/container'
import type { IoPriority, Scheduler } from '@libcontainer/init'
import { ConfigInvalid } from '@libcontainer/sys'
import { capabilitySets } from './capabilities.js'
import type { ProcessConversion } from './conversion.js'
import { isGiven } from './refuse.js'
import type { SpecProcess, SpecRlimit } from './spec.js'

type Warn = (text: string) => void

/** What a process says of itself that further processes of the container have, too. */
export type ProcessAttributes = Pick<
  ContainerConfig,
  | 'apparmorProfile'
  | 'selinuxLabel'
  | 'capabilities'
  | 'rlimits'
  | 'noNewPrivileges'
  | 'umask'
  | 'oomScoreAdj'
  | 'scheduler'
  | 'ioPriority'
>

/**
 * A `process.json`, as `exec --process` reads it, for a container that runs: it says everything, and takes nothing from the container's
 * own process.
 *
 * @throws {ConfigInvalid} with the place in the file
 */
export function toProcessSpec(process: SpecProcess): ProcessConversion {
  const warnings: string[] = []
  const attributes = processAttributes(process, text => void warnings.push(text))
  const { initial, final } = process.execCPUAffinity ?? {}
  return {
    process: {
      ...programOf(process),
      ...attributes,
      rlimits: attributes.rlimits ?? [],
      noNewPrivileges: process.noNewPrivileges ?? false,
      ...(isGiven(initial) || isGiven(final) ? { cpuAffinity: affinityOf(process) } : {}),
    },
    warnings,
  }
}

/** The program alone: what to run, where, for whom, on which terminal. */
export function programOf({ args = [], env = [], cwd, user = {}, terminal, consoleSize }: SpecProcess): ProcessSpec {
  const { uid = 0, gid = 0, additionalGids = [] } = user
  return {
    args,
    env,
    cwd,
    user: { uid, gid },
    additionalGroups: additionalGids,
    // The size counts with a terminal alone: config.md, Process.
    ...(terminal ? { terminal: consoleSize === undefined ? true : terminalSize(consoleSize) } : {}),
  }
}

function terminalSize({ height, width }: NonNullable<SpecProcess['consoleSize']>) {
  for (const [name, value] of Object.entries({ height, width }))
    if (value > 65535)
      throw new ConfigInvalid(
        `process.consoleSize.${name}`,
        value,
        'must be at most 65535, the most that a terminal has',
      )
  // Engines that do not know the size yet write 0, and set it later.
  if (Number(height) === 0 || Number(width) === 0) return true
  return { rows: Number(height), columns: Number(width) }
}

/** @param warn - told of what changes nothing */
export function processAttributes(process: SpecProcess, warn: Warn): ProcessAttributes {
  const { apparmorProfile, selinuxLabel, capabilities, rlimits, noNewPrivileges, oomScoreAdj, user } = process
  const { scheduler, ioPriority } = process
  return {
    // Empty is what encoders write for none.
    ...(apparmorProfile ? { apparmorProfile } : {}),
    ...(selinuxLabel ? { selinuxLabel } : {}),
    capabilities: capabilitySets(capabilities, warn),
    rlimits: rlimits?.map(resourceLimit),
    noNewPrivileges,
    umask: user?.umask,
    oomScoreAdj,
    scheduler: scheduler && schedulerOf(scheduler),
    ioPriority: ioPriority && ioPriorityOf(ioPriority),
  }
}

const resourceLimit = ({ type, soft, hard }: SpecRlimit): ResourceLimit => ({ type, soft, hard })

function schedulerOf(scheduler: NonNullable<SpecProcess['scheduler']>): Scheduler {
  const { policy, flags, nice, priority, runtime, deadline, period } = scheduler
  // 0 is what an encoder writes for a number that was not given.
  return {
    policy,
    flags,
    nice: nice || undefined,
    priority: priority || undefined,
    runtimeNs: runtime || undefined,
    deadlineNs: deadline || undefined,
    periodNs: period || undefined,
  } as Scheduler
}

function ioPriorityOf({ class: name, priority = 0 }: NonNullable<SpecProcess['ioPriority']>): IoPriority {
  return { class: name as IoPriority['class'], level: priority }
}

/** The processors that further processes run on; the first process has no part in it. */
export function affinityOf({ execCPUAffinity = {} }: SpecProcess): ContainerConfig['cpuAffinity'] {
  const { initial, final } = execCPUAffinity
  if (!isGiven(initial) && !isGiven(final)) return undefined
  return { initial: initial || undefined, final: final || undefined }
}
