import {
  checkLinkName,
  formatPrefix,
  networkOf,
  type Prefix,
  parseAddress,
  parseCidr,
} from '@libcontainer/netlink/text'
import { ConfigInvalid } from '@libcontainer/sys'
import { checkFields } from './fields.js'
import type { Route } from './types.js'

const NAMES = ['destination', 'source', 'gateway', 'interfaceName'] as const

/**
 * Checks a route.
 *
 * @param interfaces - those that the container will have; `undefined` where that is seen when it is there, in a namespace of somebody else
 * @throws {ConfigInvalid}
 */
export function checkRoute(route: unknown, field: string, interfaces: ReadonlySet<string> | undefined): void {
  const { destination, source, gateway, interfaceName } = checkFields(route, field, NAMES) as Route
  if (destination === undefined && source === undefined && gateway === undefined)
    throw new ConfigInvalid(field, route, 'must have destination, source or gateway')
  const families = [
    destination === undefined
      ? undefined
      : ([parseCidr(destination, `${field}.destination`).family, 'destination'] as const),
    source === undefined ? undefined : ([family(source, `${field}.source`), 'source'] as const),
    gateway === undefined ? undefined : ([family(gateway, `${field}.gateway`), 'gateway'] as const),
  ].filter(each => each !== undefined)
  const [first, ...rest] = families
  for (const [other, name] of rest) {
    if (other !== first![0])
      throw new ConfigInvalid(`${field}.${name}`, (route as Route)[name], `must be of the same family as ${first![1]}`)
  }
  if (interfaceName === undefined) {
    if (gateway === undefined)
      throw new ConfigInvalid(`${field}.interfaceName`, undefined, 'must be given for a route without a gateway')
    return
  }
  checkLinkName(interfaceName, `${field}.interfaceName`)
  if (interfaces !== undefined && !interfaces.has(interfaceName))
    throw new ConfigInvalid(
      `${field}.interfaceName`,
      interfaceName,
      `is no interface of the container, which has ${[...interfaces].join(', ')}`,
    )
}

const family = (text: string, field: string): Prefix['family'] =>
  parseAddress(text, field).length === 4 ? 'inet' : 'inet6'

/** The network of a destination: the bits behind its length, which the kernel refuses, are cleared. `undefined` for everything. */
export function destinationOf({ destination }: Route): string | undefined {
  return destination === undefined ? undefined : formatPrefix(networkOf(parseCidr(destination)))
}

/** Of a route that has passed {@link checkRoute}. */
export function familyOfRoute({ destination, source, gateway }: Route): Prefix['family'] {
  return destination === undefined ? family((gateway ?? source)!, 'gateway') : parseCidr(destination).family
}
