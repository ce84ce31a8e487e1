import type { ContainerCgroups } from '../config/config.js'

/* Limits with others on top, as the kernel has them when both were written, one after the other. */

type Fields = Readonly<Record<string, unknown>>
type Merge = (old: Fields | undefined, given: Fields) => Fields

/** Without a prototype: keys are names that the machine gives. */
const fields = (...all: readonly (Fields | undefined)[]): Record<string, unknown> =>
  Object.assign(Object.create(null), ...all)

/** What is not given stays. */
const byName: Merge = (old, given) => fields(old, given)

/** The same for each disk, page size or interface. */
const byKey =
  (merge: Merge): Merge =>
  (old, given) => {
    const all = fields(old)
    for (const [key, one] of Object.entries(given)) all[key] = merge(all[key] as Fields | undefined, one as Fields)
    return all
  }

/** Of words for the same thing the one that is given takes the place of the others. */
const oneOf =
  (...words: string[]): Merge =>
  (old, given) => {
    const all = fields(old)
    if (words.some(word => given[word] !== undefined)) for (const word of words) delete all[word]
    return byName(all, given)
  }

const weighed = oneOf('weight', 'blkioWeight')

/** By the numbers of the disks, in the order in which they were first given. */
function mergedDisks(old: readonly Fields[], given: readonly Fields[]): Fields[] {
  const disks = new Map<string, Fields>()
  for (const disk of [...old, ...given]) {
    const key = `${disk.major}:${disk.minor}`
    disks.set(key, weighed(disks.get(key), disk))
  }
  return [...disks.values()]
}

const mergedIo: Merge = (old = {}, given) => {
  const all = weighed(old, given)
  if (given.devices === undefined) return all
  return fields(all, { devices: mergedDisks((old.devices ?? []) as Fields[], given.devices as Fields[]) })
}

/** What may be in use goes for what is reserved too, unless that is said beside it. */
const mergedPages: Merge = (old, given) => (given.max === undefined ? byName(old, given) : given)

const merges: ReadonlyMap<string, Merge> = new Map([
  ['cpu', oneOf('weight', 'shares', 'weightNice')],
  ['io', mergedIo],
  ['hugetlb', byKey(mergedPages)],
  ['rdma', byKey(byName)],
  ['netPrio', byKey(byName)],
])

/** @param given - checked: each limit is what it may be */
export function mergedLimits<T extends ContainerCgroups>(before: T, given: ContainerCgroups): T {
  const all = fields(before as Fields)
  for (const [name, limits] of Object.entries(given)) {
    const merge = merges.get(name) ?? byName
    const mergeable = typeof limits === 'object' && limits !== null && !Array.isArray(limits)
    all[name] = mergeable ? merge(all[name] as Fields | undefined, limits as Fields) : limits
  }
  return all as T
}
