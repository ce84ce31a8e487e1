import { Links } from '../link/links.js'
import type { Route, RouteNextHop } from '../route/route.js'
import { type RouteFilter, Routes } from '../route/routes.js'
import { type LinkNames, linkNamed, nameLinks } from './link.js'
import type { RouteRequest } from './options.js'
import { show } from './output.js'
import { openIn } from './place.js'
import type { Column } from './table.js'

/** `route`: the exit code. */
export async function route(request: RouteRequest): Promise<number> {
  await using socket = await openIn(request.namespace)
  const links = await new Links(socket).list()
  const nameOf = nameLinks(links)
  const dev = request.link === undefined ? undefined : linkNamed(links, request.link)
  const all = new Routes(socket)
  const { address } = request
  const routes = address === undefined ? all.dump({ ...filterOf(request), dev }) : [await all.get(address, { dev })]
  if (request.json) await show(named(routes, nameOf), [], true)
  else await show(linesOf(routes, nameOf), routeColumns, false)
  return 0
}

/** Pure. Words that are none are refused by whoever knows them. */
export function filterOf({
  family,
  table,
  protocol,
  type,
}: Pick<RouteRequest, 'family' | 'table' | 'protocol' | 'type'>): Pick<
  RouteFilter,
  'family' | 'table' | 'protocol' | 'type'
> {
  const word = <W>(text: string | undefined): W | number | undefined =>
    text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : (text as W | undefined)
  return { family, table: word(table), protocol: word(protocol), type: word(type) }
}

/** A way of a route, as a line shows it. */
export interface RouteLine {
  readonly route: Route
  readonly hop: Partial<RouteNextHop>
  /** The first of its route. */
  readonly first: boolean
  readonly dev: string | undefined
}

/** Pure. */
export function routeLines(route: Route, nameOf: LinkNames): RouteLine[] {
  const hops: readonly Partial<RouteNextHop>[] = route.nextHops ?? [route]
  return hops.map((hop, i) => ({
    route,
    hop,
    first: i === 0,
    dev: hop.dev === undefined ? undefined : (nameOf(hop.dev) ?? `if${hop.dev}`),
  }))
}

async function* linesOf(routes: AsyncIterable<Route> | Iterable<Route>, nameOf: LinkNames): AsyncGenerator<RouteLine> {
  for await (const route of routes) yield* routeLines(route, nameOf)
}

/** Links by their names, too: a number alone is of no use to who has no table of them. */
async function* named(routes: AsyncIterable<Route> | Iterable<Route>, nameOf: LinkNames): AsyncGenerator<object> {
  for await (const route of routes) yield withNames(route, nameOf)
}

/** Pure. */
export function withNames(route: Route, nameOf: LinkNames): object {
  const { nextHops } = route
  return nextHops === undefined
    ? withName(route, nameOf)
    : { ...withName(route, nameOf), nextHops: nextHops.map(hop => withName(hop, nameOf)) }
}

const withName = <T extends { dev?: number | undefined }>(each: T, nameOf: LinkNames): object =>
  each.dev === undefined ? each : { ...each, devName: nameOf(each.dev) }

export const routeColumns: readonly Column<RouteLine>[] = [
  { heading: 'DESTINATION', of: ({ route, first }) => (first ? destinationOf(route) : '') },
  { heading: 'VIA', of: ({ route, hop }) => hop.gateway ?? hop.via ?? nexthopOf(route) },
  { heading: 'DEV', of: ({ dev }) => dev },
  { heading: 'WEIGHT', of: ({ hop }) => hop.weight, right: true, optional: true },
  { heading: 'SOURCE', of: ({ route }) => route.source, optional: true },
  { heading: 'METRIC', of: ({ route }) => route.metric, right: true, optional: true },
  { heading: 'SCOPE', of: ({ route }) => (route.family === 'inet6' ? undefined : route.scope) },
  { heading: 'PROTOCOL', of: ({ route }) => route.protocol },
  { heading: 'TABLE', of: ({ route }) => route.table, usual: 'main' },
]

/** What is no usual route says so, as ip-route(8) has it. */
function destinationOf({ type, destination, family }: Route): string {
  const shown = destination === 'default' && family === 'inet6' ? 'default (IPv6)' : destination
  return type === 'unicast' ? shown : `${type} ${shown}`
}

const nexthopOf = ({ nextHopId }: Route): string | undefined =>
  nextHopId === undefined ? undefined : `nexthop ${nextHopId}`
