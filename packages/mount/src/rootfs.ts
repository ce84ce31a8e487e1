import { type Arg, kernelString, type Step, slot } from '@libcontainer/sys'
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
        ENOENT: 'the root file system must be a directory of the host',
        ELOOP: 'the path of the root file system must not lead through a link',
        ENOTDIR: 'the root file system must be a directory',
        EPERM: 'changing mounts needs CAP_SYS_ADMIN over the mount namespace',
      },
    },
  ]
}

/** Makes `root` the root of the mount namespace and lets go of the old one. The slot stays good: it is then `/`. */
export function pivotSteps(root: Arg = slot('root')): Step[] {
  return [
    {
      op: 'pivotRoot',
      args: [root],
      about: 'pivot to the new root',
      path: '/',
      hints: { EINVAL: 'pivot_root refuses an initramfs as the old root, and a new root whose parent mount is shared' },
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
