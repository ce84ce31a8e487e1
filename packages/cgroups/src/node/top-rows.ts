import { ConfigInvalid, visibleLine } from '@libcontainer/sys'
import { Cgroup } from '../cgroup.js'
import { cgroupHost } from '../host/host.js'
import { type CgroupStats, statsOf } from '../stats/stats.js'

/** A look at a tree: what each cgroup has used so far. */
export interface Sample {
  /** In milliseconds, of a clock that never goes back. */
  readonly at: number
  readonly groups: ReadonlyMap<string, CgroupStats>
}

/** What a cgroup is doing, with all below it. A number that this host does not count is absent. */
export interface Row {
  readonly path: string
  /** In percents of one processor. */
  readonly cpu?: number | undefined
  /** In bytes. */
  readonly memory?: number | undefined
  readonly memoryMax?: number | 'max' | undefined
  readonly pids?: number | undefined
  readonly pidsMax?: number | 'max' | undefined
  /** Bytes in a second, of all disks. */
  readonly readRate?: number | undefined
  readonly writeRate?: number | undefined
  /** Percents of the last ten seconds in which a process waited for it (PSI). */
  readonly cpuPressure?: number | undefined
  readonly memoryPressure?: number | undefined
  readonly ioPressure?: number | undefined
  readonly oomKills?: number | undefined
}

export const sortKeys = ['cpu', 'memory', 'pids', 'io', 'pressure', 'oom', 'path'] as const
export type SortKey = (typeof sortKeys)[number]

/** The top of a tree by what people call it: a path of the hierarchies, or a directory where one is mounted. */
export async function openTop(where: string): Promise<Cgroup> {
  const host = await cgroupHost({ refresh: true })
  const { hierarchies } = host
  const inside = hierarchies.find(({ mountpoint }) => where === mountpoint || where.startsWith(`${mountpoint}/`))
  const path = inside === undefined ? where : where.slice(inside.mountpoint.length) || '/'
  if (!path.startsWith('/')) throw new ConfigInvalid('PATH', where, 'must be absolute: /system.slice')
  return await Cgroup.open(path, { host })
}

/** @param depth - how many levels below the top */
export async function takeSample(top: Cgroup, depth: number): Promise<Sample> {
  const prefix = top.path.replace(/\/+$/, '')
  const below = depth === 0 ? [] : await top.children({ recursive: depth > 1 })
  const levelOf = ({ path }: Cgroup): number => path.slice(prefix.length).split('/').length - 1
  const groups = [top, ...below.filter(group => levelOf(group) <= depth)]
  const stats = await statsOf(groups, ['memory', 'cpu', 'pids', 'io'])
  return { at: performance.now(), groups: new Map(groups.map(({ path }, i) => [path, stats[i]!])) }
}

/** What was done between two looks. Pure. @param all - those too in which nothing runs */
export function rowsOf(before: Sample, after: Sample, { all = false }: { all?: boolean } = {}): Row[] {
  const seconds = (after.at - before.at) / 1000
  const [top] = after.groups.keys()
  return [...after.groups]
    .map(([path, stats]): Row => {
      const { memory, cpu, pids, io } = stats
      const earlier = before.groups.get(path)
      const rate = (of: (stats: CgroupStats) => number | undefined): number | undefined => {
        const now = of(stats)
        const then = earlier === undefined ? undefined : of(earlier)
        // A cgroup that was made anew under the same name counts from 0.
        return now === undefined || then === undefined || !(seconds > 0) ? undefined : Math.max(0, now - then) / seconds
      }
      const usPerSecond = rate(one => one.cpu?.usageUs)
      return {
        path,
        cpu: usPerSecond === undefined ? undefined : usPerSecond / 10_000,
        memory: memory?.current,
        memoryMax: memory?.max,
        pids: pids?.current,
        pidsMax: pids?.max,
        readRate: rate(one => one.io && sum(one.io.devices.map(({ rbytes }) => rbytes))),
        writeRate: rate(one => one.io && sum(one.io.devices.map(({ wbytes }) => wbytes))),
        cpuPressure: cpu?.pressure?.some?.avg10,
        memoryPressure: memory?.pressure?.some?.avg10,
        ioPressure: io?.pressure?.some?.avg10,
        oomKills: memory?.oomKillCount,
      }
    })
    .filter(row => all || row.path === top || (row.pids ?? row.memory ?? 0) > 0)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

const values: Readonly<Record<Exclude<SortKey, 'path'>, (row: Row) => number>> = {
  cpu: ({ cpu = 0 }) => cpu,
  memory: ({ memory = 0 }) => memory,
  pids: ({ pids = 0 }) => pids,
  io: ({ readRate = 0, writeRate = 0 }) => readRate + writeRate,
  pressure: ({ cpuPressure = 0, memoryPressure = 0, ioPressure = 0 }) =>
    Math.max(cpuPressure, memoryPressure, ioPressure),
  oom: ({ oomKills = 0 }) => oomKills,
}

/** The most first; `path` is the tree's own order. Pure. */
export function sortRows(rows: readonly Row[], key: SortKey): Row[] {
  const byPath = (a: Row, b: Row): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)
  if (key === 'path') return [...rows].sort(byPath)
  const value = values[key]
  return [...rows].sort((a, b) => value(b) - value(a) || byPath(a, b))
}

/** A path as a terminal may show it: its names are anybody's choice. */
export const shownName = (path: string): string => visibleLine(path)
