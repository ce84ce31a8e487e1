import { type CgroupStats, eventStats } from '@libcontainer/cgroups'
import { eventRdt, type RdtStats } from '@libcontainer/intelrdt'

interface Stats {
  readonly cgroups: CgroupStats
  readonly intelRdt?: RdtStats
}

/** The data of an event of type `stats`, in the words and units that readers of a runtime's events expect: nanoseconds, bytes. Pure. */
export const statsData = (stats: CgroupStats, intelRdt?: RdtStats): object => ({
  ...eventStats(stats),
  intel_rdt: intelRdt === undefined ? {} : eventRdt(intelRdt),
  network_interfaces: null,
})

/** A line of `events`. Pure. */
export const statsEvent = (id: string, { cgroups, intelRdt }: Stats): object => ({
  type: 'stats',
  id,
  data: statsData(cgroups, intelRdt),
})

/** A line of `events`: memory ran out. Pure. */
export const oomEvent = (id: string): object => ({ type: 'oom', id })
