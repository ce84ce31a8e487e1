export type { Address, AddressFlag, Lifetime } from './address.js'
export {
  type AddressOptions,
  addAddress as addAddressRequest,
  deleteAddress as deleteAddressRequest,
} from './address-messages.js'
export {
  AF_INET,
  AF_INET6,
  addressBytes,
  type Family,
  familyNumber,
  familyOf,
  formatAddress,
  parseAddress,
} from './address-text.js'
export { Addresses, type ListAddressesOptions, type NewAddress } from './addresses.js'
export * from './attributes.js'
export {
  type BridgeVlan,
  type BridgeVlanFilter,
  type BridgeVlanKey,
  type BridgeVlanSpec,
  BridgeVlans,
} from './bridge-vlans.js'
export {
  type AddClassOptions,
  addClassRequest,
  type TrafficClass,
  TrafficClasses,
  type TrafficClassFilter,
  type TrafficClassKey,
  type TrafficClassSpec,
} from './classes.js'
export { EVENT_SUBJECTS, type EventChange, type EventSubject, type NetlinkEvent } from './events.js'
export {
  type AddFdbOptions,
  Fdb,
  type FdbEntry,
  type FdbEntrySpec,
  type FdbFilter,
  type FdbKey,
  type FdbMode,
  type FdbState,
} from './fdb.js'
export { features } from './features.js'
export {
  GenericFamily,
  type GenericFamilyInfo,
  type GenericMessage,
  GenericNetlink,
  type GenericRequest,
} from './generic.js'
export { inNamespace } from './in-namespace.js'
export { type AddressGeneration, type GetOptions, isKind, type Link, parseLink } from './link.js'
export type { LinkFlag, OperationalState } from './link-flags.js'
export type { KnownKind, LinkData, PortData, PortKind } from './link-kinds.js'
export {
  addLink as addLinkRequest,
  alternativeNames as alternativeNamesRequest,
  deleteLink as deleteLinkRequest,
  getLink as getLinkRequest,
  type ListLinksOptions,
  type MoveOptions,
  moveLink as moveLinkRequest,
  setLink as setLinkRequest,
} from './link-messages.js'
export * from './link-name.js'
export type {
  LinkChanges,
  LinkLater,
  LinkOptions,
  LinkReference,
  LinkStart,
  LinkSwitches,
  NewLink,
  VethPeer,
} from './link-options.js'
export type { Count, LinkStatistics } from './link-statistics.js'
export { turnPeer } from './link-values.js'
export { Links } from './links.js'
export * from './mac.js'
export { type MessageBody, messageBody, type NetlinkRequest } from './message.js'
export { type LostEvents, Monitor, type MonitorOptions, type MonitorSource } from './monitor.js'
export * from './namespace.js'
export * from './namespace-ids.js'
export type { NeighbourFlag, NeighbourState } from './neighbour-words.js'
export {
  type AddNeighbourOptions,
  addNeighbourRequest,
  type Neighbour,
  type NeighbourFilter,
  type NeighbourKey,
  type NeighbourMode,
  type NeighbourSpec,
  Neighbours,
} from './neighbours.js'
export { type EventOptions, Netlink, type NetlinkOptions } from './netlink.js'
export * from './netns.js'
export type {
  NextHop,
  NextHopGroupType,
  NextHopMember,
  NextHopObjectSpec,
  ResilientGroup,
} from './nexthop.js'
export { type NextHopFilter, NextHops } from './nexthops.js'
export * from './prefix.js'
export { probe } from './probe.js'
export type { FqCodelOptions } from './qdisc-kinds/fq-codel.js'
export type { HtbClassOptions, HtbOptions } from './qdisc-kinds/htb.js'
export type { ClassKindOptions, QdiscKindOptions } from './qdisc-kinds/index.js'
export type { NetemOptions, NetemSlot } from './qdisc-kinds/netem.js'
export type { NetemLossModel } from './qdisc-kinds/netem-loss.js'
export type { TbfOptions } from './qdisc-kinds/tbf.js'
export {
  type AddQdiscOptions,
  addQdiscRequest,
  type Qdisc,
  type QdiscFilter,
  type QdiscKey,
  type QdiscMode,
  type QdiscSpec,
  Qdiscs,
} from './qdiscs.js'
export { requestStep } from './request-step.js'
export type { Route, RouteEncap, RouteMetrics, RouteNextHop } from './route.js'
export type { RouteQuery } from './route-query.js'
export type { NextHopSpec, RouteSpec } from './route-spec.js'
export type {
  EncapType,
  LockableMetric,
  RouteFlag,
  RoutePreference,
  RouteProtocol,
  RouteScope,
  RouteTable,
  RouteType,
} from './route-words.js'
export { type AddRouteOptions, addRouteRequest, type RouteFilter, type RouteMode, Routes } from './routes.js'
export type { NumberRange, Rule, RuleAction, RuleFlag, RuleSpec } from './rule.js'
export { addRuleRequest, type RuleFilter, Rules } from './rules.js'
export type {
  InetSocketEntry,
  SocketEntry,
  SocketFilter,
  SocketProtocol,
  SocketState,
  UnixSocketEntry,
  UnixSocketType,
} from './sock-diag.js'
export {
  type BatchAnswer,
  type Dump,
  type DumpedList,
  type DumpRequest,
  NetlinkSocket,
  type Running,
  type SocketOptions,
} from './socket.js'
export type { TcStatistics } from './tc-attributes.js'
export type { TcpInfo } from './tcp-info.js'
export { type NewTun, openTun } from './tun.js'
export * from './wire.js'
