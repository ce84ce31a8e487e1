export type { Address, AddressFlag, Lifetime } from './address/address.js'
export { Addresses, type ListAddressesOptions, type NewAddress } from './address/addresses.js'
export {
  type AddressOptions,
  addAddress as addAddressRequest,
  deleteAddress as deleteAddressRequest,
} from './address/messages.js'
export * from './address/prefix.js'
export {
  AF_INET,
  AF_INET6,
  addressBytes,
  type Family,
  familyNumber,
  familyOf,
  formatAddress,
  parseAddress,
} from './address/text.js'
export { EVENT_SUBJECTS, type EventChange, type EventSubject, type NetlinkEvent } from './events.js'
export { features } from './features.js'
export {
  GenericFamily,
  type GenericFamilyInfo,
  type GenericMessage,
  GenericNetlink,
  type GenericRequest,
} from './generic.js'
export {
  addBridgeVlanRequest,
  type BridgeVlan,
  type BridgeVlanFilter,
  type BridgeVlanKey,
  type BridgeVlanSpec,
  BridgeVlans,
  deleteBridgeVlanRequest,
} from './link/bridge-vlans.js'
export type { LinkFlag, OperationalState } from './link/flags.js'
export { isBridge } from './link/is-bridge.js'
export type { KnownKind, LinkData, PortData, PortKind } from './link/kinds.js'
export {
  type AddressGeneration,
  type GetOptions,
  isKind,
  type Link,
  type LinkIdentity,
  parseLink,
} from './link/link.js'
export { Links } from './link/links.js'
export * from './link/mac.js'
export {
  addLink as addLinkRequest,
  alternativeNames as alternativeNamesRequest,
  deleteLink as deleteLinkRequest,
  getLink as getLinkRequest,
  type ListLinksOptions,
  type MoveOptions,
  moveLink as moveLinkRequest,
  setLink as setLinkRequest,
} from './link/messages.js'
export * from './link/name.js'
export type {
  LinkChanges,
  LinkLater,
  LinkOptions,
  LinkReference,
  LinkStart,
  LinkSwitches,
  NewLink,
  VethPeer,
} from './link/options.js'
export type { Count, LinkStatistics } from './link/statistics.js'
export { type NewTun, openTun } from './link/tun.js'
export * from './message/attributes.js'
export { type MessageBody, messageBody, type NetlinkRequest } from './message/message.js'
export * from './message/wire.js'
export { type LostEvents, Monitor, type MonitorOptions, type MonitorSource } from './monitor.js'
export * from './namespace/ids.js'
export * from './namespace/namespace.js'
export * from './namespace/netns.js'
export {
  type AddFdbOptions,
  Fdb,
  type FdbEntry,
  type FdbEntrySpec,
  type FdbFilter,
  type FdbKey,
  type FdbMode,
  type FdbState,
} from './neighbour/fdb.js'
export {
  type AddNeighbourOptions,
  addNeighbourRequest,
  type Neighbour,
  type NeighbourFilter,
  type NeighbourKey,
  type NeighbourMode,
  type NeighbourSpec,
  Neighbours,
} from './neighbour/neighbours.js'
export type { NeighbourFlag, NeighbourState } from './neighbour/words.js'
export { type EventOptions, Netlink, type NetlinkOptions } from './netlink.js'
export { probe } from './probe.js'
export {
  type AddClassOptions,
  addClassRequest,
  type TrafficClass,
  TrafficClasses,
  type TrafficClassFilter,
  type TrafficClassKey,
  type TrafficClassSpec,
} from './qdisc/classes.js'
export type { FqCodelOptions } from './qdisc/kinds/fq-codel.js'
export type { HtbClassOptions, HtbOptions } from './qdisc/kinds/htb.js'
export type { ClassKindOptions, QdiscKindOptions } from './qdisc/kinds/index.js'
export type { NetemOptions, NetemSlot } from './qdisc/kinds/netem.js'
export type { NetemLossModel } from './qdisc/kinds/netem-loss.js'
export type { TbfOptions } from './qdisc/kinds/tbf.js'
export {
  type AddQdiscOptions,
  addQdiscRequest,
  type Qdisc,
  type QdiscFilter,
  type QdiscKey,
  type QdiscMode,
  type QdiscSpec,
  Qdiscs,
} from './qdisc/qdiscs.js'
export type { TcStatistics } from './qdisc/tc-attributes.js'
export type {
  NextHop,
  NextHopGroupType,
  NextHopMember,
  NextHopObjectSpec,
  ResilientGroup,
} from './route/nexthop.js'
export { type NextHopFilter, NextHops } from './route/nexthops.js'
export type { RouteQuery } from './route/query.js'
export type { Route, RouteEncap, RouteMetrics, RouteNextHop } from './route/route.js'
export { type AddRouteOptions, addRouteRequest, type RouteFilter, type RouteMode, Routes } from './route/routes.js'
export type { NumberRange, Rule, RuleAction, RuleFlag, RuleSpec } from './route/rule.js'
export { addRuleRequest, type RuleFilter, Rules } from './route/rules.js'
export type { NextHopSpec, RouteSpec } from './route/spec.js'
export type {
  EncapType,
  LockableMetric,
  RouteFlag,
  RoutePreference,
  RouteProtocol,
  RouteScope,
  RouteTable,
  RouteType,
} from './route/words.js'
export type {
  InetSocketEntry,
  SocketEntry,
  SocketFilter,
  SocketProtocol,
  SocketState,
  UnixSocketEntry,
  UnixSocketType,
} from './sock-diag/sock-diag.js'
export type { TcpInfo } from './sock-diag/tcp-info.js'
export { inNamespace } from './socket/in-namespace.js'
export { applyRequests, prepareRequests, requestStep } from './socket/request-step.js'
export {
  type BatchAnswer,
  type Dump,
  type DumpedList,
  type DumpRequest,
  NetlinkSocket,
  type Running,
  type SocketOptions,
} from './socket/socket.js'
