import { type Invocation, isOn } from '@libcontainer/cli'
import { inImageWords, telling } from '@libcontainer/cli/checkpoint'
import { parsePageServer } from '@libcontainer/criu'
import { imageOptions } from '../criu.js'
import { loadContainer } from '../place.js'

/** Saves a container that runs; unless it goes on, it is kept for `restore`. */
export async function run(invocation: Invocation): Promise<number> {
  const server = invocation.flags.get('page-server')
  const options = {
    ...(await imageOptions(invocation)),
    leaveRunning: isOn(invocation, 'leave-running'),
    pageServer: server === undefined ? undefined : parsePageServer(server, '--page-server'),
  }
  const container = await loadContainer(invocation)
  await telling(() => inImageWords(() => container.checkpoint(options)), options, isOn(invocation, 'json'))
  return 0
}
