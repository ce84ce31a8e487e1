import { checkMounts, cleanPath, type MountInfo } from '@libcontainer/mount'
import type { ResolvedConfig } from '../config/resolve.js'
import { ContainerError } from '../errors.js'

/* What CRIU cannot make again by itself: mounts whose file system the host has, too. Pure. */

/** A mount of a config that may be of the host: what it is called in an image, and where the config wants it. */
export interface Candidate {
  /**
   * What the config calls it, and nothing that an image or a container had a part in: a name from there could mean another mount when CRIU reads it again.
   * Where it stands in its list is no part of it: an engine that brings a container back on another machine has a list in another order.
   */
  readonly key: string
  readonly path: string
  readonly kind: 'bind' | 'cgroup' | 'device' | 'mask'
  /** In its list of the config. */
  readonly place: number
  /** Of a mount of type `cgroup` that shows several hierarchies one of them: `cpu,cpuacct`. */
  readonly hierarchy?: string | undefined
}

/** All that a config may bind from the host, in the order in which it is mounted. */
export function candidates({ mounts, devices, maskedPaths }: ResolvedConfig): Candidate[] {
  return [
    ...checkMounts(mounts).flatMap(({ kind, destination }, place) =>
      kind === 'bind' || kind === 'cgroup'
        ? [{ key: keyOf('mount', destination), path: destination, kind, place }]
        : [],
    ),
    ...devices.map(({ path }, place) => named('device', cleanPath(path), place)),
    ...maskedPaths.map((path, place) => named('mask', cleanPath(path), place)),
  ]
}

const named = (kind: 'device' | 'mask', path: string, place: number): Candidate => ({
  key: keyOf(kind, path),
  path,
  kind,
  place,
})

/** `mount-/etc/hosts`: all that CRIU reads as more than a name is written as in a URL. */
const keyOf = (what: string, path: string): string =>
  `${what}-${path.replace(/[^\w./-]/gu, letter => encodeURIComponent(letter))}`

export interface MountFacts {
  /** The mounts of the container's namespace. */
  readonly table: readonly MountInfo[]
  /** The file systems that are mounted on the host: {@link deviceOf}. */
  readonly hostDevices: ReadonlySet<string>
  /** Which mount is seen at a candidate's path, by its key; none where the path leads nowhere. */
  readonly seen: ReadonlyMap<string, number>
}

export const deviceOf = ({ major, minor }: Pick<MountInfo, 'major' | 'minor'>): string => `${major}:${minor}`

/** File systems that CRIU makes anew by their type, whoever else has them mounted. */
const ANEW = new Set(['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2'])

/** A mount of the host, and the name by which CRIU is told of it. */
export interface ExternalMount {
  readonly key: string
  readonly mountPoint: string
}

/**
 * The mounts of a container that are the host's.
 *
 * @throws {ContainerError} `SystemError` for one that the config does not account for, and for a mount point that CRIU's way of writing keys cannot express
 */
export function externalMounts(config: ResolvedConfig, { table, hostDevices, seen }: MountFacts): ExternalMount[] {
  const known = new Map(
    candidates(config)
      .toReversed()
      .flatMap(candidate => {
        const id = seen.get(candidate.key)
        return id === undefined ? [] : [[id, candidate] as const]
      }),
  )
  return table.flatMap(mount => {
    if (mount.mountPoint === '/') return []
    const candidate = known.get(mount.id) ?? hierarchyOf(mount, known.get(mount.parent))
    const isHosts = hostDevices.has(deviceOf(mount))
    const empty = candidate?.kind === 'mask' && isEmpty(mount)
    const external =
      empty ||
      candidate?.kind === 'bind' ||
      (candidate?.kind === 'cgroup' && mount.root !== '/' && !hasCgroupNamespace(config))
    if (!external && (!isHosts || (candidate?.kind !== 'device' && ANEW.has(mount.type)))) return []
    if (candidate === undefined) throw unknownMount(mount)
    // The name of a hierarchy is the kernel's, with commas, which CRIU reads back.
    if (candidate.hierarchy === undefined) confirmExpressible(mount.mountPoint)
    return [{ key: empty ? directoryKey(candidate.key) : candidate.key, mountPoint: mount.mountPoint }]
  })
}

/** A hierarchy of cgroups, where each is a mount of its own on what a mount of type `cgroup` has made. */
function hierarchyOf({ mountPoint, type }: MountInfo, above: Candidate | undefined): Candidate | undefined {
  const hierarchy = mountPoint.slice(mountPoint.lastIndexOf('/') + 1)
  if (above?.kind !== 'cgroup' || !type.startsWith('cgroup') || !HIERARCHY.test(hierarchy)) return undefined
  const path = `${above.path}/${hierarchy}`
  return { ...above, key: keyOf('mount', path), path, hierarchy }
}

/** `memory`, `cpu,cpuacct`, `name=systemd`. */
const HIERARCHY = /^[\w,=-]+$/

/**
 * A masked directory as we mount it: its one inode is the root, so that there is nothing to be saved. CRIU would find that out by a program for each, while
 * all processes stand still.
 */
const isEmpty = ({ type, root, superOptions }: MountInfo): boolean =>
  type === 'tmpfs' && root === '/' && superOptions.includes('nr_inodes=1')

/** Of a mask that is a directory, which the config does not say: with a `/` behind it, as no path of a config has. */
const directoryKey = (key: string): string => `${key}/`
export const isDirectoryKey = (key: string): boolean => key.endsWith('/')

const hasCgroupNamespace = ({ namespaces }: ResolvedConfig): boolean => namespaces.some(({ kind }) => kind === 'cgroup')

const unknownMount = ({ mountPoint, type }: MountInfo): ContainerError =>
  new ContainerError(
    'SystemError',
    `cannot save the mount on ${JSON.stringify(mountPoint)}: its file system (${type}) is the host's, and no mount of the config is seen there`,
    { hint: 'a bind brings no mounts below its source along: add each to the config, or unmount it in the container' },
  )

/** CRIU writes `mnt[PATH]:KEY`, and reads it again at the first `]:`. */
function confirmExpressible(path: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
  if (!/[[\]:,\u0000-\u001f\u007f]/.test(path)) return
  throw new ContainerError(
    'SystemError',
    `cannot save the mount on ${JSON.stringify(path)}: CRIU cannot read back its name`,
    {
      hint: 'mount it on a path without brackets, colons, commas and control characters',
    },
  )
}

/** A mount as an image tells of it. */
export interface ImageMount {
  readonly id: number
  readonly parent: number
  readonly mountPoint: string
  /** The key of one that is not in the image. */
  readonly key?: string | undefined
}

/** What of a config an image calls by a key: ours, or as runc has it, by where it is mounted. What decides is the config. */
export function candidateOf(key: string, config: ResolvedConfig): Candidate | undefined {
  const all = candidates(config)
  // Of two on one path the later one is seen.
  const meant = ({ kind, key: own }: Candidate): boolean =>
    own === key || (kind === 'mask' && directoryKey(own) === key)
  return all.findLast(meant) ?? all.findLast(each => each.path === key) ?? hierarchyByKey(key, all)
}

function hierarchyByKey(key: string, all: readonly Candidate[]): Candidate | undefined {
  for (const each of all.filter(({ kind }) => kind === 'cgroup').toReversed())
    for (const above of [each.key, each.path]) {
      const hierarchy = key.startsWith(`${above}/`)
        ? key
            .slice(above.length + 1)
            .replace(/%2C/g, ',')
            .replace(/%3D/g, '=')
        : ''
      if (HIERARCHY.test(hierarchy)) return { ...each, key, path: `${each.path}/${hierarchy}`, hierarchy }
    }
  return undefined
}

/** Mount points that have to be in the root filesystem itself, and whether each is of a mount from outside. @throws {ContainerError} for paths that lead out of it */
export function pointsInRoot(mounts: readonly ImageMount[]): ImageMount[] {
  const root = mounts.find(({ mountPoint }) => mountPoint === '/')
  if (root === undefined) throw notOurs('has no root')
  for (const { mountPoint } of mounts) {
    if (!mountPoint.startsWith('/') || cleanPath(mountPoint) !== mountPoint || mountPoint.includes('\0'))
      throw notOurs(`has a mount on ${JSON.stringify(mountPoint)}, which is no plain path`)
  }
  return mounts
    .filter(({ mountPoint, parent }) => mountPoint !== '/' && parent === root.id)
    .toSorted((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1))
}

export const notOurs = (how: string): ContainerError =>
  new ContainerError('SystemError', `cannot restore this image: it ${how}`, {
    hint: 'restore it with the config that its container had; never take images from who must not act as root here',
  })
