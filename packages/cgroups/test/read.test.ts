import { expect, test } from 'vitest'
import { parseExact, parseFlat } from '../src/read.js'

test('D-09 counters of 64 bits survive: a bigint where no number holds them exactly', () => {
  const text =
    'cache 4096\nhierarchical_memory_limit 9223372036854771712\nlargest 18446744073709551615\nedge 9007199254740991\n'
  expect([...parseExact(text)]).toEqual([
    ['cache', 4096],
    ['hierarchical_memory_limit', 9223372036854771712n],
    ['largest', 18446744073709551615n],
    ['edge', 9007199254740991],
  ])
  expect(parseFlat(text).get('cache')).toBe(4096)
  expect(parseExact('').size).toBe(0)
  // What a kernel of tomorrow may write there is no error.
  expect([...parseExact('cache 4096\nstate some words\nshare 1.5\n')]).toEqual([
    ['cache', 4096],
    ['state', Number.NaN],
    ['share', 1.5],
  ])
})
