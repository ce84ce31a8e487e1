import { type ClassicDisk, type ClassicLimits, limitsFromClassic } from '@libcontainer/cgroups'
import type { ContainerCgroups } from '@libcontainer/container'
import { ConfigInvalid } from '@libcontainer/sys'
import { deviceRules } from './devices.js'
import { noKernelMemory, noTcpMemory } from './kernel-memory.js'
import { isGiven } from './refuse.js'
import type { Integer, SpecBlockIO, SpecMemory, SpecResources } from './spec.js'

const AT = 'linux.resources'

/**
 * `linux.resources` as limits: those of a config.json, and those that `update --resources` reads.
 *
 * @throws {ConfigInvalid} with the place in the file, also for what is of the specification and not done yet
 */
export function limitsOf(resources: SpecResources = {}, warn: (text: string) => void = () => {}): ContainerCgroups {
  const { devices, memory = {}, cpu = {}, pids, blockIO, hugepageLimits, network, rdma, unified } = resources
  const classic: ClassicLimits = {
    memory: limit('memory.limit', memory.limit),
    memory_reservation: limit('memory.reservation', memory.reservation),
    memory_swap: limit('memory.swap', memory.swap),
    memory_swappiness: swappiness(memory.swappiness),
    oom_kill_disable: memory.disableOOMKiller,
    use_hierarchy: memory.useHierarchy,
    cpu_shares: cpu.shares === undefined ? undefined : Number(cpu.shares),
    cpu_quota: limit('cpu.quota', cpu.quota),
    cpu_period: cpu.period,
    cpu_burst: cpu.burst,
    cpu_idle: cpu.idle === undefined ? undefined : idle(cpu.idle),
    cpu_rt_quota: limit('cpu.realtimeRuntime', cpu.realtimeRuntime),
    cpu_rt_period: cpu.realtimePeriod,
    cpuset_cpus: cpu.cpus,
    cpuset_mems: cpu.mems,
    pids_limit: pids?.limit,
    ...disks(blockIO),
    // Here 0 is a limit: Kubernetes says of every pod that it may have no huge pages.
    hugetlb_limit: hugepageLimits?.map(({ pageSize, limit }) => ({ page_size: pageSize, limit })),
    net_cls_classid: network?.classID,
    net_prio_ifpriomap: network?.priorities?.map(({ name, priority }) => ({ interface: name, priority })),
    rdma: rdma && Object.fromEntries(Object.entries(rdma).map(([device, limits]) => [device, handles(limits)])),
  }
  warnOfKernelMemory(memory, warn)
  const { devices: _, unified: __, ...limits } = limitsFromClassic(classic)
  const { checkBeforeUpdate } = memory
  return {
    ...limits,
    devices: deviceRules(devices),
    ...(isGiven(unified) ? { unified } : {}),
    ...(checkBeforeUpdate === undefined ? {} : { checkBeforeUpdate }),
  }
}

/** -1 is no limit, and 0 nothing said: what the encoders of engines write for an empty field. */
function limit(name: string, value: Integer | undefined): Integer | undefined {
  if (value !== undefined && value < -1)
    throw new ConfigInvalid(`${AT}.${name}`, value, 'must be -1 for no limit, or more')
  return value
}

function swappiness(value: Integer | undefined): Integer | undefined {
  if (value !== undefined && value > 100)
    throw new ConfigInvalid(`${AT}.memory.swappiness`, value, 'must be from 0 to 100')
  return value
}

function idle(value: Integer): number {
  if (value !== 0 && value !== 1)
    throw new ConfigInvalid(`${AT}.cpu.idle`, value, 'must be 0, or 1 to run only when nothing else wants to')
  return value
}

function warnOfKernelMemory({ kernel, kernelTCP, useHierarchy }: SpecMemory, warn: (text: string) => void): void {
  if (kernel !== undefined && Number(kernel) !== 0) warn(noKernelMemory(`${AT}.memory.kernel`))
  if (kernelTCP !== undefined && Number(kernelTCP) !== 0) warn(noTcpMemory(`${AT}.memory.kernelTCP`))
  if (useHierarchy === false) warn(`${AT}.memory.useHierarchy: changes nothing, cgroups are counted in their parents`)
}

function disks(blockIO: SpecBlockIO = {}): Partial<ClassicLimits> {
  const { weight, leafWeight, weightDevice = [] } = blockIO
  const weights = weightDevice.map((device, i): ClassicDisk => {
    const at = `${AT}.blockIO.weightDevice[${i}]`
    const { weight, leafWeight } = device
    if (!weight && !leafWeight) throw new ConfigInvalid(at, device, 'has neither a weight nor a leafWeight')
    return {
      ...numbers(at, device),
      weight: weightOf(`${at}.weight`, weight),
      leafWeight: weightOf(`${at}.leafWeight`, leafWeight),
    }
  })
  const rates = (name: Throttle): ClassicDisk[] =>
    (blockIO[name] ?? []).map((device, i) => {
      const at = `${AT}.blockIO.${name}[${i}]`
      const { rate } = device
      if (rate === undefined) throw new ConfigInvalid(at, device, 'has no rate')
      if (rate > MOST) throw new ConfigInvalid(`${at}.rate`, rate, `must be at most ${MOST}`)
      return { ...numbers(at, device), rate }
    })
  return {
    blkio_weight: weight,
    blkio_leaf_weight: leafWeight,
    blkio_weight_device: weights,
    blkio_throttle_read_bps_device: rates('throttleReadBpsDevice'),
    blkio_throttle_write_bps_device: rates('throttleWriteBpsDevice'),
    blkio_throttle_read_iops_device: rates('throttleReadIOPSDevice'),
    blkio_throttle_write_iops_device: rates('throttleWriteIOPSDevice'),
  }
}

type Throttle = Exclude<keyof SpecBlockIO, 'weight' | 'leafWeight' | 'weightDevice'>

/* Looked at here, since their places are not known any more when all that is said of one disk has come together. */

/** What the kernel counts to. */
const MOST = 2n ** 63n - 1n
/** Of device numbers. */
const LARGEST = 2 ** 20 - 1

/** 0 is not given. */
function weightOf(at: string, weight: number | undefined): number | undefined {
  if (weight && (weight < 10 || weight > 1000))
    throw new ConfigInvalid(at, weight, 'must be a whole number from 10 to 1000')
  return weight
}

type Numbers<T> = Readonly<Record<'major' | 'minor', T>>

function numbers(at: string, { major, minor }: Numbers<Integer>): Numbers<number> {
  for (const [name, value] of Object.entries({ major, minor })) {
    if (value < 0 || value > LARGEST)
      throw new ConfigInvalid(`${at}.${name}`, value, `must be a whole number from 0 to ${LARGEST}`)
  }
  return { major: Number(major), minor: Number(minor) }
}

const handles = ({ hcaHandles, hcaObjects }: { hcaHandles?: number; hcaObjects?: number }) => ({
  hca_handles: hcaHandles ?? null,
  hca_objects: hcaObjects ?? null,
})
