import type { CapabilitySets } from '@libcontainer/capabilities'
import type { Limits } from '@libcontainer/cgroups'
import type { DeviceRequest, RuleRequest } from '@libcontainer/devices'
import type { IoPriority, Landlock, MemoryPolicy, Personality, Scheduler } from '@libcontainer/init'
import type { IntelRdt } from '@libcontainer/intelrdt'
import type { ContainerFile, Mount, Propagation, RootOverlay } from '@libcontainer/mount'
import type { IdMap, NamespaceKind, TimeOffsets } from '@libcontainer/namespaces'
import type { NetDevices, Network, Route } from '@libcontainer/network/config'
import type { Profile, RawProfile } from '@libcontainer/seccomp'
import type { HookOutput, Hooks } from '../start/hooks.js'
import type { CpuAffinity } from './process-spec.js'

/** A namespace of a container: a new one, or with `path` one that exists. */
export type NamespaceRequest = NamespaceKind | { readonly kind: NamespaceKind; readonly path?: string | undefined }

/** A limit of getrlimit(2). */
export interface ResourceLimit {
  /** `RLIMIT_NOFILE`, …; or its number. */
  readonly type: string | number
  /** `unlimited`, or 2^64-1 as a bigint, for no limit. */
  readonly soft: number | bigint | 'unlimited'
  readonly hard: number | bigint | 'unlimited'
}

/** The cgroup of a container, and its limits in the kernel's words. */
export interface ContainerCgroups extends Omit<Limits, 'devices'> {
  /**
   * Where: absolute below each hierarchy's mount, relative below the cgroup of this process. Default: `/libcontainer-<id>`.
   */
  readonly path?: string | undefined
  /** Device rules, later ones first in force. What every container may use is allowed after them. Default: only that. */
  readonly devices?: readonly RuleRequest[] | undefined
  /** Refuses, when limits change, less memory than is in use, where the kernel would reclaim and kill. Default: false. */
  readonly checkBeforeUpdate?: boolean | undefined
  /**
   * A user of the host, such as root of the container's user namespace, to whom its directory in the unified hierarchy is given: he may make cgroups
   * below it, and cannot change its own limits. Default: it stays with who makes it.
   */
  readonly owner?: number | undefined
}

/**
 * What a container is: everything but the process that runs in it.
 *
 * Nothing here weakens isolation unless it is said. Defaults: the mounts of {@link defaultMounts}, the six standard devices, masked and
 * read-only paths of /proc, the three capabilities of OCI's example, and the default seccomp profile; `null` turns off what has a default.
 */
export interface ContainerConfig {
  /** The root filesystem: absolute, on the host, a directory, no link in its path. */
  readonly rootfs: string
  /**
   * Directories on top of `rootfs`, which is not written to then: what the container sees is an overlay, mounted in its own mount namespace and gone with
   * it. Hooks of the host see `rootfs` as it is. Default: none.
   */
  readonly rootOverlay?: RootOverlay | undefined
  /**
   * Shows the files of `rootfs` by other ids, as a bind of this word would, in place of a copy whose owners are changed: `idmap`, by the maps of the container's user
   * namespace; `idmap=uids=0-100000-65536;gids=0-100000-65536`, by its own, each the first id on disk, the first that it is shown as, and how many; `ridmap`, what is
   * mounted below `rootfs` likewise. `rootOverlay` lies over it. By root alone, and Linux 5.12 (5.19 below an overlay), on a file system that maps ids. Default: as they are.
   */
  readonly rootIdMap?: string | undefined
  /**
   * Covers `rootfs` by an empty tmpfs, with these options of tmpfs(5), such as `size=16m`: of `rootfs` nothing is seen then, not by binds either, and the root has what
   * `mounts` and `files` bring. In place of `rootOverlay`. Default: none.
   */
  readonly rootTmpfs?: readonly string[] | undefined
  /** Makes the root's own mount read-only. Default: false. */
  readonly readonlyRootfs?: boolean | undefined
  /** Propagation of the container's root. Default: `rslave`. */
  readonly rootPropagation?: Propagation | undefined
  /**
   * Moves the root on top of the old one in place of pivot_root(2), for a host whose root is a ramdisk. Weaker: who may unmount in the container may
   * uncover the old root. Default: false.
   */
  readonly noPivotRoot?: boolean | undefined
  /**
   * A kind that is absent is shared with this process. Default: `mnt`, `pid`, `ipc`, `uts`, `net`. Without `mnt` the root is merely changed (chroot(2)), and
   * `mounts`, `devices`, `maskedPaths` and `readonlyPaths` must be said to be empty.
   */
  readonly namespaces?: readonly NamespaceRequest[] | undefined
  /** Of a new user namespace. */
  readonly uidMappings?: readonly IdMap[] | undefined
  readonly gidMappings?: readonly IdMap[] | undefined
  /** Clocks of a new time namespace. */
  readonly timeOffsets?: TimeOffsets | undefined
  /** At most 64 bytes. Needs `uts`. */
  readonly hostname?: string | undefined
  readonly domainname?: string | undefined
  /** What it has in its network namespace, in order. Default: a new one has its loopback, which is up. */
  readonly networks?: readonly Network[] | undefined
  /** Made when the networks are up, in order. */
  readonly routes?: readonly Route[] | undefined
  /** Devices of the host, by their names there, that move into the container for good: OCI's `linux.netDevices`. */
  readonly netDevices?: NetDevices | undefined
  /** In order. Default: {@link defaultMounts}. */
  readonly mounts?: readonly Mount[] | undefined
  /**
   * Files, links and directories of its own, made in this order, each when the mount that shows it is there. They have to lie on what ends with the container
   * or was laid over the host's: a tmpfs, `rootTmpfs`, `rootOverlay`. Default: none.
   */
  readonly files?: readonly ContainerFile[] | undefined
  /** Nodes to make. Default: null, zero, full, tty, random, urandom. */
  readonly devices?: readonly DeviceRequest[] | undefined
  readonly cgroups?: ContainerCgroups | undefined
  /** The five sets, or one list for bounding, effective and permitted; `null` drops nothing. Default: `OCI_CAPABILITIES`. */
  readonly capabilities?: CapabilitySets | readonly string[] | null | undefined
  /**
   * Secure bits of capabilities(7), such as `['NOROOT', 'NOROOT_LOCKED']`: what uid 0 and a change of user mean for capabilities, and whether that can
   * be changed again. They hold for whatever the process starts. Default: as this process.
   */
  readonly secureBits?: readonly string[] | undefined
  /** A profile, or a filter that is compiled already. Default: `defaultProfile` for these capabilities; `null` for none. */
  readonly seccomp?: Profile | RawProfile | null | undefined
  /**
   * Its programs can make no user namespaces, in which they would have all capabilities and so reach more of the kernel: by `user.max_user_namespaces` of its own
   * user namespace, and where it has none by a further filter. They are refused with `ENOSPC`. Default: false; the default profile refuses them to
   * programs without CAP_SYS_ADMIN.
   */
  readonly disableUserNamespaces?: boolean | undefined
  /** Default: {@link defaultMaskedPaths}. */
  readonly maskedPaths?: readonly string[] | undefined
  /** Default: {@link defaultReadonlyPaths}. */
  readonly readonlyPaths?: readonly string[] | undefined
  /** Kernel parameters of the container's namespaces. */
  readonly sysctl?: Readonly<Record<string, string>> | undefined
  readonly rlimits?: readonly ResourceLimit[] | undefined
  /** -1000 to 1000. Default: as this process. */
  readonly oomScoreAdj?: number | undefined
  /**
   * What its processes have in files of their own in /proc: `{ timerslack_ns: 50_000, coredump_filter: '0x33' }`. Those are `autogroup`, `coredump_filter`,
   * `oom_score_adj` (as `oomScoreAdj`) and `timerslack_ns`. Default: as this process.
   */
  readonly procFiles?: Readonly<Record<string, string | number>> | undefined
  /** How its processes share the processors and disks, and which processors and kernel they see: each process may say otherwise. */
  readonly scheduler?: Scheduler | undefined
  readonly ioPriority?: IoPriority | undefined
  readonly cpuAffinity?: CpuAffinity | undefined
  readonly personality?: Personality | undefined
  /** From which nodes of the machine its processes get their memory: each process may say otherwise. */
  readonly memoryPolicy?: MemoryPolicy | undefined
  /**
   * Core scheduling: while one of its processes runs on a core, the core's other threads run its processes or none, so that no other container learns
   * from what they share. Linux 5.14 with CONFIG_SCHED_CORE; without it the container is refused. Default: false.
   */
  readonly coreScheduling?: boolean | undefined
  /** Its share of the caches and of the way to memory, by resctrl: `@libcontainer/intelrdt`. Default: that of the process that starts it. */
  readonly intelRdt?: IntelRdt | undefined
  /**
   * Gives its processes a session keyring of their own, by this name or with `true` by `_ses.<id>`, in place of this process's: see
   * session-keyring(7). One of this name and user is revoked, be it of a container of the same id under another root; another user's is
   * refused. A kernel without keyrings goes on without. Default: false; the default seccomp profile refuses all calls on keys.
   */
  readonly sessionKeyring?: boolean | string | undefined
  /** Its processes keep the supplementary groups of this process, whatever groups are asked for them. Default: false. */
  readonly keepGroups?: boolean | undefined
  /** What its processes may do with files and ports, beside all else that restricts them: see landlock(7). Default: no more than that. */
  readonly landlock?: Landlock | undefined
  /**
   * The profile of AppArmor that its processes are executed under, which is loaded: `docker-default`, with `&` before it stacked on that of this process.
   * Default: that of this process, as `unconfined` mostly is.
   */
  readonly apparmorProfile?: string | undefined
  /**
   * The label of SELinux that its programs are executed under: `system_u:system_r:container_t:s0:c1,c2`. `initLabels` of `@libcontainer/selinux` answers one with
   * categories that no other container has. Default: what the policy makes of the label of this process.
   */
  readonly selinuxLabel?: string | undefined
  /**
   * The label of SELinux of all that is in file systems made for it, the root overlay among them: `system_u:object_r:container_file_t:s0:c1,c2`. What is
   * bound, and `rootfs`, has its own: `relabel` of a mount gives it this one. The directories beneath an overlay need one that the container may read, such as
   * `container_ro_file_t`: the kernel judges by it what is mapped into memory. Default: what the policy says of each.
   */
  readonly mountLabel?: string | undefined
  /** No program of the container gains privileges by exec. Default: false. */
  readonly noNewPrivileges?: boolean | undefined
  /** Default: 0022. */
  readonly umask?: number | undefined
  /** The signal that the container's init gets when this process ends. Default: none. */
  readonly parentDeathSignal?: string | number | undefined
  /** What asks the first process to end, where `stop()` is not told: of an init system such as systemd `SIGRTMIN+3`. Default: `SIGTERM`. */
  readonly stopSignal?: string | number | undefined
  /** Programs that are run beside the container's life. */
  readonly hooks?: Hooks | undefined
  /** Where they write to: what OCI's engines say by the annotations `run.oci.hooks.stdout` and `run.oci.hooks.stderr`. Default: into the error. */
  readonly hookOutput?: HookOutput | undefined
  /** `key=value` strings for people and tools; the kernel never sees them. */
  readonly labels?: readonly string[] | undefined
}

/** Files of /proc and /sys that tell of the host, or let it be changed: hidden. */
export const defaultMaskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]

/** Directories of /proc whose files change the whole kernel: read-only. */
export const defaultReadonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
]
