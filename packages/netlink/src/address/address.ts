import { ignored, namesOf } from '../link/kinds/codecs.js'
import { attributes, type UnknownAttribute } from '../message/attributes.js'
import { string, struct, u8, u32 } from '../message/codec.js'
import { readBody } from '../message/message.js'
import { type RouteScope, routeScopes } from '../route/words.js'
import { ip, ofFamily } from './codecs.js'
import { type Family, familyWord } from './text.js'

/** struct ifaddrmsg. */
export const addressHeader = struct({ family: u8, prefixLength: u8, flags: u8, scope: u8, index: u32 }, { whole: true })

/** IFA_*. */
export const addressAttributes = attributes({
  address: [1, ip],
  local: [2, ip],
  label: [3, string],
  broadcast: [4, ip],
  anycast: [5, ip],
  cacheinfo: [6, struct({ preferred: u32, valid: u32, created: u32, updated: u32 })],
  multicast: [7, ip],
  flags: [8, u32],
  priority: [9, u32],
  targetNetnsid: [10, ignored],
  protocol: [11, u8],
})

/** IFA_F_*. The first bit of IPv4 is `secondary`, of IPv6 `temporary`. */
export const ADDRESS_FLAGS = {
  secondary: 0x1,
  nodad: 0x2,
  optimistic: 0x4,
  dadfailed: 0x8,
  homeaddress: 0x10,
  deprecated: 0x20,
  tentative: 0x40,
  permanent: 0x80,
  managetempaddr: 0x100,
  noprefixroute: 0x200,
  mcautojoin: 0x400,
  stable_privacy: 0x800,
} as const
export type AddressFlag = keyof typeof ADDRESS_FLAGS | 'temporary'

/** In seconds, or for good. */
export type Lifetime = number | 'forever'
export const FOREVER = 0xffffffff

/** An address of a link as the kernel tells of it. */
export interface Address {
  readonly family: Family
  /** The index of the link. */
  readonly link: number
  readonly address: string
  /** In bits: with a peer it is that of the peer's prefix. */
  readonly prefixLength: number
  readonly peer?: string | undefined
  readonly broadcast?: string | undefined
  readonly anycast?: string | undefined
  readonly label?: string | undefined
  /** How far it reaches. */
  readonly scope: RouteScope | number
  readonly flags: readonly (AddressFlag | number)[]
  readonly validLifetime: Lifetime
  readonly preferredLifetime: Lifetime
  /** When it was made and changed, in hundredths of a second since the machine started. */
  readonly created?: number | undefined
  readonly updated?: number | undefined
  readonly metric?: number | undefined
  readonly protocol?: number | undefined
  readonly unknown?: readonly UnknownAttribute[] | undefined
}

/** The address that a message of type RTM_NEWADDR or RTM_DELADDR tells of; `undefined` of another family. @throws {LibcontainerError} `EPROTO` */
export function parseAddressMessage(payload: Uint8Array): Address | undefined {
  const { header, attributes: all } = readBody(addressHeader, addressAttributes, payload)
  const family = familyWord(header.family)
  if (family === undefined) return undefined
  const own = all.local ?? all.address
  if (own === undefined) return undefined
  const { preferred = FOREVER, valid = FOREVER, created, updated } = all.cacheinfo ?? {}
  return {
    family,
    link: header.index,
    address: ofFamily(family, own),
    prefixLength: header.prefixLength,
    peer: all.address === own ? undefined : all.address,
    broadcast: all.broadcast,
    anycast: all.anycast,
    label: all.label,
    scope: routeScopes.word(header.scope),
    flags: flagNames(all.flags ?? header.flags, family),
    validLifetime: valid === FOREVER ? 'forever' : valid,
    preferredLifetime: preferred === FOREVER ? 'forever' : preferred,
    created,
    updated,
    metric: all.priority,
    protocol: all.protocol,
    unknown: all.unknown,
  }
}

/** By the family, whose first bit it is. */
export const FLAGS_OF: Readonly<Record<Family, Readonly<Record<string, number>>>> = {
  inet: ADDRESS_FLAGS,
  inet6: { temporary: ADDRESS_FLAGS.secondary, ...withoutSecondary() },
}

function withoutSecondary(): Record<string, number> {
  const { secondary, ...rest } = ADDRESS_FLAGS
  return rest
}

const lists = new Map<number, readonly (AddressFlag | number)[]>()

/** The list is shared: most addresses have the same. */
function flagNames(flags: number, family: Family): readonly (AddressFlag | number)[] {
  const key = family === 'inet' ? flags : -1 - flags
  let list = lists.get(key)
  if (list === undefined) {
    list = Object.freeze(namesOf(FLAGS_OF[family], flags) as (AddressFlag | number)[])
    if (lists.size < 256) lists.set(key, list)
  }
  return list
}
