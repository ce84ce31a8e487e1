import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type Container, type ContainerConfig, plan } from '@libcontainer/container'
import { openNamespaceFd } from '@libcontainer/namespaces'
import { isBridge } from '@libcontainer/netlink'
import {
  applyNetworks,
  ensureBridge,
  type Network,
  needsNoLookUp,
  planNetworks,
  setAttached,
} from '@libcontainer/network'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory, together, until } from '../../../test/support/index.js'
import { Bench, elsewhere, hostIds, inside, sh } from './support.js'

const needs = requires('root', 'rootfs', 'program:ip')
/** VLAN filtering of bridges is built where VLANs are. */
const vlans = together(needs, requires('link:vlan', 'program:bridge'))
/** At most ten bytes, so that there is room for more. */
const own = `t${process.pid}`
const bridge = `${own}b`

// biome-ignore lint/suspicious/noExplicitAny: what ip -j prints
const ip = (...args: string[]): any[] => {
  const text = execFileSync('ip', ['-j', '-d', ...args], { encoding: 'utf8' })
  return text.trim() === '' ? [] : JSON.parse(text)
}
const hostLinks = (): string[] => ip('link').map(({ ifname }) => ifname as string)
const veth = (more: Partial<Extract<Network, { type: 'veth' }>> = {}): Network => ({ type: 'veth', bridge, ...more })

/** A ping has a raw socket. */
const capabilities = ['CAP_NET_RAW']

/** In a container: what its own ip says, of busybox. */
const shown = 'ip -o addr show dev eth0; ip route; ip -6 route; cat /sys/class/net/eth0/mtu /sys/class/net/eth0/address'

let before: string[] = []
beforeEach(async () => {
  if (needs.skip) return
  before = hostLinks()
  await ensureBridge({ name: bridge, addresses: ['10.231.7.1/24', 'fd00:231:7::1/64'] })
})
afterEach(() => {
  if (needs.skip) return
  execFileSync('ip', ['link', 'delete', bridge])
  expect(hostLinks().filter(name => !before.includes(name))).toEqual([])
})

test('NW-21 a bridge is made once, and has the addresses that are asked for', needs, async () => {
  expect(await ensureBridge({ name: bridge, addresses: ['10.231.7.1/24'] })).toBe(false)
  const [link] = ip('addr', 'show', 'dev', bridge)
  expect(link.linkinfo.info_kind).toBe('bridge')
  expect(link.flags).toContain('UP')
  expect(link.addr_info.map(({ local }: { local: string }) => local)).toEqual(
    expect.arrayContaining(['10.231.7.1', 'fd00:231:7::1']),
  )
  await expect(ensureBridge({ name: 'lo' })).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'name' })
})

test('NW-21 what is plain needs one look at its bridges, and anything else a longer one', needs, async () => {
  expect(await Promise.all([bridge, 'lo', `${own}x`, 'a name that is too long'].map(isBridge))).toEqual([
    true,
    false,
    false,
    false,
  ])
  const plain = (...networks: Network[]): Promise<boolean> => needsNoLookUp({ networks })
  expect(await plain(veth(), { type: 'loopback' }, veth({ address: '10.231.7.2/24' }))).toBe(true)
  expect(await plain(veth(), veth({ bridge: 'lo' }))).toBe(false)
  expect(await plain(veth({ hostInterfaceName: `${own}h` }))).toBe(false)
  expect(await plain({ type: 'phys', device: bridge })).toBe(false)
  expect(await needsNoLookUp({ networks: [veth()], netDevices: { [bridge]: {} } })).toBe(false)
})

describe('NW-04 NW-05 NW-07 veth', () => {
  test(
    'NW-07 NW-22 all that is asked for is there before the program runs, and gone with the container',
    needs,
    async () => {
      await using bench = await Bench.open('net')
      const network = veth({
        hostInterfaceName: `${own}h`,
        macAddress: '02:42:ac:11:00:65',
        address: '10.231.7.2/24',
        gateway: '10.231.7.1',
        ipv6Address: 'fd00:231:7::2/64',
        ipv6Gateway: 'fd00:231:7::1',
        mtu: 1400,
        txQueueLen: 77,
        hairpinMode: true,
      })
      const container = await bench.create({ networks: [network] })
      await container.run(sh('exec sleep 1000'))
      const text = await inside(container, shown)
      expect(text).toContain('inet 10.231.7.2/24')
      expect(text).toContain('inet6 fd00:231:7::2/64')
      expect(text).not.toMatch(/fd00:231:7::2\/64.*tentative/)
      expect(text).toMatch(/^default via 10\.231\.7\.1 dev eth0/m)
      expect(text).toMatch(/^default via fd00:231:7::1 dev eth0/m)
      expect(text).toContain('\n1400\n02:42:ac:11:00:65')
      expect(await inside(container, 'cat /sys/class/net/eth0/tx_queue_len')).toBe('77')
      const [host] = ip('link', 'show', 'dev', `${own}h`)
      expect(host).toMatchObject({ master: bridge, mtu: 1400, txqlen: 77 })
      expect(host.flags).toContain('UP')
      expect(host.linkinfo.info_slave_data.hairpin).toBe(true)
      // ST-13: what 2014 told of it.
      expect((await container.state()).network_state).toMatchObject({ veth_host: `${own}h`, veth_child: 'eth0' })
      await container.destroy({ force: true })
      expect(hostLinks()).not.toContain(`${own}h`)
    },
  )

  test('NW-08 names that nobody gave are those of one start', needs, async () => {
    await using bench = await Bench.open('net')
    const container = await bench.create({ networks: [veth()] })
    const names = new Set<unknown>()
    for (const _ of [1, 2]) {
      await (await container.run(sh('true'))).wait()
      names.add((await container.state()).network_state?.veth_host)
    }
    expect(names.size).toBe(2)
  })

  test('NW-08 two containers reach each other, IPv4 and IPv6, by names that nobody gave', needs, async () => {
    await using bench = await Bench.open('net')
    const [one, other] = await Promise.all(
      [2, 3].map(n =>
        bench.create({
          networks: [veth({ address: `10.231.7.${n}/24`, ipv6Address: `fd00:231:7::${n}/64` })],
          capabilities,
        }),
      ) as [Promise<Container>, Promise<Container>],
    )
    await one.run(sh('exec sleep 1000'))
    await other.run(sh('exec sleep 1000'))
    await inside(one, 'ping -c 1 -w 10 10.231.7.3 >/dev/null && ping -6 -c 1 -w 10 fd00:231:7::3 >/dev/null')
    const ends = ip('link', 'show', 'master', bridge).map(({ ifname }) => ifname)
    expect(ends).toHaveLength(2)
    for (const name of ends) expect(name).toMatch(/^veth[0-9a-f]{7}$/)
    // CO-07 NW-20: what the host's end received the container has sent.
    const { interfaces } = await one.stats()
    expect(interfaces).toHaveLength(1)
    expect(ends).toContain(interfaces[0]!.name)
    expect(Number(interfaces[0]!.txPackets)).toBeGreaterThan(0)
    expect(Number(interfaces[0]!.rxBytes)).toBeGreaterThan(0)
    // NW-22: it is known by its address, whatever it is called.
    const renamed = `${own}r`
    execFileSync('ip', ['link', 'set', interfaces[0]!.name, 'down'])
    execFileSync('ip', ['link', 'set', interfaces[0]!.name, 'name', renamed])
    expect((await one.stats()).interfaces.map(({ name }) => name)).toEqual([renamed])
    await one.destroy({ force: true })
    expect(hostLinks()).not.toContain(renamed)
    await other.destroy({ force: true })
  })

  test(
    'NW-12 routes come after the interfaces, and any one of destination, source and gateway is enough',
    needs,
    async () => {
      await using bench = await Bench.open('net')
      const routes = [
        { destination: '192.0.2.0/24', interfaceName: 'eth0' },
        { destination: '0.0.0.0/0', source: '10.231.7.2', gateway: '10.231.7.1', interfaceName: 'eth0' },
        { gateway: 'fd00:231:7::1' },
      ]
      const networks = [veth({ address: '10.231.7.2/24', ipv6Address: 'fd00:231:7::2/64' })]
      const text = await bench.text('ip route; ip -6 route', { networks, routes })
      expect(text).toMatch(/^192\.0\.2\.0\/24 dev eth0/m)
      expect(text).toMatch(/^default via 10\.231\.7\.1 dev eth0.* src 10\.231\.7\.2/m)
      expect(text).toMatch(/^default via fd00:231:7::1 dev eth0/m)
    },
  )

  test.each<[string, Partial<ContainerConfig>, RegExp]>([
    [
      'no such bridge',
      { networks: [{ type: 'veth', bridge: 'no-such-bridge' }] },
      /networks\[0\]\.bridge: must be a bridge/,
    ],
    [
      'no bridge',
      { networks: [{ type: 'veth', bridge: 'lo' }] },
      /networks\[0\]\.bridge: must be a bridge: .* is loopback/,
    ],
    [
      'a name that is taken',
      { networks: [veth({ hostInterfaceName: bridge })] },
      /networks\[0\]\.hostInterfaceName: is taken/,
    ],
    ['no such parent', { networks: [{ type: 'macvlan', parent: 'no-such' }] }, /networks\[0\]\.parent: must be a link/],
    [
      'an MTU above the parent’s',
      { networks: [{ type: 'macvlan', parent: bridge, mtu: 9000 }] },
      /networks\[0\]\.mtu: must not be above/,
    ],
    ['no such device', { netDevices: { 'no-such': {} } }, /netDevices\.no-such: must be a device/],
  ])('EV-060 EV-063 %s is refused before anything is made', needs, async (_, config, problem) => {
    await using bench = await Bench.open('net')
    await expect(bench.create(config)).rejects.toMatchObject({
      code: 'ConfigInvalid',
      message: expect.stringMatching(problem),
    })
  })

  test('EV-060 what the kernel refuses in the middle takes all back', needs, async () => {
    await using bench = await Bench.open('net')
    // The first gateway is a neighbour of nobody: ENETUNREACH, when the pair, the address and the link are there.
    const routes = [{ destination: '192.0.2.0/24', gateway: '203.0.113.9', interfaceName: 'eth0' }]
    const container = await bench.create({
      networks: [veth({ hostInterfaceName: `${own}x`, address: '10.231.7.9/24' })],
      routes,
    })
    // In the kernel's own words.
    await expect(container.run(sh('true'))).rejects.toMatchObject({
      message: expect.stringMatching(/route 192\.0\.2\.0\/24.*ENETUNREACH.*Nexthop has invalid gateway/),
    })
    expect(existsSync(`${bench.factory.root}/${container.id}/network.json`)).toBe(false)
    expect(hostLinks()).not.toContain(`${own}x`)
    await container.destroy()
  })

  test('EV-060 a step that fails while they are being made, or behind them, takes all back', needs, async () => {
    await using bench = await Bench.open('net')
    const networks = [veth({ hostInterfaceName: `${own}w`, address: '10.231.7.8/24', gateway: '10.231.7.1' })]
    const container = await bench.create({ networks })
    const { steps } = await plan('any', container.config(), sh('true'))
    expect(steps.map(({ op }) => op)).toContain('requestNetlink')
    // The first steps run while the parent makes the pair.
    for (let failAt = 0; failAt < steps.length; failAt += failAt < 4 ? 1 : 5) {
      await expect(container.run({ ...sh('true'), failAt })).rejects.toMatchObject({ code: 'SystemError' })
      expect(hostLinks()).not.toContain(`${own}w`)
      expect(existsSync(`${bench.factory.root}/${container.id}/network.json`)).toBe(false)
    }
    const abort = AbortSignal.timeout(0)
    await expect(container.run({ ...sh('exec sleep 1000'), signal: abort })).rejects.toThrow()
    expect(hostLinks()).not.toContain(`${own}w`)
    await container.destroy()
  })

  test('what fails after the networks takes them back', needs, async () => {
    await using bench = await Bench.open('net')
    const container = await bench.create({ networks: [veth({ hostInterfaceName: `${own}y` })] })
    await expect(container.run({ args: ['/no-such-program'] })).rejects.toMatchObject({ code: 'SystemError' })
    expect(hostLinks()).not.toContain(`${own}y`)
  })

  test('NW-04 NW-07 in a user namespace of its own a container has a pair, too', needs, async () => {
    await using bench = await Bench.open('net')
    const namespaces = ['user', 'mnt', 'pid', 'ipc', 'net'] as const
    const networks = [veth({ address: '10.231.7.6/24', gateway: '10.231.7.1', hairpinMode: true })]
    const config = { namespaces, uidMappings: hostIds, gidMappings: hostIds, networks }
    const { steps } = await plan('any', (await bench.create(config)).config(), sh('true'))
    expect(steps.map(({ about }) => about)).toContain('wait until the networks are there')
    expect(await bench.text('ip -o addr show dev eth0; ip route', config)).toMatch(
      /10\.231\.7\.6\/24[\s\S]*default via 10\.231\.7\.1/,
    )
    expect(hostLinks().filter(name => !before.includes(name))).toEqual([bridge])
  })

  test(
    'NW-04 NW-22 whoever is killed when a pair is there, before anything runs in the container, leaves none',
    needs,
    async () => {
      await using bench = await Bench.open('net')
      const seen = `${bench.factory.root}/seen`
      const network = veth({ hostInterfaceName: `${own}k`, name: 'eth4' })
      const id = bench.id()
      // By a command of init's, in a container that shares the host's numbers of processes.
      const program = `
      const [root, id, rootfs, network, seen] = args
      const factory = await Factory.open(root)
      const script = 'ip -o link show eth4 >' + seen + '; kill -KILL ' + process.pid
      const premountCommands = [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=' + process.env.PATH] }]
      const mounts = [{ destination: '/dev', type: 'tmpfs', premountCommands }]
      const config = { rootfs, namespaces: ['mnt', 'net'], mounts, networks: [JSON.parse(network)] }
      const container = await factory.create(id, config)
      await container.run({ args: ['/bin/true'] })`
      const killed = elsewhere(program, bench.factory.root, id, busyboxRootfs(), JSON.stringify(network), seen)
      await expect(killed).rejects.toThrow()
      expect(readFileSync(seen, 'utf8')).toContain('eth4@')
      await bench.factory.remove(id)
      await until('the pair has ended with its namespace', () => !hostLinks().includes(`${own}k`))
      expect(existsSync(`${bench.factory.root}/${id}`)).toBe(false)
    },
  )

  test(
    'a record without a container is enough to take away what was made; another’s link of the name stays',
    needs,
    async () => {
      await using bench = await Bench.open('net')
      const id = bench.id()
      const directory = `${bench.factory.root}/${id}`
      const mac = '02:00:00:00:77:01'
      const record = { pairs: [{ hostName: `${own}z`, hostMac: mac }], lent: [], inside: [], helpers: [] }
      // As who is killed when he has made a pair leaves it.
      const abandon = (address: string): void => {
        execFileSync('ip', ['link', 'add', `${own}z`, 'address', address, 'type', 'veth', 'peer', 'name', `${own}p`])
        mkdirSync(directory, { mode: 0o711 })
        writeFileSync(`${directory}/network.json`, JSON.stringify(record), { mode: 0o600 })
      }
      abandon(mac)
      await bench.factory.remove(id)
      expect(hostLinks()).not.toContain(`${own}z`)
      abandon('02:00:00:00:77:02')
      try {
        await bench.factory.remove(id)
        expect(hostLinks()).toContain(`${own}z`)
      } finally {
        execFileSync('ip', ['link', 'delete', `${own}z`])
      }
      expect(existsSync(directory)).toBe(false)
    },
  )
})

test('NW-11 macvlan: an address of its own on a link of the host', needs, async () => {
  await using bench = await Bench.open('net')
  const networks: Network[] = [{ type: 'macvlan', parent: bridge, address: '10.231.7.20/24', name: 'mac0' }]
  const other: Network[] = [{ type: 'macvlan', parent: bridge, address: '10.231.7.21/24', name: 'mac0' }]
  const one = await bench.create({ networks })
  await one.run(sh('exec sleep 1000'))
  expect(
    await bench.text('ping -c 1 -w 10 10.231.7.20 >/dev/null && echo yes', { networks: other, capabilities }),
  ).toBe('yes')
  expect(hostLinks()).not.toContain('mac0')
})

test.each(['ipvlan', 'vlan'] as const)(
  'NW-11 %s on a link of the host',
  requires('root', 'rootfs', 'program:ip', 'link:ipvlan', 'link:vlan'),
  async type => {
    await using bench = await Bench.open('net')
    const upper = type === 'vlan' ? { type, parent: bridge, id: 7 } : { type, parent: bridge, mode: 'l2' as const }
    const network = (address: string): Network => ({ ...upper, name: 'up0', address })
    const one = await bench.create({ networks: [network('10.231.7.30/24')] })
    await one.run(sh('exec sleep 1000'))
    expect(await inside(one, 'ip -o addr show dev up0')).toContain('10.231.7.30/24')
    if (type === 'vlan') return
    const script = 'ping -c 1 -w 10 10.231.7.30 >/dev/null && echo yes'
    expect(await bench.text(script, { networks: [network('10.231.7.31/24')], capabilities })).toBe('yes')
  },
)

test('BY-13 a VLAN needs a bridge that filters them, and this kernel may have none', needs, async () => {
  await using bench = await Bench.open('net')
  for (const more of [{ vlan: 10 }, { vlanTrunk: [20] }])
    await expect(bench.create({ networks: [veth(more)] })).rejects.toMatchObject({
      field: `networks[0].${Object.keys(more)[0]}`,
      message: expect.stringContaining(`needs a bridge that filters VLANs, which ${bridge} does not`),
      hint: expect.stringContaining('vlan_filtering 1'),
    })
  const name = `${own}v`
  const made = await ensureBridge({ name, vlanFiltering: true }).catch(({ code, hint }) => ({ code, hint }))
  if (made === true) execFileSync('ip', ['link', 'delete', name])
  else expect(made).toEqual({ code: 'EOPNOTSUPP', hint: expect.stringContaining('CONFIG_BRIDGE_VLAN_FILTERING') })
  expect(hostLinks()).not.toContain(name)
})

test('BY-13 VLANs of a bridge’s ports on a link of the host', vlans, async () => {
  await using bench = await Bench.open('net')
  await ensureBridge({ name: bridge, vlanFiltering: true })
  const member = (ifname: string): object[] =>
    JSON.parse(execFileSync('bridge', ['-j', '-compressvlans', 'vlan', 'show', 'dev', ifname], { encoding: 'utf8' }))[0]
      ?.vlans ?? []
  const host = (letter: string): string => `${own}${letter}`
  const put = async (letter: string, n: number, more: object): Promise<Container> => {
    const networks = [veth({ hostInterfaceName: host(letter), address: `10.231.7.${n}/24`, ...more })]
    const container = await bench.create({ networks, capabilities })
    await container.run(sh('exec sleep 1000'))
    return container
  }
  const one = await put('h', 40, { vlan: 10, vlanTrunk: [20, '100-199'], hairpinMode: true })
  const expected = [{ vlan: 10, flags: ['PVID', 'Egress Untagged'] }, { vlan: 20 }, { vlan: 100, vlanEnd: 199 }]
  expect(member(host('h'))).toMatchObject(expected)
  const [link] = ip('link', 'show', 'dev', host('h'))
  expect(link).toMatchObject({ master: bridge, linkinfo: { info_slave_data: { hairpin: true } } })
  await put('i', 41, { vlan: 10 })
  const other = await put('j', 42, {})
  expect(member(host('j'))).toMatchObject([{ vlan: 1, flags: ['PVID', 'Egress Untagged'] }])
  // One VLAN is one network; another, and the bridge's own, are not in it.
  const pings = (n: number): string => `ping -c 1 -w 10 10.231.7.${n} >/dev/null && echo yes`
  expect(await inside(one, pings(41))).toBe('yes')
  expect(await inside(other, pings(1))).toBe('yes')
  const deaf = (n: number): string => `ping -c 1 -W 1 10.231.7.${n} >/dev/null || echo no`
  expect(await Promise.all([inside(one, deaf(42)), inside(one, deaf(1))])).toEqual(['no', 'no'])
  // As around a checkpoint: a port that was taken out of its bridge is in all of them again.
  const { networks } = one.config()
  const { pairs } = JSON.parse(readFileSync(`${bench.factory.root}/${one.id}/network.json`, 'utf8'))
  await setAttached(networks!, pairs, false)
  expect(member(host('h'))).toEqual([])
  await setAttached(networks!, pairs, true)
  expect(member(host('h'))).toMatchObject(expected)
  expect(await inside(one, pings(41))).toBe('yes')
})

test('NW-03 a loopback has the MTU that is asked for', needs, async () => {
  await using bench = await Bench.open('net')
  const networks: Network[] = [{ type: 'loopback', mtu: 1500 }]
  const script = 'cat /sys/class/net/lo/mtu; ping -c 1 127.0.0.1 >/dev/null && echo up'
  expect(await bench.text(script, { networks, capabilities })).toBe('1500\nup')
})

test('NW-11 phys: a device is lent, and comes back as it was, whatever it is called in there', needs, async () => {
  await using bench = await Bench.open('net')
  const [device, peer] = [`${own}d`, `${own}e`]
  execFileSync('ip', ['link', 'add', device, 'mtu', '1400', 'type', 'veth', 'peer', 'name', peer])
  try {
    execFileSync('ip', ['addr', 'add', '10.231.8.1/24', 'dev', device])
    execFileSync('ip', ['link', 'set', device, 'up'])
    const [was] = ip('addr', 'show', 'dev', device)
    const container = await bench.create({
      networks: [{ type: 'phys', device, name: 'eth5', address: '10.231.8.2/24', mtu: 1300 }],
      capabilities: ['CAP_NET_ADMIN'],
    })
    await container.run(sh('exec sleep 1000'))
    expect(hostLinks()).not.toContain(device)
    expect(await inside(container, 'cat /sys/class/net/eth5/mtu; ip -o addr show dev eth5')).toMatch(
      /^1300\n.*10\.231\.8\.2\/24/s,
    )
    await inside(container, 'ip link set eth5 down; ip link set eth5 name lo0')
    // Also when no process is left in its namespace.
    await container.signal('KILL')
    await container.ended()
    await container.destroy()
    const [now] = ip('addr', 'show', 'dev', device)
    expect(now).toMatchObject({ mtu: 1400, address: was.address, ifindex: was.ifindex })
    expect(now.flags).toContain('UP')
    expect(now.addr_info.map(({ local }: { local: string }) => local)).toContain('10.231.8.1')
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(bench.factory.root)
  } finally {
    execFileSync('ip', ['link', 'delete', peer])
  }
})

describe('NL-30 EV-063 netDevices', () => {
  const made = (name: string): void => {
    execFileSync('ip', [
      'link',
      'add',
      `${own}${name}`,
      'mtu',
      '1400',
      'type',
      'veth',
      'peer',
      'name',
      `${own}${name}p`,
    ])
    execFileSync('ip', ['addr', 'add', '10.231.9.1/24', 'dev', `${own}${name}`])
    execFileSync('ip', ['addr', 'add', 'fd00:231:9::1/64', 'dev', `${own}${name}`])
    execFileSync('ip', ['link', 'set', `${own}${name}`, 'up'])
  }

  test(
    'NL-30 it moves by another name, keeps MTU, MAC and global addresses, is up; and never comes back',
    needs,
    async () => {
      await using bench = await Bench.open('net')
      made('1')
      const [was] = ip('link', 'show', 'dev', `${own}1`)
      const container = await bench.create({ netDevices: { [`${own}1`]: { name: 'net%d' } } })
      await container.run(sh('exec sleep 1000'))
      const text = await inside(
        container,
        'ip -o addr show dev net0; cat /sys/class/net/net0/mtu /sys/class/net/net0/address',
      )
      expect(text).toContain('inet 10.231.9.1/24')
      expect(text).toContain('inet6 fd00:231:9::1/64')
      expect(text).toContain(`\n1400\n${was.address}`)
      await container.destroy({ force: true })
      // A veth ends with the namespace that it is in.
      expect(hostLinks()).not.toContain(`${own}1`)
    },
  )

  test('NL-30 a container that cannot be started has taken nothing', needs, async () => {
    await using bench = await Bench.open('net')
    made('2')
    try {
      const container = await bench.create({ netDevices: { [`${own}2`]: { name: 'eth0' } } })
      await expect(container.run({ args: ['/no-such-program'] })).rejects.toMatchObject({ code: 'SystemError' })
      const [now] = ip('addr', 'show', 'dev', `${own}2`)
      expect(now.flags).toContain('UP')
      expect(now.addr_info.map(({ local }: { local: string }) => local)).toContain('10.231.9.1')
    } finally {
      execFileSync('ip', ['link', 'delete', `${own}2`])
    }
  })

  test('EV-063 a name that is taken in a namespace that is joined: nothing is moved', needs, async () => {
    await using bench = await Bench.open('net')
    made('3')
    try {
      await using owner = await bench.create({ networks: [veth()] })
      const { pid } = await owner.run(sh('exec sleep 1000'))
      const namespaces = ['mnt', 'pid', 'ipc', 'uts', { kind: 'net', path: `/proc/${pid}/ns/net` }] as const
      await expect(bench.create({ namespaces, netDevices: { [`${own}3`]: { name: 'eth0' } } })).rejects.toMatchObject({
        message: expect.stringContaining('is taken: the namespace that the container joins has a link of this name'),
      })
      expect(hostLinks()).toContain(`${own}3`)
    } finally {
      execFileSync('ip', ['link', 'delete', `${own}3`])
    }
  })
})

test('BY-18 a network of a container that runs: made in its namespace, and taken away again', needs, async () => {
  await using bench = await Bench.open('live-net')
  using place = temporaryDirectory('live-net-')
  const { container, init } = await bench.running()
  const config = { networks: [veth({ name: 'eth7', address: '10.231.7.9/24' })] }
  using namespace = await openNamespaceFd(`/proc/${init.pid}/ns/net`, 'net')
  const applied = await applyNetworks(config, planNetworks(config, randomBytes), {
    namespace,
    kind: 'joined',
    directory: place.path,
    record: async () => {},
  })
  expect(await inside(container, 'ip -o addr show dev eth7')).toContain('10.231.7.9/24')
  await applied.undo()
  expect(await inside(container, 'ls /sys/class/net')).not.toContain('eth7')
})

test('NW-09 a namespace that is joined is not ended: what was made in it is taken away', needs, async () => {
  await using bench = await Bench.open('net')
  await using owner = await bench.create()
  const { pid } = await owner.run(sh('exec sleep 1000'))
  const path = `/proc/${pid}/ns/net`
  const networks: Network[] = [
    { type: 'netns', path },
    { type: 'macvlan', parent: bridge, name: 'mac0' },
    veth({ name: 'eth3' }),
  ]
  const guest = await bench.create({ networks })
  await guest.run(sh('exec sleep 1000'))
  // Directories: where the kernel has bonding, a file lies beside them.
  expect(await inside(owner, 'cd /sys/class/net && echo */')).toBe('eth3/ lo/ mac0/')
  await guest.destroy({ force: true })
  expect(await inside(owner, 'cd /sys/class/net && echo */')).toBe('lo/')
})

test('VAL-02 the caller’s own namespace by its path is none of the container’s own', needs, async () => {
  await using bench = await Bench.open('net')
  const namespaces = ['mnt', 'pid', { kind: 'net', path: '/proc/self/ns/net' }] as const
  await expect(bench.create({ namespaces, networks: [veth()] })).rejects.toMatchObject({
    code: 'ConfigInvalid',
    message: expect.stringMatching(/^networks\[0\]: needs a network namespace other than this process’s/),
  })
})
