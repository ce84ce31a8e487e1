import { type Arg, ConfigInvalid, kernelString, nulTerminated, type Step, slot } from '@libcontainer/sys'
import { AT_FDCWD } from './flags.js'

export interface MaskOptions {
  /** The container's root directory. Default: the slot `root`. */
  root?: Arg | undefined
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
  { root = slot('root'), label = '' }: MaskOptions = {},
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
    {
      op: 'maskPaths',
      args: [root, slot('null'), nulTerminated(list), kernelString(label, 'mountLabel')],
      about: `mask ${list.join(', ')}`,
    },
  ]
}

/**
 * Makes paths of the container read-only, the mount on each alone; other flags stay. Paths that do not exist are passed over.
 *
 * @throws {ConfigInvalid} for a relative path
 */
export function readonlyPathSteps(paths: readonly string[], { root = slot('root') }: MaskOptions = {}): Step[] {
  const list = checkPaths(paths, 'readonlyPaths')
  if (list.length === 0) return []
  return [{ op: 'readonlyPaths', args: [root, nulTerminated(list)], about: `make ${list.join(', ')} read-only` }]
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
      ENOENT: 'the container has no /dev/null: add it to its devices, or give the program other standard streams',
    },
  }
}
