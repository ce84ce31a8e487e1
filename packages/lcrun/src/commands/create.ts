import type { Invocation } from '@libcontainer/cli'
import { make } from '../make.js'

/** Makes a container whose program waits for `start`. */
export async function run(invocation: Invocation): Promise<number> {
  await make(invocation, { detached: true, start: (container, spec) => container.start(spec) })
  return 0
}
