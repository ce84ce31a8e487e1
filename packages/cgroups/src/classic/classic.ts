import { ConfigInvalid } from '@libcontainer/sys'
import type { DeviceRule } from '../devices/rule.js'
import { type Amount, checkWhole, type Limit } from '../limits/amount.js'
import type { Limits } from '../limits/limits.js'
import { type ClassicFurther, classicHugetlb, classicIo, classicNet, classicRdma } from './further.js'

/**
 * Limits in the words of libcontainer's `container.json` and of OCI: 0 for what is not given, -1 for no limit, memory and swap together.
 */
export interface ClassicLimits extends ClassicFurther {
  memory?: Amount | undefined
  memory_reservation?: Amount | undefined
  /** Memory and swap together. */
  memory_swap?: Amount | undefined
  memory_swappiness?: Amount | null | undefined
  oom_kill_disable?: boolean | undefined
  /** Of the kernel itself: before Linux 5.16. */
  kernel_memory?: Amount | undefined
  kernel_memory_tcp?: Amount | undefined
  use_hierarchy?: boolean | undefined
  cpu_shares?: number | undefined
  cpu_weight?: number | undefined
  cpu_quota?: Amount | undefined
  cpu_period?: Amount | undefined
  cpu_burst?: Amount | null | undefined
  cpu_idle?: number | null | undefined
  cpu_rt_quota?: Amount | undefined
  cpu_rt_period?: Amount | undefined
  cpuset_cpus?: string | undefined
  cpuset_mems?: string | undefined
  /** `null` is not given; 0 becomes 1, as systemd has it. */
  pids_limit?: Amount | null | undefined
  /** Without it only `allowed_devices` may be used; with it all but `denied_devices`. */
  allow_all_devices?: boolean | undefined
  allowed_devices?: readonly ClassicDevice[] | undefined
  denied_devices?: readonly ClassicDevice[] | undefined
  /** Ordered rules, which win over the two lists. */
  devices?: readonly ClassicRule[] | undefined
  unified?: Readonly<Record<string, string>> | undefined
}

/** A device of the classic lists. -1 is every number. */
export interface ClassicDevice {
  readonly type: string | number
  readonly major: number
  readonly minor: number
  readonly permissions: string
}

export interface ClassicRule extends ClassicDevice {
  readonly allow: boolean
}

/** The limits that classic ones mean. */
export function limitsFromClassic(classic: ClassicLimits): Limits {
  const { cpu_idle: idle, memory_swappiness: swappiness } = classic
  const max = classicLimit('memory', classic.memory)
  const sum = classicLimit('memory_swap', classic.memory_swap)
  return {
    memory: {
      max,
      // Memory without a limit and no word about swap: swap has none either.
      memswMax: sum ?? (max === 'max' ? 'max' : undefined),
      low: classicLimit('memory_reservation', classic.memory_reservation),
      swappiness: swappiness === null || swappiness === undefined || swappiness < 0 ? undefined : swappiness,
      oomKillDisable: classic.oom_kill_disable ? true : undefined,
      kernelMax: classicLimit('kernel_memory', classic.kernel_memory),
      kernelTcpMax: classicLimit('kernel_memory_tcp', classic.kernel_memory_tcp),
      useHierarchy: classic.use_hierarchy ? true : undefined,
    },
    cpu: {
      shares: classic.cpu_shares || undefined,
      weight: classic.cpu_weight || undefined,
      quotaUs: classicLimit('cpu_quota', classic.cpu_quota),
      periodUs: classic.cpu_period || undefined,
      burstUs: classic.cpu_burst ?? undefined,
      idle: idle === null || idle === undefined ? undefined : idle !== 0,
      rtRuntimeUs: classicLimit('cpu_rt_quota', classic.cpu_rt_quota),
      rtPeriodUs: classic.cpu_rt_period || undefined,
    },
    cpuset: { cpus: classic.cpuset_cpus || undefined, mems: classic.cpuset_mems || undefined },
    pids: { max: pidsMax(classic.pids_limit) },
    io: classicIo(classic),
    hugetlb: classicHugetlb(classic.hugetlb_limit),
    rdma: classicRdma(classic.rdma),
    ...classicNet(classic),
    devices: classicDevices(classic),
    unified: classic.unified,
  }
}

function pidsMax(limit: Amount | null | undefined): Limit | undefined {
  if (limit === null || limit === undefined) return undefined
  checkWhole('pids_limit', limit)
  return limit < 0 ? 'max' : Number(limit) === 0 ? 1 : limit
}

function classicLimit(field: string, value: Amount | undefined): Limit | undefined {
  if (value === undefined || Number(value) === 0) return undefined
  checkWhole(field, value)
  if (value < -1) throw new ConfigInvalid(field, value, 'must be -1 for no limit, 0 for not given, or more')
  return value < 0 ? 'max' : value
}

function classicDevices(classic: ClassicLimits): DeviceRule[] | undefined {
  const { allow_all_devices: all, allowed_devices: allowed, denied_devices: denied, devices } = classic
  if (devices !== undefined) return devices.map(rule => deviceRule(rule, rule.allow))
  if (all === undefined && allowed === undefined && denied === undefined) return undefined
  if (all) return [{ allow: true, type: 'a' }, ...(denied ?? []).map(device => deviceRule(device, false))]
  return [{ allow: false, type: 'a' }, ...(allowed ?? []).map(device => deviceRule(device, true))]
}

function deviceRule({ type, major, minor, permissions }: ClassicDevice, allow: boolean): DeviceRule {
  // The first libcontainer wrote the letter as its code.
  const letter = typeof type === 'number' ? String.fromCharCode(type) : type
  if (letter === 'a') return { allow, type: 'a' }
  const number = (n: number): number | undefined => (n === -1 ? undefined : n)
  return {
    allow,
    type: (letter === 'u' ? 'c' : letter) as 'c',
    major: number(major),
    minor: number(minor),
    access: permissions,
  }
}
