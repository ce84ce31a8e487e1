import type { CapabilitySets } from '@libcontainer/capabilities'
import type { Limits } from '@libcontainer/cgroups'
import type { DeviceRequest, RuleRequest } from '@libcontainer/devices'
import type { IoPriority, Landlock, MemoryPolicy, Personality, Scheduler } from '@libcontainer/init'
import type { IntelRdt } from '@libcontainer/intelrdt'
import type { Mount, Propagation, RootOverlay } from '@libcontainer/mount'
import type { IdMap, NamespaceKind, TimeOffsets } from '@libcontainer/namespaces'
import type { NetDevices, Network, Route } from '@libcontainer/network/config'
import type { Profile, RawProfile } from '@libcontainer/seccomp'
import type { HookOutput, Hooks } from './hooks.js'
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
  /** Default: {@link defaultMaskedPaths}. */
  readonly maskedPaths?: readonly string[] | undefined
  /** Default: {@link defaultReadonlyPaths}. */
  readonly readonlyPaths?: readonly string[] | undefined
  /** Kernel parameters of the container's namespaces. */
  readonly sysctl?: Readonly<Record<string, string>> | undefined
  readonly rlimits?: readonly ResourceLimit[] | undefined
  /** -1000 to 1000. Default: as this process. */
  readonly oomScoreAdj?: number | undefined
  /** How its processes share the processors and disks, and which processors and kernel they see: each process may say otherwise. */
  readonly scheduler?: Scheduler | undefined
  readonly ioPriority?: IoPriority | undefined
  readonly cpuAffinity?: CpuAffinity | undefined
  readonly personality?: Personality | undefined
  /** From which nodes of the machine its processes get their memory: each process may say otherwise. */
  readonly memoryPolicy?: MemoryPolicy | undefined
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
   * bound, and `rootfs`, has its own: `relabel` of a mount gives it this one. Default: what the policy says of each.
   */
  readonly mountLabel?: string | undefined
  /** No program of the container gains privileges by exec. Default: false. */
  readonly noNewPrivileges?: boolean | undefined
  /** Default: 0022. */
  readonly umask?: number | undefined
  /** The signal that the container's init gets when this process ends. Default: none. */
  readonly parentDeathSignal?: string | number | undefined
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
