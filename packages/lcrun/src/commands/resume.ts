import type { Invocation } from '@libcontainer/cli'
import { withFreezerHint } from '../freezer-hint.js'
import { loadContainer } from '../place.js'

/** Lets a paused container go on. */
export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  await withFreezerHint(() => container.resume())
  return 0
}
