import { type Family, familyWord, noAddress } from '../address/text.js'
import type { UnknownAttribute, ValuesOf } from '../message/attributes.js'
import { readBody } from '../message/message.js'
import { TICKS_PER_SECOND } from '../message/words.js'
import { type HopValues, type metricAttributes, routeAttributes, routeHeader } from './attributes.js'
import { usualRoute } from './usual.js'
import {
  type EncapType,
  encapTypes,
  type LockableMetric,
  lockableMetrics,
  putFlags,
  type RouteFlag,
  type RoutePreference,
  type RouteProtocol,
  type RouteScope,
  type RouteTable,
  type RouteType,
  routePreferences,
  routeProtocols,
  routeScopes,
  routeTables,
  routeTypes,
} from './words.js'

/** What is put around packets: a lightweight tunnel. Its attributes are as the kernel has them. */
export interface RouteEncap {
  type: EncapType | number
  /** Attributes of the type, encoded: linux/lwtunnel.h, linux/mpls_iptunnel.h, linux/seg6_iptunnel.h and so on. */
  bytes: Uint8Array
}

/** What connections over a route begin with, or are bound to: the metrics of ip-route(8). */
export interface RouteMetrics {
  /** In bytes. */
  mtu?: number | undefined
  /** The most that is offered as a TCP window, in bytes. */
  window?: number | undefined
  /** The first guess of the round-trip time, in milliseconds; the kernel keeps eighths. */
  rttMs?: number | undefined
  /** Of its variance; the kernel keeps quarters. */
  rttvarMs?: number | undefined
  /** In segments. */
  ssthresh?: number | undefined
  /** In segments; it only counts where it is locked. */
  cwnd?: number | undefined
  /** In bytes. */
  advmss?: number | undefined
  /** In segments. */
  reordering?: number | undefined
  hoplimit?: number | undefined
  /** In segments. */
  initcwnd?: number | undefined
  /** A mask of RTAX_FEATURE_*; 1 is ECN. */
  features?: number | undefined
  rtoMinMs?: number | undefined
  /** In segments. */
  initrwnd?: number | undefined
  quickack?: boolean | undefined
  /** The algorithm of congestion control. */
  congctl?: string | undefined
  fastopenNoCookie?: boolean | undefined
  /** Those that what the kernel learns does not change. */
  lock?: readonly LockableMetric[] | undefined
}

/** One of several ways to a destination. */
export interface RouteNextHop {
  gateway?: string
  /** A gateway of the other family: IPv6 for a route of IPv4. */
  via?: string
  /** The number of the link. */
  dev?: number
  /** Its share of the connections, 1 to 256. */
  weight: number
  /** The gateway is taken to be on the link, whatever other routes say. */
  onlink?: boolean
  realms?: number
  encap?: RouteEncap
  flags?: RouteFlag[]
}

/** A route as the kernel has it. What it does not have is absent. */
export interface Route {
  family: Family
  type: RouteType | number
  /** A prefix; `default` for everything. */
  destination: string
  /** A prefix of the packets' own sources: IPv6 only. */
  from?: string
  table: RouteTable | number
  /** Who made it. */
  protocol: RouteProtocol | number
  scope: RouteScope | number
  /** Of packets with this type of service. */
  tos?: number
  gateway?: string
  /** A gateway of the other family: IPv6 for a route of IPv4. */
  via?: string
  /** The number of the link. */
  dev?: number
  /** The address that packets of this machine get for their source. */
  source?: string
  /** The lowest counts. */
  metric?: number
  onlink?: boolean
  metrics?: RouteMetrics
  /** Several ways, between which connections are shared. */
  nextHops?: RouteNextHop[]
  /** A nexthop object, which has gateway and link. */
  nextHopId?: number
  preference?: RoutePreference | number
  /** Seconds until it ends. */
  expiresS?: number
  realms?: number
  encap?: RouteEncap
  ttlPropagate?: boolean
  /** Of the packet that was asked about: {@link Routes.get}. */
  mark?: number
  uid?: number
  /** The link that it comes in by. */
  iif?: number
  flags?: RouteFlag[]
  unknown?: readonly UnknownAttribute[]
}

/** The route in a message of the kernel; `undefined` for one of neither IPv4 nor IPv6. @throws {LibcontainerError} `EPROTO` */
export function decodeRoute(payload: Uint8Array): Route | undefined {
  return usualRoute(payload) ?? anyRoute(payload)
}

/** By the table of attributes: whatever a route may have. */
export function anyRoute(payload: Uint8Array): Route | undefined {
  const family = familyWord(payload[0])
  if (family === undefined) return undefined
  const { header, attributes: values } = readBody(routeHeader, routeAttributes, payload)
  const route: Route = {
    family,
    type: routeTypes.word(header.type),
    destination:
      values.destination === undefined
        ? defaultOf(family, header.destinationLength)
        : `${values.destination}/${header.destinationLength}`,
    table: routeTables.word(values.table ?? header.table),
    protocol: routeProtocols.word(header.protocol),
    scope: routeScopes.word(header.scope),
  }
  if (header.fromLength !== 0) route.from = `${values.from ?? noAddress(family)}/${header.fromLength}`
  if (header.tos !== 0) route.tos = header.tos
  if (values.gateway !== undefined) route.gateway = values.gateway
  if (values.via !== undefined) route.via = values.via
  if (values.dev !== undefined) route.dev = values.dev
  if (values.source !== undefined) route.source = values.source
  if (values.metric !== undefined) route.metric = values.metric
  putFlags(route, header.flags)
  if (values.metrics !== undefined) {
    const metrics = readMetrics(values.metrics)
    if (Object.keys(metrics).length > 0) route.metrics = metrics
  }
  if (values.nextHops !== undefined) route.nextHops = values.nextHops.map(readHop)
  if (values.nextHopId !== undefined) route.nextHopId = values.nextHopId
  if (values.preference !== undefined) route.preference = routePreferences.word(values.preference)
  if (values.expiresS !== undefined) route.expiresS = values.expiresS
  else if ((values.cache?.expires ?? 0) > 0) route.expiresS = values.cache!.expires! / TICKS_PER_SECOND
  if (values.realms !== undefined) route.realms = values.realms
  const encap = readEncap(values.encapType, values.encap)
  if (encap !== undefined) route.encap = encap
  if (values.ttlPropagate !== undefined) route.ttlPropagate = values.ttlPropagate !== 0
  if (values.mark !== undefined) route.mark = values.mark
  if (values.uid !== undefined) route.uid = values.uid
  if (values.iif !== undefined) route.iif = values.iif
  if (values.unknown !== undefined) route.unknown = values.unknown
  return route
}

/** The kernel leaves the address out where it is all zeros, which it is for the default and for nothing else but `0.0.0.0/N`. */
const defaultOf = (family: Family, length: number): string =>
  length === 0 ? 'default' : `${noAddress(family)}/${length}`

function readHop({ flags, hops, dev, attributes }: HopValues): RouteNextHop {
  const hop: RouteNextHop = { weight: hops + 1 }
  if (attributes.gateway !== undefined) hop.gateway = attributes.gateway
  if (attributes.via !== undefined) hop.via = attributes.via
  if (dev !== 0) hop.dev = dev
  if (attributes.realms !== undefined) hop.realms = attributes.realms
  const encap = readEncap(attributes.encapType, attributes.encap)
  if (encap !== undefined) hop.encap = encap
  putFlags(hop, flags)
  return hop
}

/** The encapsulation of a route, of one of its ways, or of a nexthop object. */
export function readEncap(type: number | undefined, bytes: Uint8Array | undefined): RouteEncap | undefined {
  if (type === undefined || type === 0) return undefined
  return { type: encapTypes.word(type), bytes: bytes ?? new Uint8Array() }
}

/** As the attributes have them: {@link RouteEncap} the other way. */
export function encapValues(encap: RouteEncap | undefined, field: string): { encapType?: number; encap?: Uint8Array } {
  if (encap === undefined) return {}
  return { encapType: encapTypes.number(encap.type, `${field}.type`), encap: encap.bytes }
}

function readMetrics(values: ValuesOf<typeof metricAttributes>): RouteMetrics {
  const { lock, rtt, rttvar, rtoMin, quickack, fastopenNoCookie, unknown: _, ...rest } = values
  const metrics: RouteMetrics = rest
  if (rtt !== undefined) metrics.rttMs = rtt / 8
  if (rttvar !== undefined) metrics.rttvarMs = rttvar / 4
  if (rtoMin !== undefined) metrics.rtoMinMs = rtoMin
  if (quickack !== undefined) metrics.quickack = quickack !== 0
  if (fastopenNoCookie !== undefined) metrics.fastopenNoCookie = fastopenNoCookie !== 0
  if (lock !== undefined && lock !== 0) metrics.lock = lockableMetrics.words(lock)
  return metrics
}

/** As the attributes have them. */
export function metricValues(metrics: RouteMetrics, field: string): ValuesOf<typeof metricAttributes> {
  const { lock, rttMs, rttvarMs, rtoMinMs, quickack, fastopenNoCookie, ...rest } = metrics
  const values: ValuesOf<typeof metricAttributes> = { ...rest }
  if (rttMs !== undefined) values.rtt = Math.round(rttMs * 8)
  if (rttvarMs !== undefined) values.rttvar = Math.round(rttvarMs * 4)
  if (rtoMinMs !== undefined) values.rtoMin = rtoMinMs
  if (quickack !== undefined) values.quickack = Number(quickack)
  if (fastopenNoCookie !== undefined) values.fastopenNoCookie = Number(fastopenNoCookie)
  if (lock !== undefined) values.lock = lockableMetrics.mask(lock, `${field}.lock`)
  return values
}
