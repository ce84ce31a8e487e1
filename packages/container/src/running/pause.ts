import { LibcontainerError } from '@libcontainer/sys'
import type { ContainerCgroup } from '../cgroups/drivers.js'
import type { Handle } from '../handle.js'
import { isKilled, lives } from '../state/init-process.js'
import { statusOf } from '../state/status.js'
import { checkTransition, TransitionError } from '../state/transitions.js'

/** Stops all processes of a container where they are. */
export async function pause(handle: Handle): Promise<void> {
  await handle.locked(async text => {
    const status = await statusOf(await handle.adopt(text), handle.directory)
    if (status === 'paused') return
    const cgroup = await handle.cgroup()
    // The lock is ours, so that nobody is creating it: whoever looks like init still is a program, or was left behind.
    checkTransition(handle.id, status === 'creating' ? 'running' : status, 'paused')
    if (cgroup === undefined) throw handle.withoutCgroup()
    await handle.doing('cannot pause', () => freeze(handle, cgroup))
    handle.events.emit({ type: 'paused' })
  })
}

/** How long it takes where nothing is in the way; then somebody looks what is. */
const SOON_MS = 250

/** Who was killed just before must not be kept from dying. */
async function freeze(handle: Handle, cgroup: ContainerCgroup): Promise<void> {
  const ended = async (): Promise<boolean> => {
    const { state } = handle
    return state === undefined || (await isKilled(state)) || !(await lives(state))
  }
  try {
    await cgroup.freeze({ timeoutMs: SOON_MS })
  } catch (error) {
    if (!(error instanceof LibcontainerError)) throw error
    if (await ended()) throw handle.notRunning(error)
    await cgroup.freeze()
  }
  if (!(await ended())) return
  await cgroup.thaw()
  throw handle.notRunning()
}

/** Lets them go on. */
export async function resume(handle: Handle): Promise<void> {
  await handle.locked(async text => {
    const from = await statusOf(await handle.adopt(text), handle.directory)
    if (from !== 'paused')
      throw new TransitionError('NotPaused', `container '${handle.id}' is not paused`, { from, to: 'running' })
    const cgroup = await handle.cgroup()
    await handle.doing('cannot resume', async () => await cgroup?.thaw())
    handle.events.emit({ type: 'resumed' })
  })
}
