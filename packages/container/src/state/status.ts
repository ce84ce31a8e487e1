import { isFrozen, livingName, statusOfLiving } from './init-process.js'
import type { ContainerState } from './state.js'

/**
 * What a container is doing. `creating`: it is being set up, and its program does not run yet; who kills it now makes the start fail, or,
 * in the last moment, while the kernel loads the program, ends that.
 * `created`: its first process is set up and waits to be started. `running`: the program itself runs.
 */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped'

/** Found out from the kernel, which is asked everything at once. @param directory - of the state */
export async function statusOf(state: ContainerState | undefined, directory: string): Promise<Status> {
  if (state === undefined) return 'stopped'
  const [frozen, name] = await Promise.all([isFrozen(state), livingName(state)])
  if (frozen) return 'paused'
  return name === undefined ? 'stopped' : await statusOfLiving(name, state, directory)
}
