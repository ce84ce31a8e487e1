import { type Arg, ConfigInvalid, kernelString, type Step, slot } from '@libcontainer/sys'
import { packAttributes } from './attributes.js'
import { MNT_DETACH, MOUNT_ATTR, UMOUNT_NOFOLLOW } from './flags.js'
import { checkPropagation, type Propagation, packPropagation } from './propagation.js'

/** Sets the propagation of the root of the mount namespace. */
export function propagationStep(propagation: Propagation): Step {
  return {
    op: 'setPropagation',
    args: ['/', packPropagation([checkPropagation(propagation, 'rootfsPropagation')])],
    about: `make / ${propagation}`,
    path: '/',
    hints: { EPERM: 'changing mounts needs CAP_SYS_ADMIN over the mount namespace' },
  }
}

const rootfsHints = {
  ENOENT: 'the root file system must be a directory of the host',
  ELOOP: 'the path of the root file system must not lead through a link',
  ENOTDIR: 'the root file system must be a directory',
  EACCES:
    'root of the user namespace must be able to reach it: others may pass each directory of its path, and enter it (chmod o+x)',
}

/**
 * For a container in the mounts of its host, in place of {@link prepareRootSteps}: opens the directory as it is, into the slot `root`, and changes no mount.
 * {@link chrootStep} makes it the root.
 */
export function openRootfsStep(rootfs: string): Step {
  return {
    op: 'openRootfs',
    args: [kernelString(rootfs, 'rootfs')],
    about: `open ${rootfs}`,
    path: rootfs,
    into: 'root',
    hints: rootfsHints,
  }
}

/**
 * Makes a directory the root of the process, in whatever mounts it is. A wall for nobody who may change his root again: with CAP_SYS_CHROOT he
 * walks out. The slot stays good: it is then `/`.
 *
 * @see chroot(2)
 */
export function chrootStep(root: Arg = slot('root')): Step {
  return {
    op: 'changeRoot',
    args: [root],
    about: 'change to the new root',
    path: '/',
    hints: { EPERM: 'changing the root needs CAP_SYS_CHROOT' },
  }
}

/**
 * Makes the root file system a mount of its own: `/` gets the propagation, the mount that holds `rootfs` becomes private
 * (slave where slave was asked for), and `rootfs` is bound onto itself. Fills the slot `root`, which every function here
 * takes by default.
 *
 * @param rootfs - the host's path, absolute, not through a link
 * @param propagation - of every mount of the new namespace; whatever it is, mounts made below `root` do not reach the host
 */
export function prepareRootSteps(rootfs: string, propagation: Propagation = 'rslave'): Step[] {
  const holder = propagation === 'slave' || propagation === 'rslave' ? 'slave' : 'private'
  return [
    propagationStep(propagation),
    {
      op: 'prepareRoot',
      args: [kernelString(rootfs, 'rootfs'), packPropagation([holder])],
      about: `bind ${rootfs} onto itself`,
      path: rootfs,
      into: 'root',
      hints: {
        ...rootfsHints,
        EPERM: 'changing mounts needs CAP_SYS_ADMIN over the mount namespace',
      },
    },
  ]
}

export interface PivotOptions {
  /** A directory of the new root in which the old one stands for a moment: it must be writable. Default: none is needed. */
  directory?: string | undefined
}

/**
 * Makes `root` the root of the mount namespace and lets go of the old one. The slot stays good: it is then `/`.
 *
 * @see pivot_root(2)
 */
export function pivotSteps(root: Arg = slot('root'), { directory = '' }: PivotOptions = {}): Step[] {
  if (directory !== '' && !kernelString(directory, 'pivotDirectory').startsWith('/'))
    throw new ConfigInvalid('pivotDirectory', directory, 'must be absolute, in the new root')
  return [
    {
      op: 'pivotRoot',
      args: [root, directory],
      about: directory === '' ? 'pivot to the new root' : `pivot to the new root by ${directory}`,
      path: directory || '/',
      hints: {
        EINVAL: 'pivot_root refuses an initramfs as the old root, and a new root whose parent mount is shared',
        ENOENT: 'the directory for the old root must be there, in the new one',
        EROFS: 'the directory for the old root must be writable, or leave it out',
        EEXIST: 'somebody else has put .pivot_root there: remove it',
      },
    },
  ]
}

/**
 * In place of {@link pivotSteps}, for a host whose root is a ramdisk, which pivot_root(2) refuses: moves `root` on top of the old one and changes to it.
 * What it covers stays in the mount namespace, but for every whole procfs and sysfs: a sight of one would let a user namespace mount one without masks.
 * Who may unmount in the container's own namespace may uncover the rest.
 */
export function moveRootSteps(root: Arg = slot('root')): Step[] {
  return [
    {
      op: 'moveRoot',
      args: [root],
      about: 'move the new root on top of the old one',
      path: '/',
      hints: {
        EINVAL: 'the mount that holds the new root must not be shared: prepareRootSteps() sees to that',
        EBUSY:
          'a proc or sysfs of the host is hidden below another mount, where nothing reaches it: unmount it on the host',
      },
    },
  ]
}

/** After the pivot: the propagation of the new `/`, where it is one that others should see or not copy. */
export function rootPropagationSteps(propagation: Propagation): Step[] {
  const wanted = checkPropagation(propagation, 'rootfsPropagation')
  return /shared|unbindable/.test(wanted) ? [propagationStep(wanted)] : []
}

/** Makes the root's own mount read-only; what is mounted on it stays as it is. */
export function readonlyRootStep(root: Arg = slot('root')): Step {
  return {
    op: 'setMountAttributes',
    args: [root, '', packAttributes({ set: MOUNT_ATTR.RDONLY, clear: 0 }), 0],
    about: 'make the root read-only',
    path: '/',
  }
}

/**
 * Unmounts what is mounted last at `path`, at once out of sight, and away when nothing uses it any more. Links within the path stay in the root of the
 * process; one at its end is refused.
 */
export function unmountStep(path: string): Step {
  return {
    op: 'unmount',
    args: [kernelString(path, 'path'), MNT_DETACH | UMOUNT_NOFOLLOW],
    about: `unmount ${path}`,
    path,
    hints: { EINVAL: 'nothing is mounted there', EPERM: 'unmounting needs CAP_SYS_ADMIN over the mount namespace' },
  }
}
