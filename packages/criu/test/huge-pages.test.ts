import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hugeRanges } from '../src/huge-pages.js'
import { treeOf } from '../src/processes.js'

const mapping = (range: string, huge: number): string => `${range} rw-p 00000000 00:00 0 \nSize:  4096 kB
AnonHugePages:  ${`${huge}`.padStart(8)} kB
ShmemPmdMapped:        0 kB
VmFlags: rd wr mr mw me ac sd\n`

test('CR-10 of the mappings of a process those with huge pages', () => {
  const smaps = [
    mapping('00400000-00401000', 0),
    mapping('7f566be28000-7f5673e28000', 2048),
    mapping('ffffffffff600000-ffffffffff601000', 0),
  ].join('')
  expect(hugeRanges(smaps)).toEqual([{ start: 0x7f566be28000, end: 0x7f5673e28000 }])
  expect(hugeRanges('')).toEqual([])
  fc.assert(
    fc.property(fc.string(), text => {
      for (const { start, end } of hugeRanges(text)) expect(Number.isFinite(start + end)).toBe(true)
    }),
  )
})

test('CR-10 a tree is a process, and all below it', () => {
  const of = (...pairs: readonly (readonly [number, number])[]) =>
    new Map(pairs.map(([pid, parent]) => [pid, { pid, parent }]))
  expect(treeOf(5, of([9, 7], [5, 1], [7, 5], [8, 1], [6, 5])).toSorted()).toEqual([5, 6, 7, 9])
  expect(treeOf(5, of())).toEqual([5])
})
