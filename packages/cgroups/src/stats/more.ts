import { parseList } from '../limits/cpuset.js'
import { parseFlat } from '../read.js'
import { limit, lines, number, pairs, type Read, type Source } from './source.js'

export interface PidsStats {
  readonly current: number
  readonly max: number | 'max'
  /** Linux 6.1 and later. */
  readonly peak?: number | undefined
  /** How often somebody could not fork for the limit. */
  readonly maxCount?: number | undefined
}

export const pidsSource: Source<PidsStats> = {
  controllers: ['pids'],
  files: () => ['current', 'max', 'peak', 'events'].map(file => ['pids', `pids.${file}`] as const),
  parse: read => {
    const current = number(read('pids.current'))
    if (current === undefined) return undefined
    return {
      current,
      max: limit(read('pids.max')) ?? 'max',
      peak: number(read('pids.peak')),
      maxCount: parseFlat(read('pids.events') ?? '').get('max'),
    }
  },
}

export interface CpusetStats {
  /** What is asked for; empty on v2 where nothing is. */
  readonly cpus: readonly number[]
  readonly mems: readonly number[]
  /** What is granted. */
  readonly effectiveCpus: readonly number[]
  readonly effectiveMems: readonly number[]
  /** v2's `cpuset.cpus.partition`, with the reason where one cannot be. */
  readonly partition?: string | undefined
  /** v1's files by their names: `cpu_exclusive`, `mem_hardwall`, `sched_relax_domain_level` and the others. */
  readonly flags?: ReadonlyMap<string, number> | undefined
}

const FLAGS = [
  'cpu_exclusive',
  'mem_exclusive',
  'mem_hardwall',
  'memory_migrate',
  'memory_pressure',
  'memory_spread_page',
  'memory_spread_slab',
  'sched_load_balance',
  'sched_relax_domain_level',
]

export const cpusetSource: Source<CpusetStats> = {
  controllers: ['cpuset'],
  files: ({ version, noPrefix }) => {
    const files =
      version === 1
        ? ['cpus', 'mems', 'effective_cpus', 'effective_mems', ...FLAGS]
        : ['cpus', 'mems', 'cpus.effective', 'mems.effective', 'cpus.partition']
    return files.map(file => ['cpuset', (noPrefix ? '' : 'cpuset.') + file] as const)
  },
  parse: (read, { version, noPrefix }) => {
    const text = (file: string): string | undefined => read((noPrefix ? '' : 'cpuset.') + file)
    const list = (file: string): number[] | undefined => {
      const value = text(file)
      return value === undefined ? undefined : parseList(value)
    }
    const effectiveCpus = list(version === 1 ? 'effective_cpus' : 'cpus.effective')
    if (effectiveCpus === undefined) return undefined
    const flags = version === 2 ? [] : FLAGS.map(file => [file, number(text(file))] as const)
    return {
      cpus: list('cpus') ?? [],
      mems: list('mems') ?? [],
      effectiveCpus,
      effectiveMems: list(version === 1 ? 'effective_mems' : 'mems.effective') ?? [],
      partition: text('cpus.partition')?.trim(),
      flags:
        version === 2 ? undefined : new Map(flags.filter((flag): flag is [string, number] => flag[1] !== undefined)),
    }
  },
}

/** Huge pages of one size, in bytes. */
export interface HugetlbPageStats {
  readonly current: number
  readonly max: number | 'max'
  /** The most that was ever used. v1. */
  readonly peak?: number | undefined
  /** How often the limit was met. */
  readonly maxCount?: number | undefined
  /** What is reserved. Linux 5.7. */
  readonly rsvdCurrent?: number | undefined
  readonly rsvdMax?: number | 'max' | undefined
}

/** By the size: `2MB`. */
export type HugetlbStats = ReadonlyMap<string, HugetlbPageStats>

const HUGETLB1 = [
  'usage_in_bytes',
  'limit_in_bytes',
  'max_usage_in_bytes',
  'failcnt',
  'rsvd.usage_in_bytes',
  'rsvd.limit_in_bytes',
]
const HUGETLB2 = ['current', 'max', 'events', 'rsvd.current', 'rsvd.max']

export const hugetlbSource: Source<HugetlbStats> = {
  controllers: ['hugetlb'],
  files: ({ version, hugePageSizes }) =>
    hugePageSizes.flatMap(size =>
      (version === 1 ? HUGETLB1 : HUGETLB2).map(file => ['hugetlb', `hugetlb.${size}.${file}`] as const),
    ),
  parse: (read, { version, hugePageSizes }) => {
    const sizes = new Map<string, HugetlbPageStats>()
    for (const size of hugePageSizes) {
      const stats = hugetlb(file => read(`hugetlb.${size}.${file}`), version)
      if (stats !== undefined) sizes.set(size, stats)
    }
    return sizes.size === 0 ? undefined : sizes
  },
}

function hugetlb(read: Read, version: 1 | 2): HugetlbPageStats | undefined {
  const current = number(read(version === 1 ? 'usage_in_bytes' : 'current'))
  if (current === undefined) return undefined
  const word = version === 1 ? 'limit_in_bytes' : 'max'
  return {
    current,
    max: limit(read(word)) ?? 'max',
    peak: number(read('max_usage_in_bytes')),
    maxCount: version === 1 ? number(read('failcnt')) : parseFlat(read('events') ?? '').get('max'),
    rsvdCurrent: number(read(version === 1 ? 'rsvd.usage_in_bytes' : 'rsvd.current')),
    rsvdMax: limit(read(`rsvd.${word}`)),
  }
}

export interface RdmaDeviceStats {
  readonly hcaHandle: number
  readonly hcaObject: number
  readonly hcaHandleMax: number | 'max'
  readonly hcaObjectMax: number | 'max'
}

/** By the device: `mlx5_0`. */
export type RdmaStats = ReadonlyMap<string, RdmaDeviceStats>

export const rdmaSource: Source<RdmaStats> = {
  controllers: ['rdma'],
  files: () => ['rdma.current', 'rdma.max'].map(file => ['rdma', file] as const),
  parse: read => {
    const [current, max] = [read('rdma.current'), read('rdma.max')].map(text =>
      text === undefined ? undefined : new Map(lines(text).map(([device = '', ...words]) => [device, pairs(words)])),
    )
    if (current === undefined) return undefined
    return new Map(
      [...current].map(([device, used]) => [
        device,
        {
          hcaHandle: Number(used.get('hca_handle') ?? 0),
          hcaObject: Number(used.get('hca_object') ?? 0),
          hcaHandleMax: max?.get(device)?.get('hca_handle') ?? 'max',
          hcaObjectMax: max?.get(device)?.get('hca_object') ?? 'max',
        },
      ]),
    )
  },
}

export interface MiscResourceStats {
  readonly current: number
  readonly max: number | 'max'
  /** Linux 6.11. */
  readonly peak?: number | undefined
  /** How often the limit was met. Linux 5.15. */
  readonly maxCount?: number | undefined
}

/** By the resource: `sev`. */
export type MiscStats = ReadonlyMap<string, MiscResourceStats>

export const miscSource: Source<MiscStats> = {
  controllers: ['misc'],
  files: () => ['current', 'max', 'peak', 'events'].map(file => ['misc', `misc.${file}`] as const),
  parse: read => {
    const current = read('misc.current')
    if (current === undefined) return undefined
    const max = new Map(lines(read('misc.max')).map(([name = '', value]) => [name, limit(value)]))
    const peak = parseFlat(read('misc.peak') ?? '')
    const events = parseFlat(read('misc.events') ?? '')
    const resources = [...parseFlat(current)].map(([name, used]): [string, MiscResourceStats] => [
      name,
      { current: used, max: max.get(name) ?? 'max', peak: peak.get(name), maxCount: events.get(`${name}.max`) },
    ])
    return new Map(resources)
  },
}

export interface FreezerStats {
  /** Whether it was told to stop, and whether one above it was. */
  readonly selfFreezing: boolean
  readonly parentFreezing: boolean
  /** Whether all in it stand. */
  readonly frozen: boolean
}

export const freezerSource: Source<FreezerStats> = {
  controllers: ['freezer', ''],
  files: () => [
    ['freezer', 'freezer.self_freezing'],
    ['freezer', 'freezer.parent_freezing'],
    ['freezer', 'freezer.state'],
    ['', 'cgroup.freeze'],
    ['', 'cgroup.events'],
  ],
  parse: read => {
    const [self, parent, state] = ['self_freezing', 'parent_freezing', 'state'].map(file =>
      read(`freezer.${file}`)?.trim(),
    )
    const [asked, events] = [read('cgroup.freeze')?.trim(), read('cgroup.events')]
    if (state === undefined && asked === undefined) return undefined
    const frozen = state === 'FROZEN' || events?.includes('frozen 1') === true
    const selfFreezing = self === '1' || asked === '1'
    // v2 does not tell of those above.
    return { selfFreezing, parentFreezing: parent === '1' || (frozen && !selfFreezing), frozen }
  },
}
