import { checkProfileName, profileOnExecStep, status } from '@libcontainer/apparmor'
import { ConfigInvalid, type Step } from '@libcontainer/sys'

/* What the kernel's security modules call the processes of a container. */

const UNCONFINED = 'unconfined'

export interface LabelRequest {
  readonly apparmorProfile?: string | undefined
}

/** Empty is none, as in OCI's config.json. */
export function checkProfile(profile: string | undefined, field: string): void {
  if (profile !== undefined && profile !== '') checkProfileName(profile, field)
}

/** What of it this kernel does not have. @param at - before the name of a field */
export async function labelProblem(
  { apparmorProfile = '' }: LabelRequest,
  at = '',
): Promise<ConfigInvalid | undefined> {
  if (apparmorProfile === '' || apparmorProfile === UNCONFINED) return undefined
  const { enabled, reason } = await status()
  if (enabled) return undefined
  return new ConfigInvalid(`${at}apparmorProfile`, apparmorProfile, `cannot confine anything here: ${reason}`, {
    hint: 'leave it out, or have the engine do so: docker and podman by --security-opt apparmor=unconfined',
  })
}

/** Neither file takes it, or is there. */
function orNothing(step: Step): Step {
  const { ENOENT: older } = step.onError ?? {}
  const off = { EINVAL: 'skip', ENOENT: 'skip' } as const
  return { ...step, onError: typeof older === 'object' ? { ...off, ENOENT: { ...older, onError: off } } : off }
}

/** The process's own word where there is one, else the container's. */
export function labelSteps(config: LabelRequest, spec: LabelRequest): Step[] {
  const profile = spec.apparmorProfile || config.apparmorProfile
  if (!profile) return []
  const step = profileOnExecStep(profile)
  // Where AppArmor is off everything is unconfined; with a profile that asks for more nobody comes here then: see labelProblem.
  return [profile === UNCONFINED ? orNothing(step) : step]
}
