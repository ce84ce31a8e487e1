import { killPidfd, LibcontainerError, type OwnedFd, POLLIN, poll, removeFile, removeTree } from '@libcontainer/sys'
import type { ContainerCgroup } from '../cgroups/drivers.js'
import { releaseScratch } from '../checkpoint/leftovers.js'
import { ContainerError } from '../errors.js'
import type { Handle } from '../handle.js'
import { releaseClass } from '../intelrdt/class.js'
import { releaseNetworking } from '../network/network.js'
import { afterStop } from '../start/after.js'
import { openInit } from '../state/init-process.js'
import { markRemoved } from '../state/removed-meanwhile.js'
import { STATE_FILE } from '../state/state.js'
import { statusOf } from '../state/status.js'
import { checkTransition } from '../state/transitions.js'
import { removeAtOnce } from './remove-at-once.js'

export interface DestroyOptions {
  /**
   * Kills what runs first, also what is being created: its creator then fails. Default: false, and a container that runs or is being created is
   * `ContainerNotStopped`.
   */
  readonly force?: boolean | undefined
  /** Asked while nobody else acts on the container; when it answers `false`, nothing is done: by then it may be another one of this id. */
  readonly onlyIf?: (() => Promise<boolean>) | undefined
}

/** Removes a container's cgroups and its directory. */
export async function destroy(handle: Handle, options: DestroyOptions = {}): Promise<void> {
  const { directory, init, state, text, drivers } = handle
  // By its state as it was written, which no other container has.
  if (init?.ended && state !== undefined && (await removeAtOnce(drivers.cgroups, directory, state, text!))) {
    handle.forget()
    return await afterStop(handle)
  }
  try {
    if (!(await removeLocked(handle, options))) return
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
    return
  }
  await afterStop(handle)
}

/** False when it was not to be removed. */
async function removeLocked(handle: Handle, { force = false, onlyIf }: DestroyOptions): Promise<boolean> {
  const { id, directory } = handle
  const act = async (text: string | undefined): Promise<boolean> => {
    if (onlyIf !== undefined && !(await onlyIf())) return false
    const state = await handle.adopt(text)
    if (!force) {
      const status = await statusOf(state, directory)
      checkTransition(id, status, 'stopped', { alive: status !== 'paused' || (await handle.alive()) })
    }
    await handle.doing('cannot destroy', () => remove(handle))
    return true
  }
  // Whoever holds the lock, such as a creator whose hooks run, has nothing to go on for when its processes are dead.
  return await handle.locked(
    act,
    force ? { meanwhile: () => handle.doing('cannot kill', () => endHolder(handle)) } : {},
  )
}

async function endHolder(handle: Handle): Promise<void> {
  await markRemoved(handle.directory)
  await handle.reload()
  const { init } = await killAll(handle)
  init?.close()
}

async function remove(handle: Handle): Promise<void> {
  const { init, cgroup } = await killAll(handle)
  try {
    if (init !== undefined) await ended(handle, init)
  } finally {
    init?.close()
  }
  await handle.init?.wait()
  await cgroup?.destroy()
  await releaseClass(handle)
  await releaseNetworking(handle)
  await releaseScratch(handle.directory)
  // First of all there, as in removeAtOnce.
  await removeFile(`${handle.directory}/${STATE_FILE}`)
  await removeTree(handle.directory)
  handle.forget()
}

interface Killed {
  /** The first process, if it was alive. */
  readonly init: OwnedFd | undefined
  readonly cgroup: ContainerCgroup | undefined
}

/** Kills the first process, wherever it is, and all of the cgroup. */
async function killAll(handle: Handle): Promise<Killed> {
  const { state } = handle
  const init = state === undefined ? undefined : await openInit(state)
  try {
    if (init !== undefined) killPidfd(init)
    const cgroup = await handle.cgroup()
    await cgroup?.kill()
    return { init, cgroup }
  } catch (error) {
    init?.close()
    throw error
  }
}

/** In milliseconds. Whoever is killed ends at once, unless the kernel keeps it. */
const SOON = 10_000

async function ended({ id, state }: Handle, init: OwnedFd): Promise<void> {
  const late = AbortSignal.timeout(SOON)
  try {
    await poll(init.fd, POLLIN, { signal: late })
  } catch (error) {
    if (!late.aborted) throw error
    const pid = state?.init_process_pid
    throw new LibcontainerError(
      'ETIMEDOUT',
      `process ${pid} of '${id}' was killed, and has not ended in ${SOON / 1000} s`,
      {
        hint: `it may be frozen in another cgroup, or wait in the kernel: cat /proc/${pid}/status /proc/${pid}/cgroup`,
      },
    )
  }
}
