import type { Cgroup } from '../cgroup.js'

/** What the processes of a cgroup have used, all together. A number that this host does not count is absent. */
export interface Usage {
  /** Whether the OOM killer has ended any of them. */
  readonly oom: boolean
  readonly oomKills: number
  /** Time on processors, in milliseconds: of all processes, by all processors. */
  readonly cpuMs?: number | undefined
  readonly userMs?: number | undefined
  readonly systemMs?: number | undefined
  /** The most memory that they had at one time, in bytes, with the pages of files. v2: Linux 5.19. */
  readonly peakMemory?: number | undefined
  /** The most processes and threads at one time. Linux 6.1. */
  readonly peakPids?: number | undefined
  /** How often one could not fork for `pids.max`. */
  readonly refusedForks?: number | undefined
}

/** Reads what a cgroup has used since it was made: by one call. */
export async function usageOf(group: Cgroup): Promise<Usage> {
  const { memory, cpu, pids } = await group.stats(['memory', 'cpu', 'pids'])
  const oomKills = memory?.oomKillCount ?? 0
  return {
    oom: oomKills > 0,
    oomKills,
    cpuMs: inMs(cpu?.usageUs),
    userMs: inMs(cpu?.userUs),
    systemMs: inMs(cpu?.systemUs),
    peakMemory: memory?.peak,
    peakPids: pids?.peak,
    refusedForks: pids?.maxCount,
  }
}

const inMs = (us: number | undefined): number | undefined => (us === undefined ? undefined : us / 1000)

/** Reads what it has used, once nothing of it runs any more, and removes it. */
export async function endOf(group: Cgroup): Promise<Usage> {
  try {
    await group.kill()
    return await usageOf(group)
  } finally {
    // What was killed may take its time where a disk is slow.
    await group.destroy({ timeoutMs: 10_000 })
  }
}
