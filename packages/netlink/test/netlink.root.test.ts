import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  addAddressRequest,
  addLinkRequest,
  addRouteRequest,
  Netlink,
  type NetlinkEvent,
  Netns,
  setLinkRequest,
} from '@libcontainer/netlink'
import { expect, onTestFinished, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'
import { ip, ipJson, openDescriptors, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')

async function open(netns: Netns): Promise<Netlink> {
  const net = await Netlink.open({ namespace: netns })
  onTestFinished(() => net.close())
  return net
}

test(
  'NL-01 a veth, its address and a default route are one batch: what a container needs to start',
  needs,
  async () => {
    const netns = await ownNetns()
    const net = await open(netns)
    const answers = await net.socket.batch([
      addLinkRequest({ kind: 'veth', name: 'eth0', index: 100, peer: { name: 'peer0' } }),
      setLinkRequest('peer0', { up: true }),
      setLinkRequest(100, { up: true }),
      addAddressRequest(100, '192.0.2.2/24'),
      addRouteRequest({ destination: 'default', gateway: '192.0.2.1', dev: 100 }),
    ])
    expect(answers.map(({ error }) => error)).toEqual(answers.map(() => undefined))
    expect(ipJson(netns, 'route show default')).toMatchObject([{ dst: 'default', gateway: '192.0.2.1', dev: 'eth0' }])
    expect(ipJson(netns, '-4 addr show dev eth0')).toMatchObject([
      { ifname: 'eth0', addr_info: [{ local: '192.0.2.2', prefixlen: 24 }] },
    ])
  },
)

test('NL-20 a MAC and a name, which libcontainer once set by ioctls', needs, async () => {
  const netns = await ownNetns()
  const net = await open(netns)
  await net.links.add({ kind: 'veth', name: 'before', peer: { name: 'peer0' } })
  await net.links.set('before', { mac: '02:00:00:00:00:07' })
  await net.links.set('before', { name: 'after' })
  expect(ipJson(netns, 'link show after')).toMatchObject([{ ifname: 'after', address: '02:00:00:00:00:07' }])
  await expect(net.links.set('after', { mac: '03:00:00:00:00:07' })).rejects.toMatchObject({ code: 'ConfigInvalid' })
  await expect(net.links.set('after', { name: 'peer0' })).rejects.toMatchObject({ code: 'EEXIST' })
})

test('NL-23 typed events of all that changes, as ip changes it', needs, async () => {
  const netns = await ownNetns()
  const net = await open(netns)
  const monitor = await net.monitor()
  ip(netns, 'link add left type veth peer name right')
  ip(netns, 'link set left up')
  ip(netns, 'link set right up')
  ip(netns, 'addr add 192.0.2.1/24 dev left')
  ip(netns, 'neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev left')
  ip(netns, 'route add 198.51.100.0/24 via 192.0.2.9')
  ip(netns, 'rule add from 192.0.2.1 table 7')
  ip(netns, 'route del 198.51.100.0/24')
  ip(netns, 'link del left')
  const found: NetlinkEvent[] = []
  for await (const event of monitor) {
    found.push(event)
    if (event.type === 'link' && event.change === 'deleted' && event.link.name === 'left') break
  }
  const has = (wanted: object): void => expect(found).toContainEqual(expect.objectContaining(wanted))
  has({ type: 'link', change: 'set', link: expect.objectContaining({ name: 'left', kind: 'veth' }) })
  has({ type: 'address', change: 'set', address: expect.objectContaining({ address: '192.0.2.1', prefixLength: 24 }) })
  has({ type: 'neighbour', change: 'set', neighbour: expect.objectContaining({ address: '192.0.2.9' }) })
  has({ type: 'route', change: 'set', route: expect.objectContaining({ destination: '198.51.100.0/24' }) })
  has({ type: 'route', change: 'deleted', route: expect.objectContaining({ destination: '198.51.100.0/24' }) })
  has({ type: 'rule', change: 'set', rule: expect.objectContaining({ table: 7 }) })
})

test('NL-23 only what is wanted is told; a subject that is none is refused by its place', needs, async () => {
  const netns = await ownNetns()
  const net = await open(netns)
  const monitor = await net.monitor({ events: ['address'] })
  ip(netns, 'link set lo up')
  ip(netns, 'addr add 192.0.2.1/32 dev lo')
  const found: NetlinkEvent[] = []
  for await (const event of monitor) {
    found.push(event)
    if (event.type === 'address' && event.address.address === '192.0.2.1') break
  }
  expect(new Set(found.map(({ type }) => type))).toEqual(new Set(['address']))
  await expect(net.monitor({ events: ['address', 'weather' as 'link'] })).rejects.toMatchObject({ field: 'events[1]' })
})

test('NL-23 after a loss what is there now is told of every subject', needs, async () => {
  const netns = await ownNetns()
  const net = await open(netns)
  const monitor = await net.monitor({ events: ['link', 'address'], room: 65536 })
  ip(netns, '-batch -', 'link add gone type veth peer name gone1\nlink del gone\n'.repeat(50))
  ip(netns, 'addr add 192.0.2.1/32 dev lo')
  const found: NetlinkEvent[] = []
  for await (const event of monitor) {
    found.push(event)
    if (event.type === 'address' && event.change === 'present' && event.address.address === '192.0.2.1') break
  }
  expect(found.some(({ type }) => type === 'lost')).toBe(true)
  expect(found).toContainEqual(
    expect.objectContaining({ type: 'link', change: 'present', link: expect.objectContaining({ name: 'lo' }) }),
  )
})

test('NL-22 the sockets of a container’s processes are listed from outside', needs, async () => {
  const netns = await ownNetns()
  const net = await open(netns)
  await net.links.set('lo', { up: true })
  const source = `require('net').createServer().listen(8080, '127.0.0.1', () => console.log('ready'))`
  const inside = spawn('nsenter', [`--net=/proc/${process.pid}/fd/${netns.fd.fd}`, process.execPath, '-e', source])
  onTestFinished(() => void inside.kill('SIGKILL'))
  await once(inside.stdout, 'data')
  const found = await net.sockets({ protocols: ['tcp'] })
  expect(found).toContainEqual(expect.objectContaining({ protocol: 'tcp', state: 'listen' }))
})

test('NL-22 a namespace that vanishes in mid-request: the answer comes, and nothing is left', needs, async () => {
  const before = openDescriptors()
  const netns = await Netns.create()
  const net = await Netlink.open({ namespace: netns })
  const adding = Array.from({ length: 20 }, (_, i) =>
    net.links.add({ kind: 'veth', name: `a${i}`, peer: { name: `b${i}` } }),
  )
  netns.close()
  await Promise.all(adding)
  expect((await net.links.list()).filter(({ name }) => /^[ab]\d+$/.test(name)).length).toBe(40)
  await net[Symbol.asyncDispose]()
  await until('its descriptors are closed', () => openDescriptors().length <= before.length)
  await expect(net.links.list()).rejects.toMatchObject({ code: 'ECONNABORTED' })
})
