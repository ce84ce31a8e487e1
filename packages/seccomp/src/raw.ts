import { ConfigInvalid, type Step } from '@libcontainer/sys'
import type { Flag } from './actions.js'
import { architectureOf } from './architectures.js'
import { decodeBase64 } from './base64.js'
import { checkFilter } from './check-filter.js'
import type { Profile } from './profile.js'
import { isLittleEndian } from './simulate.js'
import { filterSteps } from './steps.js'
import { nativeArch } from './support.js'
import { parseFlags } from './validate.js'

/** A filter that somebody else has compiled, as a configuration says it in place of a {@link Profile}. */
export interface RawProfile {
  /** An array of `struct sock_filter` for this machine, as base64. It is loaded as it is. */
  readonly bpf: string
  /** Default: none. */
  readonly flags?: readonly Flag[] | undefined
}

/** Which of the two a configuration has. */
export function isRaw(profile: Profile | RawProfile): profile is RawProfile {
  return Object.hasOwn(profile, 'bpf')
}

/**
 * The steps that load it.
 *
 * @throws {ConfigInvalid} for what is no base64, and for a filter that this kernel would refuse
 */
export function rawSteps(profile: RawProfile, field = 'seccomp'): Step[] {
  const { bpf, flags, ...others } = profile
  for (const [name, value] of Object.entries(others))
    throw new ConfigInvalid(`${field}.${name}`, value, 'must be absent: beside bpf stand flags alone')
  const filter = typeof bpf === 'string' ? decodeBase64(bpf) : undefined
  if (filter === undefined) throw new ConfigInvalid(`${field}.bpf`, bpf, 'must be base64')
  checkFilter(filter, `${field}.bpf`)
  if (isLittleEndian(filter) !== architectureOf(nativeArch()).littleEndian)
    throw new ConfigInvalid(`${field}.bpf`, bpf, 'must be in the byte order of this machine')
  return filterSteps({ filter, flags: parseFlags({ flags }, field, false) })
}
