import { type Arg, encodeUtf8, type Step } from '@libcontainer/sys'
import { cloneFlag, flagsOf, type NamespaceKind } from './kinds.js'
import { type TimeOffsets, timeOffsetsText } from './time-offsets.js'

const needsAdmin = 'needs CAP_SYS_ADMIN in the user namespace that owns it, and in the one of the caller'

/** Opens the namespace at `path` and refuses one of another kind; its descriptor goes to the slot `into`. */
export function openNamespaceStep(kind: NamespaceKind, path: string, into: string): Step {
  return {
    op: 'openNamespace',
    args: [path, cloneFlag(kind)],
    about: `open the ${kind} namespace ${path}`,
    path,
    into,
    hints: {
      ENOENT: 'the process is gone, or the file never was there',
      EINVAL: `the path must be a ${kind} namespace, such as /proc/<pid>/ns/${kind}`,
      EACCES: 'reading the namespaces of another user’s process needs CAP_SYS_PTRACE',
    },
  }
}

/** Joins the namespace in `fd`, whatever its path said, if it is of this kind. */
export function setNamespaceStep(kind: NamespaceKind, fd: Arg, path?: string): Step {
  return {
    op: 'setNamespace',
    args: [fd, cloneFlag(kind)],
    about: `join the ${kind} namespace${path === undefined ? '' : ` ${path}`}`,
    path,
    hints: { EPERM: `joining it ${needsAdmin}` },
  }
}

/** In which order a process joins namespaces, where its rights let it: `mnt` last, since it takes the root directory with it. */
export const joinOrder: readonly NamespaceKind[] = ['cgroup', 'ipc', 'uts', 'net', 'time', 'pid', 'mnt']

/**
 * Joins all of these: what the process may first, then the user namespace, and then what only the rights in that one reach. Those that are left are an
 * error which lists them.
 *
 * @param fds - a descriptor of each kind, of which all are proved before one is joined
 */
export function joinNamespacesStep(
  fds: ReadonlyMap<NamespaceKind, Arg>,
  paths?: ReadonlyMap<NamespaceKind, string>,
): Step {
  const kinds = [...joinOrder.filter(kind => fds.has(kind)), ...(fds.has('user') ? (['user'] as const) : [])]
  const nameOf = (kind: NamespaceKind, word = ''): string =>
    `${kind}${word}${paths?.has(kind) ? ` ${paths.get(kind)}` : ''}`
  const named = kinds.map(kind => nameOf(kind)).join(', ')
  return {
    op: 'joinNamespaces',
    args: [fds.get('user') ?? -1, ...joinOrder.map(kind => fds.get(kind) ?? -1)],
    about: kinds.length === 1 ? `join the ${nameOf(kinds[0]!, ' namespace')}` : `join the namespaces ${named}`,
    hints: {
      EPERM: `joining one ${needsAdmin}`,
      EINVAL: 'a process cannot join the user namespace that it is in',
      ENOMEM: 'the first process of the pid namespace has ended, and nobody can be born there any more',
    },
  }
}

/** Joins namespaces of the process in `pidfd`, all or none of them. */
export function setProcessNamespacesStep(pidfd: Arg, kinds: readonly NamespaceKind[]): Step {
  return {
    op: 'setProcessNamespaces',
    args: [pidfd, flagsOf(kinds)],
    about: `join the namespaces ${kinds.join(', ')} of the process`,
    hints: { ESRCH: 'the process has exited', EPERM: `joining them ${needsAdmin}` },
  }
}

/** Makes new namespaces; a new pid namespace, and where exec does not enter it a new time namespace, begins with the next child. */
export function unshareStep(kinds: readonly NamespaceKind[]): Step {
  return {
    op: 'unshareNamespaces',
    args: [flagsOf(kinds)],
    about: `make new namespaces: ${kinds.join(', ')}`,
    hints: {
      EPERM:
        'needs CAP_SYS_ADMIN (for a user namespace: that the system allows them, see user.max_user_namespaces and AppArmor)',
      ENOSPC: 'a limit of namespaces is reached: see the files user.max_*_namespaces of /proc/sys',
      EINVAL: 'the kernel was built without one of these kinds',
      EUSERS: 'user namespaces are nested too deep (32)',
    },
  }
}

/** Moves the clocks of the time namespace that was unshared and not entered. */
export function timeOffsetsStep(offsets: TimeOffsets): Step {
  return {
    op: 'setTimeOffsets',
    args: [encodeUtf8(timeOffsetsText(offsets))],
    about: 'set the clocks of the time namespace',
    path: '/proc/self/timens_offsets',
    hints: timeOffsetsHints,
  }
}

export const timeOffsetsHints = {
  ERANGE: 'a clock would be before 0, or beyond half of what the kernel can count',
  EPERM: 'needs CAP_SYS_TIME in the user namespace that owns the time namespace',
  EACCES: 'the time namespace has been entered already: its clocks are fixed',
}

/** Takes the ids 0 of the user namespace and lets go of what carried the capabilities here. */
export function becomeRootStep(): Step {
  return {
    op: 'becomeRoot',
    args: [],
    about: 'become root of the user namespace',
    hints: { EINVAL: 'the user namespace does not map the ids 0' },
  }
}

/** Keeps everybody who is inside from tracing this process, which is a copy of one from outside, until it executes a program. */
export function hideMemoryStep(): Step {
  return { op: 'hideMemory', args: [], about: 'let nobody trace this process' }
}

/** Takes these ids: real, effective and saved. */
export function takeIdsStep(uid: number, gid: number): Step {
  return {
    op: 'takeIds',
    args: [uid, gid],
    about: `become the user ${uid} and the group ${gid}`,
    hints: { EINVAL: 'the user namespace does not map these ids', EPERM: 'needs CAP_SETUID and CAP_SETGID there' },
  }
}

/**
 * Takes these supplementary groups, and none else.
 *
 * @param optional - keeps those that it has where setgroups(2) is denied, as in the user namespace of an ordinary user's single ids
 */
export function takeGroupsStep(groups: readonly number[], optional = false): Step {
  return {
    op: 'takeGroups',
    args: [new Uint8Array(Uint32Array.from(groups).buffer)],
    about: groups.length === 0 ? 'leave all supplementary groups' : `take the groups ${groups.join(', ')}`,
    hints: { EPERM: 'setgroups is denied in this user namespace', EINVAL: 'the user namespace does not map a group' },
    ...(optional ? { onError: { EPERM: 'skip' } } : {}),
  }
}

/** mount(2)'s MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE and MS_SHARED. */
const propagations = { unbindable: 1 << 17, private: 1 << 18, slave: 1 << 19, shared: 1 << 20 } as const

/** How mounts of a new mount namespace and of the one that it was copied from reach each other: mount_namespaces(7). */
export type Propagation = keyof typeof propagations
export const PROPAGATIONS = Object.keys(propagations) as readonly Propagation[]

/** Gives all mounts of the mount namespace this propagation. */
export function propagateMountsStep(propagation: Propagation): Step {
  return {
    op: 'propagateMounts',
    args: [propagations[propagation]],
    about: `make all mounts ${propagation}`,
    path: '/',
  }
}

/** Mounts the proc file system of the pid namespace that the process is in. */
export function mountOwnProcStep(path: string): Step {
  return {
    op: 'mountOwnProc',
    args: [path],
    about: `mount proc on ${path}`,
    path,
    hints: {
      EPERM: 'in a user namespace that needs a pid namespace of its own, and a proc of which nothing is hidden',
    },
  }
}
