import {
  type CategoryRun,
  contains,
  dominates,
  formatLevel,
  formatRange,
  glbLub,
  intToMcs,
  type Level,
  parseLevel,
  parseRange,
} from '@libcontainer/selinux'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('SE-14 levels and ranges as the kernel writes them', () => {
  for (const [text, written = text] of [
    ['s0'],
    ['s15:c0.c1023'],
    ['s0:c1,c2'],
    ['s0:c2,c1', 's0:c1,c2'],
    ['s0:c1.c2', 's0:c1,c2'],
    ['s0:c1,c2,c3', 's0:c1.c3'],
    ['s0:c9,c0.c5,c3.c7', 's0:c0.c7,c9'],
    ['s0-s0', 's0'],
    ['s0-s0:c0.c1023'],
    ['s1:c1-s3:c0.c5'],
  ] as const)
    expect(formatRange(parseRange(text)), text).toBe(written)
  expect(parseLevel('s2:c0.c5,c9')).toEqual({
    sensitivity: 2,
    categories: [
      [0, 5],
      [9, 9],
    ],
  })
})

test('SE-14 what is no level, and a range whose high end is not above its low one', () => {
  for (const text of [
    '',
    's',
    'S0',
    's0:',
    's0:c',
    's0:c1,',
    's0:c5.c1',
    's0:c1.c2.c3',
    's0:c1:c2',
    's00',
    's-1',
    's0:c99999999999',
    'SystemLow',
    's0-s0',
    7,
  ])
    expect(() => parseLevel(text as string, 'level'), String(text)).toThrow(/^level: must be a level/)
  for (const text of ['', '-', 's0-', '-s0', 's0-s0-s0', 's1-s0', 's0:c1-s0', 's0:c1-s0:c2', null])
    expect(() => parseRange(text as string, 'level'), String(text)).toThrow(/^level: must /)
})

test('SE-14 dominance', () => {
  const level = parseLevel
  expect(dominates(level('s0:c0.c1023'), level('s0:c1,c2'))).toBe(true)
  expect(dominates(level('s0:c1,c2'), level('s0:c1,c3'))).toBe(false)
  expect(dominates(level('s0:c1,c2'), level('s0'))).toBe(true)
  expect(dominates(level('s0'), level('s1'))).toBe(false)
  expect(dominates(level('s1'), level('s0:c1'))).toBe(false)
  expect(contains(parseRange('s0-s0:c0.c1023'), level('s0:c7'))).toBe(true)
  expect(contains(parseRange('s0:c1-s0:c0.c9'), level('s0:c7'))).toBe(false)
})

test('SE-14 the part that two ranges share', () => {
  for (const [a, b, shared] of [
    ['s0:c0.c100-s10:c0.c150', 's5:c50.c100-s15:c0.c149', 's5:c50.c100-s10:c0.c149'],
    ['s5:c50.c100-s15:c0.c149', 's0:c0.c100-s10:c0.c150', 's5:c50.c100-s10:c0.c149'],
    ['s0:c0.c100-s10:c0.c150', 's0', 's0'],
    ['s6:c0.c1023', 's6:c0,c2,c11,c201.c429,c431.c511', 's6:c0,c2,c11,c201.c429,c431.c511'],
    ['s0-s0:c0.c1023', 's6:c0,c2', undefined],
    ['s0-s15:c0,c2,c11,c201.c429,c431.c511', 's6:c0.c1023', 's6-s6:c0,c2,c11,c201.c429,c431.c511'],
  ] as const) {
    const found = glbLub(parseRange(a), parseRange(b))
    expect(found && formatRange(found), `${a} and ${b}`).toBe(shared)
  }
})

const runs = fc.array(
  fc.tuple(fc.nat(60), fc.nat(8)).map(([first, more]): CategoryRun => [first, first + more]),
  { maxLength: 6 },
)
const levels = fc.record({ sensitivity: fc.nat(15), categories: runs }).map(level => parseLevel(formatLevel(level)))
const members = ({ categories }: Level) =>
  new Set(categories.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i)))

test('SE-14 levels are sets: what is read is what was written, dominance and what is shared are theirs', () => {
  fc.assert(
    fc.property(levels, levels, (a, b) => {
      expect(parseLevel(formatLevel(a))).toEqual(a)
      const [mine, theirs] = [members(a), members(b)]
      expect(dominates(a, b)).toBe(a.sensitivity >= b.sensitivity && [...theirs].every(one => mine.has(one)))
      const shared = glbLub({ low: a, high: a }, { low: b, high: b })
      if (a.sensitivity !== b.sensitivity) expect(shared).toBeUndefined()
      else expect(members(shared!.high)).toEqual(new Set([...mine].filter(one => theirs.has(one))))
    }),
  )
})

test('SE-06 a pair of categories for each number, the lower first', () => {
  expect([intToMcs(1), intToMcs(1023), intToMcs(1024), intToMcs(523_776)]).toEqual([
    's0:c0,c1',
    's0:c0,c1023',
    's0:c1,c2',
    's0:c1022,c1023',
  ])
  const all = new Set(Array.from({ length: 45 }, (_, i) => intToMcs(i + 1, 10)))
  expect(all.size).toBe(45)
  for (const id of [0, -1, 1.5, 523_777, Number.NaN])
    expect(() => intToMcs(id)).toThrow(/^id: must be a whole number from 1 to 523776/)
})
