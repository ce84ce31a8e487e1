import { statusField } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const status = (name: string): string =>
  `Name:\t${name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\nUmask:\t0022\nCapEff:\t0000000000000080\n`

test('a field is that of the kernel, whatever a process calls itself', () => {
  expect(statusField(status('sh'), 'CapEff')).toBe('0000000000000080')
  expect(statusField(status('sh'), 'Cap')).toBeUndefined()
  expect(statusField('', 'CapEff')).toBeUndefined()
  for (const end of ['\r', '\n', '\u2028', '\u2029', '\v', '\f', '\u0085'])
    expect(statusField(status(`x${end}CapEff:\t1`), 'CapEff'), JSON.stringify(end)).toBe('0000000000000080')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 15 }), name => {
      expect(statusField(status(name), 'CapEff')).toBe('0000000000000080')
    }),
  )
})
