import { checkProfileName } from '@libcontainer/apparmor/name'
import type { Landlock } from '@libcontainer/init'
import type { ConfigInvalid } from '@libcontainer/sys'
import type { Confinement } from './confinement-steps.js'

/* What confines the processes of a container beside all that every one has. What is done about it is loaded where it is asked for. */

export interface ConfinementRequest {
  readonly apparmorProfile?: string | undefined
  /** Of the container as a whole. */
  readonly landlock?: Landlock | undefined
}

const loaded = () => import('./confinement-steps.js')

/** Empty is none, as in OCI's config.json. */
export function checkProfile(profile: string | undefined, field: string): void {
  if (profile !== undefined && profile !== '') checkProfileName(profile, field)
}

/** What is wrong with it, and what of it this kernel does not have. @param at - before the name of a field */
export async function confinementProblems(request: ConfinementRequest, at = ''): Promise<readonly ConfigInvalid[]> {
  if (!request.apparmorProfile && request.landlock === undefined) return []
  return await (await loaded()).confinementProblems(request, at)
}

/** @throws {ConfigInvalid} for what a process asks for, and this kernel does not have */
export async function confirmConfinement({ apparmorProfile }: ConfinementRequest): Promise<void> {
  const [problem] = await confinementProblems({ apparmorProfile }, 'process.')
  if (problem !== undefined) throw problem
}

/** What the plan of a process has of it: of profiles the process's own word where there is one, else the container's. */
export async function confinementOf(config: ConfinementRequest, spec: ConfinementRequest): Promise<Confinement> {
  const apparmorProfile = spec.apparmorProfile || config.apparmorProfile
  if (!apparmorProfile && config.landlock === undefined) return {}
  return (await loaded()).confinementOf({ apparmorProfile, landlock: config.landlock })
}
