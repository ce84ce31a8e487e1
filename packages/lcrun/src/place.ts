import { debug, type Invocation, warn } from '@libcontainer/cli'
import { type Container, ContainerError, checkId, Factory, PoststopError } from '@libcontainer/container'
import type { SystemdProperty } from '@libcontainer/oci'
import { cgroupDriverOf, rootlessOf, stateRootOf } from './globals.js'

/** The id that a command line names first. @throws {ContainerError} `InvalidIdFormat` */
export function idOf({ operands: [id = ''] }: Pick<Invocation, 'operands'>): string {
  checkId(id)
  return id
}

/** The containers below the state root. @param unitProperties - of the unit of one that is made, where systemd makes it */
export async function openFactory(
  invocation: Invocation,
  unitProperties: readonly SystemdProperty[] = [],
): Promise<Factory> {
  const cgroupDriver = await cgroupDriverOf(invocation)
  return await Factory.open(await stateRootOf(invocation), {
    warn,
    log: (_, message) => debug(message),
    cgroupDriver,
    unitProperties,
    rootless: rootlessOf(invocation),
    criuPath: invocation.flags.get('criu'),
  })
}

/** The container that a command line names. @throws {ContainerError} `ContainerNotExists`, among others */
export async function loadContainer(invocation: Invocation): Promise<Container> {
  const id = idOf(invocation)
  return await load(await openFactory(invocation), id)
}

/** @throws {ContainerError} `ContainerNotExists` in the words that engines look for */
export async function load(factory: Factory, id: string): Promise<Container> {
  return await factory.load(id).catch(error => missing(factory.root, id, error))
}

/** Throws an error again, in the words that engines look for when it is that there is no container. */
export function missing(root: string, id: string, error: unknown): never {
  if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
  throw new ContainerError('ContainerNotExists', `container '${id}' does not exist`, {
    cause: error,
    hint: `lcrun --root ${root} list shows what there is`,
  })
}

/** Removes a container. A `poststop` hook that fails is told, and changes nothing: so OCI has it. */
export async function removing(remove: () => Promise<void>): Promise<void> {
  try {
    await remove()
  } catch (error) {
    if (!(error instanceof PoststopError)) throw error
    warn(error.message)
  }
}
