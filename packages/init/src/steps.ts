import { type Arg, nulTerminated, type Step } from '@libcontainer/sys'

/*
 * Steps for the attributes of a process, and for what only init can do: each the system call that it is named after.
 */

/** Stops until the parent has answered `name`; descriptors in slots may go along. */
export function ask(name: string, about: string, ...fds: readonly [] | readonly [Arg] | readonly [Arg, Arg]): Step {
  return { op: 'ask', args: [name, fds[0] ?? -1, fds[1] ?? -1], about }
}

/** As {@link ask}, with files of the container, in its own view of them: absent ones, and what is no regular file, do not come. */
export function askWithFiles(name: string, about: string, paths: readonly string[]): Step {
  return { op: 'askWithFiles', args: [name, nulTerminated(paths)], about }
}

/** Goes on as a child of the same parent, which is then in the pid namespace just unshared or joined. */
export const secondClone: Step = { op: 'secondClone', args: [], about: 'clone into the pid namespace' }

/** The `created` state: reports it, gives the control socket up, and waits on the listening socket in the slot `listener`. */
export function createdSteps(listener: Arg, uid: number): Step[] {
  return [
    { op: 'announceCreated', args: [], about: 'report that the container is created' },
    { op: 'awaitStart', args: [listener, uid], about: 'wait to be started' },
  ]
}

/** A session of its own, without a controlling terminal: setsid(2). */
export const setSession: Step = { op: 'setSession', args: [], about: 'start a new session' }

/** Whether other processes of the user may look into this one: PR_SET_DUMPABLE of prctl(2). */
export const setDumpable = (on: boolean): Step => ({
  op: 'setDumpable',
  args: [on ? 1 : 0],
  about: on ? 'let the parent write our id maps' : 'let nobody trace us',
})

/** @param parent - a pidfd of the parent, which must be alive */
export const setParentDeathSignal = (signal: number, parent: Arg): Step => ({
  op: 'setParentDeathSignal',
  args: [signal, parent],
  about: `die by signal ${signal} with the parent`,
})

/** sethostname(2), in the UTS namespace of the process. */
export const setHostname = (name: string): Step => ({
  op: 'setHostname',
  args: [name],
  about: `set the hostname to ${name}`,
})
/** setdomainname(2), in the UTS namespace of the process. */
export const setDomainname = (name: string): Step => ({
  op: 'setDomainname',
  args: [name],
  about: `set the domainname to ${name}`,
})

/** @param key - with dots or slashes: `net.ipv4.ip_forward` */
export function writeSysctl(key: string, value: string): Step {
  const path = sysctlPath(key)
  return {
    op: 'writeSysctl',
    args: [path, value],
    about: `set ${key} to ${value}`,
    path: `/proc/sys/${path}`,
    hints: {
      EACCES:
        'before Linux 6.9 the parameters of an ipc namespace are the host’s root’s, whatever user namespace owns it',
      EINVAL: `${key} takes no such value`,
      ENOENT: 'this kernel has no such parameter, or its module is not loaded',
    },
  }
}

/** Writes a file of the process's own /proc/self. @param file - its name there: `timerslack_ns`, … */
export function writeOwnProc(file: string, value: string): Step {
  return {
    op: 'writeOwnProc',
    args: [file, value],
    about: `write ${value} to ${file}`,
    path: `/proc/self/${file}`,
    hints: { EINVAL: `${file} takes no such value`, ENOENT: `this kernel was built without ${file}` },
  }
}

/** As sysctl(8): with a slash first the key is a path; otherwise dots separate, and a slash stands for a dot of a name. */
export function sysctlPath(key: string): string {
  const dot = key.indexOf('.')
  const slash = key.indexOf('/')
  if (slash >= 0 && (dot < 0 || slash < dot)) return key
  return key.replace(/[./]/g, separator => (separator === '.' ? '/' : '.'))
}

/** prlimit(2) on itself. Values are unsigned 64-bit; `RLIM_INFINITY` is 2^64-1. */
export const setResourceLimit = (resource: number, name: string, soft: bigint, hard: bigint): Step => ({
  op: 'setResourceLimit',
  args: [resource, soft, hard],
  about: `limit ${name} to ${limitText(soft)}, at most ${limitText(hard)}`,
  hints: {
    EPERM:
      name === 'RLIMIT_NOFILE'
        ? `raising the hard limit of ${name} needs CAP_SYS_RESOURCE, and nobody may raise it above /proc/sys/fs/nr_open`
        : `raising the hard limit of ${name} needs CAP_SYS_RESOURCE`,
  },
})

/** The soft limit alone: what the engine of the parent raised for itself is not the program's. */
export const setSoftLimit = (resource: number, name: string, soft: bigint): Step => ({
  op: 'setSoftLimit',
  args: [resource, soft],
  about: `limit ${name} to ${limitText(soft)}`,
})

const limitText = (value: bigint): string => (value === 0xffff_ffff_ffff_ffffn ? 'unlimited' : String(value))

/** Takes back what the parent's own affinity would hand down: sched_setaffinity(2) with every CPU. */
export const resetAffinity: Step = { op: 'resetAffinity', args: [], about: 'run on every CPU that the cpuset allows' }
/** umask(2). */
export const setUmask = (mask: number): Step => ({
  op: 'setUmask',
  args: [mask],
  about: `set the umask to ${mask.toString(8).padStart(4, '0')}`,
})
/** No program executed from now on gains privileges: PR_SET_NO_NEW_PRIVS of prctl(2). */
export const setNoNewPrivileges: Step = { op: 'setNoNewPrivileges', args: [], about: 'gain no privileges by exec' }

/** Makes the working directory and its missing parents, inside the root. */
export const makeWorkingDirectory = (path: string): Step => ({
  op: 'makeWorkingDirectory',
  args: [path],
  about: `make the working directory ${path}`,
  path,
})

/**
 * The two halves of entering the working directory: as root before the change of user, who may not be allowed to, and as the user
 * after it, who alone may be on some file systems. One of them must succeed.
 */
export function workingDirectorySteps(path: string): { beforeUserSwitch: Step; afterUserSwitch: Step } {
  const hints = {
    ENOTDIR: 'cwd must be a directory of the container',
    EACCES: 'the user of the process may not enter cwd',
  }
  const change: Step = { op: 'changeDirectory', args: [path], about: `change to the directory ${path}`, path, hints }
  const confirm: Step = { op: 'confirmDirectory', args: [path], about: `stay in the directory ${path}`, path, hints }
  return {
    beforeUserSwitch: { ...change, onError: { EACCES: 'skip', EPERM: 'skip' } },
    afterUserSwitch: { ...change, about: `${change.about} as the user`, onError: { EACCES: confirm, EPERM: confirm } },
  }
}

/** @param groups - u32s, or the slot that an answer fills with them */
export const setGroups = (groups: Arg, onError?: Step['onError']): Step => ({
  op: 'setGroups',
  args: [groups],
  about: 'set the supplementary groups',
  hints: { EINVAL: 'a group is not mapped in the user namespace', EPERM: 'this user namespace denies setgroups' },
  onError,
})

/** All three user ids and group ids: setresgid(2), setresuid(2). */
export const setUser = (uid: Arg, gid: Arg): Step => ({
  op: 'setUser',
  args: [uid, gid],
  about: `become user ${argText(uid)}, group ${argText(gid)}`,
  hints: { EINVAL: 'unmapped uid or gid in the user namespace' },
})

const argText = (arg: Arg): string => (typeof arg === 'object' ? 'of the container' : String(arg))

/** Gives the standard streams, but for the null device, to the user who will run. */
export const ownStdio = (uid: Arg): Step => ({
  op: 'ownStdio',
  args: [uid],
  about: 'give the standard streams to the user',
})
/** Brings an interface up, such as `lo`, in the network namespace of the process. */
export const linkUp = (name: string): Step => ({ op: 'linkUp', args: [name], about: `bring the interface ${name} up` })
/** The root directory as this process sees it, into the slot `root`. */
export const openRoot: Step = { op: 'openRoot', args: [], about: 'open the root of the container', into: 'root' }
/** Closes a descriptor of the process. @param what - in words, for a printed plan */
export const closeFd = (fd: Arg, what: string): Step => ({ op: 'closeFd', args: [fd], about: `close ${what}` })

/** Looks a program up by execvp's rules, so that its absence is told before the container is. */
export const findProgram = (name: string, searchPath: string): Step => ({
  op: 'findProgram',
  args: [name, searchPath],
  about: `find ${name}`,
  path: name,
  hints: {
    ENOENT: name.includes('/')
      ? 'the path is looked up inside the rootfs'
      : `no directory of PATH (${searchPath}) has it in the rootfs`,
    EACCES: 'it must be a regular file that the user of the process may execute, in directories that he may enter',
  },
})

/** The last word before the program: everything that follows is refused or allowed by the program's own seccomp filter. */
export const announceExec: Step = { op: 'announceExec', args: [], about: 'report that the program is next' }

/**
 * Loads a filter that answers a listener, which goes up to the parent by itself, and is nobody's else: whoever bootstraps or releases is told.
 *
 * @param load - the step that loads the filter
 */
export const reportListener = (load: Step): Step => ({
  ...load,
  op: NOTIFYING,
  about: `${load.about}, and send its listener to the parent`,
  into: undefined,
  hints: {
    ...load.hints,
    EAGAIN: 'what sends the listener is a task of its own: pids.max and RLIMIT_NPROC have to leave room for it',
  },
})

const NOTIFYING = 'setNotifyingFilter'

/** Whether a step is one of {@link reportListener}. */
export const reportsListener = ({ op }: Step): boolean => op === NOTIFYING

/** The end of a plan that executes no program: after {@link announceExec}, of a process that was made for its steps alone. */
export const endProcess: Step = { op: 'endProcess', args: [], about: 'end' }

/**
 * Executes what {@link findProgram} found.
 *
 * @param environment - `KEY=value` strings
 * @param more - the slot of further ones, each ended by NUL
 */
export const execProgram = (args: readonly string[], environment: readonly string[], more?: Arg): Step => ({
  op: 'execProgram',
  args: [nulTerminated(args), nulTerminated(environment), more ?? new Uint8Array(0)],
  about: `execute ${args[0]}`,
  path: args[0],
  hints: execHints,
})

/** As {@link execProgram}, of a program behind a descriptor: what it needs beside itself it finds in the root filesystem. */
export const execDescriptor = (
  program: Arg,
  args: readonly string[],
  environment: readonly string[],
  more?: Arg,
): Step => ({
  op: 'execDescriptor',
  args: [program, nulTerminated(args), nulTerminated(environment), more ?? new Uint8Array(0)],
  about: `execute ${args[0]}, from memory`,
  path: args[0],
  hints: {
    ENOEXEC: 'not a program for this machine',
    ENOENT: 'it is a script, or its dynamic loader is missing in the rootfs: give a static program',
    EPERM: 'the seccomp profile has to allow execveat',
  },
})

export const execHints = {
  ENOEXEC: 'not a program: a script needs a #! line',
  ENOENT: 'its interpreter (#! or dynamic loader) is missing in the rootfs',
}
