import { bindMount } from '@libcontainer/mount'
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
import type { ResolvedConfig } from '../resolve.js'
import { bindSource } from './bind-source.js'
import { type Candidate, candidateOf, type ImageMount, notOurs, pointsInRoot } from './mounts.js'

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
  /** What a mount of type `cgroup` shows where it is no mount of its own. */
  readonly cgroup: string | undefined
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
    sources.set(key, await sourceOf(candidate, config, { place, name: String(i), cgroup }))
  await makePoints(root, points, sources)
  return { root, sources }
}

/** Where what a candidate of the config binds is to be found. */
async function sourceOf(
  { kind, place: at }: Candidate,
  config: ResolvedConfig,
  { place, name, cgroup }: { place: string; name: string; cgroup: string | undefined },
): Promise<string> {
  if (kind === 'mask') return '/dev/null'
  if (kind === 'device') return config.devices[at]!.source ?? config.devices[at]!.path
  if (kind === 'cgroup') {
    if (cgroup === undefined) throw notOurs('shows a cgroup, and this container has none')
    return cgroup
  }
  return await bindSource(config, at, place, name)
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
