import { type CgroupStats, eventStats } from '@libcontainer/cgroups'

/** The data of an event of type `stats`, in the words and units that readers of a runtime's events expect: nanoseconds, bytes. Pure. */
export const statsData = (stats: CgroupStats): object => ({
  ...eventStats(stats),
  intel_rdt: {},
  network_interfaces: null,
})

/** A line of `events`. Pure. */
export const statsEvent = (id: string, stats: CgroupStats): object => ({ type: 'stats', id, data: statsData(stats) })

/** A line of `events`: memory ran out. Pure. */
export const oomEvent = (id: string): object => ({ type: 'oom', id })
