import { debug, type Invocation, warn } from '@libcontainer/cli'
import type { Session } from '@libcontainer/cli/foreground'
import { type Container, ContainerError, type Factory, type Process, type ProcessSpec } from '@libcontainer/container'
import { readBundle } from './bundle.js'
import { isSystemd } from './globals.js'
import { launch } from './launch.js'
import { notifying } from './notify.js'
import { idOf, openFactory, removing } from './place.js'
import { saveRecord } from './record.js'

/** A container that this call has made. */
export interface Made {
  readonly factory: Factory
  readonly container: Container
  readonly token: string
  /** In the foreground. */
  readonly session: Session | undefined
}

interface MakeOptions {
  readonly detached: boolean
  /** Starts its program, or leaves it waiting. @param directory - of its state */
  readonly start: (container: Container, spec: ProcessSpec, directory: string) => Promise<Process>
}

/** Makes a container of the bundle that a command line names, and its first process. When any of it fails, nothing is left. */
export async function make(invocation: Invocation, { detached, start }: MakeOptions): Promise<Made> {
  const id = idOf(invocation)
  const reading = readBundle(invocation, id)
  const opening = isSystemd(invocation)
    ? reading.then(({ unitProperties }) => openFactory(invocation, unitProperties))
    : openFactory(invocation)
  const [bundle, factory] = await Promise.all([reading, opening])
  debug(`makes container '${id}' on ${bundle.config.rootfs}`)
  const directory = `${factory.root}/${id}`
  const { config, process, prepare } = await notifying(bundle.config, bundle.process, directory)
  const container = await create(factory, id, config)
  try {
    await prepare()
    const { token } = await saveRecord(factory.root, id, bundle.process)
    const session = await launch({
      invocation,
      spec: process,
      detached,
      start: spec => start(container, spec, directory),
    })
    return { factory, container, token, session }
  } catch (error) {
    // By what this call knows of it: of a container that was never ready there is no state that tells its poststop hooks.
    try {
      await removing(() => container.destroy({ force: true }))
    } catch (left) {
      warn(`container '${id}' could not be removed: ${(left as Error).message}`)
    }
    throw await told(error)
  }
}

async function create(factory: Factory, id: string, config: Parameters<Factory['create']>[1]): Promise<Container> {
  try {
    return await factory.create(id, config)
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'IdInUse') throw await told(error)
    throw new ContainerError('IdInUse', `container '${id}' already exists`, {
      cause: error,
      hint: `take another id, or remove it: lcrun --root ${factory.root} delete --force ${id}`,
    })
  }
}

/** An error in the words of config.json. */
async function told(error: unknown): Promise<unknown> {
  const { inSpecWords } = await import('@libcontainer/oci')
  return inSpecWords(error)
}
