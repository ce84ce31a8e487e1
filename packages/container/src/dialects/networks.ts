import type { NetDevices, Network, Route, VethNetwork } from '@libcontainer/network/config'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig, NamespaceRequest } from '../config/config.js'
import { namespacesOf } from '../config/namespace-requests.js'
import { refuseAll } from './cgroups.js'
import { Fields, isGiven, pruned } from './fields.js'

type Year = '2014' | '2015' | '2026'

/** Whose network namespace a container has: a new one, one that it joins; `undefined` for that of who starts it. */
export function netOf(namespaces: readonly NamespaceRequest[]): 'new' | 'joined' | undefined {
  if (namespaces.includes('net')) return 'new'
  return namespaces.some(each => typeof each === 'object' && each.kind === 'net') ? 'joined' : undefined
}

export interface NetworkFacts {
  /** The path of the network namespace that the container joins, which 2014 has among its networks. */
  readonly joined: string | undefined
  /** `undefined` for none, and for the loopback alone that a new namespace has by itself. */
  readonly networks: Network[] | undefined
  readonly routes: Route[] | undefined
}

/** What 2014 has for a network, and what came later. */
const COMMON = ['bridge', 'address', 'gateway', 'ipv6_address', 'ipv6_gateway'] as const
const LATER = ['name', 'mac_address', 'host_interface_name'] as const

/**
 * Reads the networks and routes of any year.
 *
 * @param own - of {@link netOf}
 */
export function readNetworks(
  fields: Fields,
  own: 'new' | 'joined' | undefined,
  warn: (text: string) => void,
): NetworkFacts {
  let joined: string | undefined
  const networks = (
    fields.list('networks', (value, at) => readNetwork(new Fields(value, at), own, warn)) ?? []
  ).flatMap(network => {
    if (network?.type !== 'netns') return network ?? []
    joined = network.path
    return []
  })
  const routes = fields.list('routes', readRoute)
  return {
    joined,
    networks: networks.length === 0 ? undefined : networks,
    routes: routes === undefined || routes.length === 0 ? undefined : routes,
  }
}

/** @returns `undefined` for what a container has by itself */
function readNetwork(
  network: Fields,
  own: 'new' | 'joined' | undefined,
  warn: (text: string) => void,
): Network | undefined {
  const { at } = network
  const type = network.text('type')
  const path = network.text('ns_path')
  const texts = Object.fromEntries([...COMMON, ...LATER, 'veth_prefix'].map(name => [name, network.text(name)]))
  const mtu = network.number('mtu') || undefined
  const txQueueLen = network.number('txqueuelen') || undefined
  const hairpinMode = network.flag('hairpin_mode') || undefined
  network.end('a network')
  switch (type) {
    case 'netns':
      if (path === undefined) throw new ConfigInvalid(`${at}.ns_path`, path, 'must be the path of a network namespace')
      return { type, path }
    case 'loopback':
      // Its address and gateway, `127.0.0.1/0` and `localhost`, were never looked at.
      if (own === undefined)
        throw new ConfigInvalid(at, type, 'needs a network namespace of the container’s own: NEWNET')
      if (txQueueLen !== undefined) warn(`${at}.txqueuelen: changes nothing, the loopback interface keeps its own`)
      if (mtu !== undefined) return { type, mtu }
      return own === 'new' ? undefined : { type }
    case 'veth': {
      const veth: VethNetwork = {
        type,
        // Who leaves it out is told by whoever checks it.
        bridge: texts.bridge ?? '',
        name: texts.name,
        macAddress: texts.mac_address,
        address: texts.address,
        gateway: texts.gateway,
        ipv6Address: texts.ipv6_address,
        ipv6Gateway: texts.ipv6_gateway,
        hostInterfaceName: texts.host_interface_name,
        hostInterfacePrefix: texts.veth_prefix,
        mtu,
        txQueueLen,
        hairpinMode,
      }
      return pruned(veth)
    }
    default:
      throw new ConfigInvalid(`${at}.type`, type, 'must be loopback, veth or netns')
  }
}

function readRoute(value: unknown, at: string): Route {
  const route = new Fields(value, at)
  const read = {
    destination: route.text('destination'),
    source: route.text('source'),
    gateway: route.text('gateway'),
    interfaceName: route.text('interface_name'),
  }
  route.end('a route')
  return pruned(read)
}

/** The devices of 2026: by their names on the host. */
export function readNetDevices(devices: Fields | undefined, names: readonly string[]): NetDevices | undefined {
  if (devices === undefined || names.length === 0) return undefined
  return Object.fromEntries(
    names.map(key => {
      const device = devices.object(key) ?? new Fields({}, devices.field(key))
      const name = device.text('name')
      device.end('a device')
      return [key, name === undefined ? {} : { name }]
    }),
  )
}

/** The networks of a config; the loopback that every new namespace gets is said. @throws {ConfigInvalid} for what the year has no word for */
export function writeNetworks(config: ContainerConfig, year: Year): object[] | null {
  const own = namespacesOf(config).some(({ kind, path }) => kind === 'net' && path === undefined)
  const { networks = [] } = config
  const loopback = networks.find(network => network.type === 'loopback')
  const written = networks.flatMap((network, i) => {
    const at = `networks[${i}]`
    // The namespaces say the same.
    if (network.type === 'loopback' || network.type === 'none' || network.type === 'netns') return []
    if (network.type === 'veth') return [writeVeth(network, at, year)]
    refuseAll(at, { type: network.type }, year)
    return []
  })
  const said = own || loopback !== undefined
  const all = [...(said ? [writeLoopback(loopback?.mtu)] : []), ...written]
  return all.length === 0 ? null : all
}

const writeLoopback = (mtu: number | undefined): object => ({
  type: 'loopback',
  address: '127.0.0.1/0',
  gateway: 'localhost',
  ...(mtu === undefined ? {} : { mtu }),
})

function writeVeth(network: VethNetwork, at: string, year: Year): object {
  const { type, bridge, name, macAddress, address, gateway, ipv6Address, ipv6Gateway, ...more } = network
  const { hostInterfaceName, hostInterfacePrefix, mtu, txQueueLen, hairpinMode } = more
  // Each year has its own way to say what the host's end is called; and 2014 had eth0 alone.
  if (year === '2014')
    refuseAll(at, { name: name === 'eth0' ? undefined : name, macAddress, hostInterfaceName, hairpinMode }, year)
  else refuseAll(at, { hostInterfacePrefix }, year)
  const later = {
    name: name ?? 'eth0',
    mac_address: macAddress,
    host_interface_name: hostInterfaceName,
    hairpin_mode: hairpinMode,
  }
  const fields = {
    type,
    bridge,
    ...(year === '2014' ? { veth_prefix: hostInterfacePrefix } : later),
    address,
    gateway,
    ipv6_address: ipv6Address,
    ipv6_gateway: ipv6Gateway,
    mtu,
    txqueuelen: txQueueLen,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isGiven(value)))
}

export function writeRoutes({ routes = [] }: ContainerConfig): object[] | null {
  if (routes.length === 0) return null
  return routes.map(({ destination = '', source = '', gateway = '', interfaceName = '' }) => ({
    destination,
    source,
    gateway,
    interface_name: interfaceName,
  }))
}

export function writeNetDevices({ netDevices = {} }: ContainerConfig): object | null {
  const entries = Object.entries(netDevices)
  if (entries.length === 0) return null
  return Object.fromEntries(entries.map(([device, { name }]) => [device, name === undefined ? {} : { name }]))
}
