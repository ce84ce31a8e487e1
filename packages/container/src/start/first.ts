import { InitDied, release } from '@libcontainer/init'
import { isErrno, killPidfd, type LibcontainerError, type OwnedFd, openDirectory, removeFile } from '@libcontainer/sys'
import type { ContainerCgroup } from '../cgroups/drivers.js'
import type { ProcessSpec } from '../config/process-spec.js'
import { ContainerError, systemError } from '../errors.js'
import type { Handle } from '../handle.js'
import { claimClass, type JoinableClass, releaseClass } from '../intelrdt/class.js'
import { type Networking, releaseNetworking } from '../network/network.js'
import { confirmConfinement } from '../plan/confinement.js'
import { deviceRules } from '../plan/device-rules.js'
import type { Process } from '../process.js'
import { openInit } from '../state/init-process.js'
import { ociState } from '../state/oci-state.js'
import { removedMeanwhile } from '../state/removed-meanwhile.js'
import { START_SOCKET, STATE_FILE } from '../state/state.js'
import { statusOf } from '../state/status.js'
import { TransitionError } from '../state/transitions.js'
import { checkedProcess } from '../validate/process.js'
import { afterStart } from './after.js'
import { begin, makeCgroup } from './begin.js'
import type { Hook, HookPoint } from './hooks.js'
import { SeccompAgent } from './seccomp-agent.js'
import { planFirst, type Started, startFirst } from './start.js'

/** Starts the first process; `undefined` when there is one already. @param wait - stop in the `created` state */
export async function startUnlessStarted(
  handle: Handle,
  given: ProcessSpec,
  wait: boolean,
): Promise<Process | undefined> {
  const spec = checkedProcess(given)
  await confirmConfinement(spec)
  const process = await startLocked(handle, spec, wait)
  // Without the lock: a hook may look at the container, or run something in it.
  if (process !== undefined && !wait) await afterStart(handle)
  return process
}

async function startLocked(handle: Handle, spec: ProcessSpec, wait: boolean): Promise<Process | undefined> {
  return await bringUp(handle, 'cannot start', (cgroup, networks) => {
    const { id, directory, config, drivers } = handle
    const hooks = (point: HookPoint): readonly Hook[] => handle.hooks(point)
    const request = { id, directory, config, cgroup, spec, wait, drivers, hooks }
    // While the kernel is busy. What is wrong is told where the plan is needed.
    const planning = networks.then(async networking => {
      const plan = await planFirst({ ...request, networking })
      networking?.ready()
      return plan
    })
    planning.catch(() => {})
    return async ({ rdt, networking, oomBefore }) => {
      const plan = await planning
      // Not before the cgroup is there, which it would take a processor from. Init looks at its namespace late.
      networking?.begin()
      return await startFirst({ ...request, rdt, networking }, plan, oomBefore)
    }
  })
}

/** What is there for a first process when it is brought up. */
export interface Made {
  readonly rdt: JoinableClass | undefined
  readonly networking: Networking | undefined
  /** How many processes the OOM killer has ended in its cgroup so far. */
  readonly oomBefore: number
}

/** Brings a first process up, under the container's lock and when all that it lives in is there. */
export type Bring = (made: Made) => Promise<Omit<Started, 'outcome'>>

/**
 * Makes what a first process lives in, and has it brought up; `undefined` when there is one already. When any of it fails, nothing is left.
 *
 * @param what - that failed then: `cannot start`
 */
export async function bringUp(
  handle: Handle,
  what: string,
  prepare: (cgroup: ContainerCgroup, networks: Promise<Networking | undefined>) => Bring,
): Promise<Process | undefined> {
  const { id, directory, config, drivers } = handle
  const { path, devices, owner, checkBeforeUpdate: _, ...limits } = config.cgroups
  const cgroup = await handle.doing('cannot make the cgroup', () => drivers.cgroups.at(path))
  const wanted = {
    id,
    directory,
    path,
    owner,
    driver: drivers.cgroups,
    limits: { ...limits, devices: deviceRules(devices) },
  }
  const beginning = begin(wanted)
  const networks = handle.planNetworking()
  networks.catch(() => {})
  const bring = prepare(cgroup, networks)
  try {
    const { lock, state, ...begun } = await beginning
    try {
      if (state !== undefined && (await statusOf(await handle.adopt(state), directory)) !== 'stopped') return undefined
      const oomBefore = state === undefined ? begun.oomBefore : await makeCgroup(wanted)
      let rdt: JoinableClass | undefined
      let networking: Networking | undefined
      try {
        networking = await networks
        rdt = await claimClass(handle)
        const { process, state, text } = await bring({ rdt, networking, oomBefore })
        handle.state = state
        handle.text = text
        handle.init = process
        return process
      } catch (error) {
        throw await undoStart(handle, cgroup, await startError(handle, error, what), networking)
      } finally {
        rdt?.close()
      }
    } finally {
      lock.close()
    }
  } finally {
    await networks.then(
      networking => networking?.close(),
      () => {},
    )
  }
}

/** Takes back what a start that failed has made. Answers with the error to throw: that of the start, whatever else fails then. */
async function undoStart(
  handle: Handle,
  cgroup: ContainerCgroup,
  error: Error,
  networking: Networking | undefined,
): Promise<Error> {
  const { id, directory } = handle
  let failure = error
  try {
    if (error.cause instanceof InitDied && (await cgroup.oomKillCount()) > 0)
      failure = new ContainerError('SystemError', `cannot start '${id}': out of memory, its limit is too small`, {
        cause: error,
      })
    await cgroup.kill()
    await cgroup.destroy()
    await releaseClass(handle)
    await (networking === undefined ? releaseNetworking(handle) : networking.undo())
    // Last: as long as anything is left, it tells where.
    await removeFile(`${directory}/${STATE_FILE}`)
  } catch (left) {
    handle.warn?.(`what was made of '${id}' is not wholly taken back (${(left as Error).message}): remove it by force`)
  }
  return failure
}

const startError = async ({ id, directory }: Handle, error: unknown, what = 'cannot start'): Promise<Error> =>
  (await removedMeanwhile(id, directory, error)) ?? systemError(`${what} '${id}'`, error)

/** Its directory, for the socket in it. */
async function openOwn(handle: Handle): Promise<OwnedFd> {
  try {
    return await openDirectory(handle.directory, { handle: true })
  } catch (error) {
    throw await startError(handle, error)
  }
}

/** Lets the first process of a created container go on to its program. */
export async function releaseFirst(handle: Handle): Promise<void> {
  const { id } = handle
  const agent = await handle.doing('cannot start', () => SeccompAgent.connect(handle.config))
  const directory = await openOwn(handle)
  try {
    await release(START_SOCKET, { directory, listener: agent && (listener => takeOfCreated(handle, agent, listener)) })
    await removeFile(START_SOCKET, { at: directory })
    if (handle.state === undefined) await handle.reload()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ECONNREFUSED') || (error as LibcontainerError).code === 'AlreadyStarted') {
      const status = await statusOf(await handle.reload(), handle.directory)
      throw new TransitionError(
        status === 'stopped' ? 'ContainerNotRunning' : 'AlreadyStarted',
        status === 'created' || status === 'creating'
          ? `container '${id}' is being started by somebody else`
          : `container '${id}' is ${status}, not created`,
        { from: status, to: 'running', cause: error },
      )
    }
    throw await startError(handle, error)
  } finally {
    directory.close()
    agent?.close()
  }
  await afterStart(handle)
}

/** A program whose calls nobody would answer for does not run. */
async function takeOfCreated(handle: Handle, agent: SeccompAgent, listener: OwnedFd): Promise<void> {
  const { id, config } = handle
  const state = handle.state ?? (await handle.reload())
  if (state === undefined) throw handle.notRunning()
  const init = await openInit(state)
  try {
    await agent.take(
      listener,
      state.init_process_pid,
      ociState({ id, status: 'created', labels: config.labels, state }),
    )
  } catch (error) {
    if (init !== undefined) killPidfd(init)
    throw systemError(`cannot start '${id}'`, error)
  } finally {
    init?.close()
  }
}
