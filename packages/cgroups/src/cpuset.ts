import { ConfigInvalid } from '@libcontainer/sys'
import type { Checks } from './amount.js'
import type { CgroupWrite } from './write.js'

/** Which processors and memory nodes may be used, as lists: `0-3,7`. */
export interface CpusetLimits {
  /** `cpuset.cpus` */
  cpus?: string | undefined
  /** `cpuset.mems` */
  mems?: string | undefined
}

export const cpusetChecks: Checks<CpusetLimits> = { cpus: checkList, mems: checkList }

function checkList(field: string, value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '')
    throw new ConfigInvalid(field, value, 'must be a list such as 0-3,7')
  parseList(value, field)
}

/** The numbers of a list as the kernel writes it, `0-3,7`. @throws {ConfigInvalid} for what is no list */
export function parseList(text: string, field = 'list'): number[] {
  const numbers: number[] = []
  for (const part of text.trim().split(',')) {
    if (text.trim() === '') break
    const match = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(part)
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
    if (match === null)
      throw new ConfigInvalid(field, text, `must be a list such as 0-3,7; '${part}' is no part of one`)
    if (to < from) throw new ConfigInvalid(field, text, `'${part}' runs backwards`)
    for (let n = from; n <= to; n++) numbers.push(n)
  }
  return numbers
}

/** Mems first: v1 refuses a process in a cpuset with processors but no memory as well as the other way round. */
export function cpusetWrites({ cpus, mems }: CpusetLimits, noPrefix = false): CgroupWrite[] {
  const prefix = noPrefix ? '' : 'cpuset.'
  const writes: CgroupWrite[] = []
  if (mems !== undefined) writes.push({ file: `${prefix}mems`, value: mems.trim() })
  if (cpus !== undefined) writes.push({ file: `${prefix}cpus`, value: cpus.trim() })
  return writes
}
