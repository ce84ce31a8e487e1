import { ConfigInvalid } from '@libcontainer/sys'
import { checkLabels, checkMetricName, formatMetrics, type MetricFamily, type Sample } from './open-metrics.js'
import type { Pressure } from './source.js'
import type { CgroupStats } from './stats.js'

/** What a cgroup counts, and what it is called among others. */
export interface MetricsSource {
  readonly stats: CgroupStats
  /** What tells it from the others: `{ id: 'web' }`. Default: none, for one alone. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

export interface MetricsOptions {
  /** What the names begin with. Default: `cgroup`. */
  readonly prefix?: string | undefined
}

type Value = number | bigint | 'max' | undefined
/** Numbers of one cgroup, each with its own labels. */
type Numbers = readonly (readonly [labels: Readonly<Record<string, string>>, value: Value])[]

interface Metric extends Omit<MetricFamily, 'samples'> {
  readonly numbers: (stats: CgroupStats) => Numbers
}

const one = (value: Value): Numbers => [[{}, value]]
const seconds = (us: number | undefined): number | undefined => (us === undefined ? undefined : us / 1e6)
const entries = <T>(map: ReadonlyMap<string, T> | undefined, label: string, value: (item: T) => Value): Numbers =>
  [...(map ?? [])].map(([key, item]) => [{ [label]: key }, value(item)])

const gauge = (name: string, unit: string | undefined, help: string, numbers: Metric['numbers']): Metric => ({
  name: unit === undefined ? name : `${name}_${unit}`,
  type: 'gauge',
  unit,
  help,
  numbers,
})
const counter = (name: string, unit: string | undefined, help: string, numbers: Metric['numbers']): Metric => ({
  ...gauge(name, unit, help, numbers),
  type: 'counter',
})

type DiskNumber = 'rbytes' | 'wbytes' | 'rios' | 'wios' | 'dbytes' | 'dios'
const disks =
  (key: DiskNumber) =>
  ({ io }: CgroupStats): Numbers =>
    (io?.devices ?? []).map(device => [{ device: `${device.major}:${device.minor}` }, device[key]])

/** v1 has no table of events, and two numbers that stand in v2's. */
function memoryEvents({ memory }: CgroupStats): Numbers {
  if (memory?.events !== undefined) return entries(memory.events, 'event', count => count)
  return [
    [{ event: 'max' }, memory?.maxCount],
    [{ event: 'oom_kill' }, memory?.oomKillCount],
  ]
}

const WINDOWS = { '10': 'avg10', '60': 'avg60', '300': 'avg300' } as const

function pressures({ cpu, memory, io }: CgroupStats): [resource: string, kind: string, Pressure['some']][] {
  return Object.entries({ cpu: cpu?.pressure, memory: memory?.pressure, io: io?.pressure }).flatMap(
    ([resource, pressure]) => (['some', 'full'] as const).map(kind => [resource, kind, pressure?.[kind]] as const),
  ) as [string, string, Pressure['some']][]
}

/** In the order in which they are written. */
const metrics: readonly Metric[] = [
  gauge('memory_current', 'bytes', 'Memory in use.', ({ memory }) => one(memory?.current)),
  gauge('memory_peak', 'bytes', 'The most memory that was ever in use.', ({ memory }) => one(memory?.peak)),
  gauge('memory_max', 'bytes', 'The limit of memory.', ({ memory }) => one(memory?.max)),
  gauge('memory_swap_current', 'bytes', 'Swap in use.', ({ memory }) => one(memory?.swapCurrent)),
  gauge('memory_swap_max', 'bytes', 'The limit of swap; on v1 of memory and swap together.', ({ memory }) =>
    one(memory?.swapMax),
  ),
  counter('memory_events', undefined, 'How often a limit of memory was met, and what came of it.', memoryEvents),
  {
    name: 'memory_stat',
    type: 'unknown',
    help: 'memory.stat as the kernel has it: bytes, pages and events.',
    numbers: ({ memory }) => entries(memory?.stat, 'key', value => value),
  },
  counter('cpu_usage', 'seconds', 'Time on processors.', ({ cpu }) => one(seconds(cpu?.usageUs))),
  counter('cpu_user', 'seconds', 'Of that, in programs.', ({ cpu }) => one(seconds(cpu?.userUs))),
  counter('cpu_system', 'seconds', 'Of that, in the kernel.', ({ cpu }) => one(seconds(cpu?.systemUs))),
  counter('cpu_periods', undefined, 'Periods of the quota.', ({ cpu }) => one(cpu?.nrPeriods)),
  counter('cpu_throttled_periods', undefined, 'Of them, those in which it was used up.', ({ cpu }) =>
    one(cpu?.nrThrottled),
  ),
  counter('cpu_throttled', 'seconds', 'Time waited for the next period.', ({ cpu }) => one(seconds(cpu?.throttledUs))),
  gauge('pids_current', undefined, 'Processes and threads.', ({ pids }) => one(pids?.current)),
  gauge('pids_peak', undefined, 'The most there ever were.', ({ pids }) => one(pids?.peak)),
  gauge('pids_max', undefined, 'The limit of them.', ({ pids }) => one(pids?.max)),
  counter('pids_refused_forks', undefined, 'How often one could not fork for the limit.', ({ pids }) =>
    one(pids?.maxCount),
  ),
  counter('io_read', 'bytes', 'Read from a disk.', disks('rbytes')),
  counter('io_written', 'bytes', 'Written to a disk.', disks('wbytes')),
  counter('io_discarded', 'bytes', 'Discarded on a disk.', disks('dbytes')),
  counter('io_reads', undefined, 'Requests to read.', disks('rios')),
  counter('io_writes', undefined, 'Requests to write.', disks('wios')),
  counter('io_discards', undefined, 'Requests to discard.', disks('dios')),
  counter('pressure_stalled', 'seconds', 'Time that some tasks, or all, waited for something.', stats =>
    pressures(stats).map(([resource, kind, stall]) => [{ resource, kind }, seconds(stall?.totalUs)]),
  ),
  gauge('pressure_stalled', 'ratio', 'The share of the last seconds that they waited.', stats =>
    pressures(stats).flatMap(([resource, kind, stall]) =>
      Object.entries(WINDOWS).map(([window, key]) => [{ resource, kind, window }, stall && stall[key] / 100] as const),
    ),
  ),
  gauge('hugetlb_current', 'bytes', 'Huge pages in use.', ({ hugetlb }) =>
    entries(hugetlb, 'size', size => size.current),
  ),
  gauge('hugetlb_max', 'bytes', 'The limit of them.', ({ hugetlb }) => entries(hugetlb, 'size', size => size.max)),
  gauge('rdma_hca_handles', undefined, 'Handles of an RDMA device.', ({ rdma }) =>
    entries(rdma, 'device', device => device.hcaHandle),
  ),
  gauge('rdma_hca_objects', undefined, 'Objects of an RDMA device.', ({ rdma }) =>
    entries(rdma, 'device', device => device.hcaObject),
  ),
  gauge('misc_current', undefined, 'What is used of a resource.', ({ misc }) =>
    entries(misc, 'resource', resource => resource.current),
  ),
  gauge('misc_max', undefined, 'The limit of it.', ({ misc }) => entries(misc, 'resource', resource => resource.max)),
  gauge('frozen', undefined, 'Whether all its processes stand: 1 or 0.', ({ freezer }) =>
    one(freezer && Number(freezer.frozen)),
  ),
]

/** Labels that numbers of one cgroup are told apart by. */
const OWN_LABELS = ['device', 'event', 'key', 'kind', 'resource', 'size', 'window']

/**
 * The statistics of cgroups as text of OpenMetrics, to be served as {@link OPEN_METRICS_TYPE}: families in a fixed order, in base units; `+Inf` for no
 * limit, nothing for what a host does not count. Pure.
 *
 * @throws {ConfigInvalid} for labels that cannot be, or by which two of the cgroups are the same
 */
export function openMetrics(cgroups: readonly MetricsSource[], { prefix = 'cgroup' }: MetricsOptions = {}): string {
  checkMetricName(prefix, 'prefix')
  const seen = new Set<string>()
  for (const [i, { labels = {} }] of cgroups.entries()) {
    const field = `cgroups[${i}].labels`
    checkLabels(labels, field)
    for (const name of OWN_LABELS)
      if (Object.hasOwn(labels, name))
        throw new ConfigInvalid(
          `${field}.${name}`,
          labels[name],
          `must have another name: ${OWN_LABELS.join(', ')} are the numbers' own`,
        )
    // An empty value is the same as none.
    const told = Object.entries(labels).filter(([, value]) => value !== '')
    const key = JSON.stringify(told.sort(([a], [b]) => (a < b ? -1 : 1)))
    if (seen.has(key)) throw new ConfigInvalid(field, labels, 'must differ from those of the other cgroups')
    seen.add(key)
  }
  return formatMetrics(
    metrics.map(({ numbers, ...family }) => ({
      ...family,
      name: `${prefix}_${family.name}`,
      samples: cgroups.flatMap(({ stats, labels = {} }) => samples(numbers(stats), labels)),
    })),
  )
}

function samples(numbers: Numbers, labels: Readonly<Record<string, string>>): Sample[] {
  return numbers.flatMap(([own, value]) => {
    if (value === undefined || Number.isNaN(value)) return []
    return [{ labels: { ...labels, ...own }, value: value === 'max' ? Number.POSITIVE_INFINITY : value }]
  })
}
