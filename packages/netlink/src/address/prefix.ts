import { ConfigInvalid } from '@libcontainer/sys'
import { addressBytes, type Family, familyOf, formatAddress } from './text.js'

/** An address and the number of its bits that name the network. The bits behind them may be set: an interface's address has them. */
export interface Prefix {
  family: Family
  /** 4 or 16 bytes, in network order. */
  address: Uint8Array<ArrayBuffer>
  /** In bits: 0 to 32, or to 128. */
  length: number
}

/**
 * A prefix as text: `192.0.2.1/24`, `2001:db8::/32`.
 *
 * @param text - without a slash it is the whole address, /32 or /128
 * @throws {ConfigInvalid} that names `field`
 */
export function parsePrefix(text: string, field = 'prefix'): Prefix {
  const parts = typeof text === 'string' ? text.split('/') : []
  const address = parts.length === 1 || parts.length === 2 ? addressBytes(parts[0]!) : undefined
  if (address === undefined)
    throw new ConfigInvalid(
      field,
      text,
      'must be an address and a length in bits, such as 192.0.2.1/24 or 2001:db8::1/64',
    )
  const bits = address.length * 8
  const written = parts[1] ?? String(bits)
  if (!/^(0|[1-9][0-9]{0,2})$/.test(written) || Number(written) > bits)
    throw new ConfigInvalid(field, text, `must have a length of 0 to ${bits} bits behind the slash`)
  return { family: familyOf(address), address, length: Number(written) }
}

/** {@link parsePrefix}, with the length said: classic configs and CIDR ask for it. */
export function parseCidr(text: string, field = 'prefix'): Prefix {
  const prefix = parsePrefix(text, field)
  if (!text.includes('/'))
    throw new ConfigInvalid(field, text, 'must have a length in bits behind a slash, such as /24')
  return prefix
}

/** `192.0.2.1/24`. */
export function formatPrefix({ address, length }: Pick<Prefix, 'address' | 'length'>): string {
  return `${formatAddress(address)}/${length}`
}

/** The network's own prefix: the bits behind the length cleared, which a route's destination must have (the kernel answers EINVAL). */
export function networkOf(prefix: Prefix): Prefix {
  return { ...prefix, address: filled(prefix, 0) }
}

/** The highest address of a network: of IPv4 the broadcast address. */
export function lastAddressOf(prefix: Prefix): Uint8Array<ArrayBuffer> {
  return filled(prefix, 0xff)
}

/** Whether an address (4 or 16 bytes) lies in a prefix. Those of the other family never do. */
export function prefixHolds({ address, length }: Prefix, other: Uint8Array): boolean {
  if (address.length !== other.length) return false
  for (let at = 0; at * 8 < length; at++) {
    const mask = hostMask(length, at) ^ 0xff
    if (((address[at]! ^ other[at]!) & mask) !== 0) return false
  }
  return true
}

function filled({ address, length }: Prefix, host: 0 | 0xff): Uint8Array<ArrayBuffer> {
  return address.map((byte, at) => {
    const mask = hostMask(length, at)
    return (byte & ~mask) | (host & mask)
  })
}

/** The bits of the byte at `at` that lie behind the length. */
function hostMask(length: number, at: number): number {
  return 0xff >> Math.min(Math.max(length - at * 8, 0), 8)
}
