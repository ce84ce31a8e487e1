import type { CgroupStats, CpuStats, CpusetStats, MemoryStats, PidsStats } from '@libcontainer/cgroups'

type Count = number | bigint

/** The data of an event of type `stats`, in the words and units that readers of a runtime's events expect: nanoseconds, bytes. Pure. */
export function statsData({ cpu, cpuset, memory, pids }: CgroupStats): object {
  return {
    cpu: cpuData(cpu),
    cpuset: cpusetData(cpuset),
    memory: memoryData(memory),
    pids: pidsData(pids),
    blkio: {},
    hugetlb: {},
    intel_rdt: {},
    network_interfaces: null,
  }
}

/** A line of `events`. Pure. */
export const statsEvent = (id: string, stats: CgroupStats): object => ({ type: 'stats', id, data: statsData(stats) })

/** A line of `events`: memory ran out. Pure. */
export const oomEvent = (id: string): object => ({ type: 'oom', id })

/** Only what is above 0: the others are left out by all who write this. */
function positive<T extends Record<string, Count | undefined>>(counts: T): Partial<Record<keyof T, Count>> {
  const entries = Object.entries(counts).filter(([, count]) => count !== undefined && count > 0)
  return Object.fromEntries(entries) as Partial<Record<keyof T, Count>>
}

const nanoseconds = (us: number | undefined): number => Math.round((us ?? 0) * 1000)

function cpuData(cpu: CpuStats | undefined): object {
  const usage = {
    ...positive({ total: nanoseconds(cpu?.usageUs) }),
    kernel: nanoseconds(cpu?.systemUs),
    user: nanoseconds(cpu?.userUs),
  }
  const throttling = positive({
    periods: cpu?.nrPeriods,
    throttledPeriods: cpu?.nrThrottled,
    throttledTime: nanoseconds(cpu?.throttledUs),
  })
  return { usage, throttling }
}

function cpusetData(cpuset: CpusetStats | undefined): object {
  const { effectiveCpus = [], effectiveMems = [], cpus = [], mems = [] } = cpuset ?? {}
  const list = (asked: readonly number[], granted: readonly number[]): readonly number[] =>
    asked.length > 0 ? asked : granted
  const [ours, nodes] = [list(cpus, effectiveCpus), list(mems, effectiveMems)]
  return {
    ...(ours.length > 0 ? { cpus: ours } : {}),
    ...(nodes.length > 0 ? { mems: nodes } : {}),
  }
}

/** The whole pages that 63 bits can count: how cgroup v1 says that there is no limit. */
const UNLIMITED_V1 = 9223372036854771712n
/** What stands for v2's `max`. */
const UNLIMITED_V2 = 18446744073709551615n

function memoryData(memory: MemoryStats | undefined): object {
  if (memory === undefined) return {}
  const { current, max, peak, maxCount, swapCurrent, swapMax, stat } = memory
  const old = stat.has('hierarchical_memory_limit')
  const unlimited = old ? UNLIMITED_V1 : UNLIMITED_V2
  const limit = (value: number | 'max' | undefined): Count =>
    value === undefined || value === 'max' ? unlimited : value
  const entry = (counts: { limit: Count; usage?: Count; max?: Count | undefined; failcnt: number }): object => ({
    limit: counts.limit,
    ...positive({ usage: counts.usage, max: counts.max }),
    failcnt: counts.failcnt,
  })
  return {
    ...positive({ cache: stat.get(old ? 'cache' : 'file') }),
    usage: entry({ limit: limit(max), usage: current, max: peak, failcnt: maxCount ?? 0 }),
    // Of both together, as v1 counts it.
    ...(swapCurrent === undefined
      ? {}
      : {
          swap: entry({
            limit: old || max === 'max' || swapMax === 'max' ? limit(swapMax) : max + (swapMax ?? 0),
            usage: current + swapCurrent,
            failcnt: 0,
          }),
        }),
    raw: Object.fromEntries(stat),
  }
}

const pidsData = (pids: PidsStats | undefined): object =>
  pids === undefined ? {} : positive({ current: pids.current, limit: pids.max === 'max' ? undefined : pids.max })
