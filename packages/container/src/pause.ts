import { ContainerError } from './errors.js'
import type { Handle } from './handle.js'
import { statusOf } from './status.js'

/** Stops all processes of a container where they are. */
export async function pause(handle: Handle): Promise<void> {
  await handle.locked(async text => {
    const status = await statusOf(handle, handle.adopt(text))
    if (status === 'paused') return
    const cgroup = await handle.cgroup()
    if (status === 'stopped' || cgroup === undefined) throw handle.notRunning()
    await handle.doing('cannot pause', () => cgroup.freeze())
  })
}

/** Lets them go on. */
export async function resume(handle: Handle): Promise<void> {
  await handle.locked(async text => {
    if ((await statusOf(handle, handle.adopt(text))) !== 'paused') {
      throw new ContainerError('NotPaused', `container '${handle.id}' is not paused`)
    }
    const cgroup = await handle.cgroup()
    await handle.doing('cannot resume', async () => await cgroup?.thaw())
  })
}
