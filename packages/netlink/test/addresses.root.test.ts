import { type Address, Addresses, Links, NetlinkSocket, type Netns } from '@libcontainer/netlink'
import { describe, expect, onTestFinished, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'
import { ip, ipJson, ownNetns } from './support.js'

const needs = requires('root', 'namespace:net', 'program:ip', 'program:nsenter')

async function lab(): Promise<{ netns: Netns; links: Links; addresses: Addresses }> {
  const netns = await ownNetns()
  const socket = await NetlinkSocket.open({ namespace: netns })
  onTestFinished(() => socket.close())
  const links = new Links(socket)
  // Without addresses of the kernel's own making.
  await links.add({ name: 'a', kind: 'veth', peer: 'b', addressGeneration: 'none' })
  await links.set('b', { addressGeneration: 'none' })
  return { netns, links, addresses: new Addresses(socket) }
}

/** What `ip -j addr` tells of an address. Flags stand in it as fields that are true. */
interface IpAddress {
  family: string
  local: string
  address?: string
  prefixlen: number
  broadcast?: string
  scope: string
  label?: string
  metric?: number
  protocol?: string
  valid_life_time: number
  preferred_life_time: number
  [flag: string]: unknown
}

const theirsOf = (netns: Netns, name = 'a') =>
  ipJson<{ addr_info: IpAddress[] }[]>(netns, `addr show dev ${name}`)[0]!.addr_info
const FOREVER = 0xffffffff

function expectSame(ours: Address, theirs: IpAddress): void {
  const seconds = (lifetime: number | 'forever') => (lifetime === 'forever' ? FOREVER : lifetime)
  expect({
    family: ours.family,
    local: ours.address,
    address: ours.peer,
    prefixlen: ours.prefixLength,
    broadcast: ours.broadcast,
    scope: ours.scope,
    label: ours.label,
    metric: ours.metric,
    forever: [ours.validLifetime === 'forever', ours.preferredLifetime === 'forever'],
  }).toEqual({
    family: theirs.family,
    local: theirs.local,
    address: theirs.address,
    prefixlen: theirs.prefixlen,
    broadcast: theirs.broadcast,
    scope: theirs.scope,
    label: theirs.label,
    metric: theirs.metric,
    forever: [theirs.valid_life_time === FOREVER, theirs.preferred_life_time === FOREVER],
  })
  // A second may pass between the two.
  expect(Math.abs(seconds(ours.validLifetime) - theirs.valid_life_time)).toBeLessThan(60)
  expect(Math.abs(seconds(ours.preferredLifetime) - theirs.preferred_life_time)).toBeLessThan(60)
  const words: Record<string, string> = { managetempaddr: 'mngtmpaddr', mcautojoin: 'autojoin' }
  const own = ours.flags.map(flag => words[flag] ?? String(flag))
  for (const flag of ['nodad', 'noprefixroute', 'deprecated', 'tentative', 'secondary', 'mngtmpaddr', 'autojoin'])
    expect(own.includes(flag), flag).toBe(theirs[flag] === true)
}

describe('addresses', needs, () => {
  test('NL-13 those that we give ip reads, and those that ip gives we read', async () => {
    const { netns, addresses } = await lab()
    await addresses.add('a', '192.0.2.1/24', {
      label: 'a:x',
      validLifetime: 3600,
      preferredLifetime: 1800,
      flags: ['noprefixroute'],
      metric: 50,
    })
    await addresses.add('a', '192.0.2.2/24')
    await addresses.add('a', '10.0.0.1', { peer: '10.0.0.2/30', scope: 'link' })
    await addresses.add('a', '2001:db8::1/64', { flags: ['nodad'], preferredLifetime: 0 })
    await addresses.add('a', '2001:db8::2', { peer: '2001:db8:1::/64', flags: ['nodad'] })
    await addresses.add('lo', '127.0.0.1/8')
    const [first, ...rest] = theirsOf(netns)
    expect([first, ...rest]).toHaveLength(5)
    expect(theirsOf(netns).find(({ local }) => local === '192.0.2.1')).toMatchObject({
      family: 'inet',
      prefixlen: 24,
      broadcast: '192.0.2.255',
      scope: 'global',
      label: 'a:x',
      metric: 50,
      noprefixroute: true,
    })
    expect(theirsOf(netns).find(({ local }) => local === '10.0.0.1')).toMatchObject({
      address: '10.0.0.2',
      prefixlen: 30,
      scope: 'link',
    })
    expect(theirsOf(netns).find(({ local }) => local === '2001:db8::1')).toMatchObject({
      nodad: true,
      preferred_life_time: 0,
      valid_life_time: FOREVER,
    })
    expect(theirsOf(netns, 'lo').find(({ local }) => local === '127.0.0.1')).toMatchObject({ scope: 'host' })

    ip(netns, 'addr add 198.51.100.1/25 brd + dev a')
    ip(netns, 'addr add 198.51.100.130/25 dev a valid_lft 900 preferred_lft 100 noprefixroute')
    ip(netns, 'addr add 10.1.0.1 peer 10.1.0.9/29 dev a')
    ip(netns, 'addr add 2001:db8:2::1/48 dev a nodad')
    const ours = await addresses.list({ link: 'a' })
    const theirs = theirsOf(netns)
    expect(ours).toHaveLength(theirs.length)
    for (const each of theirs) {
      const own = ours.find(({ address }) => address === each.local)
      expect(own, each.local).toBeDefined()
      expectSame(own!, each)
    }
    expect((await addresses.list({ family: 'inet6', link: 'a' })).every(({ family }) => family === 'inet6')).toBe(true)
    const streamed: string[] = []
    for await (const { address } of addresses.dump()) streamed.push(address)
    expect(streamed.sort()).toEqual([...ours.map(({ address }) => address), '127.0.0.1'].sort())
  })

  test('NL-13 they are replaced and deleted, and flushed', async () => {
    const { netns, addresses } = await lab()
    await addresses.add('a', '192.0.2.1/24')
    await addresses.replace('a', '192.0.2.1/24', { validLifetime: 600 })
    expect(theirsOf(netns)).toMatchObject([{ local: '192.0.2.1', dynamic: true }])
    await addresses.add('a', '10.0.0.1', { peer: '10.0.0.2/30' })
    await addresses.add('a', '2001:db8::1/64', { flags: ['nodad'] })
    await addresses.delete('a', '192.0.2.1/24')
    // As it was listed: peer, length and label belong to it.
    const [peer] = await addresses.list({ link: 'a', family: 'inet' })
    await addresses.delete('a', peer!)
    expect(theirsOf(netns).map(({ local }) => local)).toEqual(['2001:db8::1'])
    await addresses.addAll('a', ['192.0.2.1/24', '192.0.2.2/24', { address: '10.0.0.1', peer: '10.0.0.2/30' }])
    await addresses.flush('a', { family: 'inet' })
    expect(theirsOf(netns).map(({ local }) => local)).toEqual(['2001:db8::1'])
    await addresses.flush('a')
    expect(theirsOf(netns)).toEqual([])
  })

  test('NL-13 the kernel’s errno, with the address; of many given at once none stays', async () => {
    const { netns, addresses } = await lab()
    await addresses.add('a', '192.0.2.1/24')
    await expect(addresses.add('a', '192.0.2.1/24')).rejects.toMatchObject({
      name: 'SyscallError',
      code: 'EEXIST',
      path: '192.0.2.1/24',
    })
    await addresses.add('a', '2001:db8::1/64', { flags: ['nodad'] })
    await expect(addresses.add('a', '2001:db8::1/64')).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(addresses.add('nothing', '192.0.2.9/24')).rejects.toMatchObject({ code: 'ENODEV', path: 'nothing' })
    await expect(addresses.delete('a', '192.0.2.9/24')).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
      path: '192.0.2.9/24',
    })
    await expect(addresses.add('a', '192.0.2.9/99')).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'address' })
    await expect(addresses.addAll('a', ['10.0.0.1/24', '192.0.2.1/24', '10.0.0.2/24'])).rejects.toMatchObject({
      code: 'EEXIST',
    })
    await expect(addresses.addAll('a', ['10.0.0.1/24', 'nowhere'])).rejects.toMatchObject({ code: 'ConfigInvalid' })
    expect(
      theirsOf(netns)
        .map(({ local }) => local)
        .sort(),
    ).toEqual(['192.0.2.1', '2001:db8::1'])
  })

  test('NL-13 a thousand addresses are given at once, and read', async () => {
    const { netns, addresses } = await lab()
    const wanted = Array.from({ length: 1000 }, (_, i) => `10.${i >> 8}.${i & 255}.1/32`)
    await addresses.addAll('a', wanted)
    const ours = await addresses.list({ link: 'a' })
    expect(ours.map(({ address, prefixLength }) => `${address}/${prefixLength}`).sort()).toEqual([...wanted].sort())
    expect(theirsOf(netns)).toHaveLength(1000)
  })

  test('NL-13 IPv6 finds duplicates unless told not to', async () => {
    const { netns, links, addresses } = await lab()
    for (const name of ['a', 'b']) await links.set(name, { up: true })
    await addresses.add('a', '2001:db8::7/64')
    await until('the address is no longer tentative', () =>
      theirsOf(netns).some(({ local, tentative }) => local === '2001:db8::7' && !tentative),
    )
    const [address] = await addresses.list({ link: 'a', family: 'inet6' })
    expect(address).toMatchObject({ address: '2001:db8::7', flags: ['permanent'] })
  })
})
