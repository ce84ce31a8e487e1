/** A write that brings a file of a cgroup to a value. */
export interface CgroupWrite {
  /** The file's name in the cgroup's directory, such as `memory.max`. */
  readonly file: string
  /** What is written; each line by a write(2) of its own. */
  readonly value: string
  /** Errnos after which the plan goes on: the write is repeated later, or says nothing where the file is absent. */
  readonly skip?: readonly string[] | undefined
  /** The same in other words, where this kernel has no such file. */
  readonly otherwise?: { readonly file: string; readonly value: string } | undefined
  /** Whether the file must show the value afterwards: some kernels take one and do nothing. */
  readonly confirm?: boolean | undefined
}

/** Whether a cgroup is being made, whose files hold the kernel's defaults, or changed, where they may hold anything. */
export type When = 'create' | 'set'

/**
 * Writes of values that bound each other, to files that may hold anything: the kernel refuses one (EINVAL) while another has
 * its old value. Those before the last are tried, and whatever came of it, again after the last.
 */
export function bounded(writes: readonly CgroupWrite[]): CgroupWrite[] {
  const last = writes.at(-1)
  if (last === undefined) return []
  const rest = writes.slice(0, -1)
  return [...rest.map(write => ({ ...write, skip: ['EINVAL', ...(write.skip ?? [])] })), last, ...rest.toReversed()]
}
