import {
  ConfigInvalid,
  cloneAgainStep,
  LibcontainerError,
  OwnedFd,
  type Preparation,
  type Program,
  readText,
  type Step,
  signalPidfd,
  slot,
} from '@libcontainer/sys'
import { joinTarget, openAsked } from './check.js'
import { inspect } from './inspect.js'
import { type NamespaceKind, namespaceKinds } from './kinds.js'
import { planProcessJoin } from './plan.js'
import { checkProgram, type ProgramOptions, type ProgramUser } from './program.js'
import { startProgram } from './start.js'
import { becomeRootStep, hideMemoryStep, joinNamespacesStep, takeGroupsStep, takeIdsStep } from './steps.js'
import { checkPath, checkWord } from './validate.js'

/** Namespaces that exist: those of a process, by its number or a pidfd of it, or files of them, by kind. */
export type EnterTarget =
  | number
  | {
      readonly pid: number | OwnedFd
      /** At most these. Default: all in which the process differs from this one. */
      readonly kinds?: readonly NamespaceKind[] | undefined
    }
  | { readonly paths: Readonly<Partial<Record<NamespaceKind, string>>> }

/**
 * Runs a program in namespaces that exist, like nsenter(1). This process stays where it is.
 *
 * A process's are joined by one call, all or none; those of paths as far as one's own rights reach, then the user namespace, then the rest. Everything
 * is opened and proved before a child is made. With a pid namespace the program is born inside.
 *
 * @param argv - the program, found by `PATH` inside, and its arguments
 * @returns when the program runs
 * @throws {ConfigInvalid} for a bad request, a number that is no process's, a path that is missing or of another kind
 * @throws {SyscallError} `ESRCH` when the process has ended, `EPERM` for want of rights, what execve(2) was refused
 */
export async function enter(
  target: EnterTarget,
  argv: readonly string[],
  options: ProgramOptions = {},
): Promise<Program> {
  checkProgram(argv, options)
  const join = await openTarget(target)
  try {
    return await startProgram(planEnter(join, options.user), argv, options)
  } finally {
    join.close()
  }
}

interface OpenTarget {
  readonly kinds: readonly NamespaceKind[]
  readonly handed: Readonly<Record<string, number>>
  readonly joins: readonly Step[]
  close(): void
}

/** Pure. What is around the child from the first join on may be hostile. */
export function planEnter(
  { kinds, handed, joins }: Omit<OpenTarget, 'close'>,
  user: ProgramUser | undefined,
): Preparation {
  const identity = userSteps(user, kinds.includes('user'))
  const born = kinds.includes('pid') ? [cloneAgainStep()] : []
  return { steps: [...(kinds.length > 0 ? [hideMemoryStep()] : []), ...joins, ...born, ...identity], handed }
}

/** The ids of a program: those that were asked for, or root of a user namespace. */
export function userSteps(user: ProgramUser | undefined, inUser: boolean): Step[] {
  if (user !== undefined) {
    const { uid, gid = uid, groups = [] } = user
    return [takeGroupsStep(groups, groups.length === 0), takeIdsStep(uid, gid)]
  }
  return inUser ? [takeGroupsStep([], true), becomeRootStep()] : []
}

async function openTarget(target: EnterTarget): Promise<OpenTarget> {
  if (typeof target === 'number') return await openProcess(target, undefined)
  if (target === null || typeof target !== 'object')
    throw new ConfigInvalid('target', target, 'must be a pid, { pid, kinds } or { paths }')
  if ('paths' in target) return await openPaths(target.paths)
  return await openProcess(target.pid, target.kinds)
}

async function openProcess(
  process: number | OwnedFd,
  wanted: readonly NamespaceKind[] = namespaceKinds,
): Promise<OpenTarget> {
  if (!Array.isArray(wanted)) throw new ConfigInvalid('kinds', wanted, 'must be a list of kinds')
  wanted.forEach((kind, i) => {
    checkWord(kind, `kinds[${i}]`)
  })
  const pid = process instanceof OwnedFd ? await pidOf(process) : process
  const { pidfd, kinds } = await joinTarget(pid, wanted)
  try {
    // Alive, it has had its number all the time.
    if (process instanceof OwnedFd) signalPidfd(process, 0)
  } catch (error) {
    pidfd.close()
    throw error
  }
  const join = planProcessJoin(slot('target'), kinds).steps.filter(({ op }) => op !== 'becomeRoot')
  return { kinds, handed: { target: pidfd.fd }, joins: join, close: () => pidfd.close() }
}

async function pidOf(pidfd: OwnedFd): Promise<number> {
  const pid = Number(/^Pid:\s*(-?\d+)$/m.exec(await readText(`/proc/self/fdinfo/${pidfd.fd}`))?.[1])
  if (Number.isNaN(pid)) throw new ConfigInvalid('pid', pidfd.fd, 'must be a descriptor of a process')
  if (pid > 0) return pid
  throw new LibcontainerError('ESRCH', 'the process of the pidfd has ended, or is not to be seen from here')
}

async function openPaths(paths: Readonly<Partial<Record<NamespaceKind, string>>>): Promise<OpenTarget> {
  if (paths === null || typeof paths !== 'object' || Array.isArray(paths))
    throw new ConfigInvalid('paths', paths, 'must be paths by kind')
  for (const [kind, path] of Object.entries(paths)) {
    checkWord(kind, 'paths')
    if (path !== undefined) checkPath(path, `paths.${kind}`)
  }
  const own = await inspect()
  const fds = new Map<NamespaceKind, OwnedFd>()
  const close = (): void => {
    for (const fd of fds.values()) fd.close()
  }
  try {
    for (const [kind, path] of Object.entries(paths) as [NamespaceKind, string | undefined][]) {
      if (path === undefined) continue
      const { fd, info } = await openAsked(path, kind, `paths.${kind}`)
      // A process cannot join the user namespace that it is in, and need not.
      const same = own.get(kind)
      if (kind === 'user' && same?.inode === info.inode && same.device === info.device) fd.close()
      else fds.set(kind, fd)
    }
  } catch (error) {
    close()
    throw error
  }
  const kinds = [...fds.keys()]
  const slots = new Map(kinds.map(kind => [kind, slot(kind)]))
  return {
    kinds,
    handed: Object.fromEntries([...fds].map(([kind, fd]) => [kind, fd.fd])),
    joins: kinds.length === 0 ? [] : [joinNamespacesStep(slots, new Map(kinds.map(kind => [kind, paths[kind]!])))],
    close,
  }
}
