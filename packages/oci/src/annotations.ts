import type { ContainerConfig, ProcessSpec } from '@libcontainer/container'
import { type Profile, type RawProfile, unknownSyscalls } from '@libcontainer/seccomp'
import { ConfigInvalid, fieldName } from '@libcontainer/sys'
import { refuseLater } from './refuse.js'

type Annotations = Readonly<Record<string, string>>

const PREFIX = 'run.oci.'

/** What of crun's annotations is understood. */
export const annotationNames: readonly string[] = [
  'run.oci.hooks.stderr',
  'run.oci.hooks.stdout',
  'run.oci.keep_original_groups',
  'run.oci.pidfd_receiver',
  'run.oci.seccomp.receiver',
  'run.oci.seccomp_bpf_data',
  'run.oci.seccomp_fail_unknown_syscall',
]

/** The cgroup below a scope of systemd that a container lives in. */
const SUBGROUP = 'run.oci.systemd.subgroup'

/** The same, which is the container's own to change. */
const DELEGATED = 'run.oci.delegate-cgroup'

/** Of crun's annotations, those that ask for what no package does yet; to pass over them would be to run something else. */
const later: Readonly<Record<string, string>> = {
  'run.oci.seccomp.plugins': '@libcontainer/seccomp',
  'run.oci.mount_context_type': '@libcontainer/container',
}

/** A hierarchy of cgroup v1 that a host with v2 has mounted for old versions of systemd, and shares with its containers. */
const FORCED_V1 = 'run.oci.systemd.force_cgroup_v1'

/**
 * What the annotations that engines write for crun ask for.
 *
 * @throws {ConfigInvalid} for one of crun's that cannot be honoured; others are nobody's business
 */
export function annotated(annotations: Annotations = {}): {
  config: Pick<ContainerConfig, 'hookOutput' | 'keepGroups'>
  process: Pick<ProcessSpec, 'pidfdSocket'>
  /** The socket of an agent, and a filter that is compiled already. */
  seccomp: { receiver: string | undefined; raw: RawProfile | undefined }
} {
  const value = (name: string): string | undefined => annotations[PREFIX + name] || undefined
  for (const name of Object.keys(annotations))
    if (Object.hasOwn(later, name)) refuseLater(fieldName(name, 'annotations'), annotations[name], later[name]!)
  if (annotations[FORCED_V1])
    throw new ConfigInvalid(
      fieldName(FORCED_V1, 'annotations'),
      annotations[FORCED_V1],
      'cannot be honoured: a container has the cgroups that its host has',
      { hint: 'take an image with systemd 226 or newer, or boot the host with systemd.unified_cgroup_hierarchy=0' },
    )
  const handler = value('handler')
  if (handler !== undefined)
    throw new ConfigInvalid(
      fieldName('run.oci.handler', 'annotations'),
      handler,
      'names a handler, and there is none here',
      {
        hint: 'a program that uses @libcontainer/container gives one: the option executor of Factory.open',
      },
    )
  const stdout = value('hooks.stdout')
  const stderr = value('hooks.stderr')
  const pidfdSocket = value('pidfd_receiver')
  const bpf = value('seccomp_bpf_data')
  return {
    config: {
      ...(stdout || stderr ? { hookOutput: { stdout, stderr } } : {}),
      ...(value('keep_original_groups') === '1' ? { keepGroups: true } : {}),
    },
    process: pidfdSocket === undefined ? {} : { pidfdSocket },
    seccomp: { receiver: value('seccomp.receiver'), raw: bpf === undefined ? undefined : { bpf } },
  }
}

/**
 * The cgroup below a scope of systemd that a container lives in, and whether it is the container's own to change.
 *
 * @throws {ConfigInvalid} for two at once, and for either without systemd, which makes the scope
 */
export function subgroupOf(
  annotations: Annotations = {},
  { systemd }: { systemd: boolean },
): { readonly sub?: string; readonly own: boolean } {
  const [own, sub] = [annotations[DELEGATED], annotations[SUBGROUP]]
  const given = own || sub
  if (!given) return { own: false }
  const at = fieldName(own ? DELEGATED : SUBGROUP, 'annotations')
  if (!systemd)
    throw new ConfigInvalid(at, given, 'needs systemd to make the cgroup', {
      hint: 'say --systemd-cgroup, or leave it out',
    })
  if (own && sub)
    throw new ConfigInvalid(at, own, `cannot stand beside ${SUBGROUP}: there is one cgroup below the scope`)
  return { sub: given, own: Boolean(own) }
}

/** Refuses system calls that nobody knows, where an annotation asks for that. @throws {ConfigInvalid} */
export function checkKnownSyscalls(annotations: Annotations = {}, profile: Profile | null): void {
  const wish = annotations[`${PREFIX}seccomp_fail_unknown_syscall`]
  if (!wish || wish === '0' || profile === null) return
  const [unknown] = unknownSyscalls(profile)
  if (unknown !== undefined)
    throw new ConfigInvalid('linux.seccomp.syscalls', unknown, 'is no system call of any architecture', {
      hint: `leave it out, or the annotation ${PREFIX}seccomp_fail_unknown_syscall`,
    })
}
