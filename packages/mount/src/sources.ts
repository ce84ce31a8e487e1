import { type Arg, ConfigInvalid, OwnedFd, type Step, slot } from '@libcontainer/sys'
import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, AT_SYMLINK_NOFOLLOW, MOUNT_ATTR, MS, OPEN_TREE_CLONE } from './flags.js'
import { checkMount, type Mount } from './mount.js'
import { native } from './native.js'

export interface SourceStepsOptions {
  /** The slot that gets the descriptor of the tree. Default: `tree`. */
  into?: string | undefined
  /** A descriptor of the user namespace whose maps the ids are mapped by; needed by a mount that asks for them. */
  userns?: Arg | undefined
  /** What the mount is called in errors. Default: `mounts[0]`. */
  field?: string | undefined
}

/**
 * The steps that take the source of a bind as a detached tree, with its ids mapped where that is asked for: by somebody who may do both, for an
 * init that may not, in whose `trees` the descriptor goes. A mount of the container's mount namespace: it is to be taken there.
 *
 * @throws {ConfigInvalid} as {@link mountSteps}
 * @see mount_setattr(2), ID-mapped mounts
 */
export function sourceSteps(
  mount: Mount,
  { into = 'tree', userns, field = 'mounts[0]' }: SourceStepsOptions = {},
): Step[] {
  const { source, options, idMap } = checkMount(mount, field)
  const recursive = options.flags & MS.REC ? AT_RECURSIVE : 0
  const nofollow = ['src-nofollow', 'copy-symlink'].some(word => options.extensions.has(word)) ? AT_SYMLINK_NOFOLLOW : 0
  const open: Step = {
    op: 'openTree',
    args: [AT_FDCWD, source, OPEN_TREE_CLONE | recursive | nofollow],
    about: `take ${source}`,
    path: source,
    into,
    hints: { ENOENT: 'the source of a bind must exist' },
  }
  if (idMap === undefined) return [open]
  if (userns === undefined)
    throw new ConfigInvalid(`${field}.options`, 'idmap', 'needs a user namespace that has the maps')
  return [open, mapIdsStep(slot(into), userns, { recursive: idMap.recursive, path: source })]
}

/** Maps the ids of a detached tree that nothing was mapped in yet, once and for all. */
export function mapIdsStep(tree: Arg, userns: Arg, { recursive, path }: { recursive: boolean; path: string }): Step {
  return {
    op: 'mountSetattr',
    args: [tree, '', AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), MOUNT_ATTR.IDMAP, 0, 0, userns],
    about: `map the ids of ${path}`,
    path,
    hints: idMapHints,
  }
}

export interface OpenSourceOptions {
  /** Whose maps the ids are mapped by; needed by a mount that asks for them. */
  userNamespace?: OwnedFd | undefined
  /** What the mount is called in errors. Default: `mounts[0]`. */
  field?: string | undefined
}

/**
 * Takes the source of a bind as {@link sourceSteps} does, from the mount namespace of this process.
 *
 * @returns a descriptor of the detached tree, which the caller owns
 * @throws {LibcontainerError} `UnexpectedInode` where it is another file than the mount wants
 * @throws {SyscallError} as {@link openTree}; `EINVAL` for a file system that maps no ids, `EPERM` without `CAP_SYS_ADMIN` over its user namespace
 */
export async function openSource(mount: Mount, { userNamespace, field }: OpenSourceOptions = {}): Promise<OwnedFd> {
  const results = new Map<string, number>()
  try {
    await native.apply(sourceSteps(mount, { userns: userNamespace?.fd, field }), { results })
  } catch (error) {
    if (results.has('tree')) new OwnedFd(results.get('tree')!).close()
    throw error
  }
  const tree = new OwnedFd(results.get('tree')!)
  if (mount.inode === undefined) return tree
  try {
    const { confirmSource } = await import('./bind-descriptor.js')
    await confirmSource(mount, tree)
  } catch (error) {
    tree.close()
    throw error
  }
  return tree
}

export const idMapHints = {
  EINVAL:
    'the file system, or one of those below it with ridmap, does not support id-mapped mounts on this kernel: bind it without idmap, or keep it on one that does (ext4, xfs, btrfs; tmpfs since Linux 6.3)',
  EPERM:
    'mapping ids needs CAP_SYS_ADMIN over the user namespace that owns the file system; and a mount whose ids are mapped already cannot be mapped again',
  ENOSYS: 'id-mapped mounts need Linux 5.12',
}
