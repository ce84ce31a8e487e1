import { reportListener } from '@libcontainer/init'
import {
  compile,
  defaultProfile,
  filterSteps,
  isRaw,
  nativeArch,
  type Profile,
  type RawProfile,
  rawSteps,
  seccompSteps,
  unknownSyscalls,
} from '@libcontainer/seccomp'
import type { Step } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'

/** Compiled once for each set of capabilities, and once for each profile object. */
const defaults = new Map<string, Step[]>()
const compiled = new WeakMap<Profile | RawProfile, Step[]>()

/** The steps that load a container's filter: none for `null`, the default profile where none is said. */
export function seccompOf({ seccomp, capabilities }: Pick<ContainerConfig, 'seccomp' | 'capabilities'>): Step[] {
  if (seccomp === null) return []
  if (seccomp === undefined) return defaultSteps(capabilityNames(capabilities))
  const steps = compiled.get(seccomp) ?? (isRaw(seccomp) ? rawSteps(seccomp) : profileSteps(seccomp))
  compiled.set(seccomp, steps)
  return steps
}

/** Tells of the names in a profile that no architecture has: they are left out. */
export function logUnknown({ seccomp }: Pick<ContainerConfig, 'seccomp'>, log: (message: string) => void): void {
  if (!seccomp || isRaw(seccomp)) return
  for (const name of unknownSyscalls(seccomp))
    log(`seccomp: ${name} is left out, no architecture has such a system call`)
}

/** With `SCMP_ACT_NOTIFY`, the listener is told of to the parent, who has an agent to give it to. */
function profileSteps(profile: Profile): Step[] {
  const steps = seccompSteps(profile, { listener: profile.listenerPath ?? undefined })
  return steps.map(step => (step.into === undefined ? step : reportListener(step)))
}

function defaultSteps(capabilities: readonly string[]): Step[] {
  const key = capabilities.join()
  const known = defaults.get(key)
  if (known !== undefined) return known
  const arch = nativeArch()
  const { filter, flags } = compile(defaultProfile({ capabilities, arch }), { arch })
  const steps = filterSteps({ filter, flags })
  defaults.set(key, steps)
  return steps
}

/** What a process may come to hold: the default profile allows the calls that go with it. */
function capabilityNames(capabilities: ContainerConfig['capabilities']): readonly string[] {
  if (capabilities === null || capabilities === undefined) return []
  return [...('length' in capabilities ? capabilities : (capabilities.bounding ?? []))].sort()
}
