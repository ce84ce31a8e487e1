import { ConfigInvalid } from '@libcontainer/sys'
import { checkLimit, type Limit } from './amount.js'
import type { Hierarchy } from './host.js'
import type { CgroupWrite } from './write.js'

/** Bytes in huge pages, by the kernel's names of their sizes: `{ '2MB': 0 }`. At the limit whoever touches a further page dies of `SIGBUS`. */
export type HugetlbLimits = Readonly<Record<string, Limit | undefined>>

export function checkHugetlb(field: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigInvalid(field, value, 'must be a map from sizes of pages to limits')
  }
  for (const [size, limit] of Object.entries(value)) {
    const at = `${field}['${size}']`
    if (!/^[1-9]\d*[KMG]B$/.test(size)) throw new ConfigInvalid(at, size, 'must be a size of pages, such as 2MB')
    if (limit !== undefined) checkLimit(at, limit)
  }
}

/** Pages in use, and where the kernel counts them (5.7) those that mmap(2) has reserved: mmap fails then, and nobody dies later. */
export function hugetlbWrites(limits: HugetlbLimits, version: Hierarchy['version']): CgroupWrite[] {
  const file = version === 1 ? 'limit_in_bytes' : 'max'
  return Object.entries(limits).flatMap(([size, limit]) => {
    if (limit === undefined) return []
    const value = limit === 'max' && version === 1 ? '-1' : String(limit)
    return [
      { file: `hugetlb.${size}.${file}`, value },
      { file: `hugetlb.${size}.rsvd.${file}`, value, skip: ['ENOENT'] },
    ]
  })
}
