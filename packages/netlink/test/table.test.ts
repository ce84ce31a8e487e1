import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { distance, nearest } from '../src/node/suggest.js'
import { jsonOf, renderTable } from '../src/node/table.js'

describe('tables', () => {
  interface Row {
    readonly name: string
    readonly mtu: number | undefined
    readonly master?: string
  }
  const columns = [
    { heading: 'NAME', of: (row: Row) => row.name },
    { heading: 'MTU', of: (row: Row) => row.mtu, right: true },
    { heading: 'MASTER', of: (row: Row) => row.master, optional: true },
  ]

  test('words to the left, numbers to the right, - for nothing, no blanks at the end', () => {
    const rows = [
      { name: 'lo', mtu: 65536 },
      { name: 'eth0', mtu: undefined, master: 'br0' },
    ]
    expect(renderTable(columns, rows)).toBe('NAME    MTU  MASTER\nlo    65536  -\neth0      -  br0\n')
  })

  test('a column that nobody needs is left out, and a table of nothing has its headings', () => {
    expect(renderTable(columns, [{ name: 'lo', mtu: 1 }])).toBe('NAME  MTU\nlo      1\n')
    expect(renderTable(columns, [])).toBe('NAME  MTU\n')
  })

  test('no name makes a line, or anything that a terminal obeys', () => {
    const name = fc.array(fc.nat(0x1ff)).map(codes => String.fromCharCode(...codes))
    fc.assert(
      fc.property(fc.array(name), names => {
        const text = renderTable(
          columns,
          names.map(name => ({ name, mtu: 1 })),
        )
        expect(text.split('\n')).toHaveLength(names.length + 2)
        expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
      }),
    )
  })

  test('JSON: numbers as far as they are exact, bytes as hexadecimal', () => {
    expect(jsonOf({ a: 4026531840n, b: 2n ** 64n - 1n, c: Uint8Array.of(1, 255), d: undefined })).toBe(
      '{"a":4026531840,"b":"18446744073709551615","c":"01ff"}',
    )
  })
})

describe('what was meant', () => {
  const words = ['link', 'addr', 'route', 'monitor', 'netns']
  test.each([
    ['lnik', 'link'],
    ['links', 'link'],
    ['mon', 'monitor'],
    ['rout', 'route'],
    ['netsn', 'netns'],
    ['add', 'addr'],
    ['x', undefined],
    ['bridge', undefined],
    ['', undefined],
  ])('%s: %s', (word, meant) => {
    expect(nearest(word, words)).toBe(meant)
  })

  test('a distance is the same both ways, 0 for the same alone, and at most the longer length', () => {
    const word = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        const far = distance(a, b)
        expect(far).toBe(distance(b, a))
        expect(far === 0).toBe(a === b)
        expect(far).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(far).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })
})
