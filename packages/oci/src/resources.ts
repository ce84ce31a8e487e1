import { type ClassicLimits, limitsFromClassic } from '@libcontainer/cgroups'
import type { ContainerCgroups } from '@libcontainer/container'
import { ConfigInvalid } from '@libcontainer/sys'
import { deviceRules } from './devices.js'
import { noKernelMemory, noTcpMemory } from './kernel-memory.js'
import { isGiven, refuseLater } from './refuse.js'
import type { Integer, SpecBlockIO, SpecMemory, SpecResources } from './spec.js'

const AT = 'linux.resources'
const CGROUPS = '@libcontainer/cgroups'

/**
 * `linux.resources` as limits: those of a config.json, and those that `update --resources` reads.
 *
 * @throws {ConfigInvalid} with the place in the file, also for what is of the specification and not done yet
 */
export function limitsOf(resources: SpecResources = {}, warn: (text: string) => void = () => {}): ContainerCgroups {
  const { devices, memory = {}, cpu = {}, pids, blockIO, hugepageLimits, network, rdma, unified } = resources
  refuseBlockIO(blockIO)
  refuseLater(`${AT}.network.priorities`, network?.priorities, CGROUPS)
  if (network?.classID) refuseLater(`${AT}.network.classID`, [network.classID], CGROUPS)
  refuseLater(`${AT}.rdma`, rdma, CGROUPS)
  refuseLater(`${AT}.memory.checkBeforeUpdate`, memory.checkBeforeUpdate, CGROUPS)
  const classic: ClassicLimits = {
    memory: limit('memory.limit', memory.limit),
    memory_reservation: limit('memory.reservation', memory.reservation),
    memory_swap: limit('memory.swap', memory.swap),
    memory_swappiness: swappiness(memory.swappiness),
    oom_kill_disable: memory.disableOOMKiller,
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
  }
  warnOfKernelMemory(memory, warn)
  const { devices: _, unified: __, ...limits } = limitsFromClassic(classic)
  return {
    ...limits,
    ...(hugepageLimits?.length ? { hugetlb: hugetlbOf(hugepageLimits) } : {}),
    devices: deviceRules(devices),
    ...(isGiven(unified) ? { unified } : {}),
  }
}

/** Here 0 is a limit: Kubernetes says of every pod that it may have no huge pages. */
function hugetlbOf(limits: NonNullable<SpecResources['hugepageLimits']>): NonNullable<ContainerCgroups['hugetlb']> {
  return Object.fromEntries(limits.map(({ pageSize, limit }) => [pageSize, limit > MOST ? 'max' : limit]))
}

/** What the kernel counts to; the specification's numbers go further. */
const MOST = 2n ** 63n - 1n

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

function refuseBlockIO(blockIO: SpecBlockIO = {}): void {
  const { weight, leafWeight, ...lists } = blockIO
  for (const [name, value] of Object.entries({ weight, leafWeight }))
    if (value) refuseLater(`${AT}.blockIO.${name}`, [value], CGROUPS)
  for (const [name, value] of Object.entries(lists)) refuseLater(`${AT}.blockIO.${name}`, value, CGROUPS)
}
