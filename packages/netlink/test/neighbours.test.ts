import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BridgeVlanSpec, bridgeVlanBody, decodeBridgeVlans } from '../src/link/bridge-vlans.js'
import { decodeFdbEntry, type FdbEntrySpec, fdbBody } from '../src/neighbour/fdb.js'
import { decodeNeighbour, type NeighbourSpec, neighbourBody } from '../src/neighbour/neighbours.js'
import { decodeNextHop, type NextHopObjectSpec, nextHopBody } from '../src/route/nexthop.js'
import { golden } from './golden/route-messages.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (name: keyof typeof golden) => Uint8Array.from(Buffer.from(golden[name], 'hex'))
const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
const mac = '02:42:ac:11:00:02'

describe('NL-02 messages of neighbours are those of the kernel’s headers', () => {
  test('a neighbour', () => {
    const spec: NeighbourSpec = {
      address: '192.0.2.7',
      lladdr: mac,
      dev: 3,
      state: 'permanent',
      flags: ['router', 'managed'],
      protocol: 'static',
    }
    expect(hex(neighbourBody(spec).bytes)).toBe(golden.neighbour)
    expect(decodeNeighbour(bytes('neighbour'))).toEqual({ ...spec, family: 'inet' })
  })

  test('an entry of a forwarding table, which is no neighbour', () => {
    const spec: FdbEntrySpec = {
      mac,
      dev: 4,
      state: 'static',
      vlan: 10,
      destination: '192.0.2.8',
      port: 8472,
      vni: 42,
      via: 5,
    }
    expect(hex(fdbBody(spec).bytes)).toBe(golden.fdb)
    expect(decodeFdbEntry(bytes('fdb'))).toEqual({ ...spec, flags: ['self'] })
    expect(decodeNeighbour(bytes('fdb'))).toBeUndefined()
    expect(decodeFdbEntry(bytes('neighbour'))).toBeUndefined()
    for (const state of ['permanent', 'static', 'dynamic', 'stale'] as const)
      expect(decodeFdbEntry(fdbBody({ mac, dev: 4, state, flags: ['master'] }).bytes)).toEqual({
        mac,
        dev: 4,
        state,
        flags: ['master'],
      })
  })

  test('VLANs of a bridge, in a row and alone', () => {
    const spec: BridgeVlanSpec = { dev: 4, vid: 10, vidEnd: 20, untagged: true, self: true }
    expect(hex(bridgeVlanBody(spec).bytes)).toBe(golden.bridgeVlans)
    expect(decodeBridgeVlans(bytes('bridgeVlans'))).toEqual([{ dev: 4, vid: 10, vidEnd: 20, untagged: true }])
    expect(decodeBridgeVlans(bridgeVlanBody({ dev: 4, vid: 7, pvid: true }).bytes)).toEqual([
      { dev: 4, vid: 7, pvid: true },
    ])
    // The end of a range without its begin.
    const lying = golden.bridgeVlans.replace('0c000a00', '04000a00')
    expect(lying).not.toBe(golden.bridgeVlans)
    expect(() => decodeBridgeVlans(Uint8Array.from(Buffer.from(lying, 'hex')))).toThrow(
      expect.objectContaining({ code: 'EPROTO' }),
    )
  })

  test('a nexthop, and a group of some', () => {
    const spec: NextHopObjectSpec = { id: 7, gateway: 'fe80::1', dev: 3, onlink: true }
    expect(hex(nextHopBody(spec).bytes)).toBe(golden.nextHop)
    expect(decodeNextHop(bytes('nextHop'))).toEqual({ ...spec, family: 'inet6', protocol: 'boot' })
    const group: NextHopObjectSpec = {
      group: [{ id: 7 }, { id: 8, weight: 3 }],
      groupType: 'resilient',
      resilient: { buckets: 32, idleTimerS: 60 },
    }
    expect(hex(nextHopBody(group).bytes)).toBe(golden.nextHopGroup)
    expect(decodeNextHop(bytes('nextHopGroup'))).toEqual({
      id: 0,
      protocol: 'boot',
      ...group,
      group: [
        { id: 7, weight: 1 },
        { id: 8, weight: 3 },
      ],
    })
    const heavy = nextHopBody({ group: [{ id: 1, weight: 65536 }] })
    expect(decodeNextHop(heavy.bytes).group).toEqual([{ id: 1, weight: 65536 }])
  })
})

test.each<[string, () => unknown]>([
  ['address', () => neighbourBody({ address: 'there', dev: 2, lladdr: mac })],
  ['lladdr', () => neighbourBody({ address: '192.0.2.1', dev: 2 })],
  ['lladdr', () => neighbourBody({ address: '192.0.2.1', dev: 2, lladdr: '02:42' })],
  ['dev', () => neighbourBody({ address: '192.0.2.1', dev: 0, lladdr: mac })],
  ['state', () => neighbourBody({ address: '192.0.2.1', dev: 2, lladdr: mac, state: 'gone' as 'stale' })],
  ['flags[0]', () => neighbourBody({ address: '192.0.2.1', dev: 2, lladdr: mac, flags: ['far' as 'router'] })],
  ['mac', () => fdbBody({ mac: '02:42:ac:11:00', dev: 2 })],
  ['vlan', () => fdbBody({ mac, dev: 2, vlan: 4095 })],
  ['state', () => fdbBody({ mac, dev: 2, state: 'gone' as 'stale' })],
  ['vid', () => bridgeVlanBody({ dev: 2, vid: 0 })],
  ['vid', () => bridgeVlanBody({ dev: 2, vid: 4095 })],
  ['vidEnd', () => bridgeVlanBody({ dev: 2, vid: 9, vidEnd: 8 })],
  ['pvid', () => bridgeVlanBody({ dev: 2, vid: 9, vidEnd: 10, pvid: true })],
  ['lladr', () => neighbourBody({ address: '192.0.2.1', dev: 2, lladr: mac } as never)],
  ['vlna', () => fdbBody({ mac, dev: 2, vlna: 3 } as never)],
  ['vids', () => bridgeVlanBody({ dev: 2, vid: 1, vids: 3 } as never)],
  ['gatway', () => nextHopBody({ gatway: '192.0.2.1', dev: 2 } as never)],
  ['gateway', () => nextHopBody({})],
  ['gateway', () => nextHopBody({ family: 'inet6', gateway: '192.0.2.1', dev: 2 })],
  ['gateway', () => nextHopBody({ blackhole: true, gateway: '192.0.2.1' })],
  ['dev', () => nextHopBody({ group: [{ id: 1 }], dev: 2 })],
  ['group', () => nextHopBody({ group: [] })],
  ['group[0].id', () => nextHopBody({ group: [{ id: 0 }] })],
  ['group[0].weight', () => nextHopBody({ group: [{ id: 1, weight: 65537 }] })],
])('EV-061 bad input is refused by its field: %s', (field, make) => {
  expect(make).toThrow(refused(field))
})

test('NL-02 what is none of these, or ends early, is EPROTO or nothing', () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 2, 7, 10), fc.uint8Array({ maxLength: 64 }), (family, rest) => {
      for (const decode of [decodeNeighbour, decodeFdbEntry, decodeBridgeVlans, decodeNextHop]) {
        try {
          decode(Uint8Array.of(family, ...rest))
        } catch (error) {
          expect(error).toMatchObject({ code: 'EPROTO' })
        }
      }
    }),
    { numRuns: 2000 },
  )
})
