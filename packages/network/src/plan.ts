import type { Act, RouteAct } from './acts.js'
import { interfaceNames } from './config.js'
import { strategyOf } from './registry.js'
import { destinationOf, familyOfRoute } from './routes.js'
import type { Chosen } from './strategy.js'
import type { Network, NetworkConfig, Route, VethNetwork } from './types.js'

/** Everything that is done for a container's networks, in order. Plain data. */
export interface NetworkPlan {
  readonly acts: readonly Act[]
  /** What was chosen for each network, in their order. */
  readonly chosen: readonly Chosen[]
}

/** Random bytes of the caller, as many as asked for. */
export type Random = (count: number) => Uint8Array

/**
 * Plans the networks of a container. Pure but for `random`; the config has passed `networkProblems`.
 *
 * Links come first, on the host, then what they have in the container, then the routes, which need them up.
 *
 * @param random - for the names and addresses of the host's ends
 */
export function planNetworks(
  { networks = [], routes = [], netDevices = {} }: NetworkConfig,
  random: Random,
): NetworkPlan {
  const names = interfaceNames(networks)
  const chosen = networks.map((network, i) => choose(network, names[i] ?? '', random))
  const each = (part: 'create' | 'initialize'): Act[] =>
    networks.flatMap((network, i) => strategyOf(network, `networks[${i}]`)[part](network, chosen[i]!))
  const moves = Object.entries(netDevices).map(
    ([device, { name = device }]): Act => ({
      act: 'move',
      about: `move ${device} in${name === device ? '' : ` as ${name}`}`,
      device,
      name,
      giveBack: false,
    }),
  )
  // A helper has to find the namespace as it will be: what it does comes after the links.
  const created = each('create')
  const isHelper = ({ act }: Act): boolean => act === 'helper'
  const links = [...created.filter(act => !isHelper(act)), ...moves]
  const settings = each('initialize')
  const helpers = created.filter(isHelper)
  const ways = routes.map(routeAct)
  // Routes on it need it up, and so does whatever sends to an address of this container's own.
  const withLoopback = settings.some(act => act.act === 'set' && act.name === 'lo')
  const alone = links.length + settings.length + ways.length === 0
  const lo: Act[] = withLoopback || alone ? [] : [{ act: 'set', about: 'bring lo up', name: 'lo', up: true }]
  return { acts: [...links, ...lo, ...settings, ...helpers, ...ways], chosen }
}

/** What takes a container that runs off its networks, as while it is checkpointed. */
export function planDetach(networks: readonly Network[], chosen: readonly Chosen[]): Act[] {
  return networks.flatMap((network, i) => strategyOf(network, `networks[${i}]`).detach?.(network, chosen[i]!) ?? [])
}

/** What puts it back. */
export function planAttach(networks: readonly Network[], chosen: readonly Chosen[]): Act[] {
  return networks.flatMap((network, i) => strategyOf(network, `networks[${i}]`).attach?.(network, chosen[i]!) ?? [])
}

function choose(network: Network, name: string, random: Random): Chosen {
  if (network.type !== 'veth') return { name, hostName: '', hostMac: '' }
  return { name, hostName: hostNameOf(network, random), hostMac: hostMacOf(random) }
}

/** `veth` and 7 digits, as ever. */
function hostNameOf({ hostInterfaceName, hostInterfacePrefix = 'veth' }: VethNetwork, random: Random): string {
  return hostInterfaceName ?? `${hostInterfacePrefix}${hex(random(4)).slice(0, 7)}`
}

/** Locally administered, of one device. */
function hostMacOf(random: Random): string {
  const [first = 0, ...rest] = random(6)
  return [(first & 0xfc) | 0x02, ...rest].map(byte => byte.toString(16).padStart(2, '0')).join(':')
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

function routeAct(route: Route): RouteAct {
  const { destination, source, gateway, interfaceName } = route
  const parts = [
    `route ${destination ?? 'all'}`,
    ...(source === undefined ? [] : [`from ${source}`]),
    ...(gateway === undefined ? [] : [`by ${gateway}`]),
    ...(interfaceName === undefined ? [] : [`on ${interfaceName}`]),
  ]
  return {
    act: 'route',
    about: parts.join(' '),
    family: familyOfRoute(route),
    destination: destinationOf(route),
    source,
    gateway,
    name: interfaceName,
  }
}
