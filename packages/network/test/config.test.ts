import {
  interfaceNames,
  type NetworkConfig,
  type NetworkNamespace,
  needsNetworking,
  networkProblems,
  privilegeProblems,
} from '@libcontainer/network/config'
import { describe, expect, test } from 'vitest'

const veth = { type: 'veth', bridge: 'br0' } as const

/** The first problem, in its words. */
const fault = (config: unknown, namespace: NetworkNamespace = 'new'): string | undefined =>
  networkProblems(config as NetworkConfig, namespace)[0]?.message

const faultOfVeth = (more: object): string | undefined => fault({ networks: [{ ...veth, ...more }] })

test('5c networks and routes of all kinds are accepted', () => {
  const config: NetworkConfig = {
    networks: [
      { type: 'loopback', mtu: 1500 },
      {
        type: 'veth',
        name: 'eth0',
        bridge: 'docker0',
        hostInterfaceName: 'vethnsinit',
        macAddress: '02:42:ac:11:00:65',
        address: '172.17.0.101/16',
        gateway: '172.17.42.1',
        ipv6Address: '2001:db8::2/64',
        ipv6Gateway: 'fe80::1',
        mtu: 1500,
        txQueueLen: 1000,
        hairpinMode: true,
        vlan: 4094,
        vlanTrunk: [1, '2-4093'],
      },
      { type: 'macvlan', parent: 'eth0', mode: 'private', name: 'mac' },
      { type: 'ipvlan', parent: 'eth0', mode: 'l3', name: 'ip' },
      { type: 'vlan', parent: 'eth0', id: 4094, name: 'v' },
      { type: 'phys', device: 'eth7' },
      { type: 'user', helper: 'pasta' },
    ],
    routes: [{ destination: '0.0.0.0/0', source: '172.17.0.101', gateway: '172.17.42.1', interfaceName: 'eth0' }],
    netDevices: { eth8: {}, eth9: { name: 'net%d' } },
  }
  expect(networkProblems(config, 'new')).toEqual([])
})

describe('what is refused before anything is touched', () => {
  test('VAL-02 EV-058 networks, routes and netDevices without a network namespace', () => {
    const shared = 'shared'
    expect(fault({ networks: [veth] }, shared)).toMatch(
      /^networks\[0\]: needs a network namespace other than this process’s/,
    )
    expect(fault({ networks: [{ type: 'loopback' }] }, shared)).toMatch(/^networks\[0\]: needs a network namespace/)
    expect(fault({ routes: [{ gateway: '10.0.0.1' }] }, shared)).toMatch(/^routes: needs a network namespace/)
    expect(fault({ netDevices: { eth0: {} } }, shared)).toMatch(/^netDevices: needs a network namespace/)
    expect(fault({ networks: [{ type: 'host' }] }, shared)).toBeUndefined()
    expect(fault({ networks: [], routes: [], netDevices: {} }, shared)).toBeUndefined()
    expect(fault({ networks: [{ type: 'host' }] })).toMatch(/^networks\[0\]: is that of the host: leave net out/)
  })

  test('EV-059 NW-02 an unknown type, by its name', () => {
    expect(fault({ networks: [{ type: 'tun' }] })).toMatch(
      /^networks\[0\]\.type: must be one of loopback, veth, .* \(got "tun"\)$/,
    )
    expect(fault({ networks: [{ type: '__proto__' }] })).toMatch(/^networks\[0\]\.type: must be one of/)
    expect(fault({ networks: [{}] })).toMatch(/^networks\[0\]\.type: must be one of/)
    expect(fault({ networks: [null] })).toMatch(/^networks\[0\]: must be an object with a type/)
    expect(fault({ networks: 'veth' })).toMatch(/^networks: must be a list/)
  })

  test.each([
    ['no bridge', { bridge: '' }, /^networks\[0\]\.bridge: must be the name of a bridge/],
    ['a bridge with a slash', { bridge: 'a/b' }, /^networks\[0\]\.bridge: must hold no slash/],
    ['a bridge of 16 bytes', { bridge: 'b'.repeat(16) }, /^networks\[0\]\.bridge: must have 1 to 15 bytes/],
    ['a name of 16 bytes', { name: 'n'.repeat(16) }, /^networks\[0\]\.name: must have 1 to 15 bytes/],
    [
      'a host name of 16 bytes',
      { hostInterfaceName: 'n'.repeat(16) },
      /^networks\[0\]\.hostInterfaceName: must have 1 to 15 bytes/,
    ],
    ['a template', { name: 'eth%d' }, /^networks\[0\]\.name: must not hold a %/],
    ['the loopback', { name: 'lo' }, /^networks\[0\]\.name: is the loopback/],
    [
      'a long prefix',
      { hostInterfacePrefix: 'container' },
      /^networks\[0\]\.hostInterfacePrefix: must have at most 8 bytes/,
    ],
    ['an address without length', { address: '10.0.0.1' }, /^networks\[0\]\.address: must have a length in bits/],
    ['a bad address', { address: '10.0.0.256/8' }, /^networks\[0\]\.address: must be an address/],
    ['a bad length', { address: '10.0.0.1/33' }, /^networks\[0\]\.address: must have a length of 0 to 32/],
    ['IPv6 for IPv4', { address: '2001:db8::1/64' }, /^networks\[0\]\.address: must be of IPv4/],
    ['IPv4 for IPv6', { ipv6Address: '10.0.0.1/8' }, /^networks\[0\]\.ipv6Address: must be of IPv6/],
    ['a multicast address', { address: '224.0.0.1/8' }, /^networks\[0\]\.address: must be the address of one host/],
    ['no address', { address: '0.0.0.0/8' }, /^networks\[0\]\.address: must be the address of one host/],
    [
      'a gateway of the other family',
      { address: '10.0.0.2/8', gateway: 'fe80::1' },
      /^networks\[0\]\.gateway: must be of IPv4/,
    ],
    ['a gateway without an address', { gateway: '10.0.0.1' }, /^networks\[0\]\.gateway: needs address/],
    [
      'a gateway by name',
      { address: '10.0.0.2/8', gateway: 'localhost' },
      /^networks\[0\]\.gateway: must be an IPv4 or IPv6/,
    ],
    ['a bad MAC', { macAddress: '02:42:ac:11:00' }, /^networks\[0\]\.macAddress: must be a link-layer address/],
    [
      'a multicast MAC',
      { macAddress: '01:00:5e:00:00:01' },
      /^networks\[0\]\.macAddress: must be the address of one device/,
    ],
    ['VLAN 0', { vlan: 0 }, /^networks\[0\]\.vlan: must be a whole number from 1 to 4094/],
    ['VLAN 4095', { vlan: 4095 }, /^networks\[0\]\.vlan: must be a whole number from 1 to 4094/],
    ['a VLAN as text', { vlan: '10' }, /^networks\[0\]\.vlan: must be a whole number from 1 to 4094/],
    ['a trunk of none', { vlanTrunk: [] }, /^networks\[0\]\.vlanTrunk: must be a list of VLANs/],
    ['a trunk that is no list', { vlanTrunk: '10-20' }, /^networks\[0\]\.vlanTrunk: must be a list of VLANs/],
    ['VLAN 4095 in a trunk', { vlanTrunk: [20, 4095] }, /^networks\[0\]\.vlanTrunk\[1\]: must be a whole number/],
    [
      'a range that goes down',
      { vlanTrunk: ['20-10'] },
      /^networks\[0\]\.vlanTrunk\[0\]: must be a range of VLANs within/,
    ],
    ['a range too far', { vlanTrunk: ['20-4095'] }, /^networks\[0\]\.vlanTrunk\[0\]: must be a range of VLANs within/],
    ['words for a range', { vlanTrunk: ['all'] }, /^networks\[0\]\.vlanTrunk\[0\]: must be a VLAN, or a range/],
    [
      'one with and without a tag',
      { vlan: 15, vlanTrunk: [7, '10-20'] },
      /^networks\[0\]\.vlanTrunk\[1\]: holds 15, which/,
    ],
    ['a small MTU', { mtu: 67 }, /^networks\[0\]\.mtu: must be a whole number from 68 to 65535/],
    ['a large MTU', { mtu: 65536 }, /^networks\[0\]\.mtu: must be a whole number from 68 to 65535/],
    [
      'too small an MTU for IPv6',
      { mtu: 1279, ipv6Address: '2001:db8::1/64' },
      /^networks\[0\]\.mtu: must be at least 1280/,
    ],
    ['a negative queue', { txQueueLen: -1 }, /^networks\[0\]\.txQueueLen: must be a whole number from 0/],
    ['an unknown field', { brigde: 'x' }, /^networks\[0\]\.brigde: is no such field; there are type, name/],
    ['a flag as text', { hairpinMode: 'yes' }, /^networks\[0\]\.hairpinMode: must be true or false/],
  ])('EV-060 veth with %s', (_, more, problem) => {
    expect(faultOfVeth(more)).toMatch(problem)
  })

  test.each([
    ['nothing', {}, /^routes\[0\]: must have destination, source or gateway/],
    ['an interface alone', { interfaceName: 'eth0' }, /^routes\[0\]: must have destination, source or gateway/],
    ['a destination without length', { destination: '10.0.0.0' }, /^routes\[0\]\.destination: must have a length/],
    [
      'a mask with holes',
      { destination: '10.0.0.0/255.0.255.0' },
      /^routes\[0\]\.destination: must have a length of 0 to 32/,
    ],
    [
      'families that differ',
      { destination: '10.0.0.0/8', gateway: 'fe80::1' },
      /^routes\[0\]\.gateway: must be of the same family as destination/,
    ],
    [
      'families that differ',
      { source: '10.0.0.2', gateway: 'fe80::1' },
      /^routes\[0\]\.gateway: must be of the same family as source/,
    ],
    ['a source with length', { source: '10.0.0.2/8' }, /^routes\[0\]\.source: must be an IPv4 or IPv6 address/],
    [
      'an unknown interface',
      { gateway: '10.0.0.1', interfaceName: 'eth1' },
      /^routes\[0\]\.interfaceName: is no interface of the container, which has lo, eth0/,
    ],
    ['neither gateway nor interface', { destination: '10.0.0.0/8' }, /^routes\[0\]\.interfaceName: must be given/],
    ['an unknown field', { dest: '10.0.0.0/8' }, /^routes\[0\]\.dest: is no such field/],
  ])('EV-061 a route of %s', (_, route, problem) => {
    expect(fault({ networks: [veth], routes: [route] })).toMatch(problem)
  })

  test('VAL-03 EV-063 EV-064 netDevices: names, rights, what cannot be moved', () => {
    expect(fault({ netDevices: { ['n'.repeat(16)]: {} } })).toMatch(/^netDevices\.n+: must have 1 to 15 bytes/)
    for (const name of ['.', '..', 'a/b', 'a:b', 'a b', 'a\tb', '']) {
      expect(fault({ netDevices: { [name]: {} } }), name).toBeDefined()
      expect(fault({ netDevices: { eth0: { name } } }), name).toMatch(/^netDevices\.eth0\.name: must/)
    }
    // The rename alone takes a template, and one number of it.
    expect(fault({ netDevices: { 'eth%d': {} } })).toMatch(/must not hold a %/)
    expect(fault({ netDevices: { eth0: { name: 'eth%d%d' } } })).toMatch(
      /^netDevices\.eth0\.name: must hold no % but one %d/,
    )
    expect(fault({ netDevices: { eth0: { name: '%s' } } })).toMatch(/^netDevices\.eth0\.name: must hold no %/)
    expect(fault({ netDevices: { lo: {} } })).toMatch(/^netDevices\.lo: is the loopback/)
    expect(fault({ netDevices: { eth0: { name: 'lo' } } })).toMatch(/^netDevices\.eth0\.name: is the loopback/)
    expect(fault({ netDevices: { eth0: { mtu: 3 } } })).toMatch(/^netDevices\.eth0\.mtu: is no such field/)
    expect(fault({ netDevices: { eth0: { name: 'x' }, eth1: { name: 'x' } } })).toMatch(
      /^netDevices\.eth1\.name: is the name of another/,
    )
    const refused = (config: NetworkConfig) => privilegeProblems(config).map(({ message }) => message)
    expect(refused({ netDevices: { eth0: {} } })).toEqual([expect.stringMatching(/^netDevices: needs CAP_NET_ADMIN/)])
    expect(refused({ networks: [veth] })).toEqual([expect.stringMatching(/^networks\[0\]\.type: needs CAP_NET_ADMIN/)])
    expect(refused({ networks: [{ type: 'user' }, { type: 'loopback' }], netDevices: {} })).toEqual([])
  })

  test('names that clash, of the container and of the host', () => {
    expect(
      fault({
        networks: [
          { ...veth, name: 'a' },
          { ...veth, name: 'a' },
        ],
      }),
    ).toMatch(/^networks\[1\]\.name: is the name of another/)
    expect(fault({ networks: [veth], netDevices: { x: { name: 'eth0' } } })).toMatch(
      /^netDevices\.x\.name: is the name of another/,
    )
    const taken = { ...veth, hostInterfaceName: 'v' }
    expect(fault({ networks: [taken, taken] })).toMatch(/^networks\[1\]\.hostInterfaceName: is taken/)
    expect(fault({ networks: [{ type: 'phys', device: 'd' }], netDevices: { d: { name: 'e' } } })).toMatch(
      /^netDevices\.d: is taken/,
    )
    expect(fault({ networks: [{ type: 'none' }, veth] })).toMatch(/^networks\[0\]\.type: must stand alone/)
  })
})

test('NW-08 interfaces without a name are eth0, eth1, … around those that have one', () => {
  const named = [veth, { ...veth, name: 'eth1' }, { type: 'loopback' }, veth, { type: 'phys', device: 'd' }] as const
  expect(interfaceNames(named)).toEqual(['eth0', 'eth1', undefined, 'eth2', 'd'])
})

test('NW-03 a new namespace needs nobody for its loopback, unless it has an MTU', () => {
  expect(needsNetworking({ networks: [{ type: 'loopback' }] })).toBe(false)
  expect(needsNetworking({ networks: [{ type: 'loopback' }] }, true)).toBe(true)
  expect(needsNetworking({ networks: [{ type: 'loopback', mtu: 1500 }] })).toBe(true)
  expect(needsNetworking({ networks: [{ type: 'none' }] })).toBe(false)
  expect(needsNetworking({ networks: [veth] })).toBe(true)
  expect(needsNetworking({ netDevices: {} })).toBe(false)
  expect(needsNetworking({ netDevices: { eth0: {} } })).toBe(true)
})
