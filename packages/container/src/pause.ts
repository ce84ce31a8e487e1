import type { Handle } from './handle.js'
import { statusOf } from './status.js'
import { checkTransition, TransitionError } from './transitions.js'

/** Stops all processes of a container where they are. */
export async function pause(handle: Handle): Promise<void> {
  await handle.locked(async text => {
    const status = await statusOf(handle.adopt(text))
    if (status === 'paused') return
    const cgroup = await handle.cgroup()
    checkTransition(handle.id, status, 'paused')
    if (cgroup === undefined) throw handle.withoutCgroup()
    await handle.doing('cannot pause', () => cgroup.freeze())
    handle.events.emit({ type: 'paused' })
  })
}

/** Lets them go on. */
export async function resume(handle: Handle): Promise<void> {
  await handle.locked(async text => {
    const from = await statusOf(handle.adopt(text))
    if (from !== 'paused')
      throw new TransitionError('NotPaused', `container '${handle.id}' is not paused`, { from, to: 'running' })
    const cgroup = await handle.cgroup()
    await handle.doing('cannot resume', async () => await cgroup?.thaw())
    handle.events.emit({ type: 'resumed' })
  })
}
