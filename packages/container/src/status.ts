import { exists } from '@libcontainer/sys'
import type { Handle } from './handle.js'
import { isFrozen, lives } from './init-process.js'
import { type ContainerState, START_SOCKET } from './state.js'

/** What a container is doing. `created`: its first process is set up and waits to be started. */
export type Status = 'created' | 'running' | 'paused' | 'stopped'

/** Found out from the kernel, which is asked everything at once. */
export async function statusOf(handle: Handle, state: ContainerState | undefined): Promise<Status> {
  if (state === undefined) return 'stopped'
  const [frozen, alive, waits] = await Promise.all([
    isFrozen(state),
    lives(state),
    exists(`${handle.directory}/${START_SOCKET}`),
  ])
  if (frozen) return 'paused'
  if (!alive) return 'stopped'
  return waits ? 'created' : 'running'
}
