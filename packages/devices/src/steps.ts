import type { Arg, Step } from '@libcontainer/sys'
import { type Device, type DeviceRequest, device } from './device.js'
import { step } from './native.js'
import { mkdev } from './numbers.js'

const TYPE_BITS = { c: 0o020000, b: 0o060000, p: 0o010000 } as const
const S_IFREG = 0o100000

export interface DeviceStepOptions {
  /**
   * When the host's node is bound instead of making one: `fallback` where the kernel refuses mknod (EPERM), `always` where it is
   * known to (a user namespace), `never`. Default: `fallback`. A FIFO is always made.
   */
  bind?: 'fallback' | 'always' | 'never' | undefined
  /** Makes an error of another file at a device's path; `false` leaves it there. A node that matches is always kept. Default: `true`. */
  strict?: boolean | undefined
  /** Makes an error of a node that matches, too: who removes the device again knows whose it is. Default: `false`. */
  exclusive?: boolean | undefined
  /** Where the devices stand in the configuration, for errors. Default: `devices`. */
  field?: string | undefined
  /** Detached trees of nodes, by the devices' places in the list: they are bound, in place of what is at `source` where the steps are applied. */
  trees?: ReadonlyMap<number, Arg> | undefined
}

/**
 * The steps that make the device nodes of a container, before its root is pivoted: a bind needs the host's node.
 *
 * Everything is resolved beneath `root`. For a path below /dev, /dev itself must be a directory and no link: an image's link
 * could lead into a volume of the host. `/dev/ptmx` is left to {@link ptmxStep}.
 *
 * @param root - the root directory's descriptor, or the slot that holds it
 */
export function deviceSteps(root: Arg, devices: readonly DeviceRequest[], options: DeviceStepOptions = {}): Step[] {
  const { field = 'devices' } = options
  return devices
    .map((request, i) => [device(request, `${field}[${i}]`), options.trees?.get(i)] as const)
    .filter(([{ path }]) => path !== '/dev/ptmx')
    .map(([node, tree]) => deviceStep(root, node, tree, options))
}

function deviceStep(
  root: Arg,
  node: Device,
  tree: Arg | undefined,
  { bind = 'fallback', strict = true, exclusive = false }: DeviceStepOptions,
): Step {
  const keep = exclusive ? 2 : strict ? 1 : 0
  const { path, type, major, minor, uid, gid } = node
  const mode = TYPE_BITS[type] | node.mode
  const dev = type === 'p' ? 0n : mkdev(major, minor)
  const [directory, below] = split(path)
  const mayBind = type !== 'p' && bind !== 'never'
  if (mayBind && bind === 'always') return bindStep(root, node, tree, keep)
  return step('makeDevice', [root, directory, below, mode, dev, uid, gid, keep], {
    about: type === 'p' ? `make the FIFO ${path}` : `make the device ${type} ${major}:${minor} at ${path}`,
    path,
    hints: {
      ...COMMON_HINTS,
      EPERM: 'making device nodes needs CAP_MKNOD, outside of any user namespace',
      EINVAL: "the device's uid or gid is not mapped in the user namespace of the container",
    },
    onError: mayBind ? { EPERM: bindStep(root, node, tree, keep) } : undefined,
  })
}

function bindStep(root: Arg, device: Device, tree: Arg | undefined, keep: number): Step {
  const { path, type, major, minor, source = path } = device
  const [directory, below] = split(path)
  const node = [TYPE_BITS[type], mkdev(major, minor), keep] as const
  const rest = {
    about: `bind the host's ${source} (${type} ${major}:${minor}) on ${path}`,
    path,
    hints: {
      ...COMMON_HINTS,
      ENOENT: `the host has no ${source}, and without CAP_MKNOD no node can be made`,
      ENODEV: `${source} of the host is another device`,
      EPERM: 'a bind mount needs CAP_SYS_ADMIN over the mount namespace',
    },
  }
  if (tree === undefined) return step('bindDevice', [root, directory, below, source, ...node], rest)
  return step('attachDevice', [root, directory, below, tree, ...node], rest)
}

/**
 * The steps that remove device nodes again, made or bound. What is at a path and is not that very device stays, and is an error.
 *
 * @param unmount - makes the step that unmounts what is at a path: `unmountStep` of `@libcontainer/mount`
 */
export function removeDeviceSteps(
  root: Arg,
  devices: readonly DeviceRequest[],
  { unmount, field = 'devices' }: { unmount: (path: string) => Step; field?: string | undefined },
): Step[] {
  return devices.flatMap((request, i) => {
    const { path, type, major, minor } = device(request, `${field}[${i}]`)
    const [directory, below] = split(path)
    const dev = type === 'p' ? 0n : mkdev(major, minor)
    const rest = {
      about: `remove the device at ${path}`,
      path,
      hints: { EEXIST: 'what is there is another file, and stays', ENOTDIR: COMMON_HINTS.ENOTDIR },
    }
    return [
      step('removeDevice', [root, directory, below, TYPE_BITS[type], dev], {
        ...rest,
        onError: { EBUSY: unmount(path) },
      }),
      // Where it was bound, the file below; where it was a node, nothing.
      step('removeDevice', [root, directory, below, S_IFREG, 0n], {
        ...rest,
        about: `remove the file that the device was bound on at ${path}`,
        onError: { ENOENT: 'skip' },
      }),
    ]
  })
}

const COMMON_HINTS = {
  EEXIST: 'the root filesystem has another file at this path',
  ENOTDIR: '/dev of the root filesystem must be a directory, not a link',
}

export interface LinkOptions {
  /** Adds `/dev/core`: say whether the host has /proc/kcore. Default: `false`. */
  kcore?: boolean | undefined
  /** Adds `/dev/kcore`, its name until 2015, beside `/dev/core`. Default: `false`. */
  classic?: boolean | undefined
}

/** The steps for the links of /dev: fd, stdin, stdout, stderr and core. What is there already is kept. */
export function linkSteps(root: Arg, { kcore = false, classic = false }: LinkOptions = {}): Step[] {
  const links: [name: string, target: string][] = [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ]
  if (kcore) links.push(['core', '/proc/kcore'])
  if (kcore && classic) links.push(['kcore', '/proc/kcore'])
  return links.map(([name, target]) =>
    step('makeSymlink', [root, 'dev', name, target, 0], {
      about: `link /dev/${name} to ${target}`,
      path: `/dev/${name}`,
      hints: { ENOTDIR: COMMON_HINTS.ENOTDIR },
    }),
  )
}

/** The step that makes /dev/ptmx lead to the container's own devpts, in place of whatever node is there. */
export function ptmxStep(root: Arg): Step {
  return step('makeSymlink', [root, 'dev', 'ptmx', 'pts/ptmx', 1], {
    about: 'link /dev/ptmx to pts/ptmx',
    path: '/dev/ptmx',
    hints: { ENOTDIR: COMMON_HINTS.ENOTDIR },
  })
}

/** A path as the directory of the root that must be no link, and the rest. */
function split(path: string): [directory: string, below: string] {
  return path.startsWith('/dev/') ? ['dev', path.slice('/dev/'.length)] : ['', path]
}
