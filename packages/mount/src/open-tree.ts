import { checked, kernelString, OwnedFd } from '@libcontainer/sys'
import {
  AT_FDCWD,
  AT_RECURSIVE,
  AT_SYMLINK_NOFOLLOW,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  MOVE_MOUNT_T_SYMLINKS,
  OPEN_TREE_CLONE,
} from './flags.js'
import { native } from './native.js'

export interface OpenTreeOptions {
  /** Copies the mounts below `path` too. Default: `false`. */
  recursive?: boolean
  /** `false` takes a link itself rather than what it leads to. Default: `true`. */
  follow?: boolean
}

/**
 * Copies the mount at `path` into a detached tree that no other process sees.
 *
 * The tree lives until its descriptor is closed, unless {@link moveMount} attaches it first.
 *
 * @param path - a directory or file, relative to the working directory unless absolute
 * @returns a descriptor (`O_PATH`, close-on-exec) that the caller owns
 * @throws {SyscallError} `EPERM` without `CAP_SYS_ADMIN` over the mount namespace, `ENOENT` for no such path,
 *   `EINVAL` for an unbindable mount, `ENOSYS` before Linux 5.2
 * @see open_tree(2)
 */
export async function openTree(
  path: string,
  { recursive = false, follow = true }: OpenTreeOptions = {},
): Promise<OwnedFd> {
  const flags = OPEN_TREE_CLONE | (recursive ? AT_RECURSIVE : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW)
  return new OwnedFd(
    checked(await native.async.openTree(AT_FDCWD, kernelString(path, 'path'), flags), 'open_tree', path),
  )
}

/**
 * Attaches a detached tree, or moves an attached mount.
 *
 * @param tree - from {@link openTree} or {@link createMount}; stays the caller's, and keeps the mount busy until it is closed
 * @param target - a path, or a descriptor of the very directory or file
 * @throws {SyscallError} `EPERM` without `CAP_SYS_ADMIN`, `ENOTDIR` for a file on a directory or the reverse,
 *   `EINVAL` for a descriptor of another mount namespace
 * @see move_mount(2)
 */
export async function moveMount(tree: OwnedFd, target: string | OwnedFd): Promise<void> {
  const path = typeof target === 'string' ? kernelString(target, 'target') : ''
  const to = typeof target === 'string' ? AT_FDCWD : target.fd
  const flags = MOVE_MOUNT_F_EMPTY_PATH | (typeof target === 'string' ? MOVE_MOUNT_T_SYMLINKS : MOVE_MOUNT_T_EMPTY_PATH)
  checked(await native.async.moveMount(tree.fd, '', to, path, flags), 'move_mount', path || undefined)
}
