import { parseFlat } from '../read.js'
import { lines, type Pressure, parsePressure, type Source } from './source.js'

/** In microseconds; v1 counts nanoseconds, which show as fractions. */
export interface CpuStats {
  readonly usageUs: number
  readonly userUs?: number | undefined
  readonly systemUs?: number | undefined
  /** Of that, what was nice. v2, Linux 6.11. */
  readonly niceUs?: number | undefined
  /** By processor. v1. */
  readonly perCpu?: readonly CpuTime[] | undefined
  /** Periods of the quota, those in which it was used up, and the time waited for the next. */
  readonly nrPeriods?: number | undefined
  readonly nrThrottled?: number | undefined
  readonly throttledUs?: number | undefined
  /** Periods in which more than the quota was used, and how much more. Linux 5.14. */
  readonly nrBursts?: number | undefined
  readonly burstUs?: number | undefined
  readonly pressure?: Pressure | undefined
}

export interface CpuTime {
  readonly userUs: number
  readonly systemUs: number
}

export const cpuSource: Source<CpuStats> = {
  controllers: ['cpu', 'cpuacct', ''],
  files: ({ version }) => [
    ...(version === 1
      ? ([
          ['cpu', 'cpu.stat'],
          ['cpuacct', 'cpuacct.usage'],
          ['cpuacct', 'cpuacct.usage_user'],
          ['cpuacct', 'cpuacct.usage_sys'],
          ['cpuacct', 'cpuacct.usage_all'],
        ] as const)
      : ([['', 'cpu.stat']] as const)),
    ['', 'cpu.pressure'],
  ],
  parse: (read, { version }) => {
    const stat = parseFlat(read('cpu.stat') ?? '')
    const pressure = parsePressure(read('cpu.pressure'))
    const periods = {
      nrPeriods: stat.get('nr_periods'),
      nrThrottled: stat.get('nr_throttled'),
      nrBursts: stat.get('nr_bursts'),
    }
    if (version === 2) {
      const usageUs = stat.get('usage_usec')
      if (usageUs === undefined) return undefined
      return {
        usageUs,
        userUs: stat.get('user_usec'),
        systemUs: stat.get('system_usec'),
        niceUs: stat.get('nice_usec'),
        ...periods,
        throttledUs: stat.get('throttled_usec'),
        burstUs: stat.get('burst_usec'),
        pressure,
      }
    }
    const usageUs = fromNs(read('cpuacct.usage'))
    const throttledUs = fromNs(stat.get('throttled_time'))
    if (usageUs === undefined && throttledUs === undefined) return undefined
    return {
      usageUs: usageUs ?? 0,
      userUs: fromNs(read('cpuacct.usage_user')),
      systemUs: fromNs(read('cpuacct.usage_sys')),
      perCpu: perCpu(read('cpuacct.usage_all')),
      ...periods,
      throttledUs,
      burstUs: fromNs(stat.get('burst_time')),
      pressure,
    }
  },
}

const fromNs = (ns: string | number | undefined): number | undefined =>
  ns === undefined ? undefined : Number(ns) / 1000

/** `cpu user system`, and a line for each processor. */
const perCpu = (text: string | undefined): CpuTime[] | undefined =>
  text === undefined
    ? undefined
    : lines(text)
        .slice(1)
        .map(([, user, system]) => ({ userUs: fromNs(user)!, systemUs: fromNs(system)! }))
