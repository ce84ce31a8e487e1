import type { Act, AddressAct, RouteAct } from '../acts.js'
import { isNeighbour } from '../fields.js'
import type { InterfaceSettings } from '../types.js'

/** What an interface gets in the container when it is there: addresses, the state up, and default routes, in the order that the kernel needs. */
export function interfaceActs(
  { address, gateway, ipv6Address, ipv6Gateway }: InterfaceSettings,
  name: string,
  change: Pick<InterfaceSettings, 'macAddress' | 'mtu' | 'txQueueLen'> = {},
): Act[] {
  const addresses = [address, ipv6Address].filter(each => each !== undefined)
  return [
    ...addresses.map((each): AddressAct => ({ act: 'address', about: `give ${name} ${each}`, name, address: each })),
    { act: 'set', about: `bring ${name} up`, name, ...change, up: true },
    ...(gateway === undefined ? [] : [defaultRoute(name, 'inet', gateway, address)]),
    ...(ipv6Gateway === undefined ? [] : [defaultRoute(name, 'inet6', ipv6Gateway, ipv6Address)]),
  ]
}

function defaultRoute(
  name: string,
  family: RouteAct['family'],
  gateway: string,
  address: string | undefined,
): RouteAct {
  const onLink = isNeighbour(address, gateway) ? undefined : true
  return { act: 'route', about: `route all by ${gateway} on ${name}`, family, gateway, name, onLink }
}
