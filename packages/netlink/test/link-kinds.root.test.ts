import { isKind, type LinkData, Links, NetlinkSocket, type NewLink } from '@libcontainer/netlink'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires, together } from '../../../test/support/index.js'
import { ip, ipJson, isKernel, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')

interface Case {
  kind: string
  /** Made by us, without the name; `below` is a veth. */
  ours: Record<string, unknown>
  /** What ip(8) has to tell of it: `info_data`. */
  theirs?: Record<string, unknown>
  /** The same or another made by ip(8), behind `link add NAME`. */
  words: string
  /** What we have to tell of that. */
  read?: Record<string, unknown>
}

const cases: Case[] = [
  { kind: 'dummy', ours: {}, words: 'type dummy' },
  { kind: 'ifb', ours: { txQueueLength: 64 }, words: 'type ifb' },
  { kind: 'wireguard', ours: { mtu: 1420 }, words: 'type wireguard' },
  {
    kind: 'macvlan',
    ours: { link: 'below', data: { mode: 'private', flags: ['nopromisc'] } },
    theirs: { mode: 'private' },
    words: 'link below type macvlan mode bridge',
    read: { mode: 'bridge', flags: [] },
  },
  {
    kind: 'macvtap',
    ours: { link: 'below', data: { mode: 'bridge' } },
    theirs: { mode: 'bridge' },
    words: 'link below type macvtap mode vepa',
    read: { mode: 'vepa' },
  },
  {
    kind: 'ipvlan',
    ours: { link: 'below', data: { mode: 'l2' } },
    theirs: { mode: 'l2' },
    words: 'link below type ipvlan mode l2 private',
    read: { mode: 'l2', flags: ['private'] },
  },
  {
    kind: 'vlan',
    ours: {
      link: 'below',
      data: { id: 100, protocol: '802.1ad', flags: ['looseBinding'], egressPriorities: [{ from: 1, to: 5 }] },
    },
    theirs: { id: 100, protocol: '802.1ad', flags: ['LOOSE_BINDING'] },
    words: 'link below type vlan id 7 gvrp on',
    read: { id: 7, protocol: '802.1Q', flags: ['reorderHeader', 'gvrp'] },
  },
  {
    kind: 'vxlan',
    ours: { data: { id: 42, link: 'below', group: '239.1.1.1', port: 4789, ttl: 16, learning: false, ageing: 60 } },
    theirs: { id: 42, group: '239.1.1.1', port: 4789, ttl: 16, learning: false, ageing: 60, link: 'below' },
    words: 'type vxlan id 43 remote 2001:db8::1 local 2001:db8::2 dstport 4790 dev below',
    read: { id: 43, group: '2001:db8::1', local: '2001:db8::2', port: 4790, learning: true },
  },
  {
    kind: 'bond',
    ours: { data: { mode: 'active-backup', miimon: 100, failOverMac: 'active' } },
    theirs: { mode: 'active-backup', miimon: 100, fail_over_mac: 'active' },
    words: 'type bond mode 802.3ad lacp_rate fast xmit_hash_policy layer3+4',
    read: { mode: '802.3ad', lacpRate: 'fast', xmitHashPolicy: 'layer3+4' },
  },
  {
    kind: 'vrf',
    ours: { data: { table: 10 } },
    theirs: { table: 10 },
    words: 'type vrf table 11',
    read: { table: 11 },
  },
]

async function lab() {
  const netns = await ownNetns()
  const socket = await NetlinkSocket.open({ namespace: netns })
  onTestFinished(() => socket.close())
  const links = new Links(socket)
  await links.add({ name: 'below', kind: 'veth', peer: 'other', up: true })
  const infoOf = (name: string) =>
    ipJson<
      {
        link?: string
        linkinfo: { info_kind: string; info_data?: object; info_slave_kind?: string; info_slave_data?: object }
      }[]
    >(netns, `-d link show dev ${name}`)[0]!
  return { netns, links, infoOf }
}

describe('kinds of links against ip(8)', () => {
  for (const { kind, ours, theirs, words, read } of cases)
    test(`NL-11 NL-12 NL-24 ${kind}, both ways`, together(needs, requires(`link:${kind}`)), async () => {
      const { netns, links, infoOf } = await lab()
      await links.add({ name: 'ours', kind, ...ours } as NewLink)
      const told = infoOf('ours')
      expect(told.linkinfo.info_kind).toBe(kind)
      if (theirs !== undefined) expect(told.linkinfo.info_data).toMatchObject(theirs)
      expect(told.link).toBe(ours.link ?? (kind === 'vxlan' ? told.link : undefined))
      await links.delete('ours')
      ip(netns, `link add theirs ${words}`)
      const link = await links.get('theirs')
      expect(link.kind).toBe(kind)
      if (read !== undefined) expect(link.data).toMatchObject(read)
      if (ours.link !== undefined) expect(link.link).toBe(await links.index('below'))
      expect((await links.list({ kind })).map(({ name }) => name)).toEqual(['theirs'])
    })

  test(
    'NL-24 a bond with its ports, and a VRF with its own',
    together(needs, requires('link:bond', 'link:vrf', 'link:dummy')),
    async () => {
      const { links, infoOf } = await lab()
      await links.add({ name: 'bond0', kind: 'bond', data: { mode: 'active-backup', miimon: 100 } })
      for (const name of ['d0', 'd1']) await links.add({ name, kind: 'dummy' })
      await links.set('d0', { master: 'bond0' })
      await links.set('d1', { master: 'bond0', bondPort: { queueId: 2 } })
      await links.set('bond0', { up: true })
      await links.set('bond0', { data: { primary: 'd1' } })
      expect(infoOf('bond0').linkinfo.info_data).toMatchObject({ primary: 'd1' })
      expect(infoOf('d1').linkinfo).toMatchObject({ info_slave_kind: 'bond', info_slave_data: { queue_id: 2 } })
      const [bond, port] = [await links.get('bond0'), await links.get('d1')]
      expect(isKind(bond, 'bond') && (bond.data as LinkData['bond']).primary).toBe(port.index)
      expect(port).toMatchObject({ master: bond.index, bondPort: { queueId: 2, miiStatus: 'up' } })
      await links.add({ name: 'red', kind: 'vrf', data: { table: 10 }, up: true })
      await links.add({ name: 'd2', kind: 'dummy', master: 'red' })
      expect(await links.get('d2')).toMatchObject({ portKind: 'vrf', vrfPort: { table: 10 } })
    },
  )

  test(
    'NL-11 NL-12 a macvlan is made in another namespace on a link of this one',
    together(needs, requires('link:macvlan')),
    async () => {
      const { links } = await lab()
      const there = await lab()
      const netns = await ownNetns()
      const socket = await NetlinkSocket.open({ namespace: netns })
      onTestFinished(() => socket.close())
      await links.add({
        name: 'm0',
        kind: 'macvlan',
        link: 'below',
        namespace: netns,
        data: { mode: 'bridge' },
        mac: '02:00:00:00:00:77',
      })
      expect(await links.find('m0')).toBeUndefined()
      expect(await new Links(socket).get('m0')).toMatchObject({
        kind: 'macvlan',
        data: { mode: 'bridge' },
        mac: '02:00:00:00:00:77',
      })
      // Of a link that is not there, a word of which one.
      await expect(there.links.add({ name: 'm1', kind: 'macvlan', link: 'nothing' })).rejects.toMatchObject({
        code: 'ENODEV',
        path: 'nothing',
      })
      expect(await there.links.find('m1')).toBeUndefined()
    },
  )

  test(
    'NL-11 an identifier that the kernel keeps for itself is its refusal, and nothing is made',
    together(needs, requires('link:vlan')),
    async () => {
      const { links } = await lab()
      await expect(links.add({ name: 'v', kind: 'vlan', link: 'below', data: { id: 4095 } })).rejects.toMatchObject({
        code: 'ERANGE',
        path: 'v',
      })
      await links.add({ name: 'v', kind: 'vlan', link: 'below', data: { id: 5 } })
      await expect(links.add({ name: 'w', kind: 'vlan', link: 'below', data: { id: 5 } })).rejects.toMatchObject({
        code: 'EEXIST',
      })
      expect((await links.list({ kind: 'vlan' })).map(({ name }) => name)).toEqual(['v'])
    },
  )

  // It is built where VLANs are.
  test('NL-17 a bridge that filters VLANs, both ways', together(needs, requires('link:vlan')), async () => {
    const { netns, links, infoOf } = await lab()
    await links.add({ name: 'br0', kind: 'bridge', data: { vlanFiltering: true, vlanDefaultPvid: 7 } })
    expect(infoOf('br0').linkinfo.info_data).toMatchObject({ vlan_filtering: 1, vlan_default_pvid: 7 })
    ip(netns, 'link set dev br0 type bridge vlan_default_pvid 9')
    expect(await links.get('br0')).toMatchObject({
      data: { vlanFiltering: true, vlanProtocol: '802.1Q', vlanDefaultPvid: 9 },
    })
  })

  test('NL-24 an option that is younger than the kernel is told, rather than ignored', needs, async () => {
    const { links } = await lab()
    const hasIt = isKernel(6, 7)
    const add = links.add({ name: 'br0', kind: 'bridge', data: { maxLearnedEntries: 100 } })
    if (hasIt) await add
    else {
      const told = { code: 'EOPNOTSUPP', path: 'br0', message: expect.stringContaining('data.maxLearnedEntries') }
      await expect(add).rejects.toMatchObject(told)
      expect(await links.find('br0')).toBeUndefined()
      await links.add({ name: 'br0', kind: 'bridge' })
      await expect(links.set('br0', { data: { maxLearnedEntries: 100 } })).rejects.toMatchObject(told)
    }
    expect((await links.get('br0')).data).toMatchObject(hasIt ? { maxLearnedEntries: 100 } : {})
    // Those that this kernel has, and of them what it keeps to itself.
    await links.set('below', { master: 'br0', bridgePort: { multicastEhtHostsLimit: 64, backupNexthop: 0 } })
    expect((await links.get('below')).bridgePort).toMatchObject({ multicastEhtHostsLimit: 64 })
  })
})
