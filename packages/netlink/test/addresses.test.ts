import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAddressMessage } from '../src/address/address.js'
import { type AddressOptions, addAddress, deleteAddress, listAddresses } from '../src/address/messages.js'
import type { MessageBody, NetlinkRequest } from '../src/message/message.js'
import { golden } from './golden/messages.js'

const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
const hex = ({ body }: NetlinkRequest) => Buffer.from((body as MessageBody).bytes).toString('hex')
const bytes = (name: keyof typeof golden) => Uint8Array.from(Buffer.from(golden[name], 'hex'))

test('NL-13 an address of IPv4 has local, address and broadcast', () => {
  const request = addAddress(3, '192.0.2.1/24', {
    label: 'eth0:x',
    validLifetime: 120,
    preferredLifetime: 60,
    flags: ['noprefixroute'],
    metric: 50,
    protocol: 66,
  })
  expect(request).toMatchObject({ type: 20, flags: 0x600, path: '192.0.2.1/24' })
  expect(hex(request)).toBe(golden.address4)
  expect(addAddress(3, '192.0.2.1/24', {}, 'replace')).toMatchObject({ flags: 0x500 })
  expect(hex(addAddress(1, '127.0.0.1/8'))).toBe(golden.addressLoopback)
})

test('NL-13 a peer’s prefix has the length', () => {
  expect(hex(addAddress(3, '10.0.0.1', { peer: '10.0.0.2/30', scope: 'link' }))).toBe(golden.addressPeer)
  expect(deleteAddress(3, '10.0.0.1', { peer: '10.0.0.2/30' })).toMatchObject({ type: 21 })
  // The kernel matches by address, length and peer: scope is none of it.
  const deleted = golden.addressPeer.replace(/^021e00fd/, '021e0000')
  expect(deleted).not.toBe(golden.addressPeer)
  expect(hex(deleteAddress(3, '10.0.0.1', { peer: '10.0.0.2/30' }))).toBe(deleted)
})

test('NL-13 an address of IPv6 has lifetimes and flags, and no broadcast', () => {
  const options = { flags: ['nodad', 'mcautojoin'], preferredLifetime: 0 } satisfies AddressOptions
  expect(hex(addAddress(3, '2001:db8::1/64', options))).toBe(golden.address6)
  expect(hex(listAddresses({ family: 'inet6', index: 3 }))).toBe(golden.addressList)
})

test('NL-13 the broadcast address is the network’s last, where there is one', () => {
  const broadcast = (address: string, options?: AddressOptions) =>
    parseAddressMessage((addAddress(1, address, options).body as MessageBody).bytes)?.broadcast
  expect(broadcast('172.17.0.101/16')).toBe('172.17.255.255')
  for (const address of ['10.0.0.1/31', '10.0.0.1/32', '10.0.0.1', '10.0.0.1/0', '2001:db8::1/64'])
    expect(broadcast(address), address).toBeUndefined()
  expect(broadcast('172.17.0.101/16', { broadcast: false })).toBeUndefined()
  expect(broadcast('172.17.0.101/16', { broadcast: '172.17.0.0' })).toBe('172.17.0.0')
})

test('NL-21 an address is read as the kernel’s headers lay it out', () => {
  expect(parseAddressMessage(bytes('addressTold'))).toMatchObject({
    family: 'inet6',
    link: 5,
    address: 'fe80::5',
    prefixLength: 64,
    peer: undefined,
    scope: 'link',
    flags: ['temporary', 'permanent', 0x100000],
    validLifetime: 'forever',
    preferredLifetime: 'forever',
    created: 123,
    updated: 124,
    protocol: 3,
  })
  expect(parseAddressMessage(bytes('addressPeerTold'))).toMatchObject({
    family: 'inet',
    address: '10.0.0.1',
    prefixLength: 30,
    peer: '10.0.0.2',
    label: 'p0',
    scope: 'global',
    flags: ['secondary'],
    validLifetime: 120,
    preferredLifetime: 60,
  })
  expect(parseAddressMessage(Uint8Array.of(28, 0, 0, 0, 1, 0, 0, 0))).toBeUndefined()
})

test('EV-060 what cannot be is refused by its field before anything is asked', () => {
  const bad: [field: string, address: string, options?: object][] = [
    ['address', ''],
    ['address', '10.0.0.1/33'],
    ['address', 'fe80::1%eth0/64'],
    ['peer', '10.0.0.1/24', { peer: '::1' }],
    ['peer', '10.0.0.1/24', { peer: '10.0.0' }],
    ['broadcast', '10.0.0.1/24', { broadcast: '::1' }],
    ['broadcast', '::1/64', { broadcast: '10.0.0.1' }],
    ['label', '::1/64', { label: 'a' }],
    ['label', '10.0.0.1/24', { label: 'a'.repeat(16) }],
    ['scope', '10.0.0.1/24', { scope: 'world' }],
    ['scope', '10.0.0.1/24', { scope: 256 }],
    ['flags[0]', '10.0.0.1/24', { flags: ['x'] }],
    ['flags[1]', '10.0.0.1/24', { flags: ['nodad', 'permanent'] }],
    ['flags', '10.0.0.1/24', { flags: 'nodad' }],
    ['validLifetime', '10.0.0.1/24', { validLifetime: 0 }],
    ['validLifetime', '10.0.0.1/24', { validLifetime: 2 ** 32 - 1 }],
    ['preferredLifetime', '10.0.0.1/24', { validLifetime: 5, preferredLifetime: 6 }],
    ['metric', '10.0.0.1/24', { metric: -1 }],
    ['protocol', '10.0.0.1/24', { protocol: 256 }],
    ['lifetime', '10.0.0.1/24', { lifetime: 5 }],
  ]
  for (const [field, address, options] of bad)
    expect(() => addAddress(1, address, options), JSON.stringify([address, options])).toThrow(refused(field))
  expect(() => addAddress(0, '10.0.0.1/24')).toThrow(refused('link'))
})

test('NL-02 truncated and random messages of addresses are EPROTO or an address, and never loop', () => {
  const read = (message: Uint8Array) => {
    try {
      parseAddressMessage(message)
    } catch (error) {
      expect(error).toMatchObject({ code: 'EPROTO' })
    }
  }
  const whole = bytes('addressPeerTold')
  for (let size = 0; size < whole.length; size++) read(whole.slice(0, size))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }), changes => {
      const message = whole.slice()
      for (const [at, value] of changes) message[at] = value
      read(message)
    }),
    { numRuns: 1000 },
  )
})
