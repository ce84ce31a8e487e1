import { Netlink, type Netns } from '@libcontainer/netlink'
import { expect, onTestFinished, test } from 'vitest'
import { requires, together } from '../../../test/support/index.js'
import { inNetns, ip, ipJson, ownNetns, toolJson } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')
const bridges = together(needs, requires('program:bridge'))
/** VLAN filtering of bridges is built where VLANs are. */
const filtering = together(bridges, requires('link:vlan'))
const code = (name: string) => expect.objectContaining({ code: name })
const mac = '02:00:00:00:00:09'

async function lab(...lines: string[]): Promise<{ netns: Netns; net: Netlink; index: (name: string) => number }> {
  const netns = await ownNetns()
  ip(netns, '-batch -', `${lines.join('\n')}\n`)
  const net = await Netlink.open({ namespace: netns })
  onTestFinished(() => net.close())
  return { netns, net, index: name => ipJson<{ ifindex: number }[]>(netns, `link show dev ${name}`)[0]!.ifindex }
}

const pair = [
  'link add name a type veth peer name b',
  'link set dev a addrgenmode none',
  'link set dev a up',
  'link set dev b up',
  'addr add 192.0.2.1/24 dev a',
  'addr add 2001:db8::1/64 dev a nodad',
]

test('NL-24 neighbours: what we write ip reads, what ip writes we read, and both are deleted', needs, async () => {
  const { netns, net, index } = await lab(...pair)
  const theirs = (words = 'show dev a nud permanent') =>
    ipJson<{ dst: string; lladdr?: string; state?: string[] }[]>(netns, `neigh ${words}`)
  const a = index('a')
  await net.neighbours.add({ address: '192.0.2.7', lladdr: mac, dev: 'a', flags: ['router'] })
  await net.neighbours.add({ address: '2001:db8::7', lladdr: mac, dev: a })
  await net.neighbours.add({ address: '192.0.2.50', dev: 'a', flags: ['proxy'] })
  expect(theirs()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ dst: '192.0.2.7', lladdr: mac, state: ['PERMANENT'] }),
      expect.objectContaining({ dst: '2001:db8::7', lladdr: mac, state: ['PERMANENT'] }),
    ]),
  )
  expect(theirs('show proxy')).toMatchObject([{ dst: '192.0.2.50' }])
  await expect(net.neighbours.add({ address: '192.0.2.7', lladdr: mac, dev: 'a' })).rejects.toThrow(code('EEXIST'))
  await net.neighbours.replace({ address: '192.0.2.7', lladdr: '02:00:00:00:00:0a', dev: 'a' })
  expect(theirs()).toContainEqual(expect.objectContaining({ dst: '192.0.2.7', lladdr: '02:00:00:00:00:0a' }))

  ip(netns, `neigh add 192.0.2.8 lladdr ${mac} dev a nud permanent`)
  ip(netns, 'neigh add proxy 2001:db8::50 dev a')
  expect(await net.neighbours.get({ address: '192.0.2.8', dev: 'a' })).toMatchObject({
    family: 'inet',
    address: '192.0.2.8',
    lladdr: mac,
    dev: a,
    state: 'permanent',
  })
  const permanent = (await net.neighbours.list({ dev: 'a' })).filter(({ state }) => state === 'permanent')
  expect(permanent.map(({ address }) => address).sort()).toEqual(['192.0.2.7', '192.0.2.8', '2001:db8::7'])
  expect(await net.neighbours.list({ dev: 'b', family: 'inet' })).toEqual([])
  const proxies = await net.neighbours.list({ proxy: true })
  expect(proxies.map(({ address, flags }) => [address, flags]).sort()).toEqual([
    ['192.0.2.50', ['proxy']],
    ['2001:db8::50', ['proxy']],
  ])
  for (const one of [...permanent, ...proxies]) await net.neighbours.delete(one)
  expect(theirs()).toEqual([])
  expect(theirs('show proxy')).toEqual([])
  const gone = { address: '192.0.2.99', dev: 'a' }
  await expect(net.neighbours.delete(gone)).rejects.toThrow(code('ENOENT'))
  await expect(net.neighbours.get(gone)).rejects.toThrow(code('ENOENT'))
  await expect(net.neighbours.add({ ...gone, lladdr: mac, dev: 'none0' })).rejects.toMatchObject({
    code: 'ENODEV',
    path: 'none0',
  })
})

test('NL-24 the forwarding table of a bridge: what we write bridge reads, and the other way', bridges, async () => {
  const { netns, net, index } = await lab(
    'link add br0 type bridge',
    'link add name a type veth peer name b',
    'link set dev a master br0',
    // Groups that addresses join when they like are in the table, too.
    'link set br0 addrgenmode none',
    'link set dev a addrgenmode none',
    'link set dev b addrgenmode none',
    'link set br0 up',
    'link set dev a up',
    'link set dev b up',
  )
  await net.neighbours.add({ address: '192.0.2.7', lladdr: mac, dev: 'a' })
  await net.neighbours.add({ address: '192.0.2.7', lladdr: mac, dev: 'b' })
  const ofPorts = await net.neighbours.list({ family: 'inet', master: 'br0' })
  expect(ofPorts.map(({ address, dev }) => [address, dev])).toEqual([['192.0.2.7', index('a')]])
  interface Entry {
    mac: string
    ifname: string
    master?: string
    state?: string
    flags: string[]
  }
  const theirs = () => toolJson<Entry[]>(netns, 'bridge', 'fdb show br br0')
  const before = theirs()
  await net.fdb.add({ mac, dev: 'a', state: 'static', flags: ['master'] })
  expect(theirs()).toContainEqual(expect.objectContaining({ mac, ifname: 'a', master: 'br0', state: 'static' }))
  await expect(net.fdb.add({ mac, dev: 'a', state: 'static', flags: ['master'] })).rejects.toThrow(code('EEXIST'))
  await net.fdb.replace({ mac, dev: 'a', state: 'permanent', flags: ['master'] })
  expect(theirs()).toContainEqual(expect.objectContaining({ mac, ifname: 'a', state: 'permanent' }))
  inNetns(netns, 'bridge', 'fdb add 02:00:00:00:00:0a dev a master static')
  const ours = await net.fdb.list({ bridge: 'br0' })
  const entry = ours.find(each => each.mac === '02:00:00:00:00:0a')
  expect(entry).toMatchObject({ dev: index('a'), master: index('br0'), state: 'static' })
  expect((await net.fdb.list({ dev: 'a' })).map(each => each.mac)).toContain(mac)
  await net.fdb.delete({ mac, dev: 'a', flags: ['master'] })
  await net.fdb.delete({ mac: '02:00:00:00:00:0a', dev: 'a', flags: ['master'] })
  expect(theirs()).toEqual(before)
  await expect(net.fdb.delete({ mac, dev: 'a', flags: ['master'] })).rejects.toThrow(code('ENOENT'))
  await expect(net.fdb.add({ mac, dev: 'b', flags: ['master'] })).rejects.toThrow(code('EOPNOTSUPP'))
})

test('NL-24 the other ends of a vxlan, several for one MAC', bridges, async () => {
  const { netns, net, index } = await lab(
    ...pair,
    'link add vx type vxlan id 42 dstport 4789 local 192.0.2.1 dev a',
    'link set vx up',
  )
  const all = '00:00:00:00:00:00'
  await net.fdb.add({ mac: all, dev: 'vx', destination: '192.0.2.8' }, { mode: 'append' })
  await net.fdb.add({ mac: all, dev: 'vx', destination: '192.0.2.9', vni: 43, port: 8472 }, { mode: 'append' })
  const theirs = () =>
    toolJson<{ mac: string; dst: string; vni?: number; port?: number }[]>(netns, 'bridge', 'fdb show dev vx')
  expect(
    theirs()
      .map(({ dst }) => dst)
      .sort(),
  ).toEqual(['192.0.2.8', '192.0.2.9'])
  expect(theirs().find(({ dst }) => dst === '192.0.2.9')).toMatchObject({ vni: 43, port: 8472 })
  inNetns(netns, 'bridge', `fdb add ${mac} dev vx dst 192.0.2.10 self permanent`)
  const ours = await net.fdb.list({ dev: 'vx' })
  expect(ours.find(each => each.mac === mac)).toMatchObject({
    dev: index('vx'),
    destination: '192.0.2.10',
    state: 'permanent',
    flags: ['self'],
  })
  for (const entry of ours) await net.fdb.delete(entry)
  expect(theirs()).toEqual([])
})

test('NL-24 VLANs of a bridge’s ports: what we write bridge reads, and the other way', filtering, async () => {
  const { netns, net, index } = await lab(
    'link add br0 type bridge vlan_filtering 1 vlan_default_pvid 0',
    'link add name a type veth peer name b',
    'link set dev a master br0',
  )
  interface Port {
    ifname: string
    vlans: { vlan: number; vlanEnd?: number; flags?: string[] }[]
  }
  const theirs = (ifname: string) =>
    toolJson<Port[]>(netns, 'bridge', '-compressvlans vlan show').find(port => port.ifname === ifname)?.vlans ?? []
  await net.bridgeVlans.add({ dev: 'a', vid: 10, vidEnd: 20 })
  await net.bridgeVlans.add({ dev: 'a', vid: 30, pvid: true, untagged: true })
  await net.bridgeVlans.add({ dev: 'br0', vid: 30, self: true })
  expect(theirs('a')).toMatchObject([
    { vlan: 10, vlanEnd: 20 },
    { vlan: 30, flags: ['PVID', 'Egress Untagged'] },
  ])
  expect(theirs('br0')).toMatchObject([{ vlan: 30 }])
  inNetns(netns, 'bridge', 'vlan add dev a vid 40-45 untagged')
  const a = index('a')
  expect(await net.bridgeVlans.list({ dev: 'a' })).toEqual([
    { dev: a, vid: 10, vidEnd: 20 },
    { dev: a, vid: 30, pvid: true, untagged: true },
    { dev: a, vid: 40, vidEnd: 45, untagged: true },
  ])
  expect(await net.bridgeVlans.list()).toContainEqual({ dev: index('br0'), vid: 30 })
  await net.bridgeVlans.delete({ dev: 'a', vid: 12, vidEnd: 18 })
  await net.bridgeVlans.delete({ dev: 'br0', vid: 30, self: true })
  await net.bridgeVlans.delete({ dev: 'a', vid: 12, vidEnd: 18 })
  expect((await net.bridgeVlans.list()).map(({ vid, vidEnd }) => [vid, vidEnd])).toEqual([
    [10, 11],
    [19, 20],
    [30, undefined],
    [40, 45],
  ])
  await expect(net.bridgeVlans.add({ dev: 'b', vid: 5 })).rejects.toThrow(code('EOPNOTSUPP'))
})
