import { debug, type Invocation, isOn } from '@libcontainer/cli'
import { type Container, ContainerError, type Factory, TransitionError } from '@libcontainer/container'
import { forEachId } from '../matching.js'
import { load, openFactory, removing } from '../place.js'

/** Removes containers that have ended or were created alone; by force whatever is there. */
export async function run(invocation: Invocation): Promise<number> {
  const force = isOn(invocation, 'force')
  const factory = await openFactory(invocation)
  await forEachId(invocation, factory, async id => {
    debug(`removes container '${id}'`)
    await removing(() => (force ? factory.remove(id) : remove(factory, id)))
  })
  return 0
}

async function remove(factory: Factory, id: string): Promise<void> {
  const container = await loadOrClear(factory, id)
  try {
    await container.destroy()
  } catch (error) {
    if (
      !(error instanceof ContainerError) ||
      (error.code !== 'ContainerNotStopped' && error.code !== 'ContainerPaused')
    )
      throw error
    const what = error instanceof TransitionError ? error.from : await container.status()
    throw new ContainerError(error.code, `cannot delete container '${id}' that is not stopped: it is ${what}`, {
      cause: error,
      hint: `lcrun kill ends it, lcrun delete --force does both`,
    })
  }
}

/** Whoever was killed while it made a container has left a directory: that is removed, and told of. */
async function loadOrClear(factory: Factory, id: string): Promise<Container> {
  try {
    return await load(factory, id)
  } catch (error) {
    if (error instanceof ContainerError && error.code === 'ContainerNotExists') await factory.removeAborted(id)
    throw error
  }
}
