import type { ContainerConfig, ProcessSpec } from '@libcontainer/container'
import { type Profile, unknownSyscalls } from '@libcontainer/seccomp'
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
  'run.oci.seccomp_fail_unknown_syscall',
]

/** Of crun's annotations, those that ask for what no package does yet; to pass over them would be to run something else. */
const later: Readonly<Record<string, string>> = {
  'run.oci.seccomp.receiver': '@libcontainer/seccomp',
  'run.oci.seccomp.plugins': '@libcontainer/seccomp',
  'run.oci.seccomp_bpf_data': '@libcontainer/seccomp',
  'run.oci.mount_context_type': '@libcontainer/selinux',
  'run.oci.systemd.force_cgroup_v1': '@libcontainer/cgroups',
  'run.oci.systemd.subgroup': '@libcontainer/cgroups',
  'run.oci.delegate-cgroup': '@libcontainer/cgroups',
}

/**
 * What the annotations that engines write for crun ask for.
 *
 * @throws {ConfigInvalid} for one of crun's that cannot be honoured; others are nobody's business
 */
export function annotated(annotations: Annotations = {}): {
  config: Pick<ContainerConfig, 'hookOutput' | 'keepGroups'>
  process: Pick<ProcessSpec, 'pidfdSocket'>
} {
  const value = (name: string): string | undefined => annotations[PREFIX + name] || undefined
  for (const name of Object.keys(annotations))
    if (Object.hasOwn(later, name)) refuseLater(fieldName(name, 'annotations'), annotations[name], later[name]!)
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
  return {
    config: {
      ...(stdout || stderr ? { hookOutput: { stdout, stderr } } : {}),
      ...(value('keep_original_groups') === '1' ? { keepGroups: true } : {}),
    },
    process: pidfdSocket === undefined ? {} : { pidfdSocket },
  }
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
