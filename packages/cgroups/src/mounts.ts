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
  const byId = new Map(mounts.map(mount => [mount.id, mount]))
  const byPath = new Map<string, Mount[]>()
  for (const mount of mounts) {
    const there = byPath.get(mount.mountpoint)
    if (there === undefined) byPath.set(mount.mountpoint, [mount])
    else there.push(mount)
  }
  const visible = (mount: Mount, above: readonly Mount[]): boolean => {
    const chain = [mount]
    let at = byId.get(mount.parent)
    for (; at !== undefined && !chain.includes(at); at = byId.get(at.parent)) chain.push(at)
    // A mount above or at our path, through which ours was not mounted, hides ours, unless it is hidden itself.
    const hides = (other: Mount): boolean =>
      !chain.includes(other) && !above.includes(other) && visible(other, [...above, mount])
    return !pathsAbove(mount.mountpoint).some(path => byPath.get(path)?.some(hides) ?? false)
  }
  return mounts.flatMap(mount => (mount.filesystem !== undefined && visible(mount, []) ? [mount.filesystem] : []))
}

/** `36 25 0:30 /root /mountpoint opts shared:1 - cgroup source super,options`, with any number of fields before the dash. */
function parseLine(line: string): Mount {
  const [before = '', after = ''] = line.split(' - ', 2)
  const [id = '', parent = '', , root = '/', mountpoint = '/'] = before.split(' ', 5)
  const path = unescaped(mountpoint)
  if (!after.startsWith('cgroup')) return { id, parent, mountpoint: path, filesystem: undefined }
  const [type, , options = ''] = after.split(' ', 3)
  const version = type === 'cgroup' ? 1 : type === 'cgroup2' ? 2 : undefined
  const filesystem = version && { version, mountpoint: path, root: unescaped(root), options: options.split(',') }
  return { id, parent, mountpoint: path, filesystem: filesystem as CgroupFilesystem | undefined }
}

const unescaped = (text: string): string =>
  text.includes('\\')
    ? text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    : text

/** `/a/b` itself, `/a` and `/`. */
function pathsAbove(path: string): string[] {
  const paths = [path]
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) paths.push(path.slice(0, at))
  if (path !== '/') paths.push('/')
  return paths
}
