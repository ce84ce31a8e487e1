import { readHeads } from '@libcontainer/sys'

/**
 * Which of many cgroups are stopped, or about to be, by either freezer of a hybrid host: one read for each freezer of each of them. One that
 * is gone is not stopped.
 *
 * @param cgroups - the `paths` of each, as they were saved: of these, the unified hierarchy's and the freezer's
 */
export async function frozenOf(cgroups: readonly Readonly<Record<string, string>>[]): Promise<boolean[]> {
  const paths: string[] = []
  const owners: number[] = []
  for (let i = 0; i < cgroups.length; i++) {
    const { '': unified, freezer } = cgroups[i]!
    if (unified !== undefined) owners[paths.push(`${unified}/cgroup.freeze`) - 1] = i
    if (freezer !== undefined) owners[paths.push(`${freezer}/freezer.self_freezing`) - 1] = i
  }
  const frozen = cgroups.map(() => false)
  const heads = await readHeads(paths, 1)
  for (let n = 0; n < heads.length; n++) {
    const head = heads[n]!
    if (typeof head !== 'number' && head.text === '1') frozen[owners[n]!] = true
  }
  return frozen
}
