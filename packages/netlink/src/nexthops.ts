import { ConfigInvalid, type Waiting } from '@libcontainer/sys'
import { AF_INET, AF_INET6, type Family, familyNumber, familyOf, parseAddress } from './address-text.js'
import {
  attributes,
  counter,
  decodeAttributes,
  flag,
  ip,
  nested,
  nestedBytes,
  packed,
  struct,
  type UnknownAttribute,
  u8,
  u16,
  u32,
} from './attributes.js'
import { needBytes } from './codec.js'
import { type LinkIndex, type LinkReference, linkIndexes, numbered } from './link-index.js'
import { type MessageBody, messageBody } from './message.js'
import { encapValues, type RouteEncap, readEncap } from './route.js'
import {
  ONLINK,
  type RouteFlag,
  type RouteProtocol,
  type RouteScope,
  routeFlags,
  routeProtocols,
  routeScopes,
} from './route-words.js'
import type { Dump, DumpedList, DumpRequest, NetlinkSocket } from './socket.js'
import { NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL, NLM_F_REPLACE, protocolError, viewOf } from './wire.js'
import { checkInteger, MAX_U8, MAX_U16, MAX_U32, type WordOf, Words } from './words.js'

const RTM_NEWNEXTHOP = 104
const RTM_DELNEXTHOP = 105
const RTM_GETNEXTHOP = 106

/** struct nhmsg of linux/nexthop.h. */
const nextHopHeader = struct({ family: u8, scope: u8, protocol: u8, resvd: u8, flags: u32 }, { whole: true })

/** struct nexthop_grp: the weight less one, whose upper half came with Linux 6.12. */
const groupMember = struct({ id: u32, weight: u8, weightHigh: u8, resvd2: u16 })

/** NHA_RES_GROUP_*: times in 1/100 s. */
const resilientAttributes = attributes({
  buckets: [1, u16],
  idleTimer: [2, u32],
  unbalancedTimer: [3, u32],
  unbalancedTime: [4, counter],
})

/** NHA_*. */
const nextHopAttributes = attributes({
  id: [1, u32],
  group: [2, packed(groupMember)],
  groupType: [3, u16],
  blackhole: [4, flag],
  dev: [5, u32],
  gateway: [6, ip],
  encapType: [7, u16],
  encap: [8, nestedBytes],
  groups: [9, flag],
  master: [10, u32],
  fdb: [11, flag],
  resilient: [12, nested(resilientAttributes)],
})

/** NEXTHOP_GRP_TYPE_*. */
const groupTypes = new Words({ mpath: 0, resilient: 1 }, MAX_U16)
export type NextHopGroupType = WordOf<typeof groupTypes>

/** A nexthop of a group. */
export interface NextHopMember {
  /** Its own id. */
  id: number
  /** Its share, 1 to 256; to 65536 since Linux 6.12. */
  weight: number
}

/** What a group is like that moves as few connections as it can when its members change. */
export interface ResilientGroup {
  buckets?: number | undefined
  /** How long a bucket has to be idle before it may go to another member. */
  idleTimerS?: number | undefined
  /** How long a group may be out of balance before busy buckets move, too; 0 is for ever. */
  unbalancedTimerS?: number | undefined
  /** How long it has been out of balance. It is not written. */
  unbalancedTimeS?: number | undefined
}

/** A way that routes lead by, made once and named by its id in routes, or a group of them. What it does not have is absent. */
export interface NextHop {
  id: number
  /** Of a group there is none. */
  family?: Family
  gateway?: string
  /** The number of the link. */
  dev?: number
  onlink?: boolean
  /** Packets are dropped. */
  blackhole?: boolean
  /** It is for the forwarding table of a vxlan, not for routes. */
  fdb?: boolean
  group?: NextHopMember[]
  groupType?: NextHopGroupType | number
  resilient?: ResilientGroup
  encap?: RouteEncap
  protocol: RouteProtocol | number
  scope?: RouteScope | number
  flags?: RouteFlag[]
  unknown?: readonly UnknownAttribute[]
}

/**
 * A nexthop that is asked for: one of `gateway`, `dev`, `blackhole` and `group` has to be there. `id` is the first that is free unless it is given,
 * `family` that of the gateway or `inet`, `protocol` `boot`. One that was read is one, too; what only the kernel knows is not written.
 */
export type NextHopObjectSpec = { [K in keyof Omit<NextHop, 'dev' | 'group'>]?: NextHop[K] | undefined } & {
  /** A name, or a number. */
  dev?: LinkReference | undefined
  group?: readonly (Omit<NextHopMember, 'weight'> & { weight?: number | undefined })[] | undefined
}

export interface NextHopFilter extends Waiting {
  dev?: LinkReference | undefined
  /** Those whose link is a port of this one. */
  master?: LinkReference | undefined
  /** Groups alone. Default: `false` */
  groups?: boolean | undefined
  /** Those of forwarding tables alone. Default: `false` */
  fdb?: boolean | undefined
}

const PROTOCOL_BOOT = 3
const TICKS_PER_SECOND = 100

/** The message that makes a nexthop. @param index - the number of the link. @throws {ConfigInvalid} that names the field */
export function nextHopBody(spec: NextHopObjectSpec, index: LinkIndex = numbered): MessageBody {
  const { gateway, dev, blackhole, group, fdb, resilient } = spec
  if (gateway === undefined && dev === undefined && group === undefined && blackhole !== true)
    throw new ConfigInvalid('gateway', undefined, 'must be given, or else dev, blackhole or group')
  if (group !== undefined)
    for (const field of ['gateway', 'dev', 'blackhole', 'encap'] as const)
      if (spec[field] !== undefined && spec[field] !== false)
        throw new ConfigInvalid(field, spec[field], 'must not be given with a group: its members have it')
  if (group?.length === 0) throw new ConfigInvalid('group', group, 'must have one member at least')
  if (blackhole === true && gateway !== undefined)
    throw new ConfigInvalid('gateway', gateway, 'must not be given with blackhole, which leads nowhere')
  return messageBody(
    nextHopHeader,
    {
      family: group === undefined ? familyNumber(familyOfNextHop(spec)) : 0,
      protocol: spec.protocol === undefined ? PROTOCOL_BOOT : routeProtocols.number(spec.protocol, 'protocol'),
      flags: spec.onlink === true ? ONLINK : 0,
    },
    nextHopAttributes,
    {
      id: spec.id === undefined ? undefined : checkInteger(spec.id, 'id', 1, MAX_U32),
      group: group?.map(({ id, weight = 1 }, at) => {
        const less = checkInteger(weight, `group[${at}].weight`, 1, MAX_U16 + 1) - 1
        return {
          id: checkInteger(id, `group[${at}].id`, 1, MAX_U32),
          weight: less & MAX_U8,
          weightHigh: less >> 8,
          resvd2: 0,
        }
      }),
      groupType: spec.groupType === undefined ? undefined : groupTypes.number(spec.groupType, 'groupType'),
      blackhole,
      // The kernel gives a blackhole the loopback device itself, and refuses any that is asked for.
      dev: dev === undefined || blackhole === true ? undefined : index(dev, 'dev'),
      gateway,
      ...encapValues(spec.encap, 'encap'),
      fdb,
      resilient: resilient && {
        buckets: resilient.buckets,
        idleTimer: ticks(resilient.idleTimerS),
        unbalancedTimer: ticks(resilient.unbalancedTimerS),
      },
      unknown: spec.unknown,
    },
  )
}

const ticks = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.round(seconds * TICKS_PER_SECOND)

function familyOfNextHop({ family, gateway }: NextHopObjectSpec): Family {
  const found = gateway === undefined ? undefined : familyOf(parseAddress(gateway, 'gateway'))
  if (family !== undefined && found !== undefined && family !== found)
    throw new ConfigInvalid('gateway', gateway, `must be of the family that is given, which is ${family}`)
  return family ?? found ?? 'inet'
}

/** The nexthop in a message of the kernel. @throws {LibcontainerError} `EPROTO` */
export function decodeNextHop(payload: Uint8Array): NextHop {
  needBytes(payload.length, nextHopHeader.size)
  const header = nextHopHeader.read(viewOf(payload), payload.byteOffset, payload.length)
  const values = decodeAttributes(nextHopAttributes, payload, nextHopHeader.size)
  const nextHop: NextHop = { id: values.id ?? 0, protocol: routeProtocols.word(header.protocol) }
  if (header.family === AF_INET) nextHop.family = 'inet'
  if (header.family === AF_INET6) nextHop.family = 'inet6'
  if (header.scope !== 0) nextHop.scope = routeScopes.word(header.scope)
  if (values.gateway !== undefined) nextHop.gateway = values.gateway
  if (values.dev !== undefined) nextHop.dev = values.dev
  if ((header.flags & ONLINK) !== 0) nextHop.onlink = true
  if (values.blackhole === true) nextHop.blackhole = true
  if (values.fdb === true) nextHop.fdb = true
  if (values.group !== undefined) {
    nextHop.group = values.group.map(({ id = 0, weight = 0, weightHigh = 0 }) => ({
      id,
      weight: (weight | (weightHigh << 8)) + 1,
    }))
    nextHop.groupType = groupTypes.word(values.groupType ?? 0)
  }
  if (values.resilient !== undefined) {
    const { buckets, idleTimer, unbalancedTimer, unbalancedTime } = values.resilient
    const resilient: ResilientGroup = {}
    if (buckets !== undefined) resilient.buckets = buckets
    if (idleTimer !== undefined) resilient.idleTimerS = idleTimer / TICKS_PER_SECOND
    if (unbalancedTimer !== undefined) resilient.unbalancedTimerS = unbalancedTimer / TICKS_PER_SECOND
    if (unbalancedTime !== undefined) resilient.unbalancedTimeS = unbalancedTime / TICKS_PER_SECOND
    nextHop.resilient = resilient
  }
  const encap = readEncap(values.encapType, values.encap)
  if (encap !== undefined) nextHop.encap = encap
  const flags = routeFlags.words(header.flags)
  if (flags.length > 0) nextHop.flags = flags
  if (values.unknown !== undefined) nextHop.unknown = values.unknown
  return nextHop
}

/** Nexthop objects of a network namespace: ip-nexthop(8). Linux 5.3. */
export class NextHops {
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** All that fit, at once. @throws {SyscallError} `ENODEV` for a name that no link has */
  async list({ dev, master, ...filter }: NextHopFilter = {}): Promise<DumpedList<NextHop>> {
    const index = await linkIndexes(this.#socket, { dev, master }, filter)
    return this.#socket.list(
      dumpRequest({
        ...filter,
        dev: dev === undefined ? undefined : index(dev, 'dev'),
        master: master === undefined ? undefined : index(master, 'master'),
      }),
    )
  }

  /** {@link list} one by one, as the kernel tells them. @param filter - links by their numbers */
  dump(filter: NumberedFilter = {}): Dump<NextHop> {
    return this.#socket.dump(dumpRequest(filter))
  }

  /** One, by its id. @throws {SyscallError} `ENOENT` where there is none */
  async get(id: number, { signal }: Waiting = {}): Promise<NextHop> {
    const answer = await this.#socket.request({
      type: RTM_GETNEXTHOP,
      body: keyBody(id),
      about: `find the nexthop ${id}`,
      signal,
    })
    if (answer === undefined) throw protocolError('tells of no nexthop')
    return decodeNextHop(answer.payload)
  }

  /**
   * Makes one.
   *
   * @returns its id
   * @throws {ConfigInvalid} that names the field
   * @throws {SyscallError} `EEXIST` where there is one with this id, `ENETDOWN` where its link is down
   */
  async add(nextHop: NextHopObjectSpec, waiting: Waiting = {}): Promise<number> {
    return this.#make(nextHop, NLM_F_CREATE | NLM_F_EXCL, 'add', waiting)
  }

  /** Makes one, or changes the one with this id, whose routes then lead by it. @returns its id */
  async replace(nextHop: NextHopObjectSpec, waiting: Waiting = {}): Promise<number> {
    return this.#make(nextHop, NLM_F_CREATE | NLM_F_REPLACE, 'replace', waiting)
  }

  /** Deletes one, and all routes that lead by it. @throws {SyscallError} `ENOENT` where there is none */
  async delete(id: number, { signal }: Waiting = {}): Promise<void> {
    await this.#socket.request({ type: RTM_DELNEXTHOP, body: keyBody(id), about: `delete the nexthop ${id}`, signal })
  }

  async #make(spec: NextHopObjectSpec, flags: number, act: string, { signal }: Waiting): Promise<number> {
    nextHopBody(spec, anyLink)
    const index = await linkIndexes(this.#socket, { dev: spec.dev }, { signal })
    const answer = await this.#socket.request({
      type: RTM_NEWNEXTHOP,
      // Where the kernel chooses the id it has to tell: it sends whoever asks for an echo what it has made.
      flags: spec.id === undefined ? flags | NLM_F_ECHO : flags,
      body: nextHopBody(spec, index),
      about: `${act} the nexthop${spec.id === undefined ? '' : ` ${spec.id}`}`,
      signal,
    })
    const id = spec.id ?? (answer?.type === RTM_NEWNEXTHOP ? decodeNextHop(answer.payload).id : undefined)
    if (id === undefined) throw protocolError('does not tell the id of the nexthop')
    return id
  }
}

type NumberedFilter = NextHopFilter & { dev?: number | undefined; master?: number | undefined }

/** Before links are looked up: what cannot be is told of without asking the kernel anything. */
const anyLink = (): number => 1

function keyBody(id: number): MessageBody {
  return messageBody(nextHopHeader, {}, nextHopAttributes, { id: checkInteger(id, 'id', 1, MAX_U32) })
}

function dumpRequest({ dev, master, groups, fdb, signal }: NumberedFilter): DumpRequest<NextHop> {
  return {
    type: RTM_GETNEXTHOP,
    body: messageBody(nextHopHeader, {}, nextHopAttributes, { dev, groups, master, fdb }),
    about: 'list the nexthops',
    map: ({ payload }) => decodeNextHop(payload),
    signal,
  }
}
