import { type Availability, isErrno, O_WRONLY, openFile, type Probe, probeEach, unavailable } from '@libcontainer/sys'
import { DELEGATED_SCOPE, findDelegation } from './host/delegation.js'
import { type CgroupHost, cgroupHost, type Hierarchy, hierarchyOf } from './host/host.js'

const controllers = ['cpu', 'cpuset', 'devices', 'freezer', 'hugetlb', 'io', 'memory', 'pids', 'rdma'] as const
type Controller = (typeof controllers)[number]

/** What version 2 has without a controller for it. */
const builtIn: readonly Controller[] = ['devices', 'freezer']

/**
 * Which cgroups this host has mounted, and which controllers this process may use: of its own accord, or as an ordinary user in a
 * subtree that was delegated to it.
 */
export async function probe(): Promise<Probe<'v1' | 'v2' | 'delegation' | Controller>> {
  const host = cgroupHost({ refresh: true })
  const version = (wanted: 1 | 2) => async (): Promise<Availability> => {
    const found = (await host).hierarchies.filter(({ version }) => version === wanted)
    if (found.length === 0) return unavailable(`no hierarchy of version ${wanted} is mounted`)
    return { available: true, detail: found.map(({ mountpoint }) => mountpoint).join(', ') }
  }
  const byController = Object.fromEntries(controllers.map(name => [name, async () => controller(name, await host)]))
  return await probeEach({
    v1: version(1),
    v2: version(2),
    delegation: async () => {
      const found = await findDelegation({ host: await host })
      return (
        found?.path ??
        unavailable("no cgroup of the unified hierarchy is this user's", `start it by: ${DELEGATED_SCOPE}`)
      )
    },
    ...(byController as Record<Controller, () => Promise<Availability>>),
  })
}

async function controller(name: Controller, host: CgroupHost): Promise<Availability> {
  const unified = hierarchyOf(host, '')
  const hierarchy =
    hierarchyOf(host, name === 'io' ? 'blkio' : name) ??
    hierarchyOf(host, name) ??
    (builtIn.includes(name) ? unified : undefined)
  if (hierarchy === undefined) return unavailable(`no mounted hierarchy has the controller ${name}`)
  return await usable(hierarchy, name, host)
}

async function usable(hierarchy: Hierarchy, name: Controller, host: CgroupHost): Promise<Availability> {
  const detail = `v${hierarchy.version}`
  try {
    const procs = await openFile(`${hierarchy.mountpoint}/cgroup.procs`, O_WRONLY)
    procs.close()
    return { available: true, detail }
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) throw error
    const delegated = await findDelegation({ host })
    const within = delegated?.host.hierarchies[0]?.controllers ?? []
    if (delegated !== undefined && (within.includes(name) || builtIn.includes(name)))
      return { available: true, detail: `${detail}, below ${delegated.path}` }
    // A subtree of version 1 is never handed to an ordinary user.
    const hint =
      hierarchy.version === 1 ? 'run as root, or boot with cgroup v2 alone' : `start it by: ${DELEGATED_SCOPE}`
    return unavailable(`${error.code}: this user may not use ${hierarchy.mountpoint}`, hint)
  }
}
