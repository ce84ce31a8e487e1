import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatMac, isUnicastMac, parseMac, parseUnicastMac, randomMac } from '../src/link/mac.js'

const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })

test('NL-06 a MAC is read back from its text, in each of its three forms', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), bytes => {
      const text = formatMac(bytes)
      expect([...parseMac(text)]).toEqual([...bytes])
      expect([...parseMac(text.replaceAll(':', '-').toUpperCase())]).toEqual([...bytes])
      expect([...parseMac(text.replaceAll(':', '').replace(/^(.{4})(.{4})/, '$1.$2.'))]).toEqual([...bytes])
    }),
  )
  expect(formatMac(new Uint8Array(20).fill(0xa0, 19))).toBe(`${'00:'.repeat(19)}a0`)
  expect(parseMac(formatMac(new Uint8Array(20)), 'mac', 20)).toHaveLength(20)
  expect(formatMac(new Uint8Array())).toBe('')
})

test('NL-06 EV-060 what is no MAC is refused by its field, with the value', () => {
  for (const text of [
    '',
    '02:42:ac:11:00',
    '02:42:ac:11:00:02:03',
    '2:42:ac:11:00:02',
    '02:42:ac:11:00:0g',
    '02:42-ac:11:00:02',
    '0242ac110002',
    ' 02:42:ac:11:00:02',
  ])
    expect(() => parseMac(text, 'macAddress'), text).toThrow(refused('macAddress'))
  expect(() => parseMac('nix', 'mac')).toThrow(
    'mac: must be a link-layer address of 6 bytes such as 02:42:ac:11:00:02 (got "nix")',
  )
  expect(() => parseMac(undefined as unknown as string)).toThrow(refused('mac'))
})

test('EV-060 a device has neither a multicast address nor zeros', () => {
  for (const text of ['01:00:5e:00:00:01', '33:33:00:00:00:01', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00'])
    expect(() => parseUnicastMac(text), text).toThrow(refused('mac'))
  expect(parseUnicastMac('02:00:00:00:00:00')).toHaveLength(6)
})

test('NL-17 a random MAC is locally administered, of one device, and another each time', () => {
  const all = new Set(Array.from({ length: 100 }, randomMac))
  expect(all.size).toBe(100)
  for (const mac of all) {
    const bytes = parseUnicastMac(mac)
    expect(isUnicastMac(bytes)).toBe(true)
    expect(bytes[0]! & 3).toBe(2)
  }
})
