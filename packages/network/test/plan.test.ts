import { type NetworkConfig, partActs, planAttach, planDetach, planNetworks, settingStep } from '@libcontainer/network'
import { expect, test } from 'vitest'
import type { PortAct } from '../src/acts.js'
import { portRequests } from '../src/port.js'

/** 0, 1, 2, …: not random, so that plans can be compared. */
const counted = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i + 1)
const plan = (config: NetworkConfig) => planNetworks(config, counted)

test('NW-04 NW-05 NW-07 a veth: the pair, then addresses, up and ways out', () => {
  const { acts, chosen } = plan({
    networks: [
      {
        type: 'veth',
        bridge: 'br0',
        address: '10.0.0.2/24',
        gateway: '10.0.0.1',
        ipv6Address: '2001:db8::2/64',
        ipv6Gateway: 'fe80::1',
        txQueueLen: 5,
      },
    ],
  })
  // NW-08: `veth` and seven digits.
  expect(chosen).toEqual([{ name: 'eth0', hostName: 'veth0102030', hostMac: '02:02:03:04:05:06' }])
  expect(acts.map(({ about }) => about)).toEqual([
    'make eth0 and veth0102030, its end in br0',
    'bring lo up',
    'give eth0 10.0.0.2/24',
    'give eth0 2001:db8::2/64',
    'bring eth0 up',
    'route all by 10.0.0.1 on eth0',
    'route all by fe80::1 on eth0',
  ])
  expect(acts[0]).toMatchObject({ act: 'pair', hostMac: '02:02:03:04:05:06', hairpinMode: false, txQueueLen: 5 })
  expect(acts[5]).toMatchObject({ act: 'route', family: 'inet', onLink: undefined })
  expect(acts[6]).toMatchObject({ act: 'route', family: 'inet6', onLink: undefined })
})

test('NW-07 NW-12 what the container gets behind the last act on the host is done by who is in there', () => {
  const { acts } = plan({
    networks: [{ type: 'veth', bridge: 'b', address: '10.0.0.2/24', gateway: '10.0.0.1', mtu: 1400 }],
    routes: [{ gateway: 'fd00::1' }],
  })
  const { outside, inside } = partActs(acts)
  expect(outside.map(({ act }) => act)).toEqual(['pair'])
  expect([...outside, ...inside]).toEqual(acts)
  const steps = inside.map(settingStep)
  expect(steps.map(({ about }) => about)).toEqual(inside.map(({ about }) => about))
  // The interface whose index is found there: none for a route that the kernel finds one for.
  expect(steps.map(({ args }) => args[1])).toEqual(['lo', 'eth0', 'eth0', 'eth0', ''])
  const phys = partActs(plan({ networks: [{ type: 'phys', device: 'p0', address: '10.0.0.2/24' }] }).acts)
  expect(phys.outside.map(({ act }) => act)).toEqual(['move'])
  const user = partActs(plan({ networks: [{ type: 'user' }], routes: [{ gateway: '10.0.2.2' }] }).acts)
  expect(user.outside.map(({ act }) => act)).toContain('helper')
  expect(user.inside.map(({ act }) => act)).toEqual(['route'])
})

test('NW-08 a name of the host’s end, or what it begins with', () => {
  const { chosen } = plan({
    networks: [
      { type: 'veth', bridge: 'b', hostInterfaceName: 'vethnsinit' },
      { type: 'veth', bridge: 'b', hostInterfacePrefix: 'lab' },
    ],
  })
  expect(chosen.map(({ hostName }) => hostName)).toEqual(['vethnsinit', 'lab0102030'])
})

test('NW-07 a gateway that no address tells of is on the link', () => {
  const { acts } = plan({
    networks: [{ type: 'veth', bridge: 'b', address: '203.0.113.7/32', gateway: '203.0.113.1' }],
  })
  expect(acts.at(-1)).toMatchObject({ gateway: '203.0.113.1', onLink: true })
})

test('NW-12 routes come last, in their order, with the bits behind the length cleared', () => {
  const { acts } = plan({
    networks: [{ type: 'veth', bridge: 'b', address: '172.17.0.101/16' }],
    routes: [
      { destination: '172.17.0.101/16', interfaceName: 'eth0' },
      { destination: '0.0.0.0/0', source: '172.17.0.101', gateway: '172.17.42.1', interfaceName: 'eth0' },
    ],
  })
  expect(acts.slice(-2)).toEqual([
    {
      act: 'route',
      about: 'route 172.17.0.101/16 on eth0',
      family: 'inet',
      destination: '172.17.0.0/16',
      source: undefined,
      gateway: undefined,
      name: 'eth0',
    },
    {
      act: 'route',
      about: 'route 0.0.0.0/0 from 172.17.0.101 by 172.17.42.1 on eth0',
      family: 'inet',
      destination: '0.0.0.0/0',
      source: '172.17.0.101',
      gateway: '172.17.42.1',
      name: 'eth0',
    },
  ])
})

test('NW-11 macvlan, ipvlan and vlan are made in the container’s namespace; a device is lent; a helper comes after the links', () => {
  const { acts } = plan({
    networks: [
      { type: 'user', helper: 'pasta', mtu: 1400 },
      { type: 'macvlan', parent: 'p0' },
      { type: 'ipvlan', parent: 'p0' },
      { type: 'vlan', parent: 'p0', id: 7 },
      { type: 'phys', device: 'p1', name: 'eth9', mtu: 1400 },
    ],
    netDevices: { p2: { name: 'net%d' } },
  })
  expect(acts.map(({ about }) => about)).toEqual([
    'make eth0, a macvlan on p0',
    'make eth1, a ipvlan on p0',
    'make eth2, a vlan 7 on p0',
    'move p1 in as eth9',
    'move p2 in as net%d',
    'bring lo up',
    'bring eth0 up',
    'bring eth1 up',
    'bring eth2 up',
    'set eth9 up as it is asked for',
    'bring eth9 up',
    'start pasta',
  ])
  expect(acts[0]).toMatchObject({ mode: 'bridge' })
  expect(acts[1]).toMatchObject({ mode: 'l2' })
  expect(acts[3]).toMatchObject({ act: 'move', giveBack: true })
  // NL-30: never moved back by us.
  expect(acts[4]).toMatchObject({ act: 'move', giveBack: false })
})

test('NW-05 NW-06 a container is taken off its bridge and put back', () => {
  const networks = [{ type: 'loopback' }, { type: 'veth', bridge: 'b', hairpinMode: true }] as const
  const { chosen } = plan({ networks })
  expect(planDetach(networks, chosen)).toMatchObject([{ act: 'port', bridge: undefined, hostName: 'veth0102030' }])
  expect(planAttach(networks, chosen)).toMatchObject([{ act: 'port', bridge: 'b', hairpinMode: true }])
})

test('BY-13 VLANs of a port: the one without a tag, those with theirs; as a port it is told all of them again', () => {
  const vlansOf = (more: object) => plan({ networks: [{ type: 'veth', bridge: 'b', ...more }] }).acts[0]
  expect(vlansOf({ vlan: 10, vlanTrunk: [20, '100-199'] })).toMatchObject({
    act: 'pair',
    vlans: [{ vid: 10, untagged: true }, { vid: 20 }, { vid: 100, vidEnd: 199 }],
  })
  expect(vlansOf({ vlanTrunk: [4094] })).toMatchObject({ vlans: [{ vid: 4094 }] })
  expect(vlansOf({})).toMatchObject({ vlans: undefined })
  const networks = [{ type: 'veth', bridge: 'b', vlan: 10, hairpinMode: true }] as const
  const { chosen } = plan({ networks })
  const [port] = planAttach(networks, chosen)
  expect(port).toMatchObject({ act: 'port', hairpinMode: true, vlans: [{ vid: 10, untagged: true }] })
  expect(portRequests(port as PortAct, 7).map(({ about }) => about)).toEqual([
    'let b send back by veth0102030',
    'take veth0102030 out of the VLANs that b gives every port',
    'put veth0102030 into VLAN 10 of b',
    'bring veth0102030 up',
  ])
})

test('nothing is done for what the kernel does by itself', () => {
  expect(plan({}).acts).toEqual([])
  expect(plan({ networks: [{ type: 'none' }] }).acts).toEqual([])
  // Whoever has no right in the container's network cannot bring its loopback up: init does.
  expect(plan({ networks: [{ type: 'user' }] }).acts).toMatchObject([{ act: 'helper', name: 'tap0' }])
  expect(plan({ networks: [{ type: 'loopback', mtu: 1500 }] }).acts).toMatchObject([
    { act: 'set', name: 'lo', mtu: 1500, up: true },
  ])
})
