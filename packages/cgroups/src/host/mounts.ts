import { unescapedField } from '@libcontainer/sys'

/** A mounted cgroup file system, from a line of /proc/self/mountinfo. */
export interface CgroupFilesystem {
  readonly version: 1 | 2
  readonly mountpoint: string
  /** The cgroup that shows at the mount point: `/` but for bind mounts and inside of containers. */
  readonly root: string
  /** The options of the file system itself: `cpu,cpuacct`, `name=systemd`, `noprefix`. */
  readonly options: readonly string[]
}

interface Mount {
  readonly id: string
  readonly parent: string
  readonly mountpoint: string
  readonly filesystem: CgroupFilesystem | undefined
}

/**
 * The cgroup file systems that a path leads to: one that lies below another mount is left out, since its path leads elsewhere.
 * In the order of `mountinfo`.
 */
export function parseCgroupMounts(mountinfo: string): CgroupFilesystem[] {
  const mounts = mountinfo.split('\n').filter(Boolean).map(parseLine)
  const ids = new Set(mounts.map(({ id }) => id))
  // What lies on what, and where. What the topmost ones lie on is not listed.
  const lying = new Map<string, Mount>()
  for (const mount of mounts) lying.set(`${ids.has(mount.parent) ? mount.parent : ''} ${mount.mountpoint}`, mount)
  const seenAt = (path: string): Mount | undefined => {
    let at: Mount | undefined
    // From the top, onto whatever lies on it; a list that was made up may lead in circles.
    const passed = new Set<Mount>()
    for (const part of pathsAbove(path).reverse()) {
      for (let next = lying.get(`${at?.id ?? ''} ${part}`); next !== undefined && !passed.has(next); ) {
        passed.add(next)
        at = next
        next = lying.get(`${at.id} ${part}`)
      }
    }
    return at
  }
  return mounts.flatMap(mount =>
    mount.filesystem !== undefined && seenAt(mount.mountpoint) === mount ? [mount.filesystem] : [],
  )
}

/** `36 25 0:30 /root /mountpoint opts shared:1 - cgroup source super,options`, with any number of fields before the dash. */
function parseLine(line: string): Mount {
  const [before = '', after = ''] = line.split(' - ', 2)
  const [id = '', parent = '', , root = '/', mountpoint = '/'] = before.split(' ', 5)
  const path = unescapedField(mountpoint)
  if (!after.startsWith('cgroup')) return { id, parent, mountpoint: path, filesystem: undefined }
  const [type, , options = ''] = after.split(' ', 3)
  const version = type === 'cgroup' ? 1 : type === 'cgroup2' ? 2 : undefined
  const filesystem = version && { version, mountpoint: path, root: unescapedField(root), options: options.split(',') }
  return { id, parent, mountpoint: path, filesystem: filesystem as CgroupFilesystem | undefined }
}

/** `/a/b` itself, `/a` and `/`. */
function pathsAbove(path: string): string[] {
  const paths = [path]
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) paths.push(path.slice(0, at))
  if (path !== '/') paths.push('/')
  return paths
}
