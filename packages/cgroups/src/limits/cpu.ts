import { ConfigInvalid } from '@libcontainer/sys'
import { LimitUnsupported } from '../errors.js'
import { type Amount, type Checks, checkAmount, checkFlag, checkLimit, type Limit } from './amount.js'
import { sharesFromWeight, weightFromShares } from './convert.js'
import { bounded, type CgroupWrite, type When } from './write.js'

/** Limits of processor time, in microseconds. A field that is not given leaves its file alone. */
export interface CpuLimits {
  /** `cpu.weight`, 1 to 10000, 100 by default: the share under competition. On v1 converted to `cpu.shares`. */
  weight?: number | undefined
  /** v1's `cpu.shares`, 2 to 262144, 1024 by default. On v2 converted to `cpu.weight`. */
  shares?: number | undefined
  /** `cpu.weight.nice`: the weight in the words of nice(1), -20 to 19. v2 only. */
  weightNice?: number | undefined
  /** The time that may be used in each period (`cpu.max`; v1: `cpu.cfs_quota_us`). */
  quotaUs?: Limit | undefined
  /** The period of the quota, 1000 to 1000000 (`cpu.max`; v1: `cpu.cfs_period_us`). */
  periodUs?: Amount | undefined
  /** What may be saved up from periods before (`cpu.max.burst`; v1: `cpu.cfs_burst_us`). Linux 5.14. */
  burstUs?: Amount | undefined
  /** `cpu.idle`: runs only when nothing else wants to. Linux 5.15. */
  idle?: boolean | undefined
  /** `cpu.rt_runtime_us`: what realtime processes may use in each `rtPeriodUs`. v1 only. */
  rtRuntimeUs?: Limit | undefined
  /** `cpu.rt_period_us`. v1 only. */
  rtPeriodUs?: Amount | undefined
  /** `cpu.uclamp.min`, in percent of a processor's capacity: the least that the frequency is chosen for. */
  uclampMin?: number | 'max' | undefined
  /** `cpu.uclamp.max`, in percent: the most that the frequency is chosen for. */
  uclampMax?: number | 'max' | undefined
}

export const cpuChecks: Checks<CpuLimits> = {
  weight: (field, value) => checkAmount(field, value, 1, 10000),
  // Outside of it the kernel takes the nearest without a word.
  shares: (field, value) => checkAmount(field, value, 2, 262144),
  quotaUs: checkLimit,
  periodUs: (field, value) => checkAmount(field, value),
  burstUs: (field, value) => checkAmount(field, value),
  idle: checkFlag,
  rtRuntimeUs: checkLimit,
  rtPeriodUs: (field, value) => checkAmount(field, value),
  weightNice: (field, value) => checkAmount(field, value, -20, 19),
  uclampMin: checkPercent,
  uclampMax: checkPercent,
}

/** The kernel takes two digits behind the point. */
function checkPercent(field: string, value: unknown): void {
  if (value === 'max' || (typeof value === 'number' && value >= 0 && value <= 100)) return
  throw new ConfigInvalid(field, value, "must be a percentage from 0 to 100, or 'max'")
}

export function cpuWrites(limits: CpuLimits, version: 1 | 2, when: When): CgroupWrite[] {
  const { weight, shares, weightNice, idle, uclampMin, uclampMax } = limits
  if (weight !== undefined && shares !== undefined) {
    throw new ConfigInvalid('cpu.shares', shares, 'says the same as cpu.weight: give one of them')
  }
  if (weightNice !== undefined && (weight ?? shares) !== undefined) {
    throw new ConfigInvalid('cpu.weightNice', weightNice, 'says the same as the weight beside it: give one of them')
  }
  if (weightNice !== undefined && version === 1) {
    throw new LimitUnsupported('cpu.weightNice', 'cpu', "cgroup v1's cpu controller has no such file: give cpu.shares")
  }
  const writes = version === 1 ? bandwidth1(limits, when) : bandwidth2(limits, when)
  const share: CgroupWrite[] = []
  if (version === 1 && (weight ?? shares) !== undefined) {
    share.push({ file: 'cpu.shares', value: String(shares ?? sharesFromWeight(weight!)) })
  } else if ((weight ?? shares) !== undefined) {
    share.push({ file: 'cpu.weight', value: String(weight ?? weightFromShares(shares!)) })
  }
  if (weightNice !== undefined) share.push({ file: 'cpu.weight.nice', value: String(weightNice) })
  for (const [file, value] of Object.entries({ 'cpu.uclamp.min': uclampMin, 'cpu.uclamp.max': uclampMax })) {
    if (value !== undefined) writes.push({ file, value: value === 'max' ? value : value.toFixed(2) })
  }
  if (idle === undefined) return [...share, ...writes]
  // An idle cgroup refuses a weight: the weight before idle comes, or after it goes.
  const word: CgroupWrite = { file: 'cpu.idle', value: idle ? '1' : '0' }
  return idle ? [...share, word, ...writes] : [word, ...share, ...writes]
}

function bandwidth1({ quotaUs, periodUs, burstUs, rtRuntimeUs, rtPeriodUs }: CpuLimits, when: When): CgroupWrite[] {
  const write = (file: string, value: Limit | undefined): CgroupWrite[] =>
    value === undefined ? [] : [{ file, value: value === 'max' ? '-1' : String(value) }]
  const period = write('cpu.cfs_period_us', periodUs)
  const quota = write('cpu.cfs_quota_us', quotaUs)
  const burst = write('cpu.cfs_burst_us', burstUs)
  const realtime = [...write('cpu.rt_period_us', rtPeriodUs), ...write('cpu.rt_runtime_us', rtRuntimeUs)]
  return when === 'create'
    ? [...realtime, ...period, ...quota, ...burst]
    : [...bounded(realtime), ...bounded([...burst, ...period, ...quota])]
}

function bandwidth2({ quotaUs, periodUs, burstUs, rtRuntimeUs, rtPeriodUs }: CpuLimits, when: When): CgroupWrite[] {
  for (const [field, value] of Object.entries({ rtRuntimeUs, rtPeriodUs })) {
    if (value !== undefined) {
      throw new LimitUnsupported(
        `cpu.${field}`,
        'cpu',
        "cgroup v2's cpu controller has no limit for realtime processes",
      )
    }
  }
  const max: CgroupWrite[] = []
  if (quotaUs === undefined && periodUs !== undefined && when === 'set') {
    throw new ConfigInvalid('cpu.periodUs', periodUs, 'needs cpu.quotaUs beside it: cpu.max is written with its quota')
  }
  if (periodUs !== undefined) max.push({ file: 'cpu.max', value: `${quotaUs ?? 'max'} ${periodUs}` })
  else if (quotaUs !== undefined) max.push({ file: 'cpu.max', value: String(quotaUs) })
  const burst: CgroupWrite[] = burstUs === undefined ? [] : [{ file: 'cpu.max.burst', value: String(burstUs) }]
  return when === 'create' ? [...max, ...burst] : bounded([...burst, ...max])
}
