import { type Invocation, printJson } from '@libcontainer/cli'
import { loadContainer } from '../place.js'

export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  const [status, state] = await Promise.all([container.status(), container.state()])
  await printJson({ status, ...state })
  return 0
}
