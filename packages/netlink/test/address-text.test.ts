import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressBytes, formatAddress, parseAddress } from '../src/address/text.js'

const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
const four = fc.uint8Array({ minLength: 4, maxLength: 4 })
/** Addresses with runs of zeros, which are what the rules are about. */
const sixteen = fc
  .array(fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map(groups => Uint8Array.from(groups.flatMap(group => [group >> 8, group & 0xff])))

test('NL-02 an address is read back from its text, byte for byte', () => {
  fc.assert(
    fc.property(fc.oneof(four, sixteen), bytes => {
      expect([...parseAddress(formatAddress(bytes))]).toEqual([...bytes])
    }),
  )
})

test('NL-02 IPv6 text is that of RFC 5952, as a URL has it', () => {
  const mapped = (bytes: Uint8Array) =>
    bytes.subarray(0, 10).every(byte => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  fc.assert(
    fc.property(
      sixteen.filter(bytes => !mapped(bytes)),
      bytes => {
        const text = formatAddress(bytes)
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`)
      },
    ),
    { numRuns: 1000 },
  )
  for (const [text, same] of [
    ['2001:DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['fe80::1', 'fe80::1'],
  ] as const)
    expect(formatAddress(parseAddress(text)), text).toBe(same)
})

test('NL-02 what Node.js takes for an address is one, and nothing else', () => {
  const near = fc.oneof(
    fc.stringMatching(/^[0-9a-f:.]{0,20}$/),
    fc.array(fc.stringMatching(/^[0-9]{1,3}$/), { minLength: 3, maxLength: 5 }).map(parts => parts.join('.')),
    fc.array(fc.stringMatching(/^[0-9a-fA-F]{0,5}$/), { minLength: 1, maxLength: 9 }).map(parts => parts.join(':')),
    fc.tuple(sixteen.map(formatAddress), four.map(formatAddress)).map(([six, dotted]) => `${six}:${dotted}`),
    fc.string(),
  )
  fc.assert(
    fc.property(near, text => {
      const bytes = addressBytes(text)
      // A zone is no part of an address here.
      expect(bytes?.length, text).toBe(isIPv4(text) ? 4 : isIPv6(text) && !text.includes('%') ? 16 : undefined)
    }),
    { numRuns: 3000 },
  )
})

test('NL-02 what is no address is refused by its field, with the value', () => {
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    ' 1.2.3.4',
    '1.2.3.4/8',
    '1::2::3',
    ':1',
    '1:',
    ':::',
    'fe80::1%eth0',
  ])
    expect(() => parseAddress(text, 'gateway'), text).toThrow(refused('gateway'))
  expect(() => parseAddress('eins', 'gateway')).toThrow(
    'gateway: must be an IPv4 or IPv6 address such as 192.0.2.1 or 2001:db8::1 (got "eins")',
  )
  expect(() => parseAddress(undefined as unknown as string)).toThrow(refused('address'))
  expect(() => formatAddress(new Uint8Array(5))).toThrow(refused('address'))
})
