import { ConfigInvalid } from '@libcontainer/sys'
import { LimitUnsupported } from '../errors.js'
import { type Checks, checkAmount, checkFlag } from './amount.js'
import type { CgroupWrite } from './write.js'

/** Which processors and memory nodes may be used, as lists: `0-3,7`. */
export interface CpusetLimits {
  /** `cpuset.cpus` */
  cpus?: string | undefined
  /** `cpuset.mems` */
  mems?: string | undefined
  /** `cpuset.cpus.exclusive`: what a partition further down may take. v2 only, Linux 6.7. */
  cpusExclusive?: string | undefined
  /** `cpuset.cpus.partition`: `root` takes its processors out of the parent's, `isolated` without balancing too. v2 only. */
  partition?: 'member' | 'root' | 'isolated' | undefined
  /** `cpuset.cpu_exclusive`: no sibling may have these processors. v1 only, and so are all below. */
  cpuExclusive?: boolean | undefined
  /** `cpuset.mem_exclusive` */
  memExclusive?: boolean | undefined
  /** `cpuset.mem_hardwall` */
  memHardwall?: boolean | undefined
  /** `cpuset.memory_migrate`: pages follow when the nodes change. v2 always does. */
  memoryMigrate?: boolean | undefined
  /** `cpuset.memory_spread_page` */
  memorySpreadPage?: boolean | undefined
  /** `cpuset.memory_spread_slab` */
  memorySpreadSlab?: boolean | undefined
  /** `cpuset.sched_load_balance` */
  schedLoadBalance?: boolean | undefined
  /** `cpuset.sched_relax_domain_level`, -1 for the system's own. */
  schedRelaxDomainLevel?: number | undefined
}

const PARTITIONS: readonly unknown[] = ['member', 'root', 'isolated']

export const cpusetChecks: Checks<CpusetLimits> = {
  cpus: checkList,
  mems: checkList,
  cpusExclusive: checkList,
  partition: (field, value) => {
    if (!PARTITIONS.includes(value)) throw new ConfigInvalid(field, value, `must be one of ${PARTITIONS.join(', ')}`)
  },
  cpuExclusive: checkFlag,
  memExclusive: checkFlag,
  memHardwall: checkFlag,
  memoryMigrate: checkFlag,
  memorySpreadPage: checkFlag,
  memorySpreadSlab: checkFlag,
  schedLoadBalance: checkFlag,
  schedRelaxDomainLevel: (field, value) => checkAmount(field, value, -1, 5),
}

/** v1's flags, by their files. */
const FLAGS = {
  cpuExclusive: 'cpu_exclusive',
  memExclusive: 'mem_exclusive',
  memHardwall: 'mem_hardwall',
  memoryMigrate: 'memory_migrate',
  memorySpreadPage: 'memory_spread_page',
  memorySpreadSlab: 'memory_spread_slab',
  schedLoadBalance: 'sched_load_balance',
  schedRelaxDomainLevel: 'sched_relax_domain_level',
} as const

function checkList(field: string, value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '')
    throw new ConfigInvalid(field, value, 'must be a list such as 0-3,7')
  parseList(value, field)
}

/** More than the processors of any kernel (8192), which a text of a few letters must not make into memory without end. */
const MOST = 65536

/** The numbers of a list as the kernel writes it, `0-3,7`. @throws {ConfigInvalid} for what is no list */
export function parseList(text: string, field = 'list'): number[] {
  const numbers: number[] = []
  for (const part of text.trim().split(',')) {
    if (text.trim() === '') break
    const match = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(part)
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
    if (match === null)
      throw new ConfigInvalid(field, text, `must be a list such as 0-3,7; '${part}' is no part of one`)
    if (to < from) throw new ConfigInvalid(field, text, `'${part}' runs backwards`)
    if (numbers.length + to - from >= MOST) throw new ConfigInvalid(field, text, `lists more than ${MOST} numbers`)
    for (let n = from; n <= to; n++) numbers.push(n)
  }
  return numbers
}

/** Mems first: v1 refuses a process in a cpuset with processors but no memory as well as the other way round. */
export function cpusetWrites(limits: CpusetLimits, version: 1 | 2, noPrefix = false): CgroupWrite[] {
  const { cpus, mems, cpusExclusive, partition } = limits
  const prefix = noPrefix ? '' : 'cpuset.'
  const writes: CgroupWrite[] = []
  if (mems !== undefined) writes.push({ file: `${prefix}mems`, value: mems.trim() })
  if (cpus !== undefined) writes.push({ file: `${prefix}cpus`, value: cpus.trim() })
  for (const [field, file] of Object.entries(FLAGS) as [keyof typeof FLAGS, string][]) {
    const value = limits[field]
    if (value === undefined) continue
    if (version === 2) throw missing(field, 'cgroup v2 has no such flag: see partition')
    writes.push({ file: prefix + file, value: String(Number(value)) })
  }
  if (version === 1) {
    for (const field of ['cpusExclusive', 'partition'] as const) {
      if (limits[field] !== undefined) throw missing(field, 'cgroup v1 has no partitions of processors')
    }
  }
  if (cpusExclusive !== undefined) writes.push({ file: 'cpuset.cpus.exclusive', value: cpusExclusive.trim() })
  // One that cannot be is taken all the same, and reads `root invalid (…)`.
  if (partition !== undefined) writes.push({ file: 'cpuset.cpus.partition', value: partition, confirm: true })
  return writes
}

const missing = (field: string, problem: string): LimitUnsupported =>
  new LimitUnsupported(`cpuset.${field}`, 'cpuset', problem)
