import type { Arg, Step } from '@libcontainer/sys'
import { type Device, type DeviceRequest, device } from './device.js'
import { step } from './native.js'
import { mkdev } from './numbers.js'

const TYPE_BITS = { c: 0o020000, b: 0o060000, p: 0o010000 } as const

export interface DeviceStepOptions {
  /**
   * When the host's node is bound instead of making one: `fallback` where the kernel refuses mknod (EPERM), `always` where it is
   * known to (a user namespace), `never`. Default: `fallback`. A FIFO is always made.
   */
  bind?: 'fallback' | 'always' | 'never' | undefined
  /** Makes an error of another file at a device's path; `false` leaves it there. A node that matches is always kept. Default: `true`. */
  strict?: boolean | undefined
  /** Where the devices stand in the configuration, for errors. Default: `devices`. */
  field?: string | undefined
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
    .map((request, i) => device(request, `${field}[${i}]`))
    .filter(({ path }) => path !== '/dev/ptmx')
    .map(node => deviceStep(root, node, options))
}

function deviceStep(root: Arg, node: Device, { bind = 'fallback', strict = true }: DeviceStepOptions): Step {
  const { path, type, major, minor, uid, gid } = node
  const mode = TYPE_BITS[type] | node.mode
  const dev = type === 'p' ? 0n : mkdev(major, minor)
  const [directory, below] = split(path)
  const mayBind = type !== 'p' && bind !== 'never'
  if (mayBind && bind === 'always') return bindStep(root, node, strict)
  return step('makeDevice', [root, directory, below, mode, dev, uid, gid, strict ? 1 : 0], {
    about: type === 'p' ? `make the FIFO ${path}` : `make the device ${type} ${major}:${minor} at ${path}`,
    path,
    hints: {
      ...COMMON_HINTS,
      EPERM: 'making device nodes needs CAP_MKNOD, outside of any user namespace',
      EINVAL: "the device's uid or gid is not mapped in the user namespace of the container",
    },
    onError: mayBind ? { EPERM: bindStep(root, node, strict) } : undefined,
  })
}

function bindStep(root: Arg, { path, type, major, minor, source = path }: Device, strict: boolean): Step {
  const [directory, below] = split(path)
  return step('bindDevice', [root, directory, below, source, TYPE_BITS[type], mkdev(major, minor), strict ? 1 : 0], {
    about: `bind the host's ${source} (${type} ${major}:${minor}) on ${path}`,
    path,
    hints: {
      ...COMMON_HINTS,
      ENOENT: `the host has no ${source}, and without CAP_MKNOD no node can be made`,
      ENODEV: `${source} of the host is another device`,
      EPERM: 'a bind mount needs CAP_SYS_ADMIN over the mount namespace',
    },
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
