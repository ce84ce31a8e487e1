import {
  checkLinkName,
  networkOf,
  type Prefix,
  parseAddress,
  parseCidr,
  parseUnicastMac,
  prefixHolds,
} from '@libcontainer/netlink/text'
import { ConfigInvalid } from '@libcontainer/sys'
import type { InterfaceSettings } from './types.js'

/** ETH_MIN_MTU, and what an IP packet can have. */
const MTU = { low: 68, high: 65535 }
/** RFC 8200, section 5: on a link of less the kernel turns IPv6 off. */
const IPV6_MIN_MTU = 1280

type Fields = Readonly<Record<string, unknown>>

/** @throws {ConfigInvalid} for anything but an object of these fields */
export function checkFields(value: unknown, field: string, names: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigInvalid(field, value, 'must be an object')
  for (const [name, given] of Object.entries(value)) {
    if (given !== undefined && !names.includes(name))
      throw new ConfigInvalid(`${field}.${name}`, given, `is no such field; there are ${names.join(', ')}`)
  }
  return value as Fields
}

/** @throws {ConfigInvalid} for anything but a whole number in the range */
export function checkNumber(value: unknown, field: string, low: number, high: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high)
    throw new ConfigInvalid(field, value, `must be a whole number from ${low} to ${high}`)
}

export const checkMtu = (value: unknown, field: string): void => checkNumber(value, field, MTU.low, MTU.high)

export function checkChoice(value: unknown, field: string, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value as string))
    throw new ConfigInvalid(field, value, `must be one of ${choices.join(', ')}`)
}

export function checkFlag(value: unknown, field: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw new ConfigInvalid(field, value, 'must be true or false')
}

/** The name of a link of the host. @param what - `a bridge` */
export function checkHostLink(value: unknown, field: string, what: string): void {
  if (typeof value !== 'string' || value === '')
    throw new ConfigInvalid(field, value, `must be the name of ${what} of the host`)
  checkLinkName(value, field)
}

export const interfaceFields = [
  'type',
  'name',
  'macAddress',
  'address',
  'gateway',
  'ipv6Address',
  'ipv6Gateway',
  'mtu',
  'txQueueLen',
] as const

/** What all kinds of interfaces have. @throws {ConfigInvalid} for the first field that is wrong */
export function checkInterface(fields: Fields, at: string): void {
  const { name, macAddress, mtu, txQueueLen } = fields as unknown as InterfaceSettings
  if (name !== undefined) checkLinkName(name, `${at}.name`)
  if (name === 'lo') throw new ConfigInvalid(`${at}.name`, name, 'is the loopback, which the namespace has already')
  if (macAddress !== undefined) parseUnicastMac(macAddress, `${at}.macAddress`)
  checkMtu(mtu, `${at}.mtu`)
  checkNumber(txQueueLen, `${at}.txQueueLen`, 0, 0x7fffffff)
  checkAddressing(fields, at, { family: 'inet', address: 'address', gateway: 'gateway' })
  checkAddressing(fields, at, { family: 'inet6', address: 'ipv6Address', gateway: 'ipv6Gateway' })
  if (fields.ipv6Address !== undefined && mtu !== undefined && mtu < IPV6_MIN_MTU)
    throw new ConfigInvalid(`${at}.mtu`, mtu, `must be at least ${IPV6_MIN_MTU} with ipv6Address`)
}

interface Addressing {
  readonly family: Prefix['family']
  readonly address: 'address' | 'ipv6Address'
  readonly gateway: 'gateway' | 'ipv6Gateway'
}

const called = { inet: 'IPv4', inet6: 'IPv6' } as const

function checkAddressing(fields: Fields, at: string, { family, address, gateway }: Addressing): void {
  const own = fields[address]
  const way = fields[gateway]
  if (own !== undefined) {
    const prefix = parseCidr(own as string, `${at}.${address}`)
    if (prefix.family !== family) throw new ConfigInvalid(`${at}.${address}`, own, `must be of ${called[family]}`)
    checkUnicast(prefix.address, own, `${at}.${address}`)
  }
  if (way === undefined) return
  const bytes = parseAddress(way as string, `${at}.${gateway}`)
  if (bytes.length !== (family === 'inet' ? 4 : 16))
    throw new ConfigInvalid(`${at}.${gateway}`, way, `must be of ${called[family]}, as ${address} is`)
  checkUnicast(bytes, way, `${at}.${gateway}`)
  if (own === undefined && !(family === 'inet6' && isLinkLocal(bytes)))
    throw new ConfigInvalid(`${at}.${gateway}`, way, `needs ${address}: without one nothing is sent`)
}

/** The kernel answers EINVAL and EADDRNOTAVAIL: multicast, and no address at all. */
function checkUnicast(bytes: Uint8Array, value: unknown, field: string): void {
  const multicast = bytes.length === 4 ? bytes[0]! >= 0xe0 && bytes[0]! < 0xf0 : bytes[0] === 0xff
  const broadcast = bytes.length === 4 && bytes.every(byte => byte === 0xff)
  if (multicast || broadcast || bytes.every(byte => byte === 0))
    throw new ConfigInvalid(field, value, 'must be the address of one host')
}

/** fe80::/10, which every interface has without being given one. */
export const isLinkLocal = (bytes: Uint8Array): boolean => bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80

/** Whether a gateway is a neighbour by the prefix of an address: else the kernel has to be told that it is on the link. */
export function isNeighbour(address: string | undefined, gateway: string): boolean {
  const bytes = parseAddress(gateway)
  if (bytes.length === 16 && isLinkLocal(bytes)) return true
  return address !== undefined && prefixHolds(networkOf(parseCidr(address)), bytes)
}
