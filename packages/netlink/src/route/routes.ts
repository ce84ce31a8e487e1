import type { Waiting } from '@libcontainer/sys'
import { type Family, familyNumber } from '../address/text.js'
import { type LinkIndex, numbered, requestWithLinks, withLinks } from '../link/index-of.js'
import type { LinkReference } from '../link/options.js'
import { messageBody, type NetlinkRequest } from '../message/message.js'
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, protocolError } from '../message/wire.js'
import { MAX_U8, wordIn } from '../message/words.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import { routeAttributes, routeHeader } from './attributes.js'
import { type RouteQuery, routeQueryBody } from './query.js'
import { decodeRoute, type Route } from './route.js'
import { linksOfRoute, type RouteSpec, routeBody } from './spec.js'
import {
  type RouteProtocol,
  type RouteTable,
  type RouteType,
  routeProtocols,
  routeTables,
  routeTypes,
} from './words.js'

export const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const RTM_GETROUTE = 26
const RTM_F_CLONED = 0x200
const ENOENT = 2

/** Which routes {@link Routes.list} answers: those that fit all that is given. The kernel picks them. */
export interface RouteFilter extends Waiting {
  /** Default: both */
  family?: Family | undefined
  /** Default: `main` */
  table?: RouteTable | 'all' | number | undefined
  dev?: LinkReference | undefined
  protocol?: RouteProtocol | number | undefined
  type?: RouteType | number | undefined
  /** What the kernel has learnt of single destinations, such as their MTU, instead of the routes. Default: `false` */
  cached?: boolean | undefined
}

export interface AddRouteOptions extends Waiting {
  /**
   * What becomes of a route to the same destination with the same metric:
   * - `add`: it stays, and the error is `EEXIST`;
   * - `replace`: it goes, if it is there;
   * - `change`: it goes; where there is none the error is `ENOENT`;
   * - `append`: it stays, and counts before the new one (of IPv6: the new one is another of its next hops);
   * - `prepend`: it stays, and counts behind the new one.
   *
   * Default: `add`
   */
  mode?: RouteMode | undefined
}

export type RouteMode = 'add' | 'replace' | 'change' | 'append' | 'prepend'

const MODES: Readonly<Record<RouteMode, number>> = {
  add: NLM_F_CREATE | NLM_F_EXCL,
  replace: NLM_F_CREATE | NLM_F_REPLACE,
  change: NLM_F_REPLACE,
  append: NLM_F_CREATE | NLM_F_APPEND,
  prepend: NLM_F_CREATE,
}

/**
 * The request that adds a route, for a batch of several: its links are numbers.
 *
 * @throws {ConfigInvalid} that names the field
 */
export function addRouteRequest(route: RouteSpec, mode: RouteMode = 'add', index?: LinkIndex): NetlinkRequest {
  return {
    type: RTM_NEWROUTE,
    flags: wordIn(MODES, mode, 'mode'),
    body: routeBody(route, 'add', index),
    about: `${mode} the route ${shownRoute(route)}`,
    hints: {
      ENETUNREACH: 'no route leads to the gateway: the link has to be up and have an address, or onlink be set',
      ENETDOWN: 'the link has to be up before routes lead over it',
      EEXIST: 'there is a route to this destination with this metric: give another metric, or the mode replace',
    },
  }
}

/** Routes of a network namespace: ip-route(8). */
export class Routes {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All routes that fit, at once. A table that does not exist has none. @throws {SyscallError} `ENODEV` for a name that no link has */
  async list(filter: RouteFilter = {}): Promise<DumpedList<Route>> {
    const make = (index: LinkIndex) => dumpRequest(filter, index)
    return this.#socket.list(await withLinks(this.#socket, { dev: filter.dev }, make, filter))
  }

  /** {@link list} one by one, as the kernel tells them: for tables that are large. @param filter - links by their numbers */
  dump(filter: RouteFilter & { dev?: number | undefined } = {}): Dump<Route> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /**
   * Adds a route.
   *
   * @throws {ConfigInvalid} for one that cannot be, by its field
   * @throws {SyscallError} `EEXIST` where there is one, `ENETUNREACH` for a gateway that no link reaches, `ENODEV` for a link that is not there
   */
  async add(route: RouteSpec, { mode = 'add', signal }: AddRouteOptions = {}): Promise<void> {
    const make = (index: LinkIndex) => addRouteRequest(route, mode, index)
    await requestWithLinks(this.#socket, linksOfRoute(route), make, { signal })
  }

  /** A default route by a gateway, IPv4 or IPv6. @throws as {@link add} does */
  async addDefault(gateway: string, dev?: LinkReference, options: AddRouteOptions = {}): Promise<void> {
    await this.add({ destination: 'default', gateway, dev }, options)
  }

  /** Adds a route, in the place of the one to the same destination with the same metric. @throws as {@link add} does */
  async replace(route: RouteSpec, waiting: Waiting = {}): Promise<void> {
    await this.add(route, { ...waiting, mode: 'replace' })
  }

  /** Deletes the first route that fits all that is given: one that was listed, or less. @throws {SyscallError} `ESRCH` where none does */
  async delete(route: RouteSpec, waiting: Waiting = {}): Promise<void> {
    const make = (index: LinkIndex): NetlinkRequest => ({
      type: RTM_DELROUTE,
      body: routeBody(route, 'delete', index),
      about: `delete the route ${shownRoute(route)}`,
    })
    await requestWithLinks(this.#socket, linksOfRoute(route), make, waiting)
  }

  /**
   * The way that a packet to an address takes.
   *
   * @throws {SyscallError} `ENETUNREACH` where there is none
   */
  async get(destination: string, query: RouteQuery = {}): Promise<Route> {
    const make = (index: LinkIndex): NetlinkRequest => ({
      type: RTM_GETROUTE,
      body: routeQueryBody(destination, query, index),
      about: `find the route to ${destination}`,
      path: destination,
    })
    const { dev, iif } = query
    const answer = await requestWithLinks(this.#socket, { dev, iif }, make, query)
    const route = answer && decodeRoute(answer.payload)
    if (route === undefined) throw protocolError('tells of no route')
    return route
  }
}

function dumpRequest(filter: RouteFilter, index: LinkIndex = numbered): DumpRequest<Route> {
  const { family, table = 'main', dev, protocol, type, cached = false, signal } = filter
  const id = table === 'all' ? 0 : routeTables.number(table, 'table')
  return {
    type: RTM_GETROUTE,
    body: messageBody(
      routeHeader,
      {
        family: family === undefined ? 0 : familyNumber(family),
        table: id > MAX_U8 ? 0 : id,
        protocol: routeProtocols.number(protocol ?? 'unspec', 'protocol'),
        type: routeTypes.number(type ?? 'unspec', 'type'),
        flags: cached ? RTM_F_CLONED : 0,
      },
      routeAttributes,
      { table: id === 0 ? undefined : id, dev: index(dev, 'dev') },
    ),
    about: 'list the routes',
    // A table that does not exist is one that nobody has put a route into.
    none: ENOENT,
    map: ({ payload }) => decodeRoute(payload),
    signal,
  }
}

function shownRoute({ destination = 'default', gateway, via, dev, table }: RouteSpec): string {
  const words = [destination]
  const through = gateway ?? via
  if (through !== undefined) words.push(`via ${through}`)
  if (dev !== undefined) words.push(`dev ${dev}`)
  if (table !== undefined) words.push(`table ${table}`)
  return words.join(' ')
}
