import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatPrefix, networkOf } from '../src/address/prefix.js'
import { formatAddress } from '../src/address/text.js'
import { routeQueryBody } from '../src/route/query.js'
import { anyRoute, decodeRoute, type Route } from '../src/route/route.js'
import { addRouteRequest } from '../src/route/routes.js'
import { decodeRule, type RuleSpec, ruleBody } from '../src/route/rule.js'
import { type RouteSpec, routeBody } from '../src/route/spec.js'
import { usualRoute } from '../src/route/usual.js'
import { golden } from './golden/route-messages.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (name: keyof typeof golden) => Uint8Array.from(Buffer.from(golden[name], 'hex'))
const refused = (field: string) => expect.objectContaining({ code: 'ConfigInvalid', field })
const added = (route: RouteSpec) => hex(routeBody(route, 'add').bytes)

describe('NL-02 NL-15 messages of routes are those of the kernel’s headers', () => {
  test('IPv4 with table, metrics, source and metric', () => {
    const route: RouteSpec = {
      destination: '10.1.0.0/16',
      gateway: '192.0.2.1',
      dev: 3,
      onlink: true,
      metric: 100,
      source: '192.0.2.9',
      protocol: 'static',
      table: 1000,
      metrics: { mtu: 1400, rttMs: 1.5, quickack: true, lock: ['mtu'], congctl: 'reno' },
    }
    expect(added(route)).toBe(golden.route4)
    expect(decodeRoute(bytes('route4'))).toEqual({ family: 'inet', type: 'unicast', scope: 'global', ...route })
  })

  test('NL-16 a default route by a gateway', () => {
    expect(added({ gateway: '172.17.42.1' })).toBe(golden.routeDefault4)
    expect(added({ destination: 'default', gateway: '172.17.42.1' })).toBe(golden.routeDefault4)
    expect(decodeRoute(bytes('routeDefault4'))).toMatchObject({
      destination: 'default',
      table: 'main',
      protocol: 'boot',
    })
    const default6 = decodeRoute(routeBody({ gateway: 'fe80::1', dev: 2 }, 'add').bytes)
    expect(default6).toMatchObject({ family: 'inet6', destination: 'default', gateway: 'fe80::1', dev: 2 })
  })

  test('a route of the link itself has its scope, which those of IPv6 do not have', () => {
    expect(added({ destination: '192.0.2.0/24', dev: 2 })).toBe(golden.routeLink)
    expect(decodeRoute(routeBody({ destination: '2001:db8::/64', dev: 2 }, 'add').bytes)?.scope).toBe('global')
    expect(decodeRoute(routeBody({ destination: '10.0.0.1', type: 'local', dev: 1 }, 'add').bytes)).toMatchObject({
      scope: 'host',
      table: 'local',
      destination: '10.0.0.1/32',
    })
  })

  test('IPv6 with several ways, an encapsulation, a preference and an end', () => {
    const encap = { type: 'ip6', bytes: Uint8Array.of(5, 0, 4, 0, 9, 0, 0, 0) } as const
    const route: RouteSpec = {
      destination: '2001:db8::/32',
      from: '2001:db8:1::/64',
      nextHops: [
        { gateway: 'fe80::1', dev: 3, weight: 2, onlink: true },
        { dev: 4, encap },
      ],
      preference: 'high',
      expiresS: 59.5,
    }
    expect(added(route)).toBe(golden.route6)
    expect(decodeRoute(bytes('route6'))).toEqual({
      ...route,
      family: 'inet6',
      type: 'unicast',
      table: 'main',
      protocol: 'boot',
      scope: 'global',
      nextHops: [
        { gateway: 'fe80::1', dev: 3, weight: 2, onlink: true },
        { dev: 4, weight: 1, encap },
      ],
      expiresS: 60,
    })
  })

  test('a gateway of the other family, a filter that deletes, and a question', () => {
    expect(added({ destination: '10.0.0.0/8', via: 'fe80::2', dev: 3 })).toBe(golden.routeVia)
    expect(decodeRoute(bytes('routeVia'))).toMatchObject({ via: 'fe80::2', family: 'inet' })
    expect(hex(routeBody({ destination: '10.0.0.0/8' }, 'delete').bytes)).toBe(golden.routeDelete)
    const query = { from: '192.0.2.9', mark: 5, ipProtocol: 17, destinationPort: 53 }
    expect(hex(routeQueryBody('198.51.100.7', query).bytes)).toBe(golden.routeGet)
    // struct rtmsg of IPv6, whose strict checking takes no flag but RTM_F_FIB_MATCH.
    expect(hex(routeQueryBody('2001:db8::1', {}).bytes)).toMatch(/^0a800000000000000{8}1400/)
    expect(hex(routeQueryBody('2001:db8::1', { fibMatch: true }).bytes)).toMatch(/^0a80000000000000002000001400/)
  })

  test('an encapsulation is marked as a nest, which some kinds of it insist on', () => {
    const table = { type: 'mpls', bytes: Uint8Array.of(8, 0, 1, 0, 1, 2, 3, 4) } as const
    expect(added({ destination: '10.0.0.0/8', dev: 3, encap: table })).toContain('0c0016800800010001020304')
  })
})

describe('EV-061 a route that cannot be is refused by its field', () => {
  test.each<[string, RouteSpec]>([
    ['destination', {}],
    ['gatway', { destination: '10.0.0.0/8', gatway: '10.0.0.1' } as RouteSpec],
    ['nextHops[0].wight', { destination: '10.0.0.0/8', nextHops: [{ dev: 2, wight: 3 } as object] }],
    ['metrics.mut', { destination: '10.0.0.0/8', dev: 2, metrics: { mut: 3 } as object }],
    ['destination', { dev: 'eth0' }],
    ['destination', { destination: '10.0.0.0/33', dev: 2 }],
    ['destination', { destination: '10.0.0.0/255.0.255.0', dev: 2 }],
    ['destination', { destination: 'nowhere', dev: 2 }],
    ['destination', { destination: '10.0.0.1/8', dev: 2 }],
    ['destination', { destination: '2001:db8::1/32', dev: 2 }],
    ['gateway', { destination: '10.0.0.0/8', gateway: '2001:db8::1' }],
    ['gateway', { destination: '10.0.0.0/8', gateway: '10.0.0.1/8' }],
    ['source', { destination: '2001:db8::/32', source: '10.0.0.1', dev: 2 }],
    ['source', { gateway: '10.0.0.1', source: '::1' }],
    ['gateway', { family: 'inet6', gateway: '10.0.0.1' }],
    ['destination', { family: 'inet6', destination: '10.0.0.0/8', dev: 2 }],
    ['nextHops[1].gateway', { destination: '10.0.0.0/8', nextHops: [{ gateway: '10.0.0.1' }, { gateway: '::1' }] }],
    ['nextHops[0]', { destination: '10.0.0.0/8', nextHops: [{ weight: 2 }] }],
    ['nextHops[0].weight', { destination: '10.0.0.0/8', nextHops: [{ dev: 2, weight: 257 }] }],
    ['nextHops', { destination: '10.0.0.0/8', nextHops: [] }],
    ['gateway', { destination: '10.0.0.0/8', gateway: '10.0.0.1', nextHops: [{ dev: 2 }] }],
    ['via', { destination: '10.0.0.0/8', gateway: '10.0.0.1', via: '::1' }],
    ['dev', { destination: '10.0.0.0/8' }],
    ['dev', { destination: '10.0.0.0/8', dev: 0 }],
    ['onlink', { destination: '10.0.0.0/8', gateway: '10.0.0.1', onlink: true }],
    ['table', { destination: '10.0.0.0/8', dev: 2, table: 0 }],
    ['table', { destination: '10.0.0.0/8', dev: 2, table: 'mine' as 'main' }],
    ['type', { destination: '10.0.0.0/8', dev: 2, type: 256 }],
    ['metric', { destination: '10.0.0.0/8', dev: 2, metric: -1 }],
    ['metrics.mtu', { destination: '10.0.0.0/8', dev: 2, metrics: { mtu: 2 ** 32 } }],
    ['metrics.lock[0]', { destination: '10.0.0.0/8', dev: 2, metrics: { lock: ['mut' as 'mtu'] } }],
    ['encap.type', { destination: '10.0.0.0/8', dev: 2, encap: { type: 'gre' as 'ip', bytes: new Uint8Array() } }],
  ])('%s of %j', (field, route) => {
    expect(() => addRouteRequest(route)).toThrow(refused(field))
  })

  test('the message says what would be right', () => {
    expect(() => addRouteRequest({ destination: '10.0.0.1/8', dev: 2 })).toThrow(
      'destination: must have no bit set behind its length: 10.0.0.0/8 is the network (got "10.0.0.1/8")',
    )
    expect(() => addRouteRequest({ destination: '10.0.0.0/8', dev: 2, type: 'here' as 'local' })).toThrow(
      'type: must be a number or one of unspec, unicast, local,',
    )
  })

  test('a mode that there is not is none, rather than the change that no flags are', () => {
    const route = { destination: '10.0.0.0/8', dev: 2 }
    expect(() => addRouteRequest(route, 'insert' as 'add')).toThrow(refused('mode'))
    expect(() => addRouteRequest(route, 'toString' as 'add')).toThrow(refused('mode'))
    expect(addRouteRequest(route, 'change').flags).toBe(0x100)
    expect(addRouteRequest(route).flags).toBe(0x600)
  })

  test('routes that lead nowhere need no link', () => {
    for (const type of ['blackhole', 'unreachable', 'prohibit', 'throw'] as const)
      expect(decodeRoute(routeBody({ destination: '10.0.0.0/8', type }, 'add').bytes)).toMatchObject({ type })
  })
})

const address4 = fc.uint8Array({ minLength: 4, maxLength: 4 })
const address6 = fc.uint8Array({ minLength: 16, maxLength: 16 })
const prefix = (address: Uint8Array, length: number) =>
  formatPrefix(
    networkOf({
      family: address.length === 4 ? 'inet' : 'inet6',
      address: Uint8Array.from(address),
      length,
    }),
  )
const link = fc.integer({ min: 1, max: 0x7fff_ffff })
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const routeOf = (address: fc.Arbitrary<Uint8Array>, bits: number): fc.Arbitrary<RouteSpec> =>
  fc.record(
    {
      destination: fc.tuple(address, fc.integer({ min: 1, max: bits })).map(([bytes, length]) => prefix(bytes, length)),
      gateway: address.map(formatAddress),
      dev: link,
      source: address.map(formatAddress),
      metric: u32,
      table: fc.integer({ min: 256, max: 0xffff_ffff }),
      tos: fc.integer({ min: 1, max: 255 }),
      realms: u32,
      nextHopId: u32,
      metrics: fc.record({ mtu: u32, rttMs: fc.integer({ min: 0, max: 1000 }), hoplimit: u32 }),
      unknown: fc.array(fc.record({ type: fc.integer({ min: 40, max: 99 }), bytes: fc.uint8Array({ maxLength: 9 }) }), {
        minLength: 1,
        maxLength: 3,
      }),
    },
    { requiredKeys: ['destination', 'dev'] },
  )

test('NL-02 a route is read back as it was written, and writes the same bytes again', () => {
  fc.assert(
    fc.property(fc.oneof(routeOf(address4, 32), routeOf(address6, 128)), spec => {
      const { bytes } = routeBody(spec, 'add')
      const route = decodeRoute(bytes) as Route
      expect(route).toMatchObject(spec)
      expect(hex(routeBody(route, 'add').bytes)).toBe(hex(bytes))
    }),
  )
})

test('NL-14 what is read without the table is what the table reads, and most routes are', () => {
  const usual = fc.oneof(routeOf(address4, 32), routeOf(address6, 128)).map(
    ({ destination, gateway, dev, metric, source, table }): RouteSpec => ({
      destination,
      gateway,
      dev,
      metric,
      source,
      table,
    }),
  )
  fc.assert(
    fc.property(usual, fc.constantFrom(0, 4, 16, 20, 0x4010), (spec, flags) => {
      const { bytes } = routeBody(spec, 'add')
      // As the kernel says of a link that has lost its carrier: of all its routes at once.
      new DataView(bytes.buffer).setUint32(8, flags, true)
      const route = usualRoute(bytes)
      expect(route).toBeDefined()
      expect(route).toEqual(anyRoute(bytes))
    }),
  )
  fc.assert(
    fc.property(
      fc.oneof(routeOf(address4, 32), routeOf(address6, 128)),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      (spec, at, byte) => {
        const { bytes } = routeBody(spec, 'add')
        bytes[at % bytes.length] = byte
        const route = usualRoute(bytes)
        if (route !== undefined) expect(route).toEqual(anyRoute(bytes))
      },
    ),
    { numRuns: 1000 },
  )
})

test('NL-02 what is no route, or ends early, is EPROTO or nothing, and never hangs', () => {
  const start = fc.constantFrom(2, 10, 28, 0, 128)
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 80 }), (family, rest) => {
      for (const decode of [decodeRoute, decodeRule]) {
        try {
          decode(Uint8Array.of(family, ...rest))
        } catch (error) {
          expect(error).toMatchObject({ code: 'EPROTO' })
        }
      }
    }),
    { numRuns: 2000 },
  )
  const whole = bytes('route6')
  for (let size = 0; size < whole.length; size++) {
    try {
      decodeRoute(whole.subarray(0, size))
    } catch (error) {
      expect(error).toMatchObject({ code: 'EPROTO' })
    }
  }
  expect(() => decodeRoute(whole.subarray(0, whole.length - 40))).toThrow(expect.objectContaining({ code: 'EPROTO' }))
})

describe('rules', () => {
  const rule: RuleSpec = {
    not: true,
    from: '192.0.2.0/24',
    iif: 'eth0',
    priority: 500,
    mark: 16,
    markMask: 255,
    suppressPrefixLength: 0,
    table: 100,
    uids: { start: 1000, end: 2000 },
    ipProtocol: 6,
    destinationPorts: { start: 80, end: 90 },
  }

  test('NL-02 a rule is that of the kernel’s headers', () => {
    expect(hex(ruleBody(rule, 'add').bytes)).toBe(golden.rule)
    expect(decodeRule(bytes('rule'))).toEqual({ ...rule, family: 'inet', action: 'lookup', protocol: 'boot' })
    expect(decodeRule(ruleBody({ family: 'inet6', goto: 700, priority: 3 }, 'add').bytes)).toMatchObject({
      family: 'inet6',
      action: 'goto',
      goto: 700,
    })
    expect(decodeRule(ruleBody({ l3mdev: true, priority: 3 }, 'add').bytes)).not.toHaveProperty('table')
  })

  test.each<[string, RuleSpec]>([
    ['fwmark', { fwmark: 3 } as object],
    ['from', { from: '10.0.0.1/8' }],
    ['to', { from: '10.0.0.0/8', to: '2001:db8::/32' }],
    ['iif', { iif: 'a/b' }],
    ['goto', { action: 'goto' }],
    ['goto', { action: 'blackhole', goto: 3 }],
    ['table', { table: 3, l3mdev: true }],
    ['suppressPrefixLength', { suppressPrefixLength: 33 }],
    ['destinationPorts', { destinationPorts: { start: 9, end: 8 } }],
    ['uids.end', { uids: { start: 9, end: 2 ** 32 } }],
    ['priority', { priority: -1 }],
  ])('EV-061 %s of %j is refused', (field, spec) => {
    expect(() => ruleBody(spec, 'add')).toThrow(refused(field))
  })
})
