import { type Arg, ConfigInvalid, labelFileStep, type Step, slot } from '@libcontainer/sys'
import { checkWindowSize, type WindowSize } from './window-size.js'

export interface ConsoleStepsOptions {
  /** The container's root directory: a descriptor, usually a slot. */
  readonly root: Arg
  /** Default: unknown (0 rows and columns). */
  readonly size?: WindowSize | undefined
  /** Leaves a newline that the program writes one byte, for whoever relays it to a terminal that adds its own. Default: `false`. */
  readonly plainNewlines?: boolean | undefined
  /** Who owns the slave, by the id inside. The group stays devpts' own. Default: nobody is asked, it stays root's. */
  readonly uid?: number | undefined
  /** What gives the master in the slot `consoleMaster` to the parent, before anything of the container could use the slave. */
  readonly send?: readonly Step[] | undefined
  /** Mounts the slave on /dev/console: for the first process of a container. Default: `true`. */
  readonly bind?: boolean | undefined
}

/**
 * Makes the terminal of a container, in the container's own /dev/pts and by no path of the image: the master goes to the slot
 * `consoleMaster`, the slave to `consoleSlave`, for {@link useTerminalStep}.
 */
export function consoleSteps(options: ConsoleStepsOptions): Step[] {
  const { root, size, plainNewlines = false, uid, send = [], bind = true } = options
  if (size !== undefined) checkWindowSize(size, 'size')
  if (uid !== undefined && (!Number.isInteger(uid) || uid < 0 || uid > 0xfffffffe)) {
    throw new ConfigInvalid('uid', uid, 'must be an id, from 0 to 4294967294')
  }
  const slave = slot('consoleSlave')
  return [
    openConsoleStep(root),
    openPeerStep(root),
    ...(size === undefined ? [] : [windowSizeStep(size)]),
    ...(plainNewlines ? [plainNewlinesStep] : []),
    ...(uid === undefined ? [] : [ownerStep(slave, uid)]),
    ...send,
    ...(bind ? [bindStep(root, slave)] : []),
  ]
}

export interface SetupConsoleOptions {
  /** The container's root directory: a descriptor, usually a slot. */
  readonly root: Arg
  /** The slave, as the host names it: `/dev/pts/7`. */
  readonly path: string
  /** The SELinux label of the terminal's file. */
  readonly label?: string | undefined
}

/**
 * Makes a terminal of the host the container's /dev/console, as libcontainer did before containers had a devpts of their own: owned by root
 * with mode 0600, labelled, and mounted by its descriptor. It stays open in the slot `consoleSlave`, for {@link useTerminalStep}.
 */
export function setupConsoleSteps({ root, path, label }: SetupConsoleOptions): Step[] {
  const slave = slot('consoleSlave')
  return [
    openTerminalStep(path),
    { op: 'secureTerminal', args: [slave, 0o600, 0, 0], about: 'give the terminal to root alone', path },
    ...(label === undefined ? [] : [labelTerminalStep(slave, label, path)]),
    bindStep(root, slave),
  ]
}

/** The label of SELinux that a terminal of the host gets: its own mostly lets no container use it. */
export const labelTerminalStep = (slave: Arg, label: string, path?: string): Step =>
  labelFileStep(slave, label, { about: `label the terminal ${label}`, path })

const openTerminalStep = (path: string): Step => ({
  op: 'openTerminal',
  args: [path],
  about: `open the terminal ${path}`,
  path,
  into: 'consoleSlave',
})

function openConsoleStep(root: Arg): Step {
  return {
    op: 'openConsole',
    args: [root],
    about: 'open a new terminal in /dev/pts',
    path: '/dev/pts/ptmx',
    into: 'consoleMaster',
    hints: {
      ENOENT: 'a terminal needs a mount of type devpts on /dev/pts, with the option newinstance',
      EXDEV: '/dev/pts must be a devpts file system, with nothing mounted over its ptmx',
      ENOSPC: 'as many terminals as kernel.pty.max, or the mount’s option max, allows',
      EACCES: 'mount devpts with ptmxmode=0666',
    },
  }
}

function openPeerStep(root: Arg): Step {
  const about = 'open the terminal’s slave'
  const byName: Step = {
    op: 'openConsolePeerByName',
    args: [root, slot('consoleMaster')],
    about: `${about} in /dev/pts`,
    path: '/dev/pts',
    into: 'consoleSlave',
  }
  // A filter of an outer container may not know the ioctl, and answers either.
  const onError = { ENOSYS: byName, EPERM: byName, EINVAL: byName, ENOTTY: byName }
  return { op: 'openConsolePeer', args: [slot('consoleMaster')], about, into: 'consoleSlave', onError }
}

function windowSizeStep({ rows, columns, xpixel = 0, ypixel = 0 }: WindowSize): Step {
  return {
    op: 'setWindowSize',
    args: [slot('consoleMaster'), rows, columns, xpixel, ypixel],
    about: `make the terminal ${columns} columns by ${rows} rows`,
  }
}

const plainNewlinesStep: Step = {
  op: 'clearOnlcr',
  args: [slot('consoleMaster')],
  about: 'leave newlines on the terminal as they are',
}

function ownerStep(slave: Arg, uid: number): Step {
  return {
    op: 'setTerminalOwner',
    args: [slave, uid],
    about: `give the terminal to user ${uid}`,
    hints: { EINVAL: `the user namespace does not map user ${uid}` },
  }
}

function bindStep(root: Arg, slave: Arg): Step {
  return {
    op: 'bindConsole',
    args: [root, slave],
    about: 'mount the terminal on /dev/console',
    path: '/dev/console',
    hints: {
      ELOOP: '/dev/console of the root filesystem is a symbolic link, which is never followed: remove it',
      EROFS: 'the root filesystem is read-only and has no /dev/console: mount a tmpfs on /dev, or make the file',
    },
  }
}

/** The controlling terminal and the standard streams of a process that leads a session (setsid) without a terminal yet. */
export function useTerminalStep(slave: Arg = slot('consoleSlave')): Step {
  return {
    op: 'useTerminal',
    args: [slave],
    about: 'take the terminal as standard streams and controlling terminal',
    hints: {
      EPERM: 'the process must lead a session of its own that has no terminal, and no other session may have this one',
    },
  }
}

/** Opens a terminal by path and makes it descriptors 0 to 2: a slave of the host, as libcontainer did before user namespaces. */
export function openAndDupSteps(path: string): Step[] {
  return [
    openTerminalStep(path),
    { op: 'useStandardStreams', args: [slot('consoleSlave')], about: 'take it as standard streams' },
  ]
}
