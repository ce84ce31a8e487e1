import type { BlkioEntry, BlkioTables, IoDeviceStats, IoStats } from './io.js'
import type { MemoryStats } from './memory.js'
import type { Pressure, Stall } from './source.js'
import type { CgroupStats } from './stats.js'

type Count = number | bigint

/** v1's word for no limit, whole pages of 63 bits, and what stands for v2's `max`. */
const UNLIMITED_V1 = 9223372036854771712n
const UNLIMITED_V2 = 18446744073709551615n

const ns = (us: number | undefined): number => Math.round((us ?? 0) * 1000)

const isV1 = (memory: MemoryStats): boolean => memory.stat.has('hierarchical_memory_limit')

interface Counter {
  readonly usage: Count
  readonly max: Count
  readonly failcnt: number
  readonly limit: Count
}

/** Memory's four counters as libcontainer has them: on v2, `swap` is memory and swap together. */
function counters(memory: MemoryStats): { usage: Counter; swap: Counter; kernel: Counter; kernelTcp: Counter } {
  const unlimited = isV1(memory) ? UNLIMITED_V1 : UNLIMITED_V2
  const limit = (value: number | 'max' | undefined): Count =>
    value === undefined || value === 'max' ? unlimited : value
  const { current, max, peak, memsw, kernel, kernelTcp, swapCurrent, swapMax } = memory
  const of = (counter: MemoryStats['memsw']): Counter => ({
    usage: counter?.current ?? 0,
    max: counter?.peak ?? 0,
    failcnt: counter?.failCount ?? 0,
    limit: counter === undefined ? 0 : limit(counter.max),
  })
  const sum = typeof max === 'number' && typeof swapMax === 'number' ? max + swapMax : unlimited
  return {
    usage: {
      usage: current,
      max: peak ?? 0,
      failcnt: memory.failCount ?? memory.maxCount ?? 0,
      limit: limit(max),
    },
    swap: isV1(memory) ? of(memsw) : { usage: current + (swapCurrent ?? 0), max: 0, failcnt: 0, limit: sum },
    kernel: of(kernel),
    kernelTcp: of(kernelTcp),
  }
}

const cacheOf = (memory: MemoryStats): Count => memory.stat.get(isV1(memory) ? 'cache' : 'file') ?? 0

/** v1's tables; v2's numbers in their form. */
function tablesOf({ tables, devices }: IoStats): Partial<BlkioTables> {
  if (tables !== undefined) return tables
  const entries = (fields: Readonly<Record<string, keyof IoDeviceStats & string>>): BlkioEntry[] =>
    devices.flatMap(device =>
      Object.entries(fields).map(([op, field]) => ({
        major: device.major,
        minor: device.minor,
        op,
        value: (device[field] as number | undefined) ?? 0,
      })),
    )
  return {
    serviceBytes: entries({ Read: 'rbytes', Write: 'wbytes', Discard: 'dbytes' }),
    serviced: entries({ Read: 'rios', Write: 'wios', Discard: 'dios' }),
  }
}

function psi(pressure: Pressure | undefined): { psi: object } | undefined {
  if (pressure === undefined) return undefined
  const stall = (s: Stall = NO_STALL) => ({ avg10: s.avg10, avg60: s.avg60, avg300: s.avg300, total: s.totalUs })
  // Readers expect both; of all processors of the host there is no time in which nothing got done.
  return { psi: { some: stall(pressure.some), full: stall(pressure.full) } }
}

const NO_STALL = { avg10: 0, avg60: 0, avg300: 0, totalUs: 0 }

const OLD_TABLES = {
  serviceBytes: 'io_service_bytes_recursive',
  serviced: 'io_serviced_recursive',
  // 2015 wrote it so.
  queued: 'io_queue_recursive',
  serviceTime: 'io_service_time_recursive',
  waitTime: 'io_wait_time_recursive',
  merged: 'io_merged_recursive',
  time: 'io_time_recursive',
  sectors: 'sectors_recursive',
} as const

/**
 * A snapshot in the words of libcontainer's `Stats`, as its `stats` commands print it: nanoseconds, bytes, `snake_case`. Plain data for
 * `stringifyJson` of sys, which writes bigints. Pure.
 */
export function classicStats(stats: CgroupStats): Record<string, unknown> {
  const { cpu, memory, pids, io, hugetlb, rdma, misc, freezer, cpuset } = stats
  const m = memory && counters(memory)
  const counter = ({ usage, max, failcnt, limit }: Counter) => ({ usage, max_usage: max, failcnt, limit })
  const tables = io === undefined ? {} : tablesOf(io)
  return {
    cpu_stats: {
      cpu_usage: {
        total_usage: ns(cpu?.usageUs),
        percpu_usage: cpu?.perCpu?.map(({ userUs, systemUs }) => ns(userUs + systemUs)) ?? [],
        percpu_usage_in_kernelmode: cpu?.perCpu?.map(({ systemUs }) => ns(systemUs)) ?? [],
        percpu_usage_in_usermode: cpu?.perCpu?.map(({ userUs }) => ns(userUs)) ?? [],
        usage_in_kernelmode: ns(cpu?.systemUs),
        usage_in_usermode: ns(cpu?.userUs),
      },
      throttling_data: {
        periods: cpu?.nrPeriods ?? 0,
        throttled_periods: cpu?.nrThrottled ?? 0,
        throttled_time: ns(cpu?.throttledUs),
      },
      ...(cpu?.nrBursts !== undefined && { burst_data: { bursts_periods: cpu.nrBursts, burst_time: ns(cpu.burstUs) } }),
      ...psi(cpu?.pressure),
    },
    ...(cpuset && {
      cpuset_stats: { cpus: cpuset.cpus, mems: cpuset.mems, ...Object.fromEntries(cpuset.flags ?? []) },
    }),
    memory_stats:
      memory === undefined || m === undefined
        ? {}
        : {
            cache: cacheOf(memory),
            usage: counter(m.usage),
            swap_usage: counter(m.swap),
            swap_only_usage: { usage: memory.swapCurrent ?? 0, max_usage: memory.swapPeak ?? 0, failcnt: 0, limit: 0 },
            kernel_usage: counter(m.kernel),
            kernel_tcp_usage: counter(m.kernelTcp),
            page_usage_by_numa: Object.fromEntries(
              [...(memory.numa ?? [])].map(([key, { total, nodes }]) => [
                key,
                { ...(total !== undefined && { total }), nodes: Object.fromEntries(nodes) },
              ]),
            ),
            use_hierarchy: memory.useHierarchy ?? true,
            stats: Object.fromEntries(memory.stat),
            ...psi(memory.pressure),
          },
    pids_stats: { current: pids?.current ?? 0, limit: pids === undefined || pids.max === 'max' ? 0 : pids.max },
    blkio_stats: {
      ...Object.fromEntries(
        (Object.entries(OLD_TABLES) as [keyof BlkioTables, string][]).map(([key, name]) => [name, tables[key] ?? []]),
      ),
      ...psi(io?.pressure),
    },
    hugetlb_stats: Object.fromEntries(
      [...(hugetlb ?? [])].map(([size, { current, peak = 0, maxCount = 0 }]) => [
        size,
        { usage: current, max_usage: peak, failcnt: maxCount },
      ]),
    ),
    ...(rdma && {
      rdma_stats: {
        rdma_limit: [...rdma].map(([device, d]) => ({
          device,
          hca_handles: count32(d.hcaHandleMax),
          hca_objects: count32(d.hcaObjectMax),
        })),
        rdma_current: [...rdma].map(([device, d]) => ({ device, hca_handles: d.hcaHandle, hca_objects: d.hcaObject })),
      },
    }),
    ...(misc && {
      misc_stats: Object.fromEntries(
        [...misc].map(([name, { current, maxCount = 0 }]) => [name, { usage: current, events: maxCount }]),
      ),
    }),
    ...(freezer && {
      freezer_stats: {
        parent_freezing: freezer.parentFreezing ? '1' : '0',
        self_freezing: freezer.selfFreezing ? '1' : '0',
      },
    }),
  }
}

const count32 = (value: number | 'max'): number => (value === 'max' ? 2 ** 32 - 1 : value)

const EVENT_TABLES = {
  serviceBytes: 'ioServiceBytesRecursive',
  serviced: 'ioServicedRecursive',
  queued: 'ioQueueRecursive',
  serviceTime: 'ioServiceTimeRecursive',
  waitTime: 'ioWaitTimeRecursive',
  merged: 'ioMergedRecursive',
  time: 'ioTimeRecursive',
  sectors: 'sectorsRecursive',
} as const

/** v1's flags of cpuset, which readers expect everywhere. */
const NO_FLAGS = {
  cpu_exclusive: 0,
  mem_hardwall: 0,
  mem_exclusive: 0,
  memory_migrate: 0,
  memory_spread_page: 0,
  memory_spread_slab: 0,
  memory_pressure: 0,
  sched_load_balance: 0,
  sched_relax_domain_level: 0,
}

/**
 * A snapshot in the words of the data that runtimes' `events` commands print: `camelCase`, a field for all that they have one for, and what is 0 or
 * empty left out where they leave it out. Of cgroups alone: `intel_rdt` and `network_interfaces` are the runtime's. Pure.
 */
export function eventStats(stats: CgroupStats): Record<string, unknown> {
  const { cpu, cpuset, memory, pids, io, hugetlb } = stats
  const m = memory && counters(memory)
  const counter = ({ usage, max, failcnt, limit }: Counter = NOTHING) => ({
    limit,
    ...positive({ usage, max }),
    failcnt,
  })
  const tables = io === undefined ? {} : tablesOf(io)
  return {
    cpu: {
      usage: {
        ...positive({ total: ns(cpu?.usageUs) }),
        ...filled({
          percpu: cpu?.perCpu?.map(({ userUs, systemUs }) => ns(userUs + systemUs)),
          percpu_kernel: cpu?.perCpu?.map(({ systemUs }) => ns(systemUs)),
          percpu_user: cpu?.perCpu?.map(({ userUs }) => ns(userUs)),
        }),
        kernel: ns(cpu?.systemUs),
        user: ns(cpu?.userUs),
      },
      throttling: positive({
        periods: cpu?.nrPeriods,
        throttledPeriods: cpu?.nrThrottled,
        throttledTime: ns(cpu?.throttledUs),
      }),
      ...psi(cpu?.pressure),
    },
    cpuset: {
      ...filled({
        cpus: cpuset?.cpus.length ? cpuset.cpus : cpuset?.effectiveCpus,
        mems: cpuset?.mems.length ? cpuset.mems : cpuset?.effectiveMems,
      }),
      ...NO_FLAGS,
      ...Object.fromEntries(cpuset?.flags ?? []),
    },
    memory: {
      ...positive({ cache: memory && cacheOf(memory) }),
      usage: counter(m?.usage),
      swap: counter(m?.swap),
      kernel: counter(m?.kernel),
      kernelTCP: counter(m?.kernelTcp),
      ...(memory !== undefined && memory.stat.size > 0 && { raw: Object.fromEntries(memory.stat) }),
      ...psi(memory?.pressure),
    },
    pids: positive({ current: pids?.current, limit: pids === undefined || pids.max === 'max' ? undefined : pids.max }),
    blkio: {
      ...filled(
        Object.fromEntries(
          (Object.entries(EVENT_TABLES) as [keyof BlkioTables, string][]).map(([key, name]) => [
            name,
            tables[key]?.map(({ major, minor, op, value }) => ({
              ...positive({ major, minor }),
              ...(op !== '' && { op }),
              ...positive({ value }),
            })),
          ]),
        ),
      ),
      ...psi(io?.pressure),
    },
    hugetlb: Object.fromEntries(
      [...(hugetlb ?? [])].map(([size, { current, peak, maxCount = 0 }]) => [
        size,
        { ...positive({ usage: current, max: peak }), failcnt: maxCount },
      ]),
    ),
  }
}

const NOTHING: Counter = { usage: 0, max: 0, failcnt: 0, limit: 0 }

/** Only the lists that hold something. */
const filled = <T>(lists: Readonly<Record<string, readonly T[] | undefined>>): Record<string, readonly T[]> =>
  Object.fromEntries(
    Object.entries(lists).filter((one): one is [string, readonly T[]] => one[1] !== undefined && one[1].length > 0),
  )

/** Only what is above 0. */
const positive = (counts: Readonly<Record<string, Count | undefined>>): Record<string, Count> =>
  Object.fromEntries(Object.entries(counts).filter((one): one is [string, Count] => one[1] !== undefined && one[1] > 0))
