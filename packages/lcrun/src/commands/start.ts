import type { Invocation } from '@libcontainer/cli'
import { ContainerError } from '@libcontainer/container'
import { loadContainer } from '../place.js'

/** Lets the program of a created container run. */
export async function run(invocation: Invocation): Promise<number> {
  const container = await loadContainer(invocation)
  try {
    await container.exec()
  } catch (error) {
    if (!(error instanceof ContainerError) || (error.code !== 'AlreadyStarted' && error.code !== 'ContainerNotRunning'))
      throw error
    const { id } = container
    const status = await container.status()
    throw new ContainerError(error.code, `cannot start container '${id}': ${problems[status]}`, { cause: error })
  }
  return 0
}

const problems = {
  creating: 'it is still being created',
  created: 'its first process does not answer',
  running: 'it runs already',
  paused: 'it is paused, and was started before',
  stopped: 'it has stopped',
}
