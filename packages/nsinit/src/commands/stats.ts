import { type Invocation, printJson } from '@libcontainer/cli'
import { loadContainer } from '../place.js'

export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  await printJson(await container.stats())
  return 0
}
