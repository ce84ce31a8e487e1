import type { IntelRdt, RdtStats, ResctrlOptions } from '@libcontainer/intelrdt'
import { type ConfigInvalid, exists } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import type { ResolvedConfig } from '../config/resolve.js'
import { problemOf } from '../validate/apart.js'
import type { ClassRequest, JoinableClass } from './intel-rdt.js'

/* The class of a container, for those that have one: what is done about it is loaded then, and few ever do. */

export type { ClassRequest, JoinableClass }

const loaded = () => import('./intel-rdt.js')

/** What is wrong with the words of a class, wherever it is asked for. */
export async function classWordsProblem({
  intelRdt,
}: Pick<ContainerConfig, 'intelRdt'>): Promise<ConfigInvalid | undefined> {
  if (intelRdt === undefined) return undefined
  const { checkIntelRdt } = await import('@libcontainer/intelrdt/config')
  return problemOf(() => checkIntelRdt(intelRdt, 'intelRdt'))
}

/** What of a class this host does not have. */
export async function classProblem(intelRdt: IntelRdt | undefined): Promise<ConfigInvalid | undefined> {
  return intelRdt && (await (await loaded()).classProblem(intelRdt))
}

/** Makes sure that a container can have its class; makes nothing. @throws {ConfigInvalid} */
export async function confirmClass(
  id: string,
  { intelRdt }: Pick<ResolvedConfig, 'intelRdt'>,
  options: ResctrlOptions | undefined,
): Promise<void> {
  if (intelRdt !== undefined) await (await loaded()).confirmClass(id, intelRdt, options)
}

/** Makes what of a container's class is not there. When it fails, nothing of it is left. */
export async function claimClass(request: ClassRequest): Promise<JoinableClass | undefined> {
  const { intelRdt } = request.config
  return intelRdt && (await (await loaded()).claimClass(request, intelRdt))
}

/** The class of a container that runs. */
export async function openClass(request: ClassRequest): Promise<JoinableClass | undefined> {
  const { intelRdt } = request.config
  return intelRdt && (await (await loaded()).openClass(request, intelRdt))
}

/** Tells which groups were made for a container, and go with it: beside the state, and before they are made. */
export const CLASS_FILE = 'intelrdt.json'

/** Removes the groups that were made for a container; none is fine. */
export async function releaseClass(request: Omit<ClassRequest, 'config'>): Promise<void> {
  if (await exists(`${request.directory}/${CLASS_FILE}`)) await (await loaded()).releaseClass(request)
}

/** What a container's class is and uses; `undefined` where it has none, or where its groups are gone. */
export async function classStats(request: ClassRequest): Promise<RdtStats | undefined> {
  const { intelRdt } = request.config
  return intelRdt && (await (await loaded()).classStats(request, intelRdt))
}

/** A change of a container's class that can be made: the class as it will be, and what makes it. */
export interface ClassChange {
  readonly intelRdt: IntelRdt
  /** @returns what takes it back */
  make(): Promise<() => Promise<void>>
}

/** @throws {ConfigInvalid} for what is no matter of change */
export async function changeOfClass(
  request: ClassRequest,
  change: IntelRdt | undefined,
): Promise<ClassChange | undefined> {
  return change && (await (await loaded()).changeOfClass(request, change))
}
