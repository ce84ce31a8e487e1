import { ConfigInvalid } from '@libcontainer/sys'
import { formatPrefix, networkOf, type Prefix, parsePrefix } from '../address/prefix.js'
import { type Family, familyNumber, familyOf, parseAddress } from '../address/text.js'
import { type LinkIndex, numbered } from '../link/index-of.js'
import type { LinkReference } from '../link/options.js'
import { checkFields } from '../link/values.js'
import { type MessageBody, messageBody } from '../message/message.js'
import { checkInteger, MAX_U8, MAX_U32 } from '../message/words.js'
import { type HopValues, routeAttributes, routeHeader } from './attributes.js'
import { encapValues, metricValues, type Route, type RouteNextHop } from './route.js'
import {
  ONLINK,
  type RouteScope,
  type RouteType,
  routePreferences,
  routeProtocols,
  routeScopes,
  routeTables,
  routeTypes,
} from './words.js'

/** {@link RouteNextHop}, of which everything may be left out but what says where to: `gateway`, `via` or `dev`. */
export type NextHopSpec = { [K in keyof Omit<RouteNextHop, 'dev'>]?: RouteNextHop[K] | undefined } & {
  /** A name, or a number. */
  dev?: LinkReference | undefined
}

/**
 * A route that is asked for: {@link Route}, of which everything may be left out but one of `destination`, `source` and `gateway`. A route that was
 * read is one, too; what only the kernel knows (`flags`, `iif`, `mark`, `uid`) is not written.
 *
 * Left out, `destination` is everything, `family` that of the addresses, `type` `unicast`, `table` `main` (for local, broadcast and anycast
 * routes `local`), `protocol` `boot`, and `scope` what ip-route(8) takes for the type: `link` where there is no gateway.
 */
export type RouteSpec = { [K in keyof Omit<Route, 'dev' | 'nextHops' | 'destination'>]?: Route[K] | undefined } & {
  /** A prefix, of which no bit behind the length is set (without a length: one address), or `default`. */
  destination?: string | undefined
  /** A name, or a number. */
  dev?: LinkReference | undefined
  nextHops?: readonly NextHopSpec[] | undefined
}

const ROUTE_FIELDS: readonly (keyof RouteSpec)[] = [
  'family',
  'type',
  'destination',
  'from',
  'table',
  'protocol',
  'scope',
  'tos',
  'gateway',
  'via',
  'dev',
  'source',
  'metric',
  'onlink',
  'metrics',
  'nextHops',
  'nextHopId',
  'preference',
  'expiresS',
  'realms',
  'encap',
  'ttlPropagate',
  'mark',
  'uid',
  'iif',
  'flags',
  'unknown',
]
const HOP_FIELDS: readonly (keyof NextHopSpec)[] = [
  'gateway',
  'via',
  'dev',
  'weight',
  'onlink',
  'realms',
  'encap',
  'flags',
]

type Type = RouteType | number

/** Types of routes that lead nowhere, and so need no link. */
const NOWHERE: readonly Type[] = ['blackhole', 'unreachable', 'prohibit', 'throw']
/** Of addresses that are this machine's, or all of a link's: each kind has its scope, and all but multicast the table `local`. */
const SCOPES: Partial<Record<Type, RouteScope>> = {
  local: 'host',
  nat: 'host',
  broadcast: 'link',
  anycast: 'link',
  multicast: 'link',
}

/**
 * The message that adds a route, or the one that deletes it, which is a filter: what is not given fits any.
 *
 * @param index - the numbers of the links that it names
 * @throws {ConfigInvalid} for what EV-061 has: nothing to go by, bad prefixes, families that do not go together
 */
export function routeBody(spec: RouteSpec, act: 'add' | 'delete', index: LinkIndex = numbered): MessageBody {
  checkFields(spec, ROUTE_FIELDS)
  const adds = act === 'add'
  if (
    spec.destination === undefined &&
    spec.source === undefined &&
    spec.gateway === undefined &&
    spec.via === undefined
  )
    throw new ConfigInvalid('destination', undefined, 'must be given, or else source or gateway')
  const destination = destinationOf(spec.destination)
  const from = spec.from === undefined ? undefined : networkPrefix(spec.from, 'from')
  const family = familyOfRoute(spec, destination, from)
  const typeNumber = routeTypes.number(spec.type ?? (adds ? 'unicast' : 'unspec'), 'type')
  const type = routeTypes.word(typeNumber)
  if (adds) checkWay(spec, type)
  const local = SCOPES[type] !== undefined && type !== 'multicast'
  const table = routeTables.number(spec.table ?? (local ? 'local' : 'main'), 'table')
  return messageBody(
    routeHeader,
    {
      family: familyNumber(family),
      destinationLength: destination?.length ?? 0,
      fromLength: from?.length ?? 0,
      tos: checkInteger(spec.tos ?? 0, 'tos', 0, MAX_U8),
      table: table > MAX_U8 ? 0 : table,
      protocol: routeProtocols.number(spec.protocol ?? (adds ? 'boot' : 'unspec'), 'protocol'),
      scope: routeScopes.number(spec.scope ?? (adds ? scopeOf(spec, type, family) : 'nowhere'), 'scope'),
      type: typeNumber,
      flags: spec.onlink === true ? ONLINK : 0,
    },
    routeAttributes,
    {
      destination: destination && addressOf(spec.destination!),
      from: from && addressOf(spec.from!),
      dev: index(spec.dev, 'dev'),
      gateway: spec.gateway,
      metric: spec.metric,
      source: spec.source,
      metrics: spec.metrics && metricValues(spec.metrics, 'metrics'),
      nextHops: spec.nextHops?.map((hop, at) => hopValues(hop, `nextHops[${at}]`, index)),
      realms: spec.realms,
      table: checkInteger(table, 'table', 1, MAX_U32),
      via: spec.via,
      preference: routePreferences.number(spec.preference, 'preference'),
      ...encapValues(spec.encap, 'encap'),
      expiresS: spec.expiresS === undefined ? undefined : Math.ceil(spec.expiresS),
      ttlPropagate: spec.ttlPropagate === undefined ? undefined : Number(spec.ttlPropagate),
      nextHopId: spec.nextHopId,
      unknown: spec.unknown,
    },
  )
}

/** The links that a route names, by their fields. */
export function linksOfRoute({ dev, nextHops }: RouteSpec): Record<string, LinkReference | undefined> {
  const links: Record<string, LinkReference | undefined> = { dev }
  for (const [at, hop] of (nextHops ?? []).entries()) links[`nextHops[${at}].dev`] = hop.dev
  return links
}

/** A prefix for what people write in the same place, too: `default` and `any` are everything, for which it is `undefined`. */
export function destinationOf(text: string | undefined, field = 'destination'): Prefix | undefined {
  return text === undefined || text === 'default' || text === 'any' ? undefined : networkPrefix(text, field)
}

/** The kernel answers EINVAL for a prefix with bits behind its length, or of IPv6 clears them silently. */
function networkPrefix(text: string, field: string): Prefix {
  const prefix = parsePrefix(text, field)
  const network = formatPrefix(networkOf(prefix))
  if (network !== formatPrefix(prefix))
    throw new ConfigInvalid(field, text, `must have no bit set behind its length: ${network} is the network`)
  return prefix
}

/** The address in the text of a prefix that was parsed. */
export const addressOf = (prefix: string): string => prefix.split('/', 1)[0]!

function familyOfRoute(spec: RouteSpec, destination: Prefix | undefined, from: Prefix | undefined): Family {
  let family = spec.family ?? destination?.family
  const agree = (found: Family | undefined, field: string, value: string) => {
    family ??= found
    if (found !== undefined && found !== family)
      throw new ConfigInvalid(field, value, `must be of one family with the rest of the route, which is ${family}`)
  }
  const addressFamily = (text: string, field: string) => familyOf(parseAddress(text, field))
  agree(destination?.family, 'destination', spec.destination!)
  agree(from?.family, 'from', spec.from!)
  if (spec.gateway !== undefined) agree(addressFamily(spec.gateway, 'gateway'), 'gateway', spec.gateway)
  if (spec.source !== undefined) agree(addressFamily(spec.source, 'source'), 'source', spec.source)
  for (const [at, { gateway }] of (spec.nextHops ?? []).entries()) {
    const field = `nextHops[${at}].gateway`
    if (gateway !== undefined) agree(addressFamily(gateway, field), field, gateway)
  }
  return family ?? 'inet'
}

/** Where packets go has to be said, in one way. */
function checkWay(spec: RouteSpec, type: Type): void {
  if (spec.nextHops !== undefined) {
    if (spec.nextHops.length === 0) throw new ConfigInvalid('nextHops', spec.nextHops, 'must have one at least')
    for (const field of ['gateway', 'via', 'dev', 'nextHopId'] as const)
      if (spec[field] !== undefined)
        throw new ConfigInvalid(field, spec[field], 'must stand in nextHops, where there are some')
    return
  }
  if (spec.gateway !== undefined && spec.via !== undefined)
    throw new ConfigInvalid('via', spec.via, 'must not be given beside a gateway of the route’s own family')
  const led = spec.gateway ?? spec.via ?? spec.dev ?? spec.nextHopId
  if (led === undefined && !NOWHERE.includes(type))
    throw new ConfigInvalid('dev', undefined, 'must be given where there is no gateway, no nextHops and no nextHopId')
  if (spec.onlink === true && spec.dev === undefined)
    throw new ConfigInvalid('onlink', true, 'needs dev: the link that the gateway is taken to be on')
}

/** As ip-route(8) chooses it: what is on the link itself is near, what has a gateway is not. IPv6 has no scopes of routes: the kernel takes `global` for all. */
function scopeOf(spec: RouteSpec, type: Type, family: Family): RouteScope {
  const ways = [spec.gateway, spec.via, spec.nextHops, spec.nextHopId]
  const direct = type === 'unicast' && family === 'inet' && ways.every(way => way === undefined)
  return SCOPES[type] ?? (direct ? 'link' : 'global')
}

function hopValues(hop: NextHopSpec, field: string, index: LinkIndex): HopValues {
  checkFields(hop, HOP_FIELDS, `${field}.`)
  if (hop.gateway === undefined && hop.via === undefined && hop.dev === undefined)
    throw new ConfigInvalid(field, hop, 'must have a gateway or dev')
  return {
    flags: hop.onlink === true ? ONLINK : 0,
    hops: checkInteger(hop.weight ?? 1, `${field}.weight`, 1, MAX_U8 + 1) - 1,
    dev: hop.dev === undefined ? 0 : index(hop.dev, `${field}.dev`),
    attributes: {
      gateway: hop.gateway,
      realms: hop.realms,
      via: hop.via,
      ...encapValues(hop.encap, `${field}.encap`),
    },
  }
}
