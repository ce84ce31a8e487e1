import { type CapabilityMasks, numbersOf } from './masks.js'
import { type CapabilityName, capabilityName } from './names.js'

/** By what a process has a capability: from what works at once to what takes another program. */
export type Reach = 'effective' | 'permitted' | 'inheritable' | 'bounding'

/** What one capability of a process allows. */
export interface CapabilityExplanation {
  /** `CAP_SYS_ADMIN`. */
  readonly name: string
  /** The best set that it is in: see {@link reachTexts}. */
  readonly reach: Reach
  /** What may be done with it, in words. */
  readonly allows: string
  /** How it leads out of a container, or harms its host; absent where it does not, by itself. */
  readonly danger?: string | undefined
}

/** What it means that a capability is in this set, and in none before it. */
export const reachTexts: Readonly<Record<Reach, string>> = {
  effective: 'now',
  permitted: 'as soon as the program raises it',
  inheritable: 'by a program whose file has it as inheritable',
  bounding: 'by a program that root executes or whose file gives it, unless no_new_privs is set',
}

/** From worst to least. */
const REACHES = ['effective', 'permitted', 'inheritable', 'bounding'] as const

type Entry = readonly [allows: string, danger?: string]

/** In the kernel's order; what capabilities(7) says, in short. */
const TEXTS: Readonly<Record<CapabilityName, Entry>> = {
  CAP_CHOWN: ['give files to any user and group'],
  CAP_DAC_OVERRIDE: [
    'read, write and execute files whatever their permissions',
    'every file of the host that is mounted into the container is open to it',
  ],
  CAP_DAC_READ_SEARCH: [
    'read files and search directories whatever their permissions, and open files by their handle',
    'open_by_handle_at reads any file of a mounted file system, those outside of the container too',
  ],
  CAP_FOWNER: ['act as the owner of any file: modes, times, sticky directories, attributes'],
  CAP_FSETID: ['keep set-user-id and set-group-id bits of files that it changes'],
  CAP_KILL: ['signal processes of other users'],
  CAP_SETGID: ['take any group, and write maps of groups'],
  CAP_SETUID: ['take any user, and write maps of users'],
  CAP_SETPCAP: ['take from the bounding set, add to the inheritable one, and change the secure bits'],
  CAP_LINUX_IMMUTABLE: ['make files immutable or append-only, which then cannot be removed, and undo it'],
  CAP_NET_BIND_SERVICE: ['listen on ports below 1024'],
  CAP_NET_BROADCAST: ['nothing: no kernel asks for it'],
  CAP_NET_ADMIN: [
    'configure interfaces, routes, firewalls and sockets of its network namespace',
    'in the network of the host it redirects its traffic; and it opens much of the kernel to attack',
  ],
  CAP_NET_RAW: [
    'send any packet through raw and packet sockets',
    'on a shared bridge it answers for other containers: ARP, DNS and neighbour spoofing',
  ],
  CAP_IPC_LOCK: ['lock any amount of memory'],
  CAP_IPC_OWNER: ['use System V IPC objects whatever their permissions'],
  CAP_SYS_MODULE: ['load and remove kernel modules', 'a module is code in the kernel: the host is its own'],
  CAP_SYS_RAWIO: [
    'use I/O ports, raw SCSI commands, and /dev/mem',
    'it reads and writes the memory and the disks of the host',
  ],
  CAP_SYS_CHROOT: ['call chroot, and join mount namespaces that it may administer'],
  CAP_SYS_PTRACE: [
    'trace, read and write other processes of its user namespace',
    'with the pids of the host it takes over any of its processes',
  ],
  CAP_SYS_PACCT: ['switch process accounting on and off'],
  CAP_SYS_ADMIN: [
    'mount, join namespaces, set the host name, quotas, swap, and what has no capability of its own',
    'it is most of what root is: it mounts disks and cgroups of the host, and many ways out begin with it',
  ],
  CAP_SYS_BOOT: ['reboot, and load another kernel', 'kexec_load starts a kernel of its own on the host'],
  CAP_SYS_NICE: ['set the priority, scheduling and processors of any process'],
  CAP_SYS_RESOURCE: [
    'exceed and raise limits, quotas and reserved space',
    'limits other than those of cgroups do not hold it',
  ],
  CAP_SYS_TIME: ['set the clocks', 'the clock is the host’s, whatever the namespaces'],
  CAP_SYS_TTY_CONFIG: ['hang up and configure virtual terminals'],
  CAP_MKNOD: [
    'make device nodes',
    'a node of the host’s disk is the host’s disk, where the device rules of the cgroup do not keep it from being opened',
  ],
  CAP_LEASE: ['take leases on any file'],
  CAP_AUDIT_WRITE: ['write into the audit log of the kernel'],
  CAP_AUDIT_CONTROL: ['change the audit rules, and switch auditing off', 'the audit log is the host’s'],
  CAP_SETFCAP: ['give files capabilities, and map uid 0 into new user namespaces'],
  CAP_MAC_OVERRIDE: ['pass over mandatory access control (Smack)', 'the policy of the host does not hold it'],
  CAP_MAC_ADMIN: ['change mandatory access control (Smack, AppArmor)', 'it changes the policy of the host'],
  CAP_SYSLOG: [
    'read and clear the kernel log, and see kernel addresses',
    'the log and the addresses of the host help to attack its kernel',
  ],
  CAP_WAKE_ALARM: ['set timers that wake the machine'],
  CAP_BLOCK_SUSPEND: ['keep the machine from suspending'],
  CAP_AUDIT_READ: ['read the audit log by netlink'],
  CAP_PERFMON: ['watch performance of any process and of the kernel', 'it sees what the whole host does'],
  CAP_BPF: ['load privileged BPF programs and maps', 'BPF programs read and, with others, change the kernel’s memory'],
  CAP_CHECKPOINT_RESTORE: [
    'choose pids, and look into processes to checkpoint and restore them',
    'with the pids of the host it looks into its processes',
  ],
}

/**
 * What a process can still do with its capabilities, in the kernel's order: of each that it has or can get at, by the best way to it.
 *
 * An empty answer is a process that no program makes more than an ordinary user. A capability counts where the kernel asks for it in the
 * user namespace of the process; in a namespace of its own most of the dangers end at what that owns.
 */
export function explain(masks: CapabilityMasks): CapabilityExplanation[] {
  const any = REACHES.reduce((all, set) => all | masks[set], 0n)
  return numbersOf(any).map(number => {
    const name = capabilityName(number)
    const reach = REACHES.find(set => (masks[set] >> BigInt(number)) & 1n)!
    const [allows, danger] = TEXTS[name as CapabilityName] ?? [
      'what this package does not know: the kernel is newer',
      'nobody has looked at it here',
    ]
    return { name, reach, allows, ...(danger !== undefined && { danger }) }
  })
}

/** The names of those that lead out of a container, or harm its host. */
export function dangerous(masks: CapabilityMasks): string[] {
  return explain(masks)
    .filter(({ danger }) => danger !== undefined)
    .map(({ name }) => name)
}

/** An explanation as lines for people: dangers first, and then by how soon. */
export function formatExplanation(explanations: readonly CapabilityExplanation[]): string {
  const order = (one: CapabilityExplanation): number =>
    (one.danger === undefined ? REACHES.length : 0) + REACHES.indexOf(one.reach)
  return [...explanations]
    .sort((a, b) => order(a) - order(b))
    .map(({ name, reach, allows, danger }) => {
      const line = `${danger === undefined ? ' ' : '!'} ${name} (${reachTexts[reach]}): ${allows}`
      return danger === undefined ? `${line}\n` : `${line}\n    ${danger}\n`
    })
    .join('')
}
