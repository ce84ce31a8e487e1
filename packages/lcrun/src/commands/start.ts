import type { Invocation } from '@libcontainer/cli'
import { ContainerError } from '@libcontainer/container'
import { listenForReadiness } from '../notify.js'
import { idOf, load, openFactory } from '../place.js'

/** Lets the program of a created container run. */
export async function run(invocation: Invocation): Promise<number> {
  const id = idOf(invocation)
  const factory = await openFactory(invocation)
  const container = await load(factory, id)
  const readiness = await listenForReadiness(`${factory.root}/${id}`)
  try {
    await container.exec()
  } catch (error) {
    readiness?.close()
    if (!(error instanceof ContainerError) || (error.code !== 'AlreadyStarted' && error.code !== 'ContainerNotRunning'))
      throw error
    const status = await container.status()
    throw new ContainerError(error.code, `cannot start container '${id}': ${problems[status]}`, { cause: error })
  }
  if (readiness !== undefined) await readiness.tell(container, { mainPid: (await container.state()).init_process_pid })
  return 0
}

const problems = {
  creating: 'it is still being created',
  created: 'somebody else is starting it',
  running: 'it runs already',
  paused: 'it is paused, and was started before',
  stopped: 'it has stopped',
}
