import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'
import { maskOf } from '../link/kinds/codecs.js'
import { MAX_LINK_NAME } from '../link/name.js'
import { checkFields, checkIndex } from '../link/values.js'
import type { ValuesOf } from '../message/attributes.js'
import { bytesOf, messageBody, type NetlinkRequest } from '../message/message.js'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../message/wire.js'
import { checkInteger, MAX_U8, MAX_U32 } from '../message/words.js'
import { type RouteScope, routeScopes } from '../route/words.js'
import { type AddressFlag, addressAttributes, addressHeader, FLAGS_OF, FOREVER, type Lifetime } from './address.js'
import { lastAddressOf, type Prefix, parsePrefix } from './prefix.js'
import { addressBytes, type Family, familyNumber, formatAddress } from './text.js'

export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
export const RTM_GETADDR = 22

export interface AddressOptions {
  /** The address at the other end of a point-to-point link, with the length of its prefix where that is not the whole. */
  peer?: string | undefined
  /** `false` for none. Default: the highest address of the network, of IPv4 with more than two addresses that are not the loopback's */
  broadcast?: string | false | undefined
  /** A name for the address, of IPv4 alone: that of the link, or that and a colon and more. */
  label?: string | undefined
  /** Default: `host` for the loopback's addresses of IPv4, else `global`. That of IPv6 is known by the address. */
  scope?: RouteScope | number | undefined
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
    ...(metric !== undefined && { priority: checkInteger(metric, 'metric', 0, MAX_U32) }),
    ...(protocol !== undefined && { protocol: checkInteger(protocol, 'protocol', 0, MAX_U8) }),
  }
  const header = {
    family: familyNumber(family),
    prefixLength,
    flags: flags & 0xff,
    scope: routeScopes.number(options.scope ?? (isLoopback(own) ? 'host' : 'global'), 'scope'),
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

/** Turns a request that was made for one link to another: the index stands at the end of struct ifaddrmsg. */
export function turnTo(index: number, { body }: NetlinkRequest): void {
  const bytes = bytesOf(body)
  for (let i = 0; i < 4; i++) bytes[4 + i] = checkIndex(index, 'link') >>> (8 * i)
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
    hints: { ...HINTS, EADDRNOTAVAIL: 'the link has no such address with this length and this peer' },
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

function checkLabel(label: string, family: Family): void {
  if (family !== 'inet') throw new ConfigInvalid('label', label, 'must not be there: addresses of IPv6 have none')
  const { length } = encodeUtf8(kernelString(label, 'label'))
  if (length === 0 || length > MAX_LINK_NAME)
    throw new ConfigInvalid('label', label, `must have 1 to ${MAX_LINK_NAME} bytes`)
}
