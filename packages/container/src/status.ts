import { exists } from '@libcontainer/sys'
import type { Handle } from './handle.js'
import { isFrozen, isPreparing, lives } from './init-process.js'
import { type ContainerState, START_SOCKET } from './state.js'

/**
 * What a container is doing. `creating`: it is being set up, and its program does not run yet; who kills it now makes the start fail, or,
 * in the last moment, while the kernel loads the program, ends that.
 * `created`: its first process is set up and waits to be started. `running`: the program itself runs.
 */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped'

/** Found out from the kernel, which is asked everything at once. */
export async function statusOf(handle: Handle, state: ContainerState | undefined): Promise<Status> {
  if (state === undefined) return 'stopped'
  const [frozen, alive, preparing, waits] = await Promise.all([
    isFrozen(state),
    lives(state),
    isPreparing(state),
    exists(`${handle.directory}/${START_SOCKET}`),
  ])
  if (frozen) return 'paused'
  if (!alive) return 'stopped'
  if (!preparing) return 'running'
  return waits ? 'created' : 'creating'
}
