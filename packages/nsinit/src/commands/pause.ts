import type { Invocation } from '@libcontainer/cli'
import { loadContainer } from '../place.js'

export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  await container.pause()
  return 0
}
