import { ConfigInvalid } from '@libcontainer/sys'
import { type Family, familyNumber, familyOf, familyWord, parseAddress } from '../address/text.js'
import { type LinkIndex, numbered } from '../link/index-of.js'
import type { LinkReference } from '../link/options.js'
import { checkFields } from '../link/values.js'
import {
  attributes,
  counter,
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
} from '../message/attributes.js'
import { type MessageBody, messageBody, readBody } from '../message/message.js'
import { checkInteger, MAX_U8, MAX_U16, MAX_U32, TICKS_PER_SECOND, type WordOf, Words } from '../message/words.js'
import { encapValues, type RouteEncap, readEncap } from './route.js'
import {
  ONLINK,
  putFlags,
  type RouteFlag,
  type RouteProtocol,
  type RouteScope,
  routeProtocols,
  routeScopes,
} from './words.js'

/** struct nhmsg of linux/nexthop.h. */
export const nextHopHeader = struct({ family: u8, scope: u8, protocol: u8, resvd: u8, flags: u32 }, { whole: true })

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
export const nextHopAttributes = attributes({
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

const FIELDS: readonly (keyof NextHop)[] = [
  'id',
  'family',
  'gateway',
  'dev',
  'onlink',
  'blackhole',
  'fdb',
  'group',
  'groupType',
  'resilient',
  'encap',
  'protocol',
  'scope',
  'flags',
  'unknown',
]

/** The message that makes a nexthop. @param index - the number of the link. @throws {ConfigInvalid} that names the field */
export function nextHopBody(spec: NextHopObjectSpec, index: LinkIndex = numbered): MessageBody {
  checkFields(spec, FIELDS)
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
      protocol: routeProtocols.number(spec.protocol ?? 'boot', 'protocol'),
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
      groupType: groupTypes.number(spec.groupType, 'groupType'),
      blackhole,
      // The kernel gives a blackhole the loopback device itself, and refuses any that is asked for.
      dev: blackhole === true ? undefined : index(dev, 'dev'),
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
  const { header, attributes: values } = readBody(nextHopHeader, nextHopAttributes, payload)
  const nextHop: NextHop = { id: values.id ?? 0, protocol: routeProtocols.word(header.protocol) }
  const family = familyWord(header.family)
  if (family !== undefined) nextHop.family = family
  if (header.scope !== 0) nextHop.scope = routeScopes.word(header.scope)
  if (values.gateway !== undefined) nextHop.gateway = values.gateway
  if (values.dev !== undefined) nextHop.dev = values.dev
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
  putFlags(nextHop, header.flags)
  if (values.unknown !== undefined) nextHop.unknown = values.unknown
  return nextHop
}
