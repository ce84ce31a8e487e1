import { openRoot } from '@libcontainer/init'
import { type Arg, nulTerminated, type Slot, type Step, slot } from '@libcontainer/sys'
import type { Weaken } from './jail.js'

/** Without the devices that stand where an image has put something of its own, and without a look at what its null device is. */
export const withoutNull: Weaken = steps =>
  steps.filter(({ op, path }) => !(/Device$/.test(op) && path === '/dev/null') && op !== 'reopenNull')

const AT_FDCWD = -100

/** HOW bits of mount: a target that has to be a directory of its own, and one that may lie in /proc. */
export const TARGET_REAL = 1
export const TARGET_PROC = 2
const HOW_OF_FILESYSTEM = 6
const HOW_OF_BIND = 4

/** One weakness after another. */
export const all =
  (...each: readonly Weaken[]): Weaken =>
  (steps, rootfs) =>
    each.reduce((weaker, weaken) => weaken(weaker, rootfs), steps)

/** Without the steps of these ops. */
export const without =
  (...ops: readonly string[]): Weaken =>
  steps => {
    for (const op of ops) if (!steps.some(step => step.op === op)) throw new Error(`the plan has no ${op} to leave out`)
    return steps.filter(step => !ops.includes(step.op))
  }

/** Each step of an op replaced by others; one, at least, has to be there. */
export const replace =
  (op: string, others: (step: Step, rootfs: string) => readonly Step[]): Weaken =>
  (steps, rootfs) => {
    if (!steps.some(step => step.op === op)) throw new Error(`the plan has no ${op} to replace`)
    return steps.flatMap(step => (step.op === op ? others(step, rootfs) : [step]))
  }

/** Further steps before the first one of an op. */
export const inFront =
  (op: string, ...more: readonly Step[]): Weaken =>
  steps => {
    const at = steps.findIndex(step => step.op === op)
    if (at < 0) throw new Error(`the plan has no ${op}`)
    return [...steps.slice(0, at), ...more, ...steps.slice(at)]
  }

const isSlot = (arg: Arg | undefined, name: string): boolean => typeof arg === 'object' && (arg as Slot).slot === name

/** Where the paths stand among the arguments of the ops that take a root; of devices the first is a directory that must be no link. */
const paths: Readonly<Record<string, readonly number[]>> = {
  mountFilesystem: [1],
  bindMount: [3],
  remountFilesystem: [1],
  setMountAttributes: [1],
  linkController: [2],
  makeDevice: [1, 2],
  bindDevice: [1, 2],
  makeSymlink: [1, 2],
}

/** Paths joined to strings and walked from the host's root, as runtimes did for years: a link of the image leads wherever it says. */
export const joined: Weaken = (plan, rootfs) => {
  const steps = masksByPath(plan, rootfs)
  const pivot = steps.findIndex(({ op }) => op === 'pivotRoot')
  return steps.flatMap((step, i) => {
    if (step.op === 'prepareRoot') return [step, { ...openRoot, into: 'host' }]
    const places = paths[step.op]
    if (i > pivot || !isSlot(step.args[0], 'root')) return [step]
    const args: Arg[] = [slot('host'), ...step.args.slice(1)]
    if (step.op === 'maskPaths') args[2] = lines(step.args[2]!, rootfs)
    else if (step.op === 'readonlyPaths') args[1] = lines(step.args[1]!, rootfs)
    else if (places === undefined) return [step]
    else {
      const path = ['', ...places.map(place => step.args[place] as string)].join('/').replace(/\/+/g, '/')
      for (const place of places) args[place] = ''
      args[places.at(-1)!] = `${rootfs}${path}`
    }
    return [anyTarget({ ...step, args })]
  })
}

/** What is hidden or made read-only in /proc and /sys looked for by its path, as long as it was. */
export const masksByPath: Weaken = steps =>
  steps.map(step => {
    const place = isSlot(step.args[0], 'proc') ? '/proc' : isSlot(step.args[0], 'sys') ? '/sys' : undefined
    const list = { maskPaths: 2, readonlyPaths: 1 }[step.op]
    if (place === undefined || list === undefined) return step
    return { ...step, args: step.args.with(0, slot('root')).with(list, lines(step.args[list]!, place)) }
  })

const lines = (list: Arg, rootfs: string): Uint8Array =>
  nulTerminated(
    new TextDecoder()
      .decode(list as Uint8Array)
      .split('\0')
      .filter(Boolean)
      .map(path => rootfs + path),
  )

/** What is mounted goes on whatever the path leads to: a link, and what lies in /proc. */
function anyTarget(step: Step): Step {
  const at = { mountFilesystem: HOW_OF_FILESYSTEM, bindMount: HOW_OF_BIND }[step.op]
  if (at === undefined) return step
  const how = (Number(step.args[at]) & ~TARGET_REAL) | TARGET_PROC
  return { ...step, args: step.args.map((arg, i) => (i === at ? how : arg)) }
}

/** Mounts on what an image puts at their place, also where it must be a directory of its own. */
export const onAnyTarget: Weaken = steps => steps.map(anyTarget)

/** Whatever has the name of the null device is bound over what is to be hidden. */
export const nullByName: Weaken = all(
  withoutNull,
  replace('openNull', (_, rootfs) => [
    { op: 'openTree', args: [AT_FDCWD, `${rootfs}/dev/null`, 0], about: 'open /dev/null', into: 'null' },
  ]),
)

/** The working directory made by a joined path, before the root is changed. */
export const directoryFirst: Weaken = (steps, rootfs) => {
  const make = steps.find(({ op }) => op === 'makeWorkingDirectory')!
  const early = { ...make, args: [`${rootfs}${make.args[0]}`] }
  return all(without('makeWorkingDirectory'), inFront('pivotRoot', early))(steps, rootfs)
}

const terminalOps = ['openConsole', 'openConsolePeer', 'bindConsole', 'useTerminal']
const isTerminal = (step: Step): boolean =>
  terminalOps.includes(step.op) || step.args[0] === 'terminal' || step.about.includes('master')

/** Without a terminal of the container's own. */
export const withoutTerminal: Weaken = steps => steps.filter(step => !isTerminal(step))

/** The console as it was mounted for years: on a path that is joined to the root's, before the root is changed. */
export const consoleByName: Weaken = (steps, rootfs) => {
  const mine = steps.filter(isTerminal)
  const opened = mine.filter(({ op }) => op.startsWith('openConsole'))
  const rest = mine.filter(({ op }) => op !== 'bindConsole' && op !== 'useTerminal' && !op.startsWith('openConsole'))
  const bind: Step[] = [
    { ...openRoot, into: 'host' },
    { op: 'openTree', args: [slot('consoleSlave'), '', 0x1001], about: 'clone the terminal', into: 'tree' },
    {
      op: 'bindMount',
      args: [slot('host'), slot('tree'), '', `${rootfs}/dev/console`, 0, 0, 0, 0],
      about: 'bind the terminal on what is called /dev/console',
    },
  ]
  return all(withoutTerminal, inFront('pivotRoot', ...opened, ...bind, ...rest))(steps, rootfs)
}
