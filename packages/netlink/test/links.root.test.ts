import {
  attributes,
  type Link,
  Links,
  messageBody,
  Netlink,
  NetlinkSocket,
  type Netns,
  s32,
  struct,
  u8,
  u16,
  u32,
} from '@libcontainer/netlink'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'
import { ip, ipJson, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')

const linkHeader = struct({ family: u8, type: u16, index: s32, flags: u32, change: u32 })

interface Lab {
  netns: Netns
  socket: NetlinkSocket
  links: Links
}

async function lab(): Promise<Lab> {
  const netns = await ownNetns()
  const socket = await NetlinkSocket.open({ namespace: netns })
  onTestFinished(() => socket.close())
  return { netns, socket, links: new Links(socket) }
}

/** What `ip -j -d link` tells of a link. */
interface IpLink {
  ifindex: number
  ifname: string
  flags: string[]
  mtu: number
  operstate: string
  master?: string
  group: string
  txqlen?: number
  link_type: string
  address?: string
  broadcast?: string
  promiscuity: number
  min_mtu: number
  max_mtu: number
  num_tx_queues: number
  ifalias?: string
  altnames?: string[]
  inet6_addr_gen_mode?: string
  linkinfo?: {
    info_kind?: string
    info_data?: Record<string, unknown>
    info_slave_kind?: string
    info_slave_data?: Record<string, unknown>
  }
}

const ipLink = (netns: Netns, name: string) => ipJson<IpLink[]>(netns, `-d link show dev ${name}`)[0]!

/** ip(8) leaves `RUNNING` out, and adds what it makes of its absence. */
const flagsOfIp = (flags: string[]) =>
  flags
    .filter(flag => flag !== 'NO-CARRIER' && flag !== 'M-DOWN')
    .map(flag => flag.toLowerCase())
    .sort()

function expectSame(ours: Link, theirs: IpLink, indexOf: (name: string) => number | undefined = () => undefined): void {
  expect({
    index: ours.index,
    name: ours.name,
    flags: ours.flags.filter(flag => flag !== 'running').sort(),
    mtu: ours.mtu,
    operstate: ours.operstate.toUpperCase(),
    master: ours.master,
    txQueueLength: ours.txQueueLength,
    type: ours.type,
    mac: ours.mac,
    broadcast: ours.broadcast,
    promiscuity: ours.promiscuity,
    txQueues: ours.txQueues,
    alias: ours.alias,
    alternativeNames: ours.alternativeNames,
    addressGeneration: ours.addressGeneration,
    kind: ours.kind,
    portKind: ours.portKind,
  }).toEqual({
    index: theirs.ifindex,
    name: theirs.ifname,
    flags: flagsOfIp(theirs.flags),
    mtu: theirs.mtu,
    operstate: theirs.operstate,
    master: theirs.master === undefined ? undefined : indexOf(theirs.master),
    txQueueLength: theirs.txqlen ?? 0,
    type: theirs.link_type,
    mac: theirs.address,
    broadcast: theirs.broadcast,
    promiscuity: theirs.promiscuity,
    txQueues: theirs.num_tx_queues,
    alias: theirs.ifalias,
    alternativeNames: theirs.altnames ?? [],
    addressGeneration: theirs.inet6_addr_gen_mode,
    kind: theirs.linkinfo?.info_kind,
    portKind: theirs.linkinfo?.info_slave_kind,
  })
}

/** All links of a namespace, as we and as ip(8) read them. */
async function expectAllSame({ netns, links }: Lab): Promise<void> {
  const ours = await links.list({ statistics: true })
  const theirs = ipJson<IpLink[]>(netns, '-d link show')
  expect(ours.map(({ name }) => name)).toEqual(theirs.map(({ ifname }) => ifname))
  const indexOf = (name: string) => theirs.find(({ ifname }) => ifname === name)?.ifindex
  for (const [i, link] of ours.entries()) expectSame(link, theirs[i]!, indexOf)
}

describe('against ip(8)', needs, () => {
  test('NL-03 NL-10 NL-21 a veth pair that we make ip reads, and one that ip makes we read', async () => {
    const place = await lab()
    const { netns, links } = place
    await links.add({
      name: 'a',
      kind: 'veth',
      mtu: 1400,
      mac: '02:00:00:00:00:0a',
      txQueueLength: 77,
      up: true,
      peer: { name: 'b', mac: '02:00:00:00:00:0b', txQueueLength: 77, mtu: 1300 },
      alias: 'to the world',
      alternativeNames: ['a-name-of-more-than-fifteen-bytes', 'short'],
      addressGeneration: 'none',
    })
    expect(ipLink(netns, 'a')).toMatchObject({
      mtu: 1400,
      address: '02:00:00:00:00:0a',
      txqlen: 77,
      flags: expect.arrayContaining(['UP']),
      ifalias: 'to the world',
      altnames: ['a-name-of-more-than-fifteen-bytes', 'short'],
      inet6_addr_gen_mode: 'none',
      linkinfo: { info_kind: 'veth' },
    })
    expect(ipLink(netns, 'b')).toMatchObject({ mtu: 1300, address: '02:00:00:00:00:0b', txqlen: 77 })
    ip(netns, 'link add c mtu 1280 txqueuelen 5 address 02:00:00:00:00:0c type veth peer name d')
    ip(netns, 'link set c promisc on alias other up')
    ip(netns, 'link property add dev c altname another-name')
    await expectAllSame(place)
    expect(await links.get('a-name-of-more-than-fifteen-bytes')).toMatchObject({ name: 'a' })
    expect(await links.get('another-name')).toMatchObject({ name: 'c', promiscuity: 1, alias: 'other' })
    expect((await links.get('a')).link).toBe((await links.get('b')).index)
    expect(await links.find('e')).toBeUndefined()
  })

  test('NL-17 NL-18 NL-19 a bridge with its ports, both ways', async () => {
    const place = await lab()
    const { netns, links } = place
    await links.add({
      name: 'br0',
      kind: 'bridge',
      mac: '02:00:00:00:00:01',
      up: true,
      data: {
        forwardDelay: 400,
        stpState: 1,
        priority: 4096,
        ageingTime: 1000,
        multicastSnooping: false,
      },
    })
    await links.add({
      name: 'a',
      kind: 'veth',
      peer: 'b',
      master: 'br0',
      bridgePort: { hairpin: true, isolated: true, learning: false },
    })
    await links.add({ name: 'c', kind: 'veth', peer: 'd' })
    await links.set('c', { master: 'br0', bridgePort: { cost: 9, backupPort: 'a' }, up: true })
    const bridge = ipLink(netns, 'br0')
    expect(bridge.linkinfo?.info_data).toMatchObject({
      forward_delay: 400,
      stp_state: 1,
      priority: 4096,
      ageing_time: 1000,
      mcast_snooping: 0,
    })
    expect(ipLink(netns, 'a').linkinfo?.info_slave_data).toMatchObject({
      hairpin: true,
      isolated: true,
      learning: false,
    })
    expect(ipLink(netns, 'c').linkinfo?.info_slave_data).toMatchObject({ cost: 9, backup_port: 'a' })

    ip(netns, 'link set dev br0 type bridge stp_state 0 ageing_time 2000')
    ip(netns, 'link set dev a type bridge_slave hairpin off guard on priority 5')
    expect(await links.get('br0')).toMatchObject({
      kind: 'bridge',
      data: { stpState: 0, ageingTime: 2000, priority: 4096 },
    })
    expect(await links.get('a')).toMatchObject({
      bridgePort: { hairpin: false, guard: true, priority: 5, isolated: true },
    })
    await expectAllSame(place)
    const index = await links.index('br0')
    expect((await links.list({ master: 'br0' })).map(({ name }) => name).sort()).toEqual(['a', 'c'])
    expect((await links.list({ kind: 'bridge' })).map(link => link.index)).toEqual([index])
    const found: string[] = []
    for await (const link of links.dump({ kind: 'veth' })) found.push(link.name)
    expect(found.sort()).toEqual(['a', 'b', 'c', 'd'])

    await links.set('br0', { data: { stpState: 1 } })
    await links.set('a', { bridgePort: { hairpin: true } })
    await links.set('c', { master: null })
    expect(ipLink(netns, 'br0').linkinfo?.info_data).toMatchObject({ stp_state: 1, ageing_time: 2000 })
    expect(ipLink(netns, 'a').linkinfo?.info_slave_data).toMatchObject({ hairpin: true })
    expect(ipLink(netns, 'c').master).toBeUndefined()
    // An up bridge goes at once: netlink needs no `down` before.
    await links.delete('br0')
    expect(await links.find('br0')).toBeUndefined()
  })

  test('NL-05 NL-06 NL-07 NL-09 what is changed, and nothing else', async () => {
    const place = await lab()
    const { netns, links } = place
    await links.add({ name: 'a', kind: 'veth', peer: 'b' })
    const before = ipLink(netns, 'a')
    await links.set('a', { mtu: 1450 })
    expect(ipLink(netns, 'a')).toEqual({ ...before, mtu: 1450 })
    await links.set('a', {
      txQueueLength: 0,
      mac: '02:00:00:00:00:99',
      promiscuous: true,
      allMulticast: true,
      arp: false,
      alias: 'x',
      group: 7,
    })
    expect(ipLink(netns, 'a')).toMatchObject({ address: '02:00:00:00:00:99', ifalias: 'x', group: '7' })
    expect(flagsOfIp(ipLink(netns, 'a').flags)).toEqual(expect.arrayContaining(['allmulti', 'noarp', 'promisc']))
    await expectAllSame(place)
    await links.set('a', { name: 'renamed', alias: '', promiscuous: false, allMulticast: false, arp: true })
    expect(ipLink(netns, 'renamed').ifalias).toBeUndefined()
    await links.set('renamed', { up: true })
    await links.set('b', { up: true })
    expect(await links.get('renamed')).toMatchObject({ up: true, operstate: 'up', carrier: true })
    await links.set('renamed', { up: false })
    expect(ipLink(netns, 'renamed').operstate).toBe('DOWN')
    await links.addAlternativeNames('renamed', ['other'])
    await links.removeAlternativeNames('other', ['other'])
    expect(ipLink(netns, 'renamed').altnames).toBeUndefined()
  })

  test('NL-08 NL-30 a link moves to another namespace and comes back', async () => {
    const here = await lab()
    const there = await lab()
    await here.links.add({ name: 'a', kind: 'veth', peer: { name: 'b', namespace: there.netns } })
    expect(ipLink(there.netns, 'b')).toMatchObject({ ifname: 'b', linkinfo: { info_kind: 'veth' } })
    const { mac, mtu } = await here.links.get('a')
    await here.links.move('a', there.netns, { name: 'moved%d' })
    expect(await here.links.find('a')).toBeUndefined()
    expect(await there.links.get('moved0')).toMatchObject({ mac, mtu, up: false })
    await there.links.move('moved0', here.netns.fd)
    expect(ipLink(here.netns, 'moved0').address).toBe(mac)
    await expectAllSame(here)
    // By a path, which is opened once.
    await here.links.move('moved0', `/proc/${process.pid}/fd/${there.netns.fd.fd}`, { name: 'again', index: 4711 })
    expect(ipLink(there.netns, 'again').ifindex).toBe(4711)
    await there.links.delete('b')
    expect(await there.links.find('again')).toBeUndefined()
  })

  test('NL-21 NW-20 statistics are those of ip', async () => {
    const { netns, links } = await lab()
    await links.add({ name: 'a', kind: 'veth', peer: 'b', up: true })
    await links.set('b', { up: true })
    const theirs = () =>
      ipJson<{ stats64: { rx: Record<string, number>; tx: Record<string, number> } }[]>(netns, '-s link show dev a')[0]!
        .stats64
    // Both ends look for neighbours of IPv6 as soon as they are up.
    await until('a has sent and received something', () => theirs().rx.packets! > 0 && theirs().tx.packets! > 0)
    const before = theirs()
    const ours = await links.statistics('a')
    const after = theirs()
    for (const [value, low, high] of [
      [ours.rxBytes, before.rx.bytes, after.rx.bytes],
      [ours.txBytes, before.tx.bytes, after.tx.bytes],
      [ours.rxPackets, before.rx.packets, after.rx.packets],
      [ours.txPackets, before.tx.packets, after.tx.packets],
    ] as const) {
      expect(value).toBeGreaterThanOrEqual(low!)
      expect(value).toBeLessThanOrEqual(high!)
    }
    expect(ours).toMatchObject({ rxErrors: before.rx.errors, txDropped: before.tx.dropped, collisions: 0 })
    expect((await links.get('a')).statistics).toBeUndefined()
    expect((await links.list({ statistics: true }))[0]!.statistics).toBeDefined()
  })

  test('NL-04 NL-21 NL-23 a thousand links are listed as ip lists them, watched, and deleted', async () => {
    const { netns, socket, links } = await lab()
    // The table as whoever watches a network keeps it.
    const watched = new Map<number, string>()
    const monitor = await new Netlink(socket).monitor({ events: ['link'] })
    const watching = (async () => {
      for await (const event of monitor) {
        if (event.type === 'lost') watched.clear()
        else if (event.type === 'link' && event.change === 'deleted') watched.delete(event.link.index)
        else if (event.type === 'link' && event.link.name !== 'lo') watched.set(event.link.index, event.link.name)
      }
    })()
    const numbers = Array.from({ length: 500 }, (_, i) => i)
    await Promise.all(
      numbers.map(i => links.add({ name: `a${i}`, kind: 'veth', peer: { name: `b${i}`, group: 7 }, group: 7 })),
    )
    const all = await links.list()
    expect(all).toHaveLength(1001)
    expect(all.interrupted).toBe(false)
    let streamed = 0
    for await (const link of links.dump()) streamed += link.index > 0 ? 1 : 0
    expect(streamed).toBe(1001)
    const names = ipJson<IpLink[]>(netns, 'link show').map(({ ifname }) => ifname)
    expect(all.map(({ name }) => name).sort()).toEqual(names.sort())
    await until('all are seen', () => watched.size === 1000)
    expect(['lo', ...watched.values()].sort()).toEqual(names)

    // For each by itself the kernel waits until nobody looks at it any more; of a group for all at once.
    await Promise.all(numbers.slice(0, 20).map(i => links.delete(`a${i}`)))
    await until('they are seen to go', () => watched.size === 960)
    const group = attributes({ group: [27, u32] })
    await socket.request({ type: 17, body: messageBody(linkHeader, {}, group, { group: 7 }) })
    await until('none is seen any more', () => watched.size === 0)
    expect((await links.list()).map(({ name }) => name)).toEqual(['lo'])
    monitor.close()
    await watching
  })
})

describe('refused', needs, () => {
  test('NL-03 NL-04 NL-31 EV-064 the kernel’s errno, with the name and what to do', async () => {
    const { links } = await lab()
    await links.add({ name: 'a', kind: 'veth', peer: 'b' })
    const refused = async (code: string, path: string, act: Promise<unknown>) => {
      await expect(act).rejects.toMatchObject({ name: 'SyscallError', code, path })
    }
    await refused('EEXIST', 'a', links.add({ name: 'a', kind: 'veth', peer: 'c' }))
    await refused('EEXIST', 'c', links.add({ name: 'c', kind: 'veth', peer: 'b' }))
    expect(await links.find('c')).toBeUndefined()
    await refused('EOPNOTSUPP', 'x', links.add({ name: 'x', kind: 'nosuchkind' }))
    await refused('ENODEV', 'nothing', links.delete('nothing'))
    await refused('ENODEV', 'nothing', links.set('nothing', { up: true }))
    await refused('ENODEV', 'nothing', links.set('a', { master: 'nothing' }))
    await refused('ENODEV', '99999', links.get(99999))
    await expect(links.set('a', { mtu: 65536 })).rejects.toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining('mtu'),
    })
    await expect(links.add({ name: 'a/b', kind: 'dummy' })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'name',
    })
    await expect(links.move('lo', (await lab()).netns)).rejects.toMatchObject({ name: 'SyscallError', code: 'EINVAL' })
    expect((await links.list()).map(({ name }) => name).sort()).toEqual(['a', 'b', 'lo'])
  })

  test('NL-10 NL-19 a link whose later part is refused is gone again, both ends', async () => {
    const { links } = await lab()
    // Without a bridge there is no port.
    await expect(
      links.add({ name: 'a', kind: 'veth', peer: 'b', bridgePort: { hairpin: true } }),
    ).rejects.toMatchObject({ name: 'SyscallError' })
    await expect(links.add({ name: 'a', kind: 'veth', peer: 'b', alternativeNames: ['lo'] })).rejects.toMatchObject({
      code: 'EEXIST',
    })
    // Found before anything is made.
    await expect(links.add({ name: 'a', kind: 'veth', peer: 'b', alias: 'a'.repeat(300) })).rejects.toMatchObject({
      field: 'alias',
    })
    await expect(links.add({ name: 'a', kind: 'veth', peer: 'b', alias: 'x', namespace: 1 })).rejects.toMatchObject({
      field: 'namespace',
    })
    expect((await links.list()).map(({ name }) => name)).toEqual(['lo'])
  })

  test('NL-08 a move to where the name is taken, or to no namespace, leaves the link here', async () => {
    const here = await lab()
    const there = await lab()
    await here.links.add({ name: 'a', kind: 'veth', peer: 'b' })
    await there.links.add({ name: 'a', kind: 'veth', peer: 'c' })
    await expect(here.links.move('a', there.netns)).rejects.toMatchObject({ code: 'EEXIST', path: 'a' })
    await expect(here.links.move('a', '/no/such/namespace')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(here.links.move('a', '/proc/self/ns/mnt')).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'namespace',
    })
    expect(await here.links.get('a')).toMatchObject({ name: 'a' })
  })

  test('NL-01 who gives up before a link is made has none', async () => {
    const { links } = await lab()
    const reason = new Error('enough')
    await expect(links.add({ name: 'a', kind: 'veth', peer: 'b' }, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
    expect(await links.find('a')).toBeUndefined()
  })
})
