import { LibcontainerError, readText, readTextIfPresent, remembered } from '@libcontainer/sys'
import { type CgroupFilesystem, parseCgroupMounts } from './mounts.js'

/** A mounted hierarchy of cgroups. */
export interface Hierarchy {
  readonly version: 1 | 2
  /**
   * Its controllers by the kernel's names; of a named hierarchy `name=systemd`. Of version 2 what `cgroup.controllers` lists at the mount
   * point.
   */
  readonly controllers: readonly string[]
  readonly mountpoint: string
  /** The cgroup of this process, as a path below the mount point without a `/` at its start: `''` is the top. */
  readonly own: string
  /** Its files lack the controller's name (`cpus` for `cpuset.cpus`): an old mount option. */
  readonly noPrefix: boolean
}

/** What this process sees of cgroups. */
export interface CgroupHost {
  /** `v2` for cgroup2 alone, `hybrid` when it stands beside v1 controllers, `none` when nothing is mounted. */
  readonly mode: 'v1' | 'v2' | 'hybrid' | 'none'
  /** The unified hierarchy first. */
  readonly hierarchies: readonly Hierarchy[]
}

export interface HostTexts {
  /** /proc/self/mountinfo */
  readonly mountinfo: string
  /** /proc/self/cgroup */
  readonly cgroup: string
  /** `cgroup.controllers` at a mount point of cgroup2. */
  readonly controllers: (mountpoint: string) => string
}

/** The host that these texts tell of. Pure. */
export function describeHost({ mountinfo, ...texts }: HostTexts): CgroupHost {
  return describe(parseCgroupMounts(mountinfo), texts)
}

function describe(mounts: readonly CgroupFilesystem[], texts: Omit<HostTexts, 'mountinfo'>): CgroupHost {
  const hierarchies: Hierarchy[] = []
  for (const [key, path] of parseCgroupFile(texts.cgroup, 'lines')) {
    const controllers = key === '' ? [] : key.split(',')
    const found = mounts.filter(mount =>
      key === '' ? mount.version === 2 : mount.version === 1 && controllers.every(name => mount.options.includes(name)),
    )
    // A hierarchy may be mounted at many places; the usual one is the one that people mean.
    const mount = found.find(({ mountpoint }) => mountpoint.startsWith('/sys/fs/cgroup')) ?? found[0]
    if (mount === undefined) continue
    hierarchies.push({
      version: mount.version,
      controllers: key === '' ? texts.controllers(mount.mountpoint).split(/\s+/).filter(Boolean) : controllers,
      mountpoint: mount.mountpoint,
      own: belowMount(mount, path),
      noPrefix: mount.options.includes('noprefix'),
    })
  }
  hierarchies.sort((a, b) => b.version - a.version)
  const unified = hierarchies[0]?.version === 2
  const controlled = hierarchies.some(({ version }) => version === 1)
  return { mode: unified ? (controlled ? 'hybrid' : 'v2') : controlled ? 'v1' : 'none', hierarchies }
}

/** A path of /proc/self/cgroup starts at the hierarchy's top, which may lie above what is mounted. */
function belowMount(mount: CgroupFilesystem, path: string): string {
  const root = mount.root === '/' ? '' : mount.root
  const below = root === '' || path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : ''
  const own = withoutSlashes(below)
  return own.startsWith('..') ? '' : own
}

/** Around it. By hand, as what follows: every command of the executable looks at a dozen, and a pattern takes as long as all else. */
function withoutSlashes(path: string): string {
  let from = 0
  let to = path.length
  while (path[from] === '/') from++
  while (to > from && path[to - 1] === '/') to--
  return path.slice(from, to)
}

let look = remembered(probe)

/**
 * This host, looked at once in a process.
 *
 * @param options.refresh - looks again: after a mount, or when the process has been moved. Default: `false`
 */
export function cgroupHost({ refresh = false }: { refresh?: boolean } = {}): Promise<CgroupHost> {
  if (refresh) look = remembered(probe)
  return look()
}

async function probe(): Promise<CgroupHost> {
  const [mountinfo, cgroup] = await Promise.all([readText('/proc/self/mountinfo'), readText('/proc/self/cgroup')])
  const mounts = parseCgroupMounts(mountinfo)
  const texts = new Map<string, string>()
  for (const { version, mountpoint } of mounts) {
    if (version === 2) texts.set(mountpoint, (await readTextIfPresent(`${mountpoint}/cgroup.controllers`)) ?? '')
  }
  return describe(mounts, { cgroup, controllers: mountpoint => texts.get(mountpoint) ?? '' })
}

/**
 * What /proc/PID/cgroup says: the path by controller, `''` for the unified hierarchy.
 *
 * @param keys - `lines` keeps controllers of one hierarchy together (`cpu,cpuacct`). Default: one entry a controller
 */
export function parseCgroupFile(text: string, keys: 'controllers' | 'lines' = 'controllers'): Map<string, string> {
  const paths = new Map<string, string>()
  for (const line of text.split('\n')) {
    // A path may hold colons: only the first two part the line.
    const first = line.indexOf(':')
    const second = line.indexOf(':', first + 1)
    if (first < 1 || second < 0 || !Number.isInteger(Number(line.slice(0, first)))) continue
    const key = line.slice(first + 1, second)
    const path = line.slice(second + 1)
    for (const name of keys === 'lines' ? [key] : key.split(',')) paths.set(name, path)
  }
  return paths
}

/** The hierarchy that has a controller (`memory`, `name=systemd`; `''` is the unified one), if one is mounted. */
export function hierarchyOf(host: CgroupHost, controller: string): Hierarchy | undefined {
  return host.hierarchies.find(({ version, controllers }) =>
    controller === '' ? version === 2 : controllers.includes(controller),
  )
}

/** Where the hierarchy of a controller is mounted. @throws {LibcontainerError} `NotFound`, with the controller's name */
export function findCgroupMountpoint(host: CgroupHost, controller: string): string {
  const found = hierarchyOf(host, controller)
  if (found === undefined)
    throw notFound(controller === '' ? 'the unified hierarchy' : `the controller '${controller}'`)
  return found.mountpoint
}

/** The directory that holds the mount points of the v1 hierarchies. @throws {LibcontainerError} `NotFound` without any */
export function findCgroupMountpointDir(host: CgroupHost): string {
  const first = host.hierarchies.find(({ version }) => version === 1)
  if (first === undefined) throw notFound('cgroup')
  return first.mountpoint.replace(/\/[^/]*$/, '') || '/'
}

/** Every mounted v1 hierarchy: its mount point, this process' cgroup in it, and its controllers. */
export function getCgroupMounts(host: CgroupHost): { mountpoint: string; root: string; subsystems: string[] }[] {
  return host.hierarchies
    .filter(({ version }) => version === 1)
    .map(({ mountpoint, own, controllers }) => ({ mountpoint, root: `/${own}`, subsystems: [...controllers] }))
}

/** The controllers that the kernel has: on v2 also `devices` and `freezer`, which are built into it. */
export async function getAllSubsystems(host: CgroupHost): Promise<string[]> {
  const unified = hierarchyOf(host, '')
  if (host.mode === 'v2' && unified !== undefined) return ['devices', 'freezer', ...unified.controllers]
  return parseSubsystems(await readText('/proc/cgroups'))
}

/** The enabled rows of /proc/cgroups: `name hierarchy cgroups enabled`. */
export function parseSubsystems(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.split(/\s+/))
    .filter(([name, , , enabled]) => name && !name.startsWith('#') && enabled === '1')
    .map(([name]) => name!)
}

/** The cgroup of this process in the hierarchy of a controller, as /proc tells it. @throws {LibcontainerError} `NotFound` */
export async function getThisCgroupDir(controller: string): Promise<string> {
  return cgroupDir('/proc/self/cgroup', controller)
}

/** The same of pid 1. */
export async function getInitCgroupDir(controller: string): Promise<string> {
  return cgroupDir('/proc/1/cgroup', controller)
}

async function cgroupDir(file: string, controller: string): Promise<string> {
  const path = parseCgroupFile(await readText(file)).get(controller)
  if (path === undefined) throw notFound(`${controller || 'the unified hierarchy'} in ${file}`)
  return path
}

const notFound = (what: string): LibcontainerError =>
  new LibcontainerError('NotFound', `no mounted cgroup hierarchy: ${what}`, {
    hint: 'mount it, or look with: grep cgroup /proc/self/mountinfo',
  })
