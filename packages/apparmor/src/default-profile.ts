import type { ProfileRules } from './profile-text.js'

/** What nobody in a container may write to below /proc, whoever he is: its own processes' directories apart. */
const PROC = [
  // Files right below /proc, and all that is in no directory of a process, but /proc/sys.
  ['@{PROC}/*', 'w'],
  ['@{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/**', 'w'],
  // Of /proc/sys the kernel's own namespaced ones may be written to: kernel.shm*.
  ['@{PROC}/sys/[^k]**', 'w'],
  ['@{PROC}/sys/kernel/{?,??,[^s][^h][^m]**}', 'w'],
  ['@{PROC}/sysrq-trigger', 'rwklx'],
  ['@{PROC}/mem', 'rwklx'],
  ['@{PROC}/kmem', 'rwklx'],
  ['@{PROC}/kcore', 'rwklx'],
] as const

/** What below /sys: all but /sys/fs/cgroup. */
const SYS = [
  ['/sys/[^f]*/**', 'wklx'],
  ['/sys/f[^s]*/**', 'wklx'],
  ['/sys/fs/[^c]*/**', 'wklx'],
  ['/sys/fs/c[^g]*/**', 'wklx'],
  ['/sys/fs/cg[^r]*/**', 'wklx'],
  ['/sys/firmware/**', 'rwklx'],
  ['/sys/devices/virtual/powercap/**', 'rwklx'],
  ['/sys/kernel/security/**', 'rwklx'],
] as const

export interface DefaultProfileRules {
  /** Default: `tunables/global`; where that file is not, `@{PROC}=/proc/`. */
  readonly imports?: readonly string[] | undefined
  /** Default: `abstractions/base`. */
  readonly innerImports?: readonly string[] | undefined
  /** The profile of whoever may signal the container's processes from outside. Default: `unconfined`. */
  readonly peer?: string | undefined
}

/**
 * The profile of a container: it may use the network, its capabilities and its files; it cannot mount, nor write to what is the kernel's below
 * /proc and /sys, nor look into or signal what is outside. Pure.
 *
 * @param name - of the profile
 */
export function defaultProfile(
  name: string,
  {
    imports = ['tunables/global'],
    innerImports = ['abstractions/base'],
    peer = 'unconfined',
  }: DefaultProfileRules = {},
): ProfileRules {
  return {
    name,
    imports,
    innerImports,
    // Of a container's mounts paths are seen that lead outside of its root; and files that were deleted are still its own.
    flags: ['attach_disconnected', 'mediate_deleted'],
    capabilities: 'all',
    network: 'all',
    files: 'all',
    deniedFiles: [...PROC, ...SYS].map(([path, permissions]) => ({ path, permissions })),
    mounts: [{ action: 'umount' }, { action: 'mount', deny: true }],
    ptrace: [{ access: ['trace', 'read', 'tracedby', 'readby'], peer: name }],
    signals: [
      { access: ['receive'], peer },
      { access: ['send', 'receive'], peer: name },
    ],
  }
}
