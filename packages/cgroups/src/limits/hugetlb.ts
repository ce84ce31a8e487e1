import { ConfigInvalid, isErrno, listDirectory } from '@libcontainer/sys'
import { type Checks, checkFields, checkLimit, type Limit } from './amount.js'
import { checkKeyed, type Keyed, keyedEntries } from './keyed.js'
import type { CgroupWrite } from './write.js'

/** Limits of huge pages of one size, in bytes. */
export interface HugetlbPageLimits {
  /** `hugetlb.<size>.max` (v1: `.limit_in_bytes`): what may be in use. Goes for what is reserved too, unless `rsvdMax` says otherwise. */
  max?: Limit | undefined
  /** `hugetlb.<size>.rsvd.max`: what may be reserved, by mmap(2). Linux 5.7. */
  rsvdMax?: Limit | undefined
}

/** By the kernel's names of page sizes: `64KB`, `2MB`, `1GB`. */
export type HugetlbLimits = Keyed<HugetlbPageLimits>

const pageChecks: Checks<HugetlbPageLimits> = { max: checkLimit, rsvdMax: checkLimit }

export function checkHugetlb(field: string, value: unknown): void {
  checkKeyed(field, value, (at, limits, size) => {
    if (!/^[1-9]\d*(KB|MB|GB)$/.test(size)) {
      throw new ConfigInvalid(at, size, 'must be a size of pages such as 64KB, 2MB or 1GB')
    }
    checkFields(at, limits as HugetlbPageLimits, pageChecks)
  })
}

export function hugetlbWrites(limits: HugetlbLimits, version: 1 | 2): CgroupWrite[] {
  const [word, none] = version === 1 ? ['limit_in_bytes', '-1'] : ['max', 'max']
  const text = (limit: Limit): string => (limit === 'max' ? none : String(limit))
  return keyedEntries(limits).flatMap(([size, { max, rsvdMax } = {}]) => {
    const writes: CgroupWrite[] = []
    if (max !== undefined) writes.push({ file: `hugetlb.${size}.${word}`, value: text(max) })
    const rsvd = `hugetlb.${size}.rsvd.${word}`
    if (rsvdMax !== undefined) writes.push({ file: rsvd, value: text(rsvdMax) })
    // Who is over the limit gets ENOMEM from mmap by this one, where the other alone means SIGBUS at the first touch.
    else if (max !== undefined) writes.push({ file: rsvd, value: text(max), skip: ['ENOENT'] })
    return writes
  })
}

/** The sizes of huge pages that this machine has, by the names that limits have for them. Empty where the kernel has none. */
export async function hugePageSizes(directory = '/sys/kernel/mm/hugepages'): Promise<string[]> {
  try {
    const sizes = (await listDirectory(directory)).map(({ name }) => /^hugepages-(\d+)kB$/.exec(name)?.[1])
    return sizes
      .filter(size => size !== undefined)
      .map(Number)
      .sort((a, b) => a - b)
      .map(hugePageName)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** `2MB` for 2048. */
export function hugePageName(kib: number): string {
  for (const [unit, size] of [
    ['GB', 2 ** 20],
    ['MB', 2 ** 10],
  ] as const) {
    if (kib >= size) return `${Math.floor(kib / size)}${unit}`
  }
  return `${kib}KB`
}
