import { cpuWrites } from './cpu.js'
import { cpusetWrites } from './cpuset.js'
import { DevicePolicy } from './device-policy.js'
import { assembleDeviceProgram } from './device-program.js'
import { LimitUnsupported } from './errors.js'
import { type CgroupHost, hierarchyOf } from './host.js'
import { hugetlbWrites } from './hugetlb.js'
import { checkLimits, type Limits } from './limits.js'
import { memoryWrites } from './memory.js'
import { pidsWrites } from './pids.js'
import type { Place } from './place.js'
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
    writes.map(({ file, value, skip }) => ({ file, value, skip, controller, place }))
  const planned: Planned[] = []
  const { cpuset, cpu, memory, pids, hugetlb, devices, unified } = limits
  // Which processors and nodes come first: v1 takes no process into an empty cpuset.
  if (isGiven(cpuset)) {
    const place = placeFor('cpuset', 'cpuset', context)
    planned.push(...at('cpuset', place, cpusetWrites(cpuset, place.hierarchy.noPrefix)))
  }
  if (isGiven(cpu)) {
    const place = placeFor('cpu', 'cpu', context)
    planned.push(...at('cpu', place, cpuWrites(cpu, place.hierarchy.version, when)))
  }
  if (isGiven(memory)) {
    const place = placeFor('memory', 'memory', context)
    planned.push(...at('memory', place, memoryWrites(memory, place.hierarchy.version, when)))
  }
  if (isGiven(pids)) planned.push(...at('pids', placeFor('pids', 'pids', context), pidsWrites(pids)))
  if (isGiven(hugetlb)) {
    const place = placeFor('hugetlb', 'hugetlb', context)
    planned.push(...at('hugetlb', place, hugetlbWrites(hugetlb, place.hierarchy.version)))
  }
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

/** Whether any field of a controller's limits is given: `{ memory: {} }` asks for nothing. */
function isGiven<T extends object>(limits: T | undefined): limits is T {
  if (limits === undefined) return false
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

function placeFor(field: string, controller: string, { host, places }: PlanContext): Place {
  const hierarchy = hierarchyOf(host, controller)
  const place = places.find(one => one.hierarchy === hierarchy)
  if (hierarchy !== undefined && place !== undefined) return place
  if (host.mode === 'v2') {
    const top = hierarchyOf(host, '')!.mountpoint
    throw new LimitUnsupported(
      field,
      controller,
      `this host has no ${controller} controller: ${top}/cgroup.controllers does not list it`,
      `where a parent has it: echo +${controller} > ${top}/cgroup.subtree_control there; with systemd: Delegate=${controller}; else the kernel was built or booted without it`,
    )
  }
  const problem =
    hierarchy === undefined
      ? `the ${controller} controller is not mounted`
      : `the cgroup has no directory in the hierarchy of the ${controller} controller`
  throw new LimitUnsupported(field, controller, problem, remedy(controller))
}

const remedy = (controller: string): string =>
  `mkdir -p /sys/fs/cgroup/${controller} && mount -t cgroup -o ${controller} cgroup /sys/fs/cgroup/${controller}`
