import type { Cgroup } from '@libcontainer/cgroups'
import { isErrno, killPidfd, LibcontainerError, type OwnedFd, signalNumber, signalPidfd } from '@libcontainer/sys'
import type { ContainerCgroup } from '../cgroups/drivers.js'
import { ContainerError, systemError } from '../errors.js'
import type { Handle } from '../handle.js'
import { openInit } from '../state/init-process.js'

export interface SignalOptions {
  /** To every process of the container, also when its first has ended. Default: false, to the first alone. */
  readonly all?: boolean | undefined
}

const SIGKILL = 9

/** Sends a signal to the first process, or to all: KILL goes to all where the others would live on without the first. */
export async function sendSignal(handle: Handle, signal: string | number, { all }: SignalOptions): Promise<void> {
  const number = signalNumber(signal)
  const state = await handle.reload()
  if (all) return await signalEverybody(handle, number)
  const init = state === undefined ? undefined : await openInit(state)
  if (init === undefined) throw handle.notRunning()
  try {
    if (number === SIGKILL && !handle.ownPids) await killEverybody(handle, { cgroup: await handle.cgroup(), init })
    else await signalFirst(handle, init, number)
  } catch (error) {
    if (isErrno(error, 'ESRCH')) throw handle.notRunning()
    throw systemError(`cannot signal '${handle.id}'`, error)
  } finally {
    init.close()
  }
}

async function signalFirst(handle: Handle, init: OwnedFd, number: number): Promise<void> {
  const cgroup = number === SIGKILL ? await handle.cgroup() : undefined
  // A frozen process of cgroup v1 does not even die.
  const frozen = cgroup !== undefined && (await cgroup.freezerState()) !== 'THAWED'
  signalPidfd(init, number)
  if (frozen) await cgroup.thaw()
}

/** All of the cgroup; where an ordinary user may not kill by it, the first process alone, and somebody is told. */
async function killEverybody(handle: Handle, { cgroup, init }: Everybody & { init: OwnedFd }): Promise<void> {
  try {
    if (cgroup === undefined) throw new LibcontainerError('NotFound', 'it has no cgroup')
    await cgroup.kill()
    // Somebody may have moved it elsewhere.
    killPidfd(init)
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'EACCES', 'EROFS') && cgroup !== undefined) throw error
    handle.warn?.(
      `'${handle.id}' cannot be killed by its cgroup (${(error as Error).message}): its first process alone is, and others may live on`,
    )
    signalPidfd(init, SIGKILL)
  }
}

async function signalEverybody(handle: Handle, number: number): Promise<void> {
  const cgroup = await handle.cgroup()
  const init = handle.state === undefined ? undefined : await openInit(handle.state)
  try {
    if (cgroup === undefined && (init === undefined || number !== SIGKILL))
      throw new ContainerError(
        'CgroupNotExist',
        `container '${handle.id}' has no cgroup, by which all its processes are found`,
      )
    await handle.doing('cannot signal all of', () => signalAll(handle, { cgroup, init }, number))
  } finally {
    init?.close()
  }
}

interface Everybody {
  readonly cgroup: ContainerCgroup | undefined
  readonly init: OwnedFd | undefined
}

async function signalAll(handle: Handle, { cgroup, init }: Everybody, number: number): Promise<void> {
  // Without the lock, which a creator holds as long as its hooks run.
  if (number === SIGKILL) {
    if (init === undefined) await cgroup?.kill()
    else if (cgroup === undefined && handle.ownPids) killPidfd(init)
    else await killEverybody(handle, { cgroup, init })
    return
  }
  // One at a time with whoever pauses: what is stopped for the signal alone goes on after it.
  await handle.locked(async () => {
    await signalCgroup(cgroup!, number)
    if (init !== undefined) await signalStray(handle, cgroup!, init, number)
  })
}

/** The first process, where somebody has moved it out of the container's cgroup. */
async function signalStray(handle: Handle, cgroup: ContainerCgroup, init: OwnedFd, number: number): Promise<void> {
  if ((await cgroup.processes()).includes(handle.state!.init_process_pid)) return
  try {
    signalPidfd(init, number)
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

/** While nobody can fork, so that nobody is missed. */
async function signalCgroup(
  cgroup: Pick<Cgroup, 'freezerState' | 'freeze' | 'signal' | 'thaw'>,
  number: number,
): Promise<void> {
  const paused = (await cgroup.freezerState()) !== 'THAWED'
  const stopped = paused || (await frozen(cgroup))
  try {
    await cgroup.signal(number)
  } finally {
    if (!paused && stopped) await cgroup.thaw()
  }
}

/** Whether it could be stopped: without a freezer of one's own whoever forks just now may be missed. */
async function frozen(cgroup: Pick<Cgroup, 'freeze'>): Promise<boolean> {
  try {
    await cgroup.freeze()
    return true
  } catch (error) {
    if (error instanceof LibcontainerError) return false
    throw error
  }
}
