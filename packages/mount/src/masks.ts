import { type Arg, ConfigInvalid, kernelString, nulTerminated, type Slot, type Step, slot } from '@libcontainer/sys'
import { AT_FDCWD } from './flags.js'
import { checkMounts, cleanPath, type Mount } from './mount.js'

/** Mounts whose roots stay open in slots, by their places. */
export type OpenedMounts = ReadonlyMap<string, Slot>

/**
 * Those of the mounts that hold what is usually masked: on /proc and /sys.
 *
 * A path to them is no way to find them again: whoever can write to the root file system may give the directory beneath the mount another
 * name just then, and what is to be hidden would be passed over as missing.
 */
export function openedMounts(mounts: readonly Mount[]): OpenedMounts {
  const opened = new Map<string, Slot>()
  for (const { destination, kind } of checkMounts(mounts)) {
    const name = { '/proc': 'proc', '/sys': 'sys' }[destination]
    if (name !== undefined && (kind === 'filesystem' || kind === 'bind')) opened.set(destination, slot(name))
  }
  return opened
}

export interface MaskOptions {
  /** The container's root directory. Default: the slot `root`. */
  root?: Arg | undefined
  /** Where paths below these are looked for. Default: none; all are found from the root. */
  opened?: OpenedMounts | undefined
  /** SELinux's label for the empty directories. */
  label?: string | undefined
}

/**
 * Hides paths of the container: a file behind its null device, a directory behind an empty read-only one. Paths that do
 * not exist are passed over. After all other mounts; before the pivot where the container has no /dev/null of its own.
 *
 * @throws {ConfigInvalid} for a relative path
 */
export function maskedPathSteps(
  paths: readonly string[],
  { root = slot('root'), label = '', opened }: MaskOptions = {},
): Step[] {
  const list = checkPaths(paths, 'maskedPaths')
  if (list.length === 0) return []
  const open: Step = {
    op: 'openNull',
    args: [root],
    about: 'open the null device',
    path: '/dev/null',
    into: 'null',
    hints: { ENODEV: 'the image must not put anything else at /dev/null: it is what masked files show' },
  }
  const host: Step = { ...open, args: [AT_FDCWD], about: "open the host's null device" }
  return [
    // A root without /dev/null borrows the host's; one that holds something else there is refused.
    { ...open, onError: { ENOENT: host } },
    ...placed(list, root, opened).map(
      ([from, paths, shown]): Step => ({
        op: 'maskPaths',
        args: [from, slot('null'), nulTerminated(paths), kernelString(label, 'mountLabel')],
        about: `mask ${shown}`,
      }),
    ),
  ]
}

/**
 * Makes paths of the container read-only, the mount on each alone; other flags stay. Paths that do not exist are passed over.
 *
 * @throws {ConfigInvalid} for a relative path
 */
export function readonlyPathSteps(paths: readonly string[], { root = slot('root'), opened }: MaskOptions = {}): Step[] {
  const list = checkPaths(paths, 'readonlyPaths')
  return placed(list, root, opened).map(([from, paths, shown]) => ({
    op: 'readonlyPaths',
    args: [from, nulTerminated(paths)],
    about: `make ${shown} read-only`,
  }))
}

/** The paths by where they are found from: a mount that is open, as seen from it, or the root. */
function placed(
  list: readonly string[],
  root: Arg,
  opened: OpenedMounts = new Map(),
): [from: Arg, paths: string[], shown: string][] {
  const places = [...opened.keys(), '']
  const placeOf = (path: string): string => places.find(place => cleanPath(path).startsWith(`${place}/`))!
  return places.flatMap(place => {
    const mine = list.filter(path => placeOf(path) === place)
    const paths = place === '' ? mine : mine.map(path => cleanPath(path).slice(place.length))
    return mine.length === 0 ? [] : [[opened.get(place) ?? root, paths, mine.join(', ')]]
  })
}

function checkPaths(paths: readonly string[], field: string): string[] {
  paths.forEach((path, i) => {
    kernelString(path, `${field}[${i}]`)
    if (!path.startsWith('/')) throw new ConfigInvalid(`${field}[${i}]`, path, 'must be absolute')
  })
  return [...new Set(paths)]
}

/**
 * Standard streams that are the host's null device become the container's own, so that no descriptor of the host's /dev
 * stays. Verified: what an image calls /dev/null may be anything.
 */
export function reopenNullStep(root: Arg = slot('root')): Step {
  return {
    op: 'reopenNull',
    args: [root],
    about: "take the container's null device for standard streams",
    path: '/dev/null',
    hints: {
      ENODEV: 'the image must not put anything else at /dev/null',
      ENOENT:
        'the container has no /dev/null: add it to its devices or its root filesystem, or give the program other standard streams',
    },
  }
}
