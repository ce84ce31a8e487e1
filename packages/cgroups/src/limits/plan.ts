import { DevicePolicy } from '../devices/policy.js'
import { assembleDeviceProgram } from '../devices/program.js'
import { LimitUnsupported } from '../errors.js'
import { type CgroupHost, type Hierarchy, hierarchyOf } from '../host/host.js'
import type { Place } from '../host/place.js'
import { cpuWrites } from './cpu.js'
import { cpusetWrites } from './cpuset.js'
import { hugetlbWrites } from './hugetlb.js'
import { ioWrites } from './io-writes.js'
import { checkLimits, type Limits } from './limits.js'
import { memoryWrites } from './memory.js'
import { miscWrites } from './misc.js'
import { netClsWrites, netPrioWrites } from './net.js'
import { pidsWrites } from './pids.js'
import { rdmaWrites } from './rdma.js'
import { unifiedWrites } from './unified.js'
import type { CgroupWrite, When } from './write.js'

/** A write of a plan, in its place. */
export interface PlannedWrite extends CgroupWrite {
  readonly controller: string
  readonly place: Place
}

/** The eBPF program that decides about devices on cgroup v2, in place of the one before. */
export interface PlannedProgram {
  readonly controller: 'devices'
  readonly place: Place
  readonly program: Uint8Array<ArrayBuffer>
  readonly policy: DevicePolicy
}

export type Planned = PlannedWrite | PlannedProgram

export interface PlanContext {
  readonly host: CgroupHost
  readonly places: readonly Place[]
  readonly when: When
  /** What `devices.list` of a v1 cgroup says, when it is changed. */
  readonly devices?: DevicePolicy | undefined
}

/** What brings a cgroup to these limits, in the kernel's order. Pure: nothing is touched. */
export function planLimits(limits: Limits, context: PlanContext): Planned[] {
  checkLimits(limits)
  const { host, places, when } = context
  const at = (controller: string, place: Place, writes: readonly CgroupWrite[]): PlannedWrite[] =>
    writes.map(write => ({ ...write, controller, place }))
  const planned: Planned[] = []
  for (const { field, controllers, writes } of sources) {
    if (!isGiven(limits[field])) continue
    const { controller, place } = placeFor(field, controllers, context)
    planned.push(...at(controller, place, writes(limits, place.hierarchy, when)))
  }
  const { devices, unified } = limits
  if (devices !== undefined) planned.push(...planDevices(DevicePolicy.of(devices), context))
  if (unified !== undefined) {
    const hierarchy = hierarchyOf(host, '')
    const place = places.find(one => one.hierarchy === hierarchy)
    const writes = unifiedWrites(unified, place?.hierarchy.controllers)
    if (place !== undefined) {
      for (const write of writes) planned.push(...at(write.file.slice(0, write.file.indexOf('.')), place, [write]))
    }
  }
  return planned
}

interface Source {
  readonly field: Exclude<keyof Limits, 'devices' | 'unified'>
  /** Its names: the first that is mounted has it. */
  readonly controllers: readonly [string, ...string[]]
  readonly writes: (limits: Limits, hierarchy: Hierarchy, when: When) => CgroupWrite[]
}

/** In the order of the writes. Which processors and nodes come first: v1 takes no process into an empty cpuset. */
const sources: readonly Source[] = [
  {
    field: 'cpuset',
    controllers: ['cpuset'],
    writes: ({ cpuset }, of) => cpusetWrites(cpuset!, of.version, of.noPrefix),
  },
  { field: 'cpu', controllers: ['cpu'], writes: ({ cpu }, { version }, when) => cpuWrites(cpu!, version, when) },
  {
    field: 'memory',
    controllers: ['memory'],
    writes: ({ memory }, of, when) => memoryWrites(memory!, of.version, when),
  },
  { field: 'io', controllers: ['blkio', 'io'], writes: ({ io }, { version }) => ioWrites(io!, version) },
  { field: 'hugetlb', controllers: ['hugetlb'], writes: ({ hugetlb }, of) => hugetlbWrites(hugetlb!, of.version) },
  { field: 'pids', controllers: ['pids'], writes: ({ pids }) => pidsWrites(pids!) },
  { field: 'rdma', controllers: ['rdma'], writes: ({ rdma }) => rdmaWrites(rdma!) },
  { field: 'misc', controllers: ['misc'], writes: ({ misc }) => miscWrites(misc!) },
  { field: 'netCls', controllers: ['net_cls'], writes: ({ netCls }) => netClsWrites(netCls!) },
  { field: 'netPrio', controllers: ['net_prio'], writes: ({ netPrio }) => netPrioWrites(netPrio!) },
]

/** The controllers, by all their names, that these limits need. */
export const limitedControllers = (limits: Limits): string[] =>
  sources.flatMap(({ field, controllers }) => (isGiven(limits[field]) ? controllers : []))

/** Whether any field of a controller's limits is given: `{ memory: {} }` asks for nothing, and so does a map without entries. */
function isGiven<T extends object>(limits: T | undefined): limits is T {
  if (limits === undefined) return false
  if (limits instanceof Map) return limits.size > 0
  for (const key in limits) if (limits[key] !== undefined) return true
  return false
}

function planDevices(policy: DevicePolicy, { places, devices }: PlanContext): Planned[] {
  const old = places.find(({ hierarchy }) => hierarchy.controllers.includes('devices') && hierarchy.version === 1)
  if (old !== undefined) {
    return policy
      .writes(devices)
      .map(({ file, value, skip }) => ({ file, value, skip, controller: 'devices', place: old }))
  }
  const place = places.find(({ hierarchy }) => hierarchy.version === 2)
  if (place === undefined) {
    throw new LimitUnsupported(
      'devices',
      'devices',
      'neither the devices controller of cgroup v1 nor cgroup v2 is mounted',
      remedy('devices'),
    )
  }
  return [{ controller: 'devices', place, policy, program: assembleDeviceProgram(policy) }]
}

/** The place that obeys a limit, and the name that its controller has there. */
function placeFor(
  field: string,
  controllers: readonly [string, ...string[]],
  { host, places }: PlanContext,
): { controller: string; place: Place } {
  for (const controller of controllers) {
    const hierarchy = hierarchyOf(host, controller)
    const place = places.find(one => one.hierarchy === hierarchy)
    if (hierarchy !== undefined && place !== undefined) return { controller, place }
  }
  const mounted = controllers.find(name => hierarchyOf(host, name) !== undefined)
  throw absent(field, mounted ?? controllers[host.mode === 'v2' ? controllers.length - 1 : 0]!, host)
}

/** Which line of the kernel's, of systemd's or of a shell would bring the controller. */
function absent(field: string, controller: string, host: CgroupHost): LimitUnsupported {
  const replacement = ONLY_V1.get(controller)
  if (host.mode === 'v2' && replacement !== undefined) {
    return new LimitUnsupported(field, controller, `cgroup v2 has no ${controller} controller`, replacement)
  }
  if (host.mode === 'v2') {
    const top = hierarchyOf(host, '')!.mountpoint
    return new LimitUnsupported(
      field,
      controller,
      `this host has no ${controller} controller: ${top}/cgroup.controllers does not list it`,
      `where a parent has it: echo +${controller} > ${top}/cgroup.subtree_control there; with systemd: Delegate=${controller}; else the kernel was built or booted without it`,
    )
  }
  const problem =
    hierarchyOf(host, controller) === undefined
      ? `the ${controller} controller is not mounted`
      : `the cgroup has no directory in the hierarchy of the ${controller} controller`
  return new LimitUnsupported(field, controller, problem, remedy(controller))
}

const ONLY_V1: ReadonlyMap<string, string> = new Map([
  ['net_cls', 'match its packets by path: nft … socket cgroupv2 level 1 "name", or iptables -m cgroup --path name'],
  ['net_prio', 'set the priority of its packets: nft … socket cgroupv2 level 1 "name" meta priority set …'],
])

const remedy = (controller: string): string =>
  `mkdir -p /sys/fs/cgroup/${controller} && mount -t cgroup -o ${controller} cgroup /sys/fs/cgroup/${controller}`
