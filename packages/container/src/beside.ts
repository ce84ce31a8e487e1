import { joinTarget, readMaps } from '@libcontainer/namespaces'
import type { OwnedFd } from '@libcontainer/sys'
import { attributesOf } from './attributes.js'
import type { ContainerCgroup } from './drivers.js'
import { ContainerError } from './errors.js'
import { hostFacts } from './facts.js'
import type { Handle } from './handle.js'
import { isFrozen, lives, openInit } from './init-process.js'
import { launch } from './launch.js'
import { planExec } from './plan-exec.js'
import type { Process } from './process.js'
import { checkProcess } from './process-check.js'
import type { ProcessSpec } from './process-spec.js'
import type { ContainerState } from './state.js'
import { checkIds } from './validate-rootless.js'

/** Runs a further program in a running container, beside its first. */
export async function runBeside(handle: Handle, spec: ProcessSpec): Promise<Process> {
  checkProcess(spec)
  // Not while it is being paused: a clone into a frozen cgroup does not come back, and nothing else could be started meanwhile.
  return await handle.locked(text => joinLocked(handle, spec, handle.adopt(text)), { shared: true })
}

async function joinLocked(handle: Handle, spec: ProcessSpec, state: ContainerState | undefined): Promise<Process> {
  if (state === undefined) throw handle.notRunning()
  const [frozen, init] = await Promise.all([isFrozen(state), openInit(state)])
  try {
    if (frozen) throw new ContainerError('ContainerPaused', `container '${handle.id}' is paused: resume it first`)
    if (init === undefined) throw handle.notRunning()
    return await handle.doing('cannot run a process in', () => launchBeside(handle, spec, state, init))
  } catch (error) {
    if (init === undefined || frozen || (await lives(state))) throw error
    throw handle.notRunning(error)
  } finally {
    init?.close()
  }
}

async function launchBeside(handle: Handle, spec: ProcessSpec, state: ContainerState, init: OwnedFd): Promise<Process> {
  const { config } = handle
  const [cgroup, target, host] = await Promise.all([
    subCgroup(handle, spec),
    joinTarget(state.init_process_pid),
    hostFacts(),
  ])
  target.pidfd.close()
  const maps = target.kinds.includes('user') ? await readMaps(state.init_process_pid) : undefined
  checkIds(spec, maps, host.unprivileged)
  const attributes = attributesOf(config, spec, false)
  const joinCgroups = cgroup?.joinSelfSteps() ?? []
  const plan = planExec(spec, attributes, {
    ...host,
    kinds: target.kinds,
    joinCgroups,
    sessionKeyring: config.sessionKeyring,
  })
  const userns = target.kinds.includes('user')
  const { process } = await launch({
    spec,
    first: false,
    steps: plan.steps,
    slots: plan.slots,
    cgroup,
    program: handle.drivers.init,
    oomBefore: cgroup?.oomKillCount() ?? Promise.resolve(0),
    parentDeathSignal: false,
    oomScoreAdj: spec.oomScoreAdj ?? config.oomScoreAdj,
    maps,
    unprivileged: host.unprivileged,
    limits: userns ? { rlimits: attributes.rlimits, initialFiles: host.initialFiles } : undefined,
    handed: { target: init.fd },
  })
  return process
}

/** Where the process is to live: below the container's cgroup, where it says so. */
async function subCgroup(handle: Handle, { subCgroupPaths }: ProcessSpec): Promise<ContainerCgroup | undefined> {
  const cgroup = await handle.cgroup()
  if (subCgroupPaths === undefined) return cgroup
  if (cgroup === undefined) throw handle.withoutCgroup()
  return await cgroup.below(subCgroupPaths, 'process.subCgroupPaths')
}
