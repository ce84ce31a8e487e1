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
