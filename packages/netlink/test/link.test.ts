import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isKind, parseLink } from '../src/link/link.js'
import { addLink } from '../src/link/messages.js'
import type { MessageBody } from '../src/message/message.js'
import { golden } from './golden/messages.js'

const bytes = (name: keyof typeof golden) => Uint8Array.from(Buffer.from(golden[name], 'hex'))

test('NL-21 NW-20 a link is read as the kernel’s headers lay it out', () => {
  expect(parseLink(bytes('told')).statistics).toBeUndefined()
  const link = parseLink(bytes('told'), { statistics: true })
  expect(link).toMatchObject({
    index: 5,
    name: 'p0',
    alternativeNames: ['first', 'second'],
    type: 'ether',
    kind: 'macvlan',
    data: { mode: 'bridge', flags: [] },
    up: true,
    flags: ['up', 'broadcast', 'running', 'multicast', 'lower_up'],
    operstate: 'up',
    mtu: 1500,
    minMtu: 68,
    maxMtu: 65535,
    mac: '02:00:00:00:00:05',
    broadcast: 'ff:ff:ff:ff:ff:ff',
    txQueueLength: 1000,
    qdisc: 'noqueue',
    link: 2,
    linkNamespaceId: 0,
    master: 9,
    portKind: 'bridge',
    bridgePort: { state: 'forwarding', hairpin: true, bridgeId: '8000.02:00:00:00:00:09', holdTimer: 3n },
    group: 0,
    promiscuity: 1,
    carrier: true,
    addressGeneration: 'eui64',
    // All 64 bits survive.
    statistics: { rxPackets: 1, txPackets: 2, rxBytes: 2 ** 32, txBytes: 2n ** 64n - 1n, rxOtherhostDropped: 7 },
    unknown: [{ type: 0x3ff0, bytes: Uint8Array.of(77, 0) }],
  })
  expect(isKind(link, 'macvlan') && link.data?.mode).toBe('bridge')
  expect(isKind(link, 'vlan')).toBe(false)
})

test.each(['bridge', 'macvlan', 'ipvlan', 'vlan', 'vxlan', 'vxlan6', 'bond', 'vrf'] as const)(
  'NL-24 what is read of %s, written again, is the same',
  name => {
    const { name: named, kind, data, link } = parseLink(bytes(name))
    const { body } = addLink({ name: named, kind: kind!, data, link } as Parameters<typeof addLink>[0])
    expect(Buffer.from((body as MessageBody).bytes).toString('hex')).toBe(golden[name])
  },
)

test('NL-02 a kind that is not known has its data as bytes, which are written again', () => {
  const { body } = addLink({ name: 'x', kind: 'younger', data: Uint8Array.of(5, 0, 1, 0, 7, 0, 0, 0) })
  const link = parseLink((body as MessageBody).bytes)
  expect(link).toMatchObject({ kind: 'younger', data: Uint8Array.of(5, 0, 1, 0, 7, 0, 0, 0) })
  const again = addLink({ name: 'x', kind: 'younger', data: link.data as Uint8Array })
  expect((again.body as MessageBody).bytes).toEqual((body as MessageBody).bytes)
})

test('NL-02 truncated, lying and random messages of links are EPROTO or a link, and never loop', () => {
  const whole = bytes('told')
  const read = (message: Uint8Array) => {
    try {
      expect(parseLink(message, { statistics: true })).toMatchObject({ flags: expect.any(Array) })
    } catch (error) {
      expect(error).toMatchObject({ code: 'EPROTO' })
    }
  }
  for (let size = 0; size < whole.length; size++) read(whole.slice(0, size))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }), changes => {
      const message = whole.slice()
      for (const [at, value] of changes) message[at] = value
      read(message)
    }),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read), { numRuns: 1000 })
})
