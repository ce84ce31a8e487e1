import { type Mount, mountSteps, readMountInfo } from '@libcontainer/mount'
import { O_PATH, type OwnedFd, openDirectory, openFile, readLink, type Stat, slot, stat } from '@libcontainer/sys'
import type { ResolvedConfig } from '../config/resolve.js'
import { takeSource } from '../plan/outside-sources.js'
import { runSteps } from '../start/run-steps.js'

/**
 * Mounts what a bind of the config shows where CRIU may find it, with the flags and the ids of the bind from the first moment on: what is read-only never
 * was anything else.
 *
 * All of the mount that the source lies in, since a mount can only be given a peer group by one that shows as much or more (move_mount(2),
 * MOVE_MOUNT_SET_GROUP), and CRIU takes the group of each from another.
 *
 * @returns the path of the source below `place`
 */
export async function bindSource(config: ResolvedConfig, at: number, place: string, name: string): Promise<string> {
  const { premountCommands: _, postmountCommands: __, ...mount } = config.mounts[at]!
  const wide = await aroundSource(mount.source!)
  const field = `mounts[${at}]`
  if (wide !== undefined) {
    await bindAt({ ...plainly(mount), source: wide.mountPoint }, config, { place, name, field })
    const path = `${place}/${name}${wide.below}`
    if (isSame(wide.file, await stat(path))) return path
    // Something else is mounted over it.
    return await bindSourceItself(mount, config, { place, name: `${name}-alone`, field })
  }
  return await bindSourceItself(mount, config, { place, name, field })
}

interface At {
  readonly place: string
  readonly name: string
  readonly field: string
}

async function bindSourceItself(mount: Mount, config: ResolvedConfig, at: At): Promise<string> {
  await bindAt(mount, config, at)
  return `${at.place}/${at.name}`
}

const isSame = (a: Stat, b: Stat): boolean =>
  a.inode === b.inode && a.device.major === b.device.major && a.device.minor === b.device.minor

/** The mount that a path of the host lies in, and the way from there. */
async function aroundSource(source: string): Promise<{ mountPoint: string; below: string; file: Stat } | undefined> {
  const handle = await openFile(source, O_PATH)
  try {
    const [file, path] = await Promise.all([stat('', { at: handle }), readLink(`/proc/self/fd/${handle.fd}`)])
    const [found] = await readMountInfo('self', ({ id }) => (id === Number(file.mountId) ? 'last' : false))
    if (found === undefined) return undefined
    const above = found.mountPoint === '/' ? '' : found.mountPoint
    return path.startsWith(above) ? { mountPoint: found.mountPoint, below: path.slice(above.length), file } : undefined
  } finally {
    handle.close()
  }
}

/** CRIU takes no mounts below a source along. */
function plainly({ options = [], ...mount }: Mount): Mount {
  return { ...mount, type: 'bind', options: options.map(word => (word === 'rbind' ? 'bind' : word)) }
}

async function bindAt(mount: Mount, config: ResolvedConfig, { place, name, field }: At): Promise<void> {
  const directory = await openDirectory(place, { handle: true })
  let tree: OwnedFd | undefined
  try {
    tree = await takeSource(mount, config, field)
    const bind = { ...mount, destination: `/${name}` }
    await runSteps(
      mountSteps([bind], { root: slot('place'), live: true, trees: new Map([[0, slot('tree')]]), field }),
      {
        handed: { place: directory.fd, tree: tree.fd },
      },
    )
  } finally {
    tree?.close()
    directory.close()
  }
}
