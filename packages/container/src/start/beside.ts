import { cgroupOf } from '@libcontainer/cgroups'
import { InitDied } from '@libcontainer/init'
import { joinTarget, readMaps } from '@libcontainer/namespaces'
import { isErrno, type OwnedFd, POLLIN, poll } from '@libcontainer/sys'
import type { ContainerCgroup } from '../cgroups/drivers.js'
import { preparePayload } from '../config/executor.js'
import { ownsMounts } from '../config/namespace-requests.js'
import type { ProcessSpec } from '../config/process-spec.js'
import { ContainerError } from '../errors.js'
import type { Handle } from '../handle.js'
import { openClass } from '../intelrdt/class.js'
import { attributesOf, preparedOf } from '../plan/attributes.js'
import { confirmConfinement } from '../plan/confinement.js'
import { planExec } from '../plan/exec.js'
import { hostFacts } from '../plan/facts.js'
import type { Process } from '../process.js'
import { isFrozen, lives, openInit, openRootOf } from '../state/init-process.js'
import { type OciState, ociState } from '../state/oci-state.js'
import type { ContainerState } from '../state/state.js'
import { checkedProcess } from '../validate/process.js'
import { checkIds } from '../validate/rootless.js'
import { type Attempt, launch } from './launch.js'
import { SeccompAgent } from './seccomp-agent.js'

/** Runs a further program in a running container, beside its first. */
export async function runBeside(handle: Handle, given: ProcessSpec): Promise<Process> {
  const spec = checkedProcess(given)
  await confirmConfinement(spec)
  // Not while it is being paused: a clone into a frozen cgroup does not come back, and nothing else could be started meanwhile.
  const process = await handle.locked(async text => await join(handle, spec, await handle.adopt(text)), {
    shared: true,
  })
  // Without the lock, which whoever resumes it needs.
  return process ?? (await joinPaused(handle, spec))
}

/** `undefined` for one that is paused, and not to be joined before it is resumed: that takes the lock. */
async function join(
  handle: Handle,
  spec: ProcessSpec,
  state: ContainerState | undefined,
): Promise<Process | undefined> {
  if (state === undefined) throw handle.notRunning()
  const [frozen, init] = await Promise.all([isFrozen(state), openInit(state)])
  try {
    if (frozen && !spec.ignorePaused)
      throw new ContainerError('ContainerPaused', `container '${handle.id}' is paused: resume it first`)
    if (init === undefined) throw handle.notRunning()
    return frozen ? undefined : await launchBeside(handle, spec, { state, init, paused: false })
  } catch (error) {
    if (init === undefined || frozen || !(await hasEnded(init, state, error))) throw error
    throw handle.notRunning(error)
  } finally {
    init?.close()
  }
}

async function joinPaused(handle: Handle, spec: ProcessSpec): Promise<Process> {
  const { state } = handle
  const init = state === undefined ? undefined : await openInit(state)
  if (state === undefined || init === undefined) throw handle.notRunning()
  try {
    return await launchBeside(handle, spec, { state, init, paused: true })
  } catch (error) {
    throw (await hasEnded(init, state, error)) ? handle.notRunning(error) : error
  } finally {
    init.close()
  }
}

/** In milliseconds. */
const MOMENT = 250

/** Whether the first process has ended, so that nothing can be run beside it. Whoever kills all of a container kills one after the other. */
async function hasEnded(init: OwnedFd, state: ContainerState, error: unknown): Promise<boolean> {
  if ((error as Error).cause instanceof InitDied)
    await poll(init.fd, POLLIN, { signal: AbortSignal.timeout(MOMENT) }).catch(() => 0)
  return !(await lives(state))
}

interface Running {
  readonly state: ContainerState
  readonly init: OwnedFd
  /** What moves itself into the cgroup stands still there until it is resumed; what is cloned into it would keep the clone waiting. */
  readonly paused: boolean
}

async function launchBeside(handle: Handle, spec: ProcessSpec, running: Running): Promise<Process> {
  const cgroup = await handle.doing('cannot run a process in', () => cgroupFor(handle, spec, running.state))
  const oomBefore = cgroup?.oomKillCount() ?? Promise.resolve(0)
  const root = ownsMounts(handle.config) ? undefined : await openRootOf(running.state)
  try {
    return await handle.doing('cannot run a process in', () =>
      launchIn(handle, spec, { ...running, cgroup, oomBefore, root }),
    )
  } catch (error) {
    if (cgroup === undefined || (await cgroup.oomKillCount()) <= (await oomBefore)) throw error
    throw new ContainerError('SystemError', `cannot run a process in '${handle.id}': it was possibly OOM-killed`, {
      cause: error,
      hint: 'the kernel killed something in its cgroup for want of memory meanwhile: its memory.max leaves no room for one more process',
    })
  } finally {
    root?.close()
  }
}

interface Place extends Running {
  readonly cgroup: ContainerCgroup | undefined
  readonly oomBefore: Promise<number>
  /** That of the container, where no mount namespace has it. */
  readonly root: OwnedFd | undefined
}

async function launchIn(handle: Handle, spec: ProcessSpec, place: Place): Promise<Process> {
  const { config } = handle
  const { state, init, root, paused, cgroup, oomBefore } = place
  const [target, host] = await Promise.all([joinTarget(state.init_process_pid), hostFacts()])
  target.pidfd.close()
  const userns = target.kinds.includes('user')
  const maps = userns ? await readMaps(state.init_process_pid) : undefined
  checkIds(spec, maps, host.unprivileged)
  const payload = await preparePayload(handle.drivers.executor, spec, { id: handle.id, config })
  const rdt = await openClass(handle)
  const attributes = attributesOf(config, spec, false, {
    payload,
    company: state.init_process_pid,
    ...(await preparedOf(config, spec)),
  })
  const attempt = (cgroup: ContainerCgroup | undefined, born: boolean): Attempt & { slots: readonly string[] } => ({
    ...planExec(spec, attributes, {
      ...host,
      kinds: target.kinds,
      joinCgroups: cgroup?.joinSelfSteps({ unified: !born }) ?? [],
      sessionKeyring: config.sessionKeyring,
      rooted: root !== undefined,
    }),
    birthplace: born ? cgroup : undefined,
  })
  const agent = await SeccompAgent.connect(config)
  const { process } = await launch({
    ...attempt(cgroup, !paused),
    spec,
    first: false,
    cgroup,
    instead: async error => {
      // Where clone3 itself is forbidden, init moves itself; a cgroup that has come to hand controllers on takes no processes any more.
      if (isErrno(error, 'ENOSYS')) return attempt(cgroup, false)
      if (!isErrno(error, 'EBUSY', 'EOPNOTSUPP') || spec.subCgroupPaths !== undefined) return undefined
      return attempt(await cgroupOf(state.init_process_pid), true)
    },
    program: handle.drivers.init,
    log: handle.drivers.log,
    oomBefore,
    parentDeathSignal: false,
    oomScoreAdj: spec.oomScoreAdj ?? config.oomScoreAdj,
    joinClass: rdt?.join,
    maps,
    unprivileged: host.unprivileged || host.mapped,
    limits: userns ? { rlimits: attributes.rlimits, initialFiles: host.initialFiles } : undefined,
    listener: agent && ((listener, { pid }) => agent.take(listener, pid, runningState(handle, state))),
    handed: {
      target: init.fd,
      ...(payload === undefined ? {} : { payload: payload.fd }),
      ...(root === undefined ? {} : { root: root.fd }),
    },
  }).finally(() => {
    agent?.close()
    payload?.done()
    rdt?.close()
  })
  return process
}

const runningState = ({ id, config }: Handle, state: ContainerState): OciState =>
  ociState({ id, status: 'running', labels: config.labels, state })

/** Where the process is to live: with the first, or below the container's cgroup, where it says so. */
async function cgroupFor(
  handle: Handle,
  { subCgroupPaths }: ProcessSpec,
  { init_process_pid, cgroup_paths }: ContainerState,
): Promise<ContainerCgroup | undefined> {
  const cgroup = await handle.cgroup()
  if (cgroup === undefined && subCgroupPaths !== undefined) throw handle.withoutCgroup()
  if (subCgroupPaths !== undefined) return await cgroup?.below(subCgroupPaths, 'process.subCgroupPaths')
  if (cgroup !== undefined || Object.keys(cgroup_paths).length === 0) return cgroup
  // Somebody has moved the first process elsewhere and removed the cgroup.
  return await cgroupOf(init_process_pid)
}
