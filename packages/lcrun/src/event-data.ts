import { type CgroupStats, eventStats } from '@libcontainer/cgroups'
import { eventRdt, type RdtStats } from '@libcontainer/intelrdt'
import type { InterfaceStats } from '@libcontainer/network'

interface Stats {
  readonly cgroups: CgroupStats
  readonly intelRdt?: RdtStats
  readonly interfaces?: readonly InterfaceStats[]
}

/** The data of an event of type `stats`, in the words and units that readers of a runtime's events expect: nanoseconds, bytes. Pure. */
export const statsData = (
  stats: CgroupStats,
  intelRdt?: RdtStats,
  interfaces: readonly InterfaceStats[] = [],
): object => ({
  ...eventStats(stats),
  intel_rdt: intelRdt === undefined ? {} : eventRdt(intelRdt),
  // Go's names of what has no others, and its word for an empty list.
  network_interfaces: interfaces.length === 0 ? null : interfaces.map(inGoWords),
})

const inGoWords = (stats: InterfaceStats): object =>
  Object.fromEntries(
    Object.entries(stats).map(([name, value]) => [name.charAt(0).toUpperCase() + name.slice(1), value]),
  )

/** A line of `events`. Pure. */
export const statsEvent = (id: string, { cgroups, intelRdt, interfaces }: Stats): object => ({
  type: 'stats',
  id,
  data: statsData(cgroups, intelRdt, interfaces),
})

/** A line of `events`: memory ran out. Pure. */
export const oomEvent = (id: string): object => ({ type: 'oom', id })
