import type { CpuAffinity } from '../config/process-spec.js'
import { processors } from '../config/sharing.js'
import type { Fields } from './fields.js'
import { maskNumbers, maskWord, maskWords } from './mask-2026.js'

/** As many processors as Go's set of them holds. */
const MOST = 1024

export function readCpuAffinity(affinity: Fields | undefined): CpuAffinity | undefined {
  const set = (name: string): string | undefined =>
    maskNumbers(affinity?.list(name, maskWord) ?? [], MOST).join(',') || undefined
  const [initial, final] = [set('Initial'), set('Final')]
  affinity?.end('the exec_cpu_affinity of 2026')
  if (initial === undefined && final === undefined) return undefined
  return { ...(initial && { initial }), ...(final && { final }) }
}

/** @throws {ConfigInvalid} for a processor that a set there cannot hold */
export function writeCpuAffinity({ initial, final }: CpuAffinity): object {
  const set = (list: string | undefined, field: string): bigint[] | null =>
    list === undefined ? null : maskWords(processors(list, field, MOST - 1), MOST)
  return { Initial: set(initial, 'cpuAffinity.initial'), Final: set(final, 'cpuAffinity.final') }
}
