import { bindMount, mount, parseMountOptions } from '@libcontainer/mount'
import {
  createInRoot,
  isErrno,
  makeDirectory,
  mkdirAllInRoot,
  O_PATH,
  type OwnedFd,
  openDirectory,
  openInRoot,
  readLink,
  stat,
} from '@libcontainer/sys'
import type { ResolvedConfig } from '../config/resolve.js'
import { bindSource } from './bind-source.js'
import { type Candidate, candidateOf, type ImageMount, isDirectoryKey, notOurs, pointsInRoot } from './mounts.js'

/** What CRIU is to find when it makes the mounts of a container. */
export interface ImageRoot {
  readonly root: string
  /** By the keys of the image: a mount of ours, which shows what the config says, as the config says. */
  readonly sources: ReadonlyMap<string, string>
}

export interface ImageRootRequest {
  readonly config: ResolvedConfig
  readonly mounts: readonly ImageMount[]
  /** An empty place: see `scratch.ts`. */
  readonly place: string
  /** What a mount of type `cgroup` shows where it is no mount of its own: of one of several hierarchies, or of the only one. */
  readonly cgroup: (hierarchy: string | undefined) => string | undefined
}

/** Mounts the root filesystem and the sources of an image's mounts, and makes their mount points. Only what the config names is taken from the host. */
export async function makeImageRoot({ config, mounts, place, cgroup }: ImageRootRequest): Promise<ImageRoot> {
  const points = pointsInRoot(mounts)
  const wanted = mounts.flatMap(({ key }) => {
    if (key === undefined) return []
    const candidate = candidateOf(key, config)
    if (candidate === undefined) throw notOurs(`asks for ${JSON.stringify(key)}, which is no mount of the config`)
    return [{ key, candidate }]
  })
  const root = `${place}/root`
  await makeDirectory(root, { mode: 0o755 })
  // Unmounted again by us: what is mounted below the original stays.
  await bindMount(config.rootfs, root, { recursive: true, options: ['rslave'] })
  const sources = new Map<string, string>()
  for (const [i, { key, candidate }] of wanted.entries())
    sources.set(
      key,
      isDirectoryKey(key)
        ? await emptyDirectory(`${place}/${i}`, config)
        : await sourceOf(candidate, config, { place, name: String(i), cgroup }),
    )
  await makePoints(root, points, sources)
  return { root, sources }
}

/** Where what a candidate of the config binds is to be found. */
async function sourceOf(
  { kind, place: at, hierarchy }: Candidate,
  config: ResolvedConfig,
  { place, name, cgroup }: Pick<ImageRootRequest, 'place' | 'cgroup'> & { name: string },
): Promise<string> {
  if (kind === 'mask') return '/dev/null'
  if (kind === 'device') return config.devices[at]!.source ?? config.devices[at]!.path
  if (kind === 'cgroup') {
    const directory = cgroup(hierarchy)
    if (directory === undefined) throw notOurs('shows a cgroup, and this container has none')
    const { options = [] } = config.mounts[at]!
    const { data } = parseMountOptions(options)
    const path = `${place}/${name}`
    await makeDirectory(path, { mode: 0o555 })
    await bindMount(directory, path, { options: options.filter(word => !data.includes(word)) })
    return path
  }
  return await bindSource(config, at, place, name)
}

/** What masks a directory, as it was at the start: a file system with nothing but its root. */
async function emptyDirectory(path: string, { mountLabel }: ResolvedConfig): Promise<string> {
  await makeDirectory(path, { mode: 0o555 })
  const options = ['private', 'ro', 'nosuid', 'nodev', 'noexec', 'mode=0555', 'size=4k']
  const label = mountLabel ? [`context=${mountLabel}`] : []
  const make = (inodes: number): Promise<void> =>
    mount('tmpfs', path, { source: 'tmpfs', options: [...options, `nr_inodes=${inodes}`, ...label] })
  // Some kernels count a second one.
  await make(1).catch(error => (isErrno(error, 'ENOSPC') ? make(2) : Promise.reject(error)))
  return path
}

/**
 * Makes the mount points that the root filesystem lacks. One that a link leads to is refused: CRIU would follow it, and mount elsewhere.
 *
 * @throws {ContainerError} `SystemError`
 */
async function makePoints(
  root: string,
  points: readonly ImageMount[],
  sources: ReadonlyMap<string, string>,
): Promise<void> {
  const pinned = await openDirectory(root, { handle: true })
  try {
    for (const { mountPoint, key } of points) {
      const source = key === undefined ? undefined : sources.get(key)
      const isFile = source !== undefined && (await stat(source)).type !== 'directory'
      const file = await openOrMake(pinned, mountPoint, isFile)
      try {
        if ((await readLink(`/proc/self/fd/${file.fd}`)) !== `${root}${mountPoint}`)
          throw notOurs(
            `has a mount on ${JSON.stringify(mountPoint)}, where a link of the root filesystem leads elsewhere`,
          )
      } finally {
        file.close()
      }
    }
  } finally {
    pinned.close()
  }
}

async function openOrMake(root: OwnedFd, path: string, isFile: boolean): Promise<OwnedFd> {
  try {
    return await openInRoot(root, path, O_PATH)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
  if (!isFile) return await mkdirAllInRoot(root, path)
  const above = path.slice(0, path.lastIndexOf('/'))
  if (above !== '') (await mkdirAllInRoot(root, above)).close()
  return await createInRoot(root, path)
}
