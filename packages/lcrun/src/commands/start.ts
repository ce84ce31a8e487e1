import type { Invocation } from '@libcontainer/cli'
import { ContainerError } from '@libcontainer/container'
import { isErrno } from '@libcontainer/sys'
import { listenForReadiness, type Readiness } from '../notify.js'
import { idOf, load, openFactory } from '../place.js'

/** Lets the program of a created container run. */
export async function run(invocation: Invocation): Promise<number> {
  const id = idOf(invocation)
  const factory = await openFactory(invocation)
  const container = await load(factory, id)
  let readiness: Readiness | undefined
  try {
    // Whoever runs it at once listens already, and so may who was faster: theirs is left alone.
    readiness = await listenForReadiness(`${factory.root}/${id}`, async () => (await container.status()) === 'created')
    await container.exec()
  } catch (error) {
    readiness?.close()
    const code = refusal(error)
    if (code === undefined) throw error
    const status = await container.status()
    throw new ContainerError(code, `cannot start container '${id}': ${problems[status]}`, { cause: error })
  }
  await readiness?.tell(container, { handOver: true })
  return 0
}

/** That it is not ours to start; `undefined` for any other failure. */
function refusal(error: unknown): 'AlreadyStarted' | 'ContainerNotRunning' | undefined {
  if (isErrno(error, 'EAGAIN')) return 'AlreadyStarted'
  const code = error instanceof ContainerError ? error.code : undefined
  return code === 'AlreadyStarted' || code === 'ContainerNotRunning' ? code : undefined
}

const problems = {
  creating: 'it is still being created',
  created: 'somebody else is starting it',
  running: 'it runs already',
  paused: 'it is paused, and was started before',
  stopped: 'it has stopped',
}
