import { listDirectory, type ProcessStat, processStat } from '@libcontainer/sys'

/** All processes that there are, by their pids. */
export async function processes(): Promise<Map<number, ProcessStat>> {
  const pids = (await listDirectory('/proc')).map(({ name }) => name).filter(name => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map(pid => processStat(Number(pid))))
  return new Map(stats.filter(stat => stat !== undefined).map(stat => [stat.pid, stat]))
}

/** A process and all below it. Pure. */
export function treeOf(root: number, all: ReadonlyMap<number, Pick<ProcessStat, 'pid' | 'parent'>>): number[] {
  const tree = new Set([root])
  for (const pid of tree) for (const each of all.values()) if (each.parent === pid) tree.add(each.pid)
  return [...tree]
}
