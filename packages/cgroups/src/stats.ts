import { parseList } from './cpuset.js'
import { type CgroupHost, hierarchyOf } from './host.js'
import type { Place } from './place.js'
import { type FileOf, parseExact, parseFlat, readFiles } from './read.js'

/** A snapshot. A controller that the host lacks is absent, and so is a number that its kernel does not count. */
export interface CgroupStats {
  readonly memory?: MemoryStats
  readonly cpu?: CpuStats
  readonly pids?: PidsStats
  readonly cpuset?: CpusetStats
}

/** In bytes. */
export interface MemoryStats {
  readonly current: number
  /** The most that was ever used. v2: Linux 5.19. */
  readonly peak?: number | undefined
  readonly max: number | 'max'
  readonly swapCurrent?: number | undefined
  /** Of swap alone on v2, of memory and swap together on v1. */
  readonly swapMax?: number | 'max' | undefined
  /** How often the limit was met. */
  readonly maxCount?: number | undefined
  /** Processes that the OOM killer ended. */
  readonly oomKillCount?: number | undefined
  /** `memory.stat`, all of it; a bigint beyond 2^53. */
  readonly stat: ReadonlyMap<string, number | bigint>
}

/** In microseconds; v1 counts nanoseconds, which show as fractions. */
export interface CpuStats {
  readonly usageUs: number
  readonly userUs?: number | undefined
  readonly systemUs?: number | undefined
  /** Periods of the quota, those in which it was used up, and the time waited for the next. */
  readonly nrPeriods?: number | undefined
  readonly nrThrottled?: number | undefined
  readonly throttledUs?: number | undefined
}

export interface PidsStats {
  readonly current: number
  readonly max: number | 'max'
  /** Linux 6.1 and later. */
  readonly peak?: number | undefined
}

export interface CpusetStats {
  /** What is asked for; empty on v2 where nothing is. */
  readonly cpus: readonly number[]
  readonly mems: readonly number[]
  /** What is granted. */
  readonly effectiveCpus: readonly number[]
  readonly effectiveMems: readonly number[]
}

export type StatsController = keyof CgroupStats

/** Reads a file's text by its name, `undefined` where it is absent. */
type Read = (file: string, controller?: string) => string | undefined

interface Source<T> {
  readonly controller: string
  readonly files: (version: 1 | 2, noPrefix: boolean) => readonly (readonly [controller: string, file: string])[]
  readonly parse: (read: Read, version: 1 | 2) => T | undefined
}

const memory: Source<MemoryStats> = {
  controller: 'memory',
  files: version =>
    (version === 1
      ? [
          'memory.usage_in_bytes',
          'memory.max_usage_in_bytes',
          'memory.limit_in_bytes',
          'memory.memsw.usage_in_bytes',
          'memory.memsw.limit_in_bytes',
          'memory.failcnt',
          'memory.memsw.failcnt',
          'memory.oom_control',
          'memory.stat',
        ]
      : [
          'memory.current',
          'memory.peak',
          'memory.max',
          'memory.swap.current',
          'memory.swap.max',
          'memory.events',
          'memory.stat',
        ]
    ).map(file => ['memory', file] as const),
  parse: (read, version) => (version === 1 ? memory1(read) : memory2(read)),
}

function memory1(read: Read): MemoryStats | undefined {
  const current = number(read('memory.usage_in_bytes'))
  if (current === undefined) return undefined
  const sum = number(read('memory.memsw.usage_in_bytes'))
  return {
    current,
    peak: number(read('memory.max_usage_in_bytes')),
    max: limit(read('memory.limit_in_bytes')) ?? 'max',
    swapCurrent: sum === undefined ? undefined : Math.max(0, sum - current),
    swapMax: limit(read('memory.memsw.limit_in_bytes')),
    // The smaller of the two limits is met first, and it alone counts.
    maxCount: (number(read('memory.failcnt')) ?? 0) + (number(read('memory.memsw.failcnt')) ?? 0),
    oomKillCount: parseFlat(read('memory.oom_control') ?? '').get('oom_kill'),
    stat: parseExact(read('memory.stat') ?? ''),
  }
}

function memory2(read: Read): MemoryStats | undefined {
  const current = number(read('memory.current'))
  if (current === undefined) return undefined
  const events = parseFlat(read('memory.events') ?? '')
  return {
    current,
    peak: number(read('memory.peak')),
    max: limit(read('memory.max')) ?? 'max',
    swapCurrent: number(read('memory.swap.current')),
    swapMax: limit(read('memory.swap.max')),
    maxCount: events.get('max'),
    oomKillCount: events.get('oom_kill'),
    stat: parseExact(read('memory.stat') ?? ''),
  }
}

const cpu: Source<CpuStats> = {
  controller: 'cpu',
  files: version =>
    version === 1
      ? [
          ['cpu', 'cpu.stat'],
          ['cpuacct', 'cpuacct.usage'],
          ['cpuacct', 'cpuacct.usage_user'],
          ['cpuacct', 'cpuacct.usage_sys'],
        ]
      : [['', 'cpu.stat']],
  parse: (read, version) => {
    const stat = parseFlat(read('cpu.stat', version === 1 ? 'cpu' : '') ?? '')
    if (version === 2) {
      const usageUs = stat.get('usage_usec')
      if (usageUs === undefined) return undefined
      return {
        usageUs,
        userUs: stat.get('user_usec'),
        systemUs: stat.get('system_usec'),
        ...throttling(stat, stat.get('throttled_usec')),
      }
    }
    const fromNs = (text: string | undefined): number | undefined =>
      text === undefined ? undefined : Number(text) / 1000
    const usageUs = fromNs(read('cpuacct.usage', 'cpuacct'))
    const throttledNs = stat.get('throttled_time')
    if (usageUs === undefined && throttledNs === undefined) return undefined
    return {
      usageUs: usageUs ?? 0,
      userUs: fromNs(read('cpuacct.usage_user', 'cpuacct')),
      systemUs: fromNs(read('cpuacct.usage_sys', 'cpuacct')),
      ...throttling(stat, throttledNs === undefined ? undefined : throttledNs / 1000),
    }
  },
}

const throttling = (stat: ReadonlyMap<string, number>, throttledUs: number | undefined): Partial<CpuStats> => ({
  nrPeriods: stat.get('nr_periods'),
  nrThrottled: stat.get('nr_throttled'),
  throttledUs,
})

const pids: Source<PidsStats> = {
  controller: 'pids',
  files: () => ['pids.current', 'pids.max', 'pids.peak'].map(file => ['pids', file] as const),
  parse: read => {
    const current = number(read('pids.current'))
    return current === undefined
      ? undefined
      : { current, max: limit(read('pids.max')) ?? 'max', peak: number(read('pids.peak')) }
  },
}

const cpuset: Source<CpusetStats> = {
  controller: 'cpuset',
  files: (version, noPrefix) => {
    const prefix = noPrefix ? '' : 'cpuset.'
    const granted = version === 1 ? ['effective_cpus', 'effective_mems'] : ['cpus.effective', 'mems.effective']
    return ['cpus', 'mems', ...granted].map(file => ['cpuset', prefix + file] as const)
  },
  parse: (read, version) => {
    const list = (file: string): number[] | undefined => {
      const text = read(`cpuset.${file}`) ?? read(file)
      return text === undefined ? undefined : parseList(text)
    }
    const effective = list(version === 1 ? 'effective_cpus' : 'cpus.effective')
    if (effective === undefined) return undefined
    return {
      cpus: list('cpus') ?? [],
      mems: list('mems') ?? [],
      effectiveCpus: effective,
      effectiveMems: list(version === 1 ? 'effective_mems' : 'mems.effective') ?? [],
    }
  },
}

const sources = { memory, cpu, pids, cpuset } satisfies { [K in StatsController]: Source<NonNullable<CgroupStats[K]>> }

export const statsControllers = Object.keys(sources) as readonly StatsController[]

/** Reads the statistics of a cgroup: one native call for all its files. */
export async function readStats(
  host: CgroupHost,
  places: readonly Place[],
  controllers: readonly StatsController[],
): Promise<CgroupStats> {
  const files: FileOf[] = []
  const keys: string[] = []
  const versions = new Map<StatsController, 1 | 2>()
  for (const name of controllers) {
    const hierarchy =
      hierarchyOf(host, name) ?? (name === 'cpu' ? (hierarchyOf(host, 'cpuacct') ?? hierarchyOf(host, '')) : undefined)
    if (hierarchy === undefined) continue
    versions.set(name, hierarchy.version)
    for (const [controller, file] of sources[name].files(hierarchy.version, hierarchy.noPrefix)) {
      const of = hierarchyOf(host, controller)
      const place = of && places.find(one => one.hierarchy === of)
      if (place === undefined) continue
      files.push({ place, file })
      keys.push(`${controller} ${file}`)
    }
  }
  const texts = await readFiles(files, 16384)
  const byKey = new Map(keys.map((key, i) => [key, texts[i]!]))
  const stats: { -readonly [K in StatsController]?: unknown } = {}
  for (const [name, version] of versions) {
    const source = sources[name]
    const parsed = source.parse((file, controller = source.controller) => {
      const text = byKey.get(`${controller} ${file}`)
      return typeof text === 'string' ? text : undefined
    }, version)
    if (parsed !== undefined) stats[name] = parsed
  }
  return stats as CgroupStats
}

const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

/** v1 has no word for "no limit": it shows the largest number of whole pages. */
function limit(text: string | undefined): number | 'max' | undefined {
  if (text === undefined) return undefined
  const value = text.trim()
  return value === 'max' || Number(value) >= 2 ** 62 ? 'max' : Number(value)
}
