import {
  type Availability,
  type Probe,
  type ProbedCall,
  probeCall,
  probeCapability,
  probeEach,
  readText,
  unavailable,
} from '@libcontainer/sys'

const calls = [
  'open_tree',
  'move_mount',
  'fsopen',
  'fsmount',
  'mount_setattr',
  'statmount',
] as const satisfies readonly ProbedCall[]
const types = ['proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue', 'overlay', 'cgroup', 'cgroup2'] as const
const CAP_SYS_ADMIN = 21

type Name = (typeof calls)[number] | (typeof types)[number] | 'mounts'

/** Which mount calls and file systems this kernel has, and whether this process may mount (`mounts`) where it is. */
export async function probe(): Promise<Probe<Name>> {
  const listed = readText('/proc/filesystems').then(text => new Set(text.split(/\s+/)))
  const byType = async (type: string): Promise<Availability> =>
    (await listed).has(type)
      ? { available: true }
      : unavailable(
          `/proc/filesystems has no ${type}`,
          `load its module (modprobe ${type}), or boot a kernel that has it`,
        )
  const checks: [Name, () => Availability | Promise<Availability>][] = [
    ['mounts', () => probeCapability('CAP_SYS_ADMIN', CAP_SYS_ADMIN)],
    ...calls.map((name): [Name, () => Availability] => [name, () => probeCall(name)]),
    ...types.map((name): [Name, () => Promise<Availability>] => [name, () => byType(name)]),
  ]
  return await probeEach(Object.fromEntries(checks) as Record<Name, () => Promise<Availability>>)
}
