import type { Invocation } from '@libcontainer/cli'
import { withFreezerHint } from '../freezer-hint.js'
import { loadContainer } from '../place.js'

/** Stops all processes of a container where they are. */
export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  await withFreezerHint(() => container.pause())
  return 0
}
