import { parseExact, parseFlat } from '../read.js'
import { limit, number, type Pressure, parsePressure, type Read, type Source } from './source.js'

/** In bytes. */
export interface MemoryStats {
  readonly current: number
  /** The most that was ever used. v2: Linux 5.19. */
  readonly peak?: number | undefined
  readonly max: number | 'max'
  /** v2's other limits. */
  readonly high?: number | 'max' | undefined
  readonly low?: number | 'max' | undefined
  readonly min?: number | 'max' | undefined
  readonly swapCurrent?: number | undefined
  /** The most swap that was ever used. v2, Linux 6.5. */
  readonly swapPeak?: number | undefined
  /** Of swap alone on v2, of memory and swap together on v1. */
  readonly swapMax?: number | 'max' | undefined
  readonly zswapCurrent?: number | undefined
  /** How often a limit was met. */
  readonly maxCount?: number | undefined
  /** Processes that the OOM killer ended. */
  readonly oomKillCount?: number | undefined
  /** v1's counters, each with a limit of its own: memory and swap together, the kernel's own, and buffers of TCP. */
  readonly memsw?: MemoryCounter | undefined
  readonly kernel?: MemoryCounter | undefined
  readonly kernelTcp?: MemoryCounter | undefined
  /** How often memory's own limit was met: `maxCount` without that of memory and swap. v1. */
  readonly failCount?: number | undefined
  /** v1: whether what is below counts too. */
  readonly useHierarchy?: boolean | undefined
  /** v2's `memory.events`: `low`, `high`, `max`, `oom`, `oom_kill`, `oom_group_kill`. */
  readonly events?: ReadonlyMap<string, number> | undefined
  /** `memory.stat`, all of it; a bigint beyond 2^53. */
  readonly stat: ReadonlyMap<string, number | bigint>
  /** `memory.numa_stat` by its keys: by node, in bytes on v2, in pages on v1. */
  readonly numa?: ReadonlyMap<string, NumaCount> | undefined
  readonly pressure?: Pressure | undefined
}

export interface MemoryCounter {
  readonly current: number
  readonly peak: number
  readonly max: number | 'max'
  readonly failCount: number
}

export interface NumaCount {
  /** All nodes together, where the kernel says it: v1. */
  readonly total?: number | undefined
  /** By the node's number. */
  readonly nodes: ReadonlyMap<number, number>
}

/** The files of a counter of v1. */
const counterFiles = (name: string) =>
  ({
    current: `${name}.usage_in_bytes`,
    peak: `${name}.max_usage_in_bytes`,
    max: `${name}.limit_in_bytes`,
    failCount: `${name}.failcnt`,
  }) as const

const OWN = counterFiles('memory')
const MEMSW = counterFiles('memory.memsw')
const KERNEL = counterFiles('memory.kmem')
const KERNEL_TCP = counterFiles('memory.kmem.tcp')

const FILES1 = [
  ...[OWN, MEMSW, KERNEL, KERNEL_TCP].flatMap(files => Object.values(files)),
  'memory.oom_control',
  'memory.use_hierarchy',
  'memory.stat',
  'memory.numa_stat',
]

const FILES2 = [
  ...['current', 'peak', 'max', 'high', 'low', 'min', 'swap.current', 'swap.peak', 'swap.max', 'zswap.current'],
  ...['events', 'stat', 'numa_stat'],
].map(file => `memory.${file}`)

export const memorySource: Source<MemoryStats> = {
  controllers: ['memory'],
  files: ({ version }) => [
    ...(version === 1 ? FILES1 : FILES2).map(file => ['memory', file] as const),
    ['', 'memory.pressure'],
  ],
  parse: (read, { version }) => (version === 1 ? memory1(read) : memory2(read)),
}

function memory1(read: Read): MemoryStats | undefined {
  const own = counter(read, OWN)
  if (own === undefined) return undefined
  const memsw = counter(read, MEMSW)
  return {
    current: own.current,
    peak: own.peak,
    max: own.max,
    swapCurrent: memsw && Math.max(0, memsw.current - own.current),
    swapMax: memsw?.max,
    // The smaller of the two limits is met first, and it alone counts.
    maxCount: own.failCount + (memsw?.failCount ?? 0),
    failCount: own.failCount,
    oomKillCount: parseFlat(read('memory.oom_control') ?? '').get('oom_kill'),
    memsw,
    kernel: counter(read, KERNEL),
    kernelTcp: counter(read, KERNEL_TCP),
    useHierarchy: read('memory.use_hierarchy')?.startsWith('1'),
    stat: parseExact(read('memory.stat') ?? ''),
    numa: numa(read('memory.numa_stat')),
    pressure: parsePressure(read('memory.pressure')),
  }
}

function counter(read: Read, files: ReturnType<typeof counterFiles>): MemoryCounter | undefined {
  const current = number(read(files.current))
  if (current === undefined) return undefined
  return {
    current,
    peak: number(read(files.peak)) ?? current,
    max: limit(read(files.max)) ?? 'max',
    failCount: number(read(files.failCount)) ?? 0,
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
    high: limit(read('memory.high')),
    low: limit(read('memory.low')),
    min: limit(read('memory.min')),
    swapCurrent: number(read('memory.swap.current')),
    swapPeak: number(read('memory.swap.peak')),
    swapMax: limit(read('memory.swap.max')),
    zswapCurrent: number(read('memory.zswap.current')),
    maxCount: events.get('max'),
    oomKillCount: events.get('oom_kill'),
    events,
    stat: parseExact(read('memory.stat') ?? ''),
    numa: numa(read('memory.numa_stat')),
    pressure: parsePressure(read('memory.pressure')),
  }
}

/** v1: `total=5 N0=5`; v2: `anon N0=4096`. */
function numa(text: string | undefined): Map<string, NumaCount> | undefined {
  if (text === undefined) return undefined
  const counts = new Map<string, NumaCount>()
  for (const line of text.split('\n')) {
    const [first, ...words] = line.split(' ')
    if (!first) continue
    const equals = first.indexOf('=')
    const nodes = new Map<number, number>()
    for (const word of words) {
      const at = word.indexOf('=')
      nodes.set(Number(word.slice(1, at)), Number(word.slice(at + 1)))
    }
    if (equals < 0) counts.set(first, { nodes })
    else counts.set(first.slice(0, equals), { total: Number(first.slice(equals + 1)), nodes })
  }
  return counts
}

/** The top of v2 has no files of its own: what the machine has in use, by /proc/meminfo. */
export function topMemory(stat: string, meminfo: string): MemoryStats {
  const counts = parseExact(stat)
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0) * 1024
  return {
    current: Number(counts.get('anon') ?? 0) + Number(counts.get('file') ?? 0),
    max: 'max',
    swapCurrent: bytes('SwapTotal') - bytes('SwapFree'),
    swapMax: 'max',
    stat: counts,
  }
}
