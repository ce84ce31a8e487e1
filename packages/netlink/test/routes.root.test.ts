import { addRouteRequest, Netlink, type Netns, type Route, type RouteSpec } from '@libcontainer/netlink'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { ip, ipJson, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')
const code = (name: string) => expect.objectContaining({ code: name })

/** Two links that are up, of which `a` has addresses, and two that are down. Without addresses that come by themselves, when they like. */
async function lab(): Promise<{ netns: Netns; net: Netlink; a: number }> {
  const netns = await ownNetns()
  const lines = [
    'link set lo up',
    'link add name a type veth peer name b',
    'link add name c type veth peer name d',
    'link set dev a addrgenmode none',
    'link set dev b addrgenmode none',
    'link set dev a up',
    'link set dev b up',
    'addr add 192.0.2.1/24 dev a',
    'addr add 2001:db8::1/64 dev a nodad',
  ]
  ip(netns, '-batch -', `${lines.join('\n')}\n`)
  const net = await Netlink.open({ namespace: netns })
  onTestFinished(() => net.close())
  return { netns, net, a: ipJson<{ ifindex: number }[]>(netns, 'link show dev a')[0]!.ifindex }
}

interface IpRoute {
  type: string
  dst: string
  from?: string
  gateway?: string
  via?: { host: string }
  dev?: string
  table?: string
  protocol: string
  scope: string
  prefsrc?: string
  metric?: number
  tos?: string
  nexthops?: { gateway?: string; dev: string; weight: number }[]
}

/** What both tell of a route, in the words of ip(8). */
function told(routes: readonly IpRoute[]): string[] {
  return routes
    .map(({ type, dst, from, gateway, via, dev, table = 'main', protocol, scope, prefsrc, metric, nexthops }) =>
      JSON.stringify({
        type,
        dst,
        from,
        gateway,
        via: via?.host,
        dev,
        table,
        protocol,
        scope,
        prefsrc,
        metric,
        nexthops: nexthops?.map(({ gateway, dev, weight }) => ({ gateway, dev, weight })),
      }),
    )
    .sort()
}

function inIpsWords(routes: readonly Route[], names: ReadonlyMap<number, string>): IpRoute[] {
  const host = (prefix: string) => prefix.replace(/^([^:]*)\/32$|^(.*:.*)\/128$/, '$1$2')
  return routes.map(route => ({
    type: String(route.type),
    dst: host(route.destination),
    from: route.from && host(route.from),
    gateway: route.gateway,
    via: route.via === undefined ? undefined : { host: route.via },
    dev: route.dev === undefined ? undefined : names.get(route.dev)!,
    table: String(route.table),
    protocol: String(route.protocol),
    scope: String(route.scope),
    prefsrc: route.source,
    metric: route.metric,
    nexthops: route.nextHops?.map(({ gateway, dev, weight }) => ({ gateway, dev: names.get(dev!)!, weight })),
  })) as IpRoute[]
}

/** That both list the same routes of a family, and how many. */
async function alike(netns: Netns, net: Netlink, family: 'inet' | 'inet6'): Promise<number> {
  const links = ipJson<{ ifindex: number; ifname: string }[]>(netns, 'link')
  const names = new Map(links.map(({ ifindex, ifname }) => [ifindex, ifname]))
  const ours = await net.routes.list({ family, table: 'all' })
  const theirs = ipJson<IpRoute[]>(netns, `-d ${family === 'inet' ? '-4' : '-6'} route show table all`)
  expect(told(inIpsWords(ours, names))).toEqual(told(theirs))
  return ours.length
}

const routes4: readonly RouteSpec[] = [
  {
    destination: '10.1.0.0/16',
    gateway: '192.0.2.2',
    protocol: 'static',
    metric: 100,
    source: '192.0.2.1',
    table: 1000,
    metrics: { mtu: 1400, rttMs: 1.5, lock: ['mtu'] },
  },
  { destination: '10.2.0.0/16', dev: 'a' },
  { destination: '10.3.0.0/16', gateway: '203.0.113.1', dev: 'a', onlink: true },
  {
    destination: '10.4.0.0/16',
    nextHops: [
      { gateway: '192.0.2.2', weight: 3 },
      { gateway: '192.0.2.3', dev: 'a' },
    ],
  },
  { destination: '10.5.0.0/16', type: 'blackhole' },
  { destination: '10.6.0.0/16', via: '2001:db8::2', dev: 'a' },
  { destination: '10.7.0.1', dev: 'a', tos: 16 },
]
const routes6: readonly RouteSpec[] = [
  { destination: '2001:db8:1::/48', gateway: '2001:db8::2', metric: 50 },
  { destination: '2001:db8:2::/48', dev: 'a', preference: 'high', expiresS: 600 },
  { destination: '2001:db8:3::/48', nextHops: [{ gateway: '2001:db8::2' }, { gateway: '2001:db8::3', weight: 2 }] },
  { destination: '2001:db8:4::/48', type: 'unreachable' },
  { destination: 'default', from: '2001:db8:9::/64', gateway: '2001:db8::2' },
]

describe('NL-15 routes that we write, ip reads, and the other way', () => {
  test.each([
    ['inet', routes4],
    ['inet6', routes6],
  ] as const)('%s: each kind, added and deleted as it was listed', needs, async (family, specs) => {
    const { netns, net, a } = await lab()
    const before = await alike(netns, net, family)
    for (const spec of specs) await net.routes.add(spec)
    expect(await alike(netns, net, family)).toBe(before + specs.length)

    const made = (await net.routes.list({ family, table: 'all' })).filter(({ protocol }) => protocol !== 'kernel')
    if (family === 'inet') {
      const metrics = made.find(({ table }) => table === 1000)?.metrics
      expect(metrics).toEqual({ mtu: 1400, rttMs: 1.5, lock: ['mtu'] })
      expect(made.find(({ destination }) => destination === '10.3.0.0/16')).toMatchObject({ onlink: true, dev: a })
      expect(made.find(({ destination }) => destination === '10.7.0.1/32')).toMatchObject({ tos: 16 })
    } else {
      const ends = made.find(({ destination }) => destination === '2001:db8:2::/48')
      expect(ends).toMatchObject({ preference: 'high' })
      expect(ends?.expiresS).toBeGreaterThan(0)
      expect(ends?.expiresS).toBeLessThanOrEqual(600)
    }
    for (const route of made) await net.routes.delete(route)
    expect(await alike(netns, net, family)).toBe(before)
  })

  test('what ip makes is read, and deleted by less than all of it', needs, async () => {
    const { netns, net } = await lab()
    const before = [await alike(netns, net, 'inet'), await alike(netns, net, 'inet6')]
    const lines = [
      'route add 10.1.0.0/16 via 192.0.2.2 proto static metric 7 src 192.0.2.1 mtu lock 1300 rto_min 300ms quickack 1',
      'route add 10.2.0.0/16 nexthop via 192.0.2.2 weight 4 nexthop dev b weight 2',
      'route add prohibit 10.3.0.0/16 table 300',
      'route add default via 192.0.2.9',
      'route add default via 2001:db8::9 metric 5',
      'route add 2001:db8:7::/48 dev a pref low',
    ]
    ip(netns, '-batch -', `${lines.join('\n')}\n`)
    expect([await alike(netns, net, 'inet'), await alike(netns, net, 'inet6')]).toEqual([
      before[0]! + 4,
      before[1]! + 2,
    ])
    const [metrics] = (await net.routes.list()).filter(({ destination }) => destination === '10.1.0.0/16')
    expect(metrics?.metrics).toEqual({
      mtu: 1300,
      rtoMinMs: 300,
      quickack: true,
      lock: expect.arrayContaining(['mtu']),
    })
    await net.routes.delete({ destination: '10.1.0.0/16' })
    await net.routes.delete({ destination: '10.2.0.0/16' })
    await net.routes.delete({ destination: '10.3.0.0/16', table: 300 })
    await net.routes.delete({ gateway: '192.0.2.9' })
    await net.routes.delete({ gateway: '2001:db8::9' })
    await net.routes.delete({ destination: '2001:db8:7::/48' })
    expect([await alike(netns, net, 'inet'), await alike(netns, net, 'inet6')]).toEqual(before)
  })

  test('an encapsulation that this package knows nothing of is kept, byte for byte', needs, async () => {
    const { netns, net } = await lab()
    ip(netns, 'route add 2001:db8:6::/48 encap seg6 mode encap segs 2001:db8::9 dev a')
    const show = () => ip(netns, '-6 route show 2001:db8:6::/48')
    const before = show()
    expect(before).toContain('seg6')
    const route = (await net.routes.list()).find(({ destination }) => destination === '2001:db8:6::/48')!
    expect(route.encap?.type).toBe('seg6')
    await net.routes.delete(route)
    expect(show()).toBe('')
    await net.routes.add(route)
    expect(show()).toBe(before)
  })
})

test('NL-14 of the main table unless another is asked for; one that does not exist has none', needs, async () => {
  const { net, a } = await lab()
  await net.routes.add({ destination: '10.1.0.0/16', dev: 'a', table: 77, protocol: 'static' })
  const tables = async (filter: Parameters<typeof net.routes.list>[0]) => [
    ...new Set((await net.routes.list(filter)).map(({ table }) => table)),
  ]
  expect(await tables({})).toEqual(['main'])
  expect(await tables({ table: 77 })).toEqual([77])
  expect((await tables({ table: 'all' })).sort()).toEqual([77, 'local', 'main'])
  expect(await net.routes.list({ table: 'all', protocol: 'static', dev: 'a' })).toMatchObject([{ table: 77, dev: a }])
  expect(await net.routes.list({ table: 'all', protocol: 'static', dev: 'b' })).toEqual([])
  expect(await net.routes.list({ family: 'inet', table: 4242 })).toEqual([])
  for await (const route of net.routes.dump({ family: 'inet', table: 4242 })) expect(route).toBeUndefined()
})

test('NL-14 thousands of routes, made together, stream one by one, and a loop may be left', needs, async () => {
  const { net, a } = await lab()
  const count = 3000
  const destination = (i: number) => `10.${i >> 8}.${i & 255}.0/24`
  const answers = await net.socket.batch(
    Array.from({ length: count }, (_, i) => addRouteRequest({ destination: destination(i), dev: a, table: 9 })),
  )
  expect(answers.filter(({ error }) => error !== undefined)).toEqual([])
  const seen = new Set<string>()
  for await (const route of net.routes.dump({ family: 'inet', table: 9 })) seen.add(route.destination)
  expect(seen.size).toBe(count)
  expect(await net.routes.list({ family: 'inet', table: 9 })).toHaveLength(count)
  for await (const route of net.routes.dump({ family: 'inet', table: 9 })) {
    expect(route.table).toBe(9)
    break
  }
  expect(await net.routes.list({ family: 'inet', table: 9, type: 'blackhole' })).toEqual([])
})

test('NL-16 default routes of both families; adding, replacing, changing', needs, async () => {
  const { netns, net } = await lab()
  await net.routes.addDefault('192.0.2.2', 'a')
  await net.routes.addDefault('2001:db8::2')
  const defaults = (family: string) => ipJson<IpRoute[]>(netns, `${family} route show default`)
  const gateways = (family: string) => defaults(family).map(({ gateway }) => gateway)
  expect(defaults('-4')).toMatchObject([{ gateway: '192.0.2.2', dev: 'a' }])
  expect(gateways('-6')).toEqual(['2001:db8::2'])
  await expect(net.routes.addDefault('192.0.2.3')).rejects.toThrow(code('EEXIST'))
  await net.routes.replace({ gateway: '192.0.2.3' })
  expect(gateways('-4')).toEqual(['192.0.2.3'])
  await net.routes.add({ gateway: '192.0.2.4' }, { mode: 'change' })
  await net.routes.add({ gateway: '192.0.2.5' }, { mode: 'append' })
  await net.routes.add({ gateway: '192.0.2.6' }, { mode: 'prepend' })
  expect(gateways('-4')).toEqual(['192.0.2.6', '192.0.2.4', '192.0.2.5'])
  await expect(net.routes.add({ destination: '10.9.0.0/16', dev: 'a' }, { mode: 'change' })).rejects.toThrow(
    code('ENOENT'),
  )
})

test(
  'NL-15 EV-061 what cannot be is refused, by field or in the kernel’s words, and nothing is there',
  needs,
  async () => {
    const { netns, net } = await lab()
    const before = ip(netns, 'route show table all')
    const refusals: [RouteSpec, object][] = [
      [{}, { code: 'ConfigInvalid', field: 'destination' }],
      [
        { destination: '10.0.0.1/8', dev: 'none0' },
        { code: 'ConfigInvalid', field: 'destination' },
      ],
      [
        { destination: '10.0.0.0/255.0.255.0', dev: 'a' },
        { code: 'ConfigInvalid', field: 'destination' },
      ],
      [
        { destination: '10.0.0.0/8', gateway: '::1' },
        { code: 'ConfigInvalid', field: 'gateway' },
      ],
      [
        { destination: '10.0.0.0/8', gateway: '192.0.2.2/24' },
        { code: 'ConfigInvalid', field: 'gateway' },
      ],
      [
        { destination: '10.0.0.0/8', source: '192.0.2.1/24', dev: 'a' },
        { code: 'ConfigInvalid', field: 'source' },
      ],
      [
        { source: '2001:db8::1', gateway: '192.0.2.2' },
        { code: 'ConfigInvalid', field: 'source' },
      ],
      [
        { family: 'ipv4' as 'inet', destination: 'default', dev: 'a' },
        { code: 'ConfigInvalid', field: 'family' },
      ],
      [
        { destination: '10.0.0.0/8', dev: 'a/b' },
        { code: 'ConfigInvalid', field: 'dev' },
      ],
      [
        { destination: '10.0.0.0/8', dev: 'none0' },
        { code: 'ENODEV', path: 'none0' },
      ],
      [{ destination: '10.0.0.0/8', dev: 4711 }, { code: 'ENODEV' }],
      [{ destination: '10.0.0.0/8', dev: 'c' }, { code: 'ENETDOWN' }],
      [{ destination: '10.0.0.0/8', gateway: '198.51.100.1' }, { code: 'ENETUNREACH' }],
      [{ destination: '2001:db8:1::/48', gateway: '2001:db8:ffff::1' }, { code: 'EHOSTUNREACH' }],
    ]
    for (const [route, error] of refusals)
      await expect(net.routes.add(route), JSON.stringify(route)).rejects.toMatchObject(error)
    await expect(net.routes.add({ destination: '10.0.0.0/8', gateway: '198.51.100.1' })).rejects.toThrow(
      /^add the route 10\.0\.0\.0\/8 via 198\.51\.100\.1: ENETUNREACH: .*invalid gateway/,
    )
    await expect(net.routes.delete({ destination: '10.0.0.0/8' })).rejects.toThrow(code('ESRCH'))
    expect(ip(netns, 'route show table all')).toBe(before)
  },
)

test('NL-14 the way of a packet is that which ip finds', needs, async () => {
  const { netns, net, a } = await lab()
  await net.routes.add({ gateway: '192.0.2.2' })
  const theirs = ipJson<{ dst: string; gateway: string; dev: string; prefsrc: string }[]>(
    netns,
    'route get 198.51.100.7',
  )[0]
  expect(theirs).toMatchObject({ dst: '198.51.100.7', gateway: '192.0.2.2', dev: 'a', prefsrc: '192.0.2.1' })
  expect(await net.routes.get('198.51.100.7')).toMatchObject({
    destination: '198.51.100.7/32',
    gateway: '192.0.2.2',
    dev: a,
    source: '192.0.2.1',
    table: 'main',
  })
  expect(await net.routes.get('198.51.100.7', { fibMatch: true })).toMatchObject({ destination: 'default' })
  expect(await net.routes.get('2001:db8::7', { from: '2001:db8::1', dev: 'a' })).toMatchObject({ dev: a })
  // The kernel keeps the tables main and local as one until there is a rule, and tells of main until then.
  for (const table of ['main', 'local']) {
    expect(ipJson<IpRoute[]>(netns, '-d route get 192.0.2.1')).toMatchObject([{ type: 'local', table }])
    expect(await net.routes.get('192.0.2.1')).toMatchObject({ type: 'local', table })
    await net.rules.add({ from: '203.0.113.0/24', table: 100 })
  }
  await expect(net.routes.get('2001:db9::1')).rejects.toThrow(code('ENETUNREACH'))
  await expect(net.routes.get('there')).rejects.toMatchObject({ field: 'destination' })
})

test('NL-14 rules: what we write ip reads, what ip writes we read, and delete', needs, async () => {
  const { netns, net } = await lab()
  interface IpRule {
    priority: number
    src: string
    srclen?: number
    table?: string
  }
  const theirs = (family: string) => ipJson<IpRule[]>(netns, `${family} rule show`)
  const before = [theirs('-4'), theirs('-6')]
  const ours = async (family: 'inet' | 'inet6') =>
    (await net.rules.list({ family })).map(({ priority, from = 'all', table }) => `${priority} ${from} ${table}`)
  expect(await ours('inet')).toEqual(['0 all local', '32766 all main', '32767 all default'])

  const rule = {
    priority: 500,
    from: '192.0.2.0/24',
    table: 100,
    not: true,
    iif: 'a',
    mark: 16,
    markMask: 255,
    suppressPrefixLength: 0,
    ipProtocol: 6,
    destinationPorts: { start: 80, end: 90 },
    uids: { start: 1000, end: 2000 },
  } as const
  await net.rules.add(rule)
  await net.rules.add({ family: 'inet6', to: '2001:db8::/32', action: 'prohibit', priority: 501 })
  expect(theirs('-4')).toContainEqual(
    expect.objectContaining({ priority: 500, src: '192.0.2.0', srclen: 24, table: '100', iif: 'a' }),
  )
  const words = ip(netns, 'rule show')
  for (const part of ['not from 192.0.2.0/24', 'fwmark 0x10/0xff', 'uidrange 1000-2000', 'ipproto tcp', 'dport 80-90'])
    expect(words).toContain(part)
  expect(ip(netns, '-6 rule show')).toMatch(/501:\s+from all to 2001:db8::\/32 prohibit/)
  expect((await net.rules.list()).find(({ priority }) => priority === 500)).toMatchObject({
    family: 'inet',
    action: 'lookup',
    protocol: 'boot',
    ...rule,
  })
  await expect(net.rules.add(rule)).rejects.toThrow(code('EEXIST'))

  ip(netns, 'rule add from 198.51.100.0/24 oif b lookup main suppress_prefixlength 8 priority 600')
  ip(netns, 'rule add goto 32766 priority 601')
  const found = (await net.rules.list({ family: 'inet' })).filter(({ priority }) => priority >= 500 && priority < 1000)
  expect(found).toMatchObject([
    { priority: 500 },
    { priority: 600, from: '198.51.100.0/24', oif: 'b', table: 'main', suppressPrefixLength: 8 },
    { priority: 601, action: 'goto', goto: 32766 },
  ])
  for (const one of found) await net.rules.delete(one)
  await net.rules.delete({ family: 'inet6', priority: 501 })
  expect([theirs('-4'), theirs('-6')]).toEqual(before)
  await expect(net.rules.delete({ priority: 500 })).rejects.toThrow(code('ENOENT'))
  await expect(net.rules.delete({ family: 'inet' })).rejects.toMatchObject({ field: 'priority' })
})

test('NL-14 nexthops: alone, in groups, in routes; ip reads them, and makes some', needs, async () => {
  const { netns, net, a } = await lab()
  const first = await net.nexthops.add({ gateway: '192.0.2.2', dev: 'a' })
  expect(first).toBeGreaterThan(0)
  expect(await net.nexthops.add({ id: 20, gateway: '192.0.2.3', dev: a })).toBe(20)
  expect(await net.nexthops.add({ id: 21, blackhole: true })).toBe(21)
  expect(await net.nexthops.add({ id: 30, group: [{ id: first }, { id: 20, weight: 3 }] })).toBe(30)
  ip(netns, 'nexthop add id 40 via 2001:db8::2 dev a')
  interface IpNextHop {
    id: number
    gateway?: string
    dev?: string
    blackhole?: null
    group?: { id: number; weight?: number }[]
  }
  const theirs = ipJson<IpNextHop[]>(netns, 'nexthop show')
  expect(theirs).toMatchObject([
    { id: first, gateway: '192.0.2.2', dev: 'a' },
    { id: 20, gateway: '192.0.2.3', dev: 'a' },
    { id: 21, blackhole: null },
    { id: 30, group: [{ id: first }, { id: 20, weight: 3 }] },
    { id: 40, gateway: '2001:db8::2', dev: 'a' },
  ])
  expect(await net.nexthops.list()).toMatchObject([
    { id: first, family: 'inet', gateway: '192.0.2.2', dev: a },
    { id: 20 },
    { id: 21, blackhole: true },
    {
      id: 30,
      groupType: 'mpath',
      group: [
        { id: first, weight: 1 },
        { id: 20, weight: 3 },
      ],
    },
    { id: 40, family: 'inet6', gateway: '2001:db8::2', dev: a },
  ])
  expect((await net.nexthops.list({ groups: true })).map(({ id }) => id)).toEqual([30])
  expect((await net.nexthops.list({ dev: 'b' })).map(({ id }) => id)).toEqual([])

  await net.routes.add({ destination: '10.20.0.0/16', nextHopId: 30 })
  expect(ip(netns, 'route show 10.20.0.0/16')).toContain('nhid 30')
  expect((await net.routes.list()).find(({ nextHopId }) => nextHopId === 30)).toMatchObject({
    destination: '10.20.0.0/16',
  })
  await net.nexthops.replace({ id: 20, gateway: '192.0.2.9', dev: 'a' })
  expect(await net.nexthops.get(20)).toMatchObject({ gateway: '192.0.2.9' })
  await net.nexthops.delete(30)
  expect(ip(netns, 'route show 10.20.0.0/16')).toBe('')
  await expect(net.nexthops.get(30)).rejects.toThrow(code('ENOENT'))
  await expect(net.nexthops.delete(30)).rejects.toThrow(code('ENOENT'))
  await expect(net.nexthops.add({ id: 20, blackhole: true })).rejects.toThrow(code('EEXIST'))
  await expect(net.nexthops.add({ gateway: '192.0.2.2', dev: 'none0' })).rejects.toMatchObject({ code: 'ENODEV' })
})
