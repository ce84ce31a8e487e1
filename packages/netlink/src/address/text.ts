import { ConfigInvalid } from '@libcontainer/sys'

/** An address family by the words of ip(8). */
export type Family = 'inet' | 'inet6'

/** AF_INET and AF_INET6 of Linux. */
export const AF_INET = 2
export const AF_INET6 = 10

/** The number of a family as headers of rtnetlink carry it. @throws {ConfigInvalid} that names `field` for another word */
export function familyNumber(family: Family, field = 'family'): number {
  if (family !== 'inet' && family !== 'inet6') throw new ConfigInvalid(field, family, 'must be inet or inet6')
  return family === 'inet' ? AF_INET : AF_INET6
}

/** The family with a number; `undefined` for what is neither. */
export function familyWord(number: number | undefined): Family | undefined {
  if (number === AF_INET) return 'inet'
  return number === AF_INET6 ? 'inet6' : undefined
}

/** The address of a family that is none: all zeros. */
export const noAddress = (family: Family): string => (family === 'inet' ? '0.0.0.0' : '::')

/** The family that an address of so many bytes belongs to. */
export function familyOf(address: Uint8Array): Family {
  return address.length === 4 ? 'inet' : 'inet6'
}

/**
 * The bytes of an address, 4 or 16, in network order.
 *
 * @param text - `192.0.2.1`, or any of the forms of RFC 4291, section 2.2: `2001:db8::1`, `::ffff:192.0.2.1`
 * @throws {ConfigInvalid} that names `field`: also for a zone (`fe80::1%eth0`), which rtnetlink has beside the address, and for an octet with
 *   a leading zero, which some read as octal
 */
export function parseAddress(text: string, field = 'address'): Uint8Array<ArrayBuffer> {
  const bytes = typeof text === 'string' ? addressBytes(text) : undefined
  if (bytes === undefined)
    throw new ConfigInvalid(field, text, 'must be an IPv4 or IPv6 address such as 192.0.2.1 or 2001:db8::1')
  return bytes
}

/** The bytes of an address of either family, or `undefined` for what is none. */
export function addressBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  return text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text)
}

/**
 * An address as text: dotted, or as RFC 5952 asks, which is the form of ip(8).
 *
 * @param bytes - 4 or 16 of them, in network order
 */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return formatIpv4(bytes, 0)
  if (bytes.length === 16) return formatIpv6(bytes)
  throw new ConfigInvalid('address', [...bytes], 'must have 4 or 16 bytes')
}

const MOST_V4 = '255.255.255.255'.length
const MOST_V6 = 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255'.length

function ipv4Bytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(4)
  return readIpv4(text, 0, bytes, 0) ? bytes : undefined
}

const [ZERO, NINE, DOT] = [48, 57, 46]

/** Reads a dotted address that begins at `from` and takes the rest of the text. */
function readIpv4(text: string, from: number, into: Uint8Array, at: number): boolean {
  if (text.length - from > MOST_V4) return false
  let part = 0
  let digits = 0
  let octet = 0
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === DOT) {
      if (digits === 0 || part === 3) return false
      into[at + part++] = octet
      digits = octet = 0
      continue
    }
    if (code < ZERO || code > NINE || (digits > 0 && octet === 0)) return false
    octet = octet * 10 + code - ZERO
    if (octet > 255) return false
    digits++
  }
  into[at + part] = octet
  return part === 3 && digits > 0
}

function ipv6Bytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length > MOST_V6) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? groups(halves[1]!, true) : []
  if (head === undefined || tail === undefined) return undefined
  const given = head.length + tail.length
  // `::` stands for one group of zeros at least: RFC 4291, section 2.2.
  if (halves.length === 1 ? given !== 8 : given > 7) return undefined
  const bytes = new Uint8Array(16)
  const put = (group: number, at: number) => {
    bytes[at * 2] = group >> 8
    bytes[at * 2 + 1] = group & 0xff
  }
  head.forEach(put)
  tail.forEach((group, index) => {
    put(group, 8 - tail.length + index)
  })
  return bytes
}

/** The groups of a part of an IPv6 address, whose end may be a dotted IPv4 address where it is the end of the whole. */
function groups(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const found: number[] = []
  for (let each = 0; each < parts.length; each++) {
    const part = parts[each]!
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      found.push(Number.parseInt(part, 16))
      continue
    }
    const four = last && each === parts.length - 1 ? ipv4Bytes(part) : undefined
    if (four === undefined) return undefined
    found.push((four[0]! << 8) | four[1]!, (four[2]! << 8) | four[3]!)
  }
  return found
}

/** What addresses begin with that are near each other, by the third byte: made anew for each it took a fifth of the time of reading a route. */
const begins: { readonly three: number; readonly text: string }[] = []

/** Of four bytes from a place on. */
export function formatIpv4(bytes: Uint8Array, at: number): string {
  const three = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
  let begin = begins[three & 0xff]
  if (begin?.three !== three) {
    begin = { three, text: `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.` }
    begins[three & 0xff] = begin
  }
  return begin.text + bytes[at + 3]
}

function formatIpv6(bytes: Uint8Array): string {
  // The longest run of two or more groups of zeros, the first of equals: RFC 5952, section 4.2.
  let start = -1
  let length = 1
  for (let group = 0; group < 8; group++) {
    let run = 0
    while (group + run < 8 && bytes[(group + run) * 2] === 0 && bytes[(group + run) * 2 + 1] === 0) run++
    if (run > length) {
      start = group
      length = run
    }
    if (run > 1) group += run - 1
  }
  // An IPv4-mapped address is known by its prefix: section 5. (The C library writes the deprecated ::1.2.3.4 so, too, for which RFC 5952 has no rule.)
  if (start === 0 && length === 5 && bytes[10] === 0xff && bytes[11] === 0xff) return `::ffff:${formatIpv4(bytes, 12)}`
  let text = ''
  for (let group = 0; group < 8; group++) {
    if (group === start) {
      text += '::'
      group += length - 1
      continue
    }
    if (group > 0 && group !== start + length) text += ':'
    text += ((bytes[group * 2]! << 8) | bytes[group * 2 + 1]!).toString(16)
  }
  return text
}
