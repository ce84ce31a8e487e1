import { checkProfileName } from '@libcontainer/apparmor/name'
import type { Landlock } from '@libcontainer/init'
import type { Mount } from '@libcontainer/mount'
import { parseContext } from '@libcontainer/selinux/context'
import type { ConfigInvalid } from '@libcontainer/sys'
import type { Confinement } from './confinement-steps.js'

/* What confines the processes of a container beside all that every one has. What is done about it is loaded where it is asked for. */

/** What a process asks for. */
export interface LabelRequest {
  readonly apparmorProfile?: string | undefined
  readonly selinuxLabel?: string | undefined
}

/** What a container asks for as a whole. */
export interface ConfinementRequest extends LabelRequest {
  readonly mountLabel?: string | undefined
  /** Of which some have their sources relabelled. */
  readonly mounts?: readonly Mount[] | undefined
  readonly landlock?: Landlock | undefined
}

const loaded = () => import('./confinement-steps.js')

/** Empty is none, as in OCI's config.json. */
export function checkProfile(profile: string | undefined, field: string): void {
  if (profile !== undefined && profile !== '') checkProfileName(profile, field)
}

/** Likewise. */
export function checkLabel(label: string | undefined, field: string): void {
  if (label !== undefined && label !== '') parseContext(label, field)
}

/** What is wrong with it, and what of it this kernel does not have. @param at - before the name of a field */
export async function confinementProblems(request: ConfinementRequest, at = ''): Promise<readonly ConfigInvalid[]> {
  const { apparmorProfile, selinuxLabel, mountLabel, landlock } = request
  if (!apparmorProfile && !selinuxLabel && !mountLabel && landlock === undefined) return []
  return await (await loaded()).confinementProblems(request, at)
}

/** @throws {ConfigInvalid} for what a process asks for, and this kernel does not have */
export async function confirmConfinement({ apparmorProfile, selinuxLabel }: LabelRequest): Promise<void> {
  const [problem] = await confinementProblems({ apparmorProfile, selinuxLabel }, 'process.')
  if (problem !== undefined) throw problem
}

/** What the plan of a process has of it: of labels the process's own word where there is one, else the container's. */
export async function confinementOf(config: ConfinementRequest, spec: LabelRequest): Promise<Confinement> {
  const { landlock } = config
  const apparmorProfile = spec.apparmorProfile || config.apparmorProfile
  const selinuxLabel = spec.selinuxLabel || config.selinuxLabel
  if (!apparmorProfile && !selinuxLabel && landlock === undefined) return {}
  return (await loaded()).confinementOf({ apparmorProfile, selinuxLabel, landlock })
}
