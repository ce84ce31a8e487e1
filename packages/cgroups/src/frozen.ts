import { readHeads } from '@libcontainer/sys'

/** The file that says whether a cgroup is asked to stand, by the key of its directory. */
const FILES: Readonly<Record<string, string>> = { '': 'cgroup.freeze', freezer: 'freezer.self_freezing' }

/**
 * Which of many cgroups are stopped, or about to be, by either freezer of a hybrid host: one read for each freezer of each of them. One that
 * is gone is not stopped.
 *
 * @param cgroups - the `paths` of each, as they were saved
 */
export async function frozenOf(cgroups: readonly Readonly<Record<string, string>>[]): Promise<boolean[]> {
  const asked = cgroups.flatMap((paths, i) =>
    Object.entries(FILES).flatMap(([key, file]) =>
      Object.hasOwn(paths, key) ? [{ i, path: `${paths[key]}/${file}` }] : [],
    ),
  )
  const frozen = cgroups.map(() => false)
  const heads = await readHeads(
    asked.map(({ path }) => path),
    1,
  )
  heads.forEach((head, n) => {
    if (typeof head !== 'number' && head.text === '1') frozen[asked[n]!.i] = true
  })
  return frozen
}
