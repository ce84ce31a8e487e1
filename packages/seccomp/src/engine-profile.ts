import { ConfigInvalid, kernelAtLeast } from '@libcontainer/sys'
import { type Arch, archOfOci } from './architectures.js'
import type { Profile, SyscallRule } from './profile.js'
import { nativeArch } from './support.js'

/** When a rule of an engine's profile counts. */
export interface RuleFilter {
  /** Capabilities, such as `CAP_SYS_ADMIN`. */
  readonly caps?: readonly string[] | null | undefined
  /** Go's names of architectures, such as `amd64`. */
  readonly arches?: readonly string[] | null | undefined
  /** The kernel's version, such as `4.8`. */
  readonly minKernel?: string | null | undefined
}

/** A rule in the profile file of an engine. */
export interface EngineRule extends Partial<SyscallRule> {
  /** One call, in old files. */
  readonly name?: string | undefined
  readonly comment?: string | undefined
  /** It counts if all of this holds. */
  readonly includes?: RuleFilter | null | undefined
  /** It does not count if any of this holds. */
  readonly excludes?: RuleFilter | null | undefined
}

/** The profile file of docker, podman and their like: the same words as a profile, and what makes them depend on the container and the host. */
export interface EngineProfile extends Omit<Profile, 'syscalls'> {
  /** The architectures by the native one: in place of `architectures`. */
  readonly archMap?:
    | readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null | undefined }[]
    | null
    | undefined
  readonly syscalls?: readonly EngineRule[] | undefined
}

export interface ResolveOptions {
  /** What the program may have: its bounding set. Default: none. */
  capabilities?: Iterable<string> | undefined
  /** Default: this machine's. */
  arch?: Arch | undefined
  /** The release of the kernel, such as `6.1.0-28-amd64`. Default: the running one's. */
  kernel?: string | undefined
  /** Where the profile stands in a larger configuration, for errors. Default: `seccomp`. */
  field?: string | undefined
}

/** Go's names of what it can compile for, which is what engines compare with. */
const GO_ARCHS: Partial<Record<Arch, string>> = {
  x86: '386',
  x86_64: 'amd64',
  aarch64: 'arm64',
  mips64: 'mips64',
  mipsel64: 'mips64le',
  mipsel: 'mipsle',
  loongarch64: 'loong64',
}

/**
 * What the profile file of an engine means for one container: as engines hand it to a runtime.
 *
 * @throws {ConfigInvalid} for what is said twice; everything else `compile` finds
 */
export function resolveProfile(
  profile: EngineProfile,
  { capabilities = [], arch = nativeArch(), kernel, field = 'seccomp' }: ResolveOptions = {},
): Profile {
  if (typeof profile !== 'object' || profile === null) throw new ConfigInvalid(field, profile, 'must be an object')
  const { archMap, syscalls, architectures: named, ...rest } = profile
  if (archMap?.length && named?.length)
    throw new ConfigInvalid(`${field}.archMap`, archMap, 'cannot stand beside architectures')
  const held = new Set(capabilities)
  const goArch = GO_ARCHS[arch] ?? arch
  const newer = (version: string): boolean => kernelAtLeast(version, kernel)
  const counts = ({ includes, excludes }: EngineRule): boolean => {
    if (excludes?.arches?.includes(goArch)) return false
    if (excludes?.caps?.some(capability => held.has(capability))) return false
    if (excludes?.minKernel && newer(excludes.minKernel)) return false
    if (includes?.arches?.length && !includes.arches.includes(goArch)) return false
    if (includes?.caps?.some(capability => !held.has(capability))) return false
    return !includes?.minKernel || newer(includes.minKernel)
  }
  const rules = (syscalls ?? []).flatMap((rule, i) =>
    counts(rule) ? [plainRule(rule, `${field}.syscalls[${i}]`)] : [],
  )
  const mapped = archMap?.find(({ architecture }) => archOfOci(architecture) === arch)
  const archs = archMap?.length ? mapped && [mapped.architecture, ...(mapped.subArchitectures ?? [])] : named
  return {
    ...rest,
    ...(archs === undefined ? {} : { architectures: archs as NonNullable<Profile['architectures']> }),
    syscalls: rules,
  }
}

function plainRule(
  { name, names = [], comment: _, includes: __, excludes: ___, ...rule }: EngineRule,
  field: string,
): SyscallRule {
  if (name && names.length > 0) throw new ConfigInvalid(`${field}.name`, name, 'cannot stand beside names')
  return { ...rule, names: name ? [name] : names } as SyscallRule
}
