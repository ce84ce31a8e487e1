import { ConfigInvalid, randomBytes } from '@libcontainer/sys'

/** Bytes of an Ethernet address: ETH_ALEN. */
export const MAC_LENGTH = 6

/**
 * The bytes of a link-layer address.
 *
 * @param text - `02:42:ac:11:00:02`, `02-42-ac-11-00-02` or `0242.ac11.0002`, in either case
 * @param length - in bytes: 6 for Ethernet, 20 for InfiniBand
 * @throws {ConfigInvalid} that names `field`
 */
export function parseMac(text: string, field = 'mac', length = MAC_LENGTH): Uint8Array<ArrayBuffer> {
  const digits = typeof text === 'string' ? hexDigits(text) : undefined
  if (digits === undefined || digits.length !== length * 2)
    throw new ConfigInvalid(field, text, `must be a link-layer address of ${length} bytes such as ${example(length)}`)
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16)
  return bytes
}

/** {@link parseMac}, of one that a device can have: the kernel answers EADDRNOTAVAIL for a multicast one and for zeros. */
export function parseUnicastMac(text: string, field = 'mac', length = MAC_LENGTH): Uint8Array<ArrayBuffer> {
  const bytes = parseMac(text, field, length)
  if (length === MAC_LENGTH && !isUnicastMac(bytes))
    throw new ConfigInvalid(field, text, 'must be the address of one device: neither a multicast one nor all zeros')
  return bytes
}

/** A link-layer address of whatever length as ip(8) writes it: `02:42:ac:11:00:02`. */
export function formatMac(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at++) text += at === 0 ? HEX[bytes[at]!]! : `:${HEX[bytes[at]!]!}`
  return text
}

/** Whether a device may have this Ethernet address: the group bit is clear, and some bit is set. */
export function isUnicastMac(bytes: Uint8Array): boolean {
  return (bytes[0]! & 1) === 0 && bytes.some(byte => byte !== 0)
}

/** A random address of one device: locally administered, so that it is no manufacturer's (IEEE 802, section 8.4). */
export function randomMac(): string {
  const bytes = randomBytes(MAC_LENGTH)
  bytes[0] = (bytes[0]! & 0xfe) | 0x02
  return formatMac(bytes)
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hexDigits(text: string): string | undefined {
  if (/^[0-9a-f]{2}(:[0-9a-f]{2})+$/i.test(text)) return text.replaceAll(':', '')
  if (/^[0-9a-f]{2}(-[0-9a-f]{2})+$/i.test(text)) return text.replaceAll('-', '')
  if (/^[0-9a-f]{4}(\.[0-9a-f]{4})+$/i.test(text)) return text.replaceAll('.', '')
  return undefined
}

function example(length: number): string {
  return formatMac(Uint8Array.from({ length }, (_, at) => [0x02, 0x42, 0xac, 0x11, 0x00, 0x02][at % 6]!))
}
