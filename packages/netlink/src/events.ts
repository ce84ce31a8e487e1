import { ConfigInvalid, type Waiting } from '@libcontainer/sys'
import { type Address, parseAddressMessage } from './address/address.js'
import { AF_BRIDGE } from './link/attributes.js'
import { type Link, parseLink } from './link/link.js'
import type { NetlinkMessage } from './message/wire.js'
import type { LostEvents, MonitorSource } from './monitor.js'
import { decodeFdbEntry, type FdbEntry } from './neighbour/fdb.js'
import { decodeNeighbour, type Neighbour } from './neighbour/neighbours.js'
import type { Netlink } from './netlink.js'
import { decodeNextHop, type NextHop } from './route/nexthop.js'
import { decodeRoute, type Route } from './route/route.js'
import { decodeRule, type Rule } from './route/rule.js'

/** What has a number of its own among the events of the kernel. */
interface Subjects {
  link: Link
  address: Address
  route: Route
  rule: Rule
  neighbour: Neighbour
  fdb: FdbEntry
  nexthop: NextHop
}

/** What can be listened to. */
export type EventSubject = keyof Subjects

/**
 * What became of it: `set` when it was made or changed, which the kernel does not tell apart; `deleted`; `present` when it is there after events were lost, of which
 * those of what is gone now may have been.
 */
export type EventChange = 'set' | 'deleted' | 'present'

/** An event, with its subject in a field of that name: `{ type: 'link', change: 'set', link }`. */
export type NetlinkEvent =
  | {
      [K in EventSubject]: { readonly type: K; readonly change: EventChange } & { readonly [P in K]: Subjects[K] }
    }[EventSubject]
  | LostEvents

interface Subject<T> {
  /** RTNLGRP_*, of rtnetlink.h. */
  readonly groups: readonly number[]
  /** Of the message that tells of a new one; the next is that of a deleted one. */
  readonly message: number
  readonly read: (payload: Uint8Array) => T | undefined
  readonly list: (net: Netlink, waiting: Waiting) => AsyncIterable<T>
}

const subjects: { readonly [K in EventSubject]: Subject<Subjects[K]> } = {
  link: {
    groups: [1],
    message: 16,
    // Ports of bridges have messages of links, too, which tell of the port alone.
    read: payload => (payload[0] === AF_BRIDGE ? undefined : parseLink(payload)),
    list: (net, waiting) => net.links.dump(waiting),
  },
  address: {
    groups: [5, 9],
    message: 20,
    read: parseAddressMessage,
    list: (net, waiting) => net.addresses.dump(waiting),
  },
  route: {
    groups: [7, 11],
    message: 24,
    read: decodeRoute,
    list: (net, waiting) => net.routes.dump({ ...waiting, table: 'all' }),
  },
  rule: { groups: [8, 19], message: 32, read: decodeRule, list: (net, waiting) => net.rules.dump(waiting) },
  neighbour: {
    groups: [3],
    message: 28,
    read: decodeNeighbour,
    list: (net, waiting) => net.neighbours.dump(waiting),
  },
  fdb: { groups: [3], message: 28, read: decodeFdbEntry, list: (net, waiting) => net.fdb.dump(waiting) },
  nexthop: { groups: [32], message: 104, read: decodeNextHop, list: (net, waiting) => net.nexthops.dump(waiting) },
}

/** All that can be listened to. */
export const EVENT_SUBJECTS = Object.freeze(Object.keys(subjects)) as readonly EventSubject[]

const event = (type: EventSubject, change: EventChange, about: unknown): NetlinkEvent =>
  ({ type, change, [type]: about }) as unknown as NetlinkEvent

/** What a monitor of these subjects listens to. @throws {ConfigInvalid} for a subject that is none */
export function eventSource(net: Netlink, wanted: readonly EventSubject[]): MonitorSource<NetlinkEvent> {
  for (const [i, name] of wanted.entries())
    if (!Object.hasOwn(subjects, name))
      throw new ConfigInvalid(`events[${i}]`, name, `must be one of ${EVENT_SUBJECTS.join(', ')}`)
  return {
    groups: [...new Set(wanted.flatMap(name => subjects[name].groups))],
    read: message => readEvent(wanted, message),
    now: waiting => presentNow(net, wanted, waiting),
  }
}

/** The event that a message tells of; `undefined` for a subject that is not wanted. */
export function readEvent(
  wanted: readonly EventSubject[],
  { type, payload }: NetlinkMessage,
): NetlinkEvent | undefined {
  for (const name of wanted) {
    const { message, read } = subjects[name]
    if (type !== message && type !== message + 1) continue
    // Messages of one type tell of neighbours and of forwarding entries: each reader takes its own.
    const about = read(payload)
    if (about !== undefined) return event(name, type === message ? 'set' : 'deleted', about)
  }
  return undefined
}

async function* presentNow(
  net: Netlink,
  wanted: readonly EventSubject[],
  waiting: Waiting,
): AsyncGenerator<NetlinkEvent, void, undefined> {
  for (const name of wanted)
    for await (const about of subjects[name].list(net, waiting)) yield event(name, 'present', about)
}
