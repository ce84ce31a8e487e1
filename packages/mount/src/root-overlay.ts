import { type Arg, ConfigInvalid, kernelString, nulTerminated, type Step, slot } from '@libcontainer/sys'
import { HOW } from './flags.js'
import { labelOption } from './labels.js'
import { cleanPath } from './mount.js'

/** Directories on top of a root file system, which is not written to: an overlay that is the root in its place. All absolute, and reached through no link. */
export interface RootOverlay {
  /** Directories between the root file system and what is written, the uppermost first: at most 60. Default: none. */
  readonly lower?: readonly string[] | undefined
  /** Takes what is written, and keeps it; with `work`, an empty directory on the same file system. For one overlay at a time. */
  readonly upper?: string | undefined
  readonly work?: string | undefined
  /** What is written goes into memory, and away with the mount: in place of `upper` and `work`. Without any of them the root is read-only. Default: `false`. */
  readonly temporary?: boolean | undefined
}

const FIELDS = ['lower', 'upper', 'work', 'temporary']
/** What native/overlay.c has room for, and one option of fsconfig(2). */
const MAX_LOWER = 60

/** The directories of an overlay by their fields, cleaned. */
function layersOf({ lower = [], upper, work }: RootOverlay, field: string): [field: string, path: string][] {
  const lowers = lower.map((path, i): [string, string] => [`${field}.lower[${i}]`, path])
  const others: [string, string | undefined][] = [
    [`${field}.upper`, upper],
    [`${field}.work`, work],
  ]
  return [...lowers, ...others.filter((each): each is [string, string] => each[1] !== undefined)]
}

/**
 * Refuses an overlay that cannot be meant, and answers its directories by their fields. Pure.
 *
 * @param rootfs - the root file system, which is its lowest directory
 * @throws {ConfigInvalid}
 */
export function checkRootOverlay(overlay: RootOverlay, rootfs: string, field = 'rootOverlay'): [string, string][] {
  if (typeof overlay !== 'object' || overlay === null || Array.isArray(overlay))
    throw new ConfigInvalid(field, overlay, 'must be an object')
  for (const name of Object.keys(overlay))
    if (!FIELDS.includes(name))
      throw new ConfigInvalid(`${field}.${name}`, overlay[name as 'upper'], `must be one of ${FIELDS.join(', ')}`)
  const { lower = [], upper, work, temporary = false } = overlay
  if (!Array.isArray(lower) || lower.length > MAX_LOWER)
    throw new ConfigInvalid(`${field}.lower`, lower, `must be a list of at most ${MAX_LOWER} directories`)
  if (typeof temporary !== 'boolean') throw new ConfigInvalid(`${field}.temporary`, temporary, 'must be true or false')
  if ((upper === undefined) !== (work === undefined))
    throw new ConfigInvalid(
      `${field}.${upper === undefined ? 'upper' : 'work'}`,
      undefined,
      'must be given too: upper and work go together',
    )
  if (temporary && upper !== undefined)
    throw new ConfigInvalid(`${field}.temporary`, temporary, 'is in place of upper and work: leave them out')
  if (lower.length === 0 && upper === undefined && !temporary)
    throw new ConfigInvalid(
      field,
      overlay,
      'must have lower, upper and work, or temporary: there is nothing to lay over',
    )
  const layers = layersOf(overlay, field)
  for (const [at, path] of layers)
    if (!kernelString(path, at).startsWith('/')) throw new ConfigInvalid(at, path, 'must be absolute')
  checkApart([...layers, ['rootfs', rootfs]])
  return layers
}

const isWithin = (path: string, other: string): boolean => `${path}/`.startsWith(other === '/' ? other : `${other}/`)

/** The kernel says what happens to directories within each other: anything. */
function checkApart(layers: readonly [field: string, path: string][]): void {
  const clean = layers.map(([field, path]) => [field, cleanPath(path)] as const)
  for (const [i, [field, path]] of clean.entries())
    for (const [other, at] of clean.slice(i + 1))
      if (isWithin(path, at) || isWithin(at, path))
        throw new ConfigInvalid(
          field,
          path,
          `must be apart from ${other} (${at}): an overlay of directories within each other has no meaning`,
        )
}

export interface RootOverlayStepOptions {
  /** Default: the slot `root`, which `prepareRootSteps` fills. */
  readonly root?: Arg | undefined
  /** In a user namespace what an overlay notes of its files is kept where its root may write. Default: `false`. */
  readonly userns?: boolean | undefined
  /** SELinux's label of all that it shows, whatever the files of its directories have. Default: theirs. */
  readonly label?: string | undefined
}

/**
 * Lays directories over the root that `prepareRootSteps` has made, right after it: the slot is then the overlay. It is as `nosuid`, `nodev` and `noexec` as
 * any of the mounts that its directories lie on.
 *
 * @see https://docs.kernel.org/filesystems/overlayfs.html
 */
export function rootOverlayStep(
  { lower = [], upper = '', work = '', temporary = false }: RootOverlay,
  { root = slot('root'), userns = false, label }: RootOverlayStepOptions = {},
): Step {
  const [upperAt, workAt] = [upper, work].map(path => (path === '' ? path : cleanPath(path)))
  return {
    op: 'overlayRoot',
    args: [
      root,
      nulTerminated(lower.map(cleanPath)),
      upperAt!,
      workAt!,
      nulTerminated([...(userns ? ['userxattr'] : []), ...labelOption(label)]),
      temporary ? HOW.SCRATCH : 0,
    ],
    about: `lay ${[...(temporary ? ['memory'] : upper === '' ? [] : [upperAt]), ...lower].join(', ')} over the root`,
    path: '/',
    hints: {
      ENOENT: 'the directories of an overlay must be there',
      ENOTDIR: 'the layers of an overlay must be directories',
      ELOOP: 'no link may lead to a directory of an overlay, and none may lie in another',
      EACCES: 'root of the user namespace must be able to reach the directories',
      EPERM: 'an overlay needs CAP_SYS_ADMIN, and Linux 5.11 in a user namespace',
      ENODEV: 'the kernel has no overlayfs, or its module is not loaded',
      EINVAL: 'upper and work must be on one file system, which takes extended attributes and is not itself an overlay',
      EROFS: 'upper and work must be writable, in a user namespace for its root: give them to the host’s id of it',
      EBUSY: 'another overlay uses upper or work',
    },
  }
}
