import { BlockList } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  formatPrefix,
  lastAddressOf,
  networkOf,
  type Prefix,
  parseCidr,
  parsePrefix,
  prefixHolds,
} from '../src/address/prefix.js'
import { formatAddress } from '../src/address/text.js'

const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
const addressOf = (size: 4 | 16) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map(bytes => Uint8Array.from(bytes))
const prefixOf = (size: 4 | 16): fc.Arbitrary<Prefix> =>
  fc.record({
    family: fc.constant(size === 4 ? ('inet' as const) : ('inet6' as const)),
    address: addressOf(size),
    length: fc.integer({ min: 0, max: size * 8 }),
  })
const anyPrefix = fc.oneof(prefixOf(4), prefixOf(16))

test('NL-02 a prefix is read back from its text', () => {
  fc.assert(
    fc.property(anyPrefix, prefix => {
      expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix)
      expect(parseCidr(formatPrefix(prefix))).toEqual(prefix)
    }),
  )
  expect(formatPrefix(parsePrefix('192.0.2.1'))).toBe('192.0.2.1/32')
  expect(formatPrefix(parsePrefix('2001:DB8::1'))).toBe('2001:db8::1/128')
})

test('NL-02 the network of a prefix holds what Node.js finds in it', () => {
  for (const size of [4, 16] as const) {
    const type = size === 4 ? 'ipv4' : 'ipv6'
    fc.assert(
      fc.property(prefixOf(size), addressOf(size), fc.nat(size * 8), (prefix, other, same) => {
        const network = networkOf(prefix)
        expect(networkOf(network)).toEqual(network)
        expect(prefixHolds(prefix, network.address) && prefixHolds(prefix, lastAddressOf(prefix))).toBe(true)
        // One that shares the first bits, so that both answers occur.
        const near = networkOf({ ...prefix, length: same }).address.map(
          (byte, at) => byte | (other[at]! & (at * 8 >= same ? 0xff : 0)),
        )
        const list = new BlockList()
        list.addSubnet(formatAddress(network.address), prefix.length, type)
        expect(prefixHolds(prefix, near)).toBe(list.check(formatAddress(near), type))
      }),
    )
  }
  expect(formatAddress(lastAddressOf(parsePrefix('172.17.0.101/16')))).toBe('172.17.255.255')
  expect(formatPrefix(networkOf(parsePrefix('172.17.0.101/20')))).toBe('172.17.0.0/20')
  expect(prefixHolds(parsePrefix('0.0.0.0/0'), new Uint8Array(16))).toBe(false)
})

test('EV-060 EV-061 what is no prefix is refused by its field, with the value', () => {
  for (const text of [
    '',
    '/24',
    '10.0.0.1/',
    '10.0.0.1/33',
    '::1/129',
    '10.0.0.1/08',
    '10.0.0.1/-1',
    '10.0.0.1/8/8',
    '10.0.0/8',
    '10.0.0.1/255.0.0.0',
  ])
    expect(() => parsePrefix(text, 'address'), text).toThrow(refused('address'))
  expect(() => parsePrefix('10.0.0.1/33', 'address')).toThrow(
    'must have a length of 0 to 32 bits behind the slash (got "10.0.0.1/33")',
  )
  expect(() => parseCidr('10.0.0.1', 'destination')).toThrow(refused('destination'))
})

test('EV-062 the classic samples’ loopback address is a prefix', () => {
  expect(parseCidr('127.0.0.1/0')).toMatchObject({ family: 'inet', length: 0 })
})
