import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'
import { ip } from './address-codecs.js'
import { addressBytes, type Family, familyNumber, formatAddress } from './address-text.js'
import { attributes, decodeAttributes, type UnknownAttribute, type ValuesOf } from './attributes.js'
import { string, struct, u8, u32 } from './codec.js'
import { ignored, maskOf, namesOf } from './link-kinds/codecs.js'
import { MAX_LINK_NAME } from './link-name.js'
import { checkFields, checkIndex } from './link-values.js'
import { messageBody, type NetlinkRequest } from './message.js'
import { lastAddressOf, type Prefix, parsePrefix } from './prefix.js'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, protocolError, viewOf } from './wire.js'

export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
export const RTM_GETADDR = 22

/** struct ifaddrmsg. */
const addressHeader = struct({ family: u8, prefixLength: u8, flags: u8, scope: u8, index: u32 }, { whole: true })
const HEADER = 8

/** IFA_*. */
const addressAttributes = attributes({
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

/** How far an address reaches: RT_SCOPE_*. */
export const SCOPES = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const
export type Scope = keyof typeof SCOPES

/** In seconds, or for good. */
export type Lifetime = number | 'forever'
const FOREVER = 0xffffffff

export interface AddressOptions {
  /** The address at the other end of a point-to-point link, with the length of its prefix where that is not the whole. */
  peer?: string | undefined
  /** `false` for none. Default: the highest address of the network, of IPv4 with more than two addresses that are not the loopback's */
  broadcast?: string | false | undefined
  /** A name for the address, of IPv4 alone: that of the link, or that and a colon and more. */
  label?: string | undefined
  /** Default: `host` for the loopback's addresses of IPv4, else `global`. That of IPv6 is known by the address. */
  scope?: Scope | number | undefined
  /** Those that can be given: `nodad`, `optimistic`, `homeaddress`, `managetempaddr`, `noprefixroute`, `mcautojoin`. */
  flags?: readonly AddressFlag[] | undefined
  /** How long it stays. Default: `forever` */
  validLifetime?: Lifetime | undefined
  /** How long new connections use it. Default: `validLifetime` */
  preferredLifetime?: Lifetime | undefined
  /** Of the route to its network. */
  metric?: number | undefined
  /** Who made it: a number of /etc/iproute2/rt_addrprotos. Since Linux 5.18. */
  protocol?: number | undefined
}

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
  readonly scope: Scope | number
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

const OPTIONS: readonly (keyof AddressOptions)[] = [
  'peer',
  'broadcast',
  'label',
  'scope',
  'flags',
  'validLifetime',
  'preferredLifetime',
  'metric',
  'protocol',
]

const HINTS = {
  EPERM: 'addresses are changed with CAP_NET_ADMIN in the user namespace that the network namespace belongs to',
  EEXIST: 'the link has this address already: replace it, or leave it',
  ENODEV: 'no link has this index in this namespace',
  EADDRNOTAVAIL: 'the link has no such address with this length and this peer',
}

/**
 * Gives a link an address.
 *
 * @param index - of the link
 * @param address - `192.0.2.1/24`; without a length it stands alone
 * @param how - `add` refuses one that is there, `replace` changes it
 * @throws {ConfigInvalid} by field
 */
export function addAddress(
  index: number,
  address: string,
  options: AddressOptions = {},
  how: 'add' | 'replace' = 'add',
): NetlinkRequest {
  checkFields(options, OPTIONS)
  const own = parsePrefix(address, 'address')
  const { family } = own
  const { label, metric, protocol } = options
  if (label !== undefined) checkLabel(label, family)
  const flags = flagsOf(options.flags, family)
  const { prefixLength, values } = target(own, options.peer)
  const broadcast = broadcastOf(own, options)
  const cacheinfo = lifetimesOf(options)
  const all: ValuesOf<typeof addressAttributes> = {
    ...values,
    ...(label !== undefined && { label }),
    ...(broadcast !== undefined && { broadcast }),
    ...(cacheinfo !== undefined && { cacheinfo }),
    ...(flags !== 0 && { flags }),
    ...(metric !== undefined && { priority: checkNumber(metric, 0xffffffff, 'metric') }),
    ...(protocol !== undefined && { protocol: checkNumber(protocol, 0xff, 'protocol') }),
  }
  const header = {
    family: familyNumber(family),
    prefixLength,
    flags: flags & 0xff,
    scope: scopeOf(options.scope, own),
    index: checkIndex(index, 'link'),
  }
  return {
    type: RTM_NEWADDR,
    flags: how === 'add' ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE | NLM_F_REPLACE,
    body: messageBody(addressHeader, header, addressAttributes, all),
    about: `${how} the address ${address}`,
    path: address,
    hints: HINTS,
  }
}

/** Takes an address away. Its length and its peer are part of it. */
export function deleteAddress(
  index: number,
  address: string,
  { peer, label }: Pick<AddressOptions, 'peer' | 'label'> = {},
): NetlinkRequest {
  const own = parsePrefix(address, 'address')
  if (label !== undefined) checkLabel(label, own.family)
  const { prefixLength, values } = target(own, peer)
  const header = { family: familyNumber(own.family), prefixLength, index: checkIndex(index, 'link') }
  return {
    type: RTM_DELADDR,
    body: messageBody(addressHeader, header, addressAttributes, { ...values, ...(label !== undefined && { label }) }),
    about: `delete the address ${address}`,
    path: address,
    hints: HINTS,
  }
}

export function listAddresses({
  family,
  index,
}: {
  family?: Family | undefined
  index?: number | undefined
} = {}): NetlinkRequest {
  const header = {
    family: family === undefined ? 0 : familyNumber(family),
    index: index === undefined ? 0 : checkIndex(index, 'link'),
  }
  return { type: RTM_GETADDR, body: messageBody(addressHeader, header), about: 'list the addresses', hints: HINTS }
}

/** The address that a message of type RTM_NEWADDR or RTM_DELADDR tells of; `undefined` of another family. @throws {LibcontainerError} `EPROTO` */
export function parseAddressMessage(payload: Uint8Array): Address | undefined {
  const header = addressHeader.read(viewOf(payload), payload.byteOffset, payload.length)
  const family: Family | undefined =
    header.family === familyNumber('inet') ? 'inet' : header.family === familyNumber('inet6') ? 'inet6' : undefined
  if (family === undefined) return undefined
  const all = decodeAttributes(addressAttributes, payload, HEADER)
  const own = all.local ?? all.address
  if (own === undefined) return undefined
  if (own.includes(':') !== (family === 'inet6'))
    throw protocolError(`has the address ${own}, which is not of ${family}`)
  const { preferred = FOREVER, valid = FOREVER, created, updated } = all.cacheinfo ?? {}
  return {
    family,
    link: header.index,
    address: own,
    prefixLength: header.prefixLength,
    peer: all.address === own ? undefined : all.address,
    broadcast: all.broadcast,
    anycast: all.anycast,
    label: all.label,
    scope: SCOPE_NAMES.get(header.scope) ?? header.scope,
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

const SCOPE_NAMES = new Map(Object.entries(SCOPES).map(([name, number]) => [number as number, name as Scope]))

const FLAGS_OF: Readonly<Record<Family, Readonly<Record<string, number>>>> = {
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

/** IFA_LOCAL is the address, IFA_ADDRESS that of the peer, or the same where there is none; the length is that of the latter. */
function target(
  own: Prefix,
  peer: string | undefined,
): { prefixLength: number; values: ValuesOf<typeof addressAttributes> } {
  const local = formatAddress(own.address)
  if (peer === undefined) return { prefixLength: own.length, values: { local, address: local } }
  const other = parsePrefix(peer, 'peer')
  if (other.family !== own.family)
    throw new ConfigInvalid('peer', peer, `must be of the family of the address ${local}`)
  return { prefixLength: other.length, values: { local, address: formatAddress(other.address) } }
}

function broadcastOf(own: Prefix, { broadcast, peer }: AddressOptions): string | undefined {
  if (broadcast === false) return undefined
  if (broadcast !== undefined) {
    if (own.family !== 'inet' || addressBytes(broadcast)?.length !== 4)
      throw new ConfigInvalid('broadcast', broadcast, 'must be an IPv4 address, of an address of IPv4')
    return broadcast
  }
  const has = own.family === 'inet' && peer === undefined && own.length > 0 && own.length < 31 && !isLoopback(own)
  return has ? formatAddress(lastAddressOf(own)) : undefined
}

function scopeOf(scope: Scope | number | undefined, own: Prefix): number {
  if (scope === undefined) return isLoopback(own) ? SCOPES.host : SCOPES.global
  const number = typeof scope === 'number' ? scope : Object.hasOwn(SCOPES, scope) ? SCOPES[scope] : undefined
  if (number === undefined || !Number.isInteger(number) || number < 0 || number > 255)
    throw new ConfigInvalid(
      'scope',
      scope,
      `must be one of ${Object.keys(SCOPES).join(', ')}, or a number from 0 to 255`,
    )
  return number
}

function isLoopback({ family, address }: Prefix): boolean {
  return family === 'inet' && address[0] === 127
}

function flagsOf(flags: readonly AddressFlag[] | undefined, family: Family): number {
  if (flags === undefined) return 0
  const mask = maskOf(FLAGS_OF[family], flags as readonly string[], 'flags')
  const told = flags.findIndex(flag => TOLD.has(flag))
  if (told >= 0) throw new ConfigInvalid(`flags[${told}]`, flags[told], 'is told by the kernel, and cannot be given')
  return mask
}
const TOLD: ReadonlySet<string> = new Set<AddressFlag>([
  'secondary',
  'temporary',
  'dadfailed',
  'deprecated',
  'tentative',
  'permanent',
  'stable_privacy',
])

function lifetimesOf({
  validLifetime,
  preferredLifetime,
}: AddressOptions): { preferred: number; valid: number } | undefined {
  if (validLifetime === undefined && preferredLifetime === undefined) return undefined
  const valid = seconds(validLifetime ?? 'forever', 'validLifetime', 1)
  const preferred = seconds(preferredLifetime ?? validLifetime ?? 'forever', 'preferredLifetime', 0)
  if (preferred > valid)
    throw new ConfigInvalid('preferredLifetime', preferredLifetime, 'must not be longer than validLifetime')
  return { preferred, valid }
}

function seconds(lifetime: Lifetime, field: string, least: number): number {
  if (lifetime === 'forever') return FOREVER
  if (!Number.isInteger(lifetime) || lifetime < least || lifetime >= FOREVER)
    throw new ConfigInvalid(
      field,
      lifetime,
      `must be a whole number of seconds from ${least} to ${FOREVER - 1}, or forever`,
    )
  return lifetime
}

function checkNumber(value: number, most: number, field: string): number {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new ConfigInvalid(field, value, `must be a whole number from 0 to ${most}`)
  return value
}

function checkLabel(label: string, family: Family): void {
  if (family !== 'inet') throw new ConfigInvalid('label', label, 'must not be there: addresses of IPv6 have none')
  const { length } = encodeUtf8(kernelString(label, 'label'))
  if (length === 0 || length > MAX_LINK_NAME)
    throw new ConfigInvalid('label', label, `must have 1 to ${MAX_LINK_NAME} bytes`)
}
