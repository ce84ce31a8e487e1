import { ConfigInvalid, checked, errnoName, kernelString, type OwnedFd } from '@libcontainer/sys'
import { namedChange } from './attributes.js'
import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR } from './flags.js'
import { native } from './native.js'
import { parseMountOptions } from './options.js'
import { type Propagation, propagationFlag } from './propagation.js'
import { idMapHints } from './sources.js'

export interface MountAttributes {
  /** Option words of a mount's own flags: `ro`, `rw`, `nosuid`, `nodev`, `noexec`, `noatime`, … Others stay as they are. */
  options?: readonly string[]
  /** How later mounts below it reach its peers. */
  propagation?: 'private' | 'slave' | 'shared' | 'unbindable'
  /** Changes the mounts below it too, all or none. Default: `false`. */
  recursive?: boolean
  /** Maps ids by the maps of this user namespace, which must not be the initial one: of a detached tree, and once alone. */
  userNamespace?: OwnedFd
}

/**
 * Changes the flags or the propagation of a mount, or of a whole tree at once.
 *
 * @param target - a path that is the root of a mount, or a descriptor of a detached tree or of a mount's root
 * @throws {ConfigInvalid} for a word that is no flag of a mount
 * @throws {SyscallError} `EINVAL` where `target` is no mount's root, or its file system maps no ids, `EPERM` for a flag that is locked,
 *   `EBUSY` when it is to be read-only and is being written to, `ENOSYS` before Linux 5.12
 * @see mount_setattr(2)
 */
export async function mountSetattr(target: string | OwnedFd, attributes: MountAttributes): Promise<void> {
  const { options = [], recursive = false, userNamespace } = attributes
  const { set, clear } = changeOf(options)
  const propagation = attributes.propagation === undefined ? 0 : propagationFlag(checkKind(attributes.propagation))
  const path = typeof target === 'string' ? kernelString(target, 'target') : ''
  const [dirfd, empty] = typeof target === 'string' ? [AT_FDCWD, 0] : [target.fd, AT_EMPTY_PATH]
  const flags = empty | (recursive ? AT_RECURSIVE : 0)
  const [mapped, userns] = userNamespace === undefined ? [0, 0] : [MOUNT_ATTR.IDMAP, userNamespace.fd]
  const result = await native.async.mountSetattr(dirfd, path, flags, set | mapped, clear, propagation, userns)
  const hint = userNamespace && result < 0 ? (idMapHints as Record<string, string>)[errnoName(-result)] : undefined
  checked(result, 'mount_setattr', path || undefined, hint === undefined ? undefined : { hint })
}

function changeOf(options: readonly string[]): { set: number; clear: number } {
  return options.reduce(
    (change, option, i) => {
      const one = namedChange(parseMountOptions([option]))
      if (one.set === 0 && one.clear === 0) {
        throw new ConfigInvalid(
          `options[${i}]`,
          option,
          'is no flag of a mount: ro, rw, nosuid, nodev, noexec, noatime, …',
        )
      }
      const touched = one.set | one.clear
      return { set: (change.set & ~touched) | one.set, clear: (change.clear & ~one.set) | one.clear }
    },
    { set: 0, clear: 0 },
  )
}

function checkKind(propagation: Propagation): Propagation {
  if (['private', 'slave', 'shared', 'unbindable'].includes(propagation)) return propagation
  throw new ConfigInvalid('propagation', propagation, 'must be private, slave, shared or unbindable')
}
