import type { Amount, Limit } from '../limits/amount.js'
import { ioWeightFromBlkio, sharesFromWeight, swapFromMemsw, weightFromShares } from '../limits/convert.js'
import type { CpuLimits } from '../limits/cpu.js'
import { parseList } from '../limits/cpuset.js'
import type { Limits } from '../limits/limits.js'
import { unifiedEntries } from '../limits/unified.js'
import { INFINITY, type UnitProperty } from './property.js'

export interface PropertyContext {
  /** Of the cgroups that systemd keeps its controllers in. */
  readonly version: 1 | 2
  /** Of systemd. */
  readonly systemd: number
  /** What only a new unit takes is left out of a change. */
  readonly when: 'create' | 'set'
}

/** The first version of systemd that has a property, of those that were not always there. */
const since: Readonly<Record<string, number>> = {
  AllowedCPUs: 244,
  AllowedMemoryNodes: 244,
  CPUQuotaPeriodUSec: 242,
  MemoryMin: 240,
  OOMPolicy: 253,
}

/** The first whose CPUWeight may be 0, which is `cpu.idle`. */
const IDLE_SINCE = 252

const SECOND_US = 1_000_000n
const DEFAULT_PERIOD_US = 100_000n
/** systemd keeps quotas in hundredths: 10 ms in each second. */
const PERCENT_US = 10_000n

/** What systemd has to know of limits so that it does not undo them: the rest it leaves alone. Pure. */
export function limitProperties(limits: Limits, context: PropertyContext): UnitProperty[] {
  const { version } = context
  const properties = version === 1 ? properties1(limits) : properties2(limits, context)
  // Of one that is said twice the later holds, as it does in the files.
  const last = new Map(properties.map(property => [property.name, property]))
  return [...last.values()].filter(({ name }) => context.systemd >= (since[name] ?? 0))
}

function properties1(limits: Limits): UnitProperty[] {
  const { memory, cpu, io } = limits
  return [
    ...amount('MemoryLimit', memory?.max),
    ...amount('CPUShares', cpu?.shares ?? (cpu?.weight === undefined ? undefined : sharesFromWeight(cpu.weight))),
    ...quota(cpu),
    ...amount('BlockIOWeight', io?.blkioWeight),
    ...common(limits),
  ]
}

function properties2(limits: Limits, context: PropertyContext): UnitProperty[] {
  const { memory, cpu, io, unified } = limits
  const weight = cpu?.weight ?? (cpu?.shares === undefined ? undefined : weightFromShares(cpu.shares))
  const swap = memory?.memswMax === undefined ? memory?.swapMax : swapFromMemsw(memory.max, memory.memswMax)
  return [
    ...amount('MemoryMin', memory?.min),
    ...amount('MemoryLow', memory?.low),
    ...amount('MemoryHigh', memory?.high),
    ...amount('MemoryMax', memory?.max),
    ...amount('MemorySwapMax', swap),
    ...(memory?.oomGroup === undefined ? [] : oomPolicy(memory.oomGroup, context)),
    ...amount('CPUWeight', weight),
    ...(cpu?.idle && context.systemd >= IDLE_SINCE ? amount('CPUWeight', 0) : []),
    ...quota(cpu),
    ...amount(
      'IOWeight',
      io?.weight ?? (io?.blkioWeight === undefined ? undefined : ioWeightFromBlkio(io.blkioWeight)),
    ),
    ...common(limits),
    ...(unified === undefined
      ? []
      : unifiedEntries(unified).flatMap(([file, text]) => ofFile(file, text.trim(), context))),
  ]
}

function common({ pids, cpuset }: Limits): UnitProperty[] {
  return [
    ...amount('TasksMax', pids?.max),
    ...list('AllowedCPUs', cpuset?.cpus),
    ...list('AllowedMemoryNodes', cpuset?.mems),
  ]
}

const amount = (name: string, value: Limit | undefined): UnitProperty[] =>
  value === undefined ? [] : [{ name, type: 't', value: value === 'max' ? INFINITY : BigInt(value) }]

const list = (name: string, text: string | undefined): UnitProperty[] =>
  text === undefined ? [] : [{ name, type: 'ay', value: bitsOfList(text, name) }]

/** A new unit alone takes it. */
const oomPolicy = (group: boolean, { when }: PropertyContext): UnitProperty[] =>
  when === 'create' ? [{ name: 'OOMPolicy', type: 's', value: group ? 'kill' : 'continue' }] : []

function quota(cpu: CpuLimits | undefined): UnitProperty[] {
  if (cpu?.quotaUs === undefined) return cpu?.periodUs === undefined ? [] : amount('CPUQuotaPeriodUSec', cpu.periodUs)
  const period = BigInt(cpu.periodUs ?? DEFAULT_PERIOD_US)
  const each = cpu.quotaUs === 'max' ? 'max' : perSecond(BigInt(cpu.quotaUs), period)
  return [
    ...amount('CPUQuotaPerSecUSec', each),
    ...(cpu.periodUs === undefined ? [] : amount('CPUQuotaPeriodUSec', cpu.periodUs)),
  ]
}

/** A quota for each second, rounded up to what systemd can keep. */
function perSecond(quotaUs: bigint, periodUs: bigint): bigint {
  if (periodUs === 0n) return 0n
  const exact = (quotaUs * SECOND_US) / periodUs
  return ((exact + PERCENT_US - 1n) / PERCENT_US) * PERCENT_US
}

/** Limits whose quota is what systemd makes of it, so that the file says the same before and after systemd writes it. */
export function roundQuota(limits: Limits): Limits {
  const { quotaUs, periodUs } = limits.cpu ?? {}
  if (quotaUs === undefined || quotaUs === 'max') return limits
  const period = BigInt(periodUs ?? DEFAULT_PERIOD_US)
  const rounded = (perSecond(BigInt(quotaUs), period) * period) / SECOND_US
  return { ...limits, cpu: { ...limits.cpu, quotaUs: asGiven(rounded, quotaUs) } }
}

const asGiven = (value: bigint, like: Amount): Amount => (typeof like === 'bigint' ? value : Number(value))

/** Processors or nodes as systemd has them: bit n of the bytes, the lowest first, is number n. */
export function bitsOfList(text: string, field = 'list'): Uint8Array {
  const numbers = parseList(text, field)
  const bytes = new Uint8Array(Math.floor(numbers.reduce((most, n) => Math.max(most, n), -8) / 8) + 1)
  for (const n of numbers) bytes[n >> 3]! |= 1 << (n & 7)
  return bytes
}

/** The property that a raw file is; none for files that systemd does not know. */
function ofFile(file: string, text: string, context: PropertyContext): UnitProperty[] {
  const whole = /^\d+$/.test(text) ? BigInt(text) : text === 'max' ? 'max' : undefined
  switch (file) {
    case 'cpu.max': {
      const [, quotaUs, periodUs] = /^(max|\d+)(?:\s+(\d+))?$/.exec(text) ?? []
      if (quotaUs === undefined) return []
      return quota({
        quotaUs: quotaUs === 'max' ? 'max' : BigInt(quotaUs),
        periodUs: periodUs === undefined ? undefined : BigInt(periodUs),
      })
    }
    case 'cpu.idle':
      return text === '1' && context.systemd >= IDLE_SINCE ? amount('CPUWeight', 0) : []
    case 'cpuset.cpus':
      return list('AllowedCPUs', text)
    case 'cpuset.mems':
      return list('AllowedMemoryNodes', text)
    case 'memory.oom.group':
      return text === '0' || text === '1' ? oomPolicy(text === '1', context) : []
    default:
      return Object.hasOwn(plainFiles, file) ? amount(plainFiles[file]!, whole) : []
  }
}

/** Files that hold one number, or `max`. */
const plainFiles: Readonly<Record<string, string>> = {
  'cpu.weight': 'CPUWeight',
  'memory.min': 'MemoryMin',
  'memory.low': 'MemoryLow',
  'memory.high': 'MemoryHigh',
  'memory.max': 'MemoryMax',
  'memory.swap.max': 'MemorySwapMax',
  'pids.max': 'TasksMax',
}
