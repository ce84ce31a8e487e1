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

  test('what goes without saying is left out where all rows have it', () => {
    const usual = [columns[0]!, { heading: 'TABLE', of: (row: Row) => row.master, usual: 'main' }]
    expect(renderTable(usual, [{ name: 'a', mtu: 1, master: 'main' }])).toBe('NAME\na\n')
    const rows = ['main', 'local'].map(master => ({ name: 'a', mtu: 1, master }))
    expect(renderTable(usual, rows)).toBe('NAME  TABLE\na     main\na     local\n')
  })

  test('what has no room in a line of the terminal goes on in the next, the headings likewise', () => {
    const rows = [
      { name: 'a-long-name', mtu: 65536, master: 'br0' },
      { name: 'b', mtu: 1500, master: 'another' },
    ]
    expect(renderTable(columns, rows, 20)).toBe(
      'NAME           MTU\n        MASTER\na-long-name  65536\n        br0\nb             1500\n        another\n',
    )
    expect(renderTable(columns, rows, 27)).toBe(renderTable(columns, rows))
    // A column alone that is wider than the terminal stands in a line of its own.
    expect(renderTable(columns, rows, 3).split('\n')).toHaveLength(10)
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 40 }), width => {
        for (const line of renderTable(columns, rows, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width)
      }),
    )
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
