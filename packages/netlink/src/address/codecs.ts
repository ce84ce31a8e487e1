import { formatMac, parseMac } from '../link/mac.js'
import type { Codec } from '../message/codec.js'
import { protocolError } from '../message/wire.js'
import { addressBytes, type Family, formatAddress, parseAddress } from './text.js'

/** An address of IPv4 or IPv6 as text: how many bytes there are tells which. */
export const ip: Codec<string> = {
  write(to, value, field) {
    to.append(parseAddress(value, field))
  },
  read(view, at, size) {
    if (size !== 4 && size !== 16) throw protocolError(`has an address of ${size} bytes`)
    return formatAddress(new Uint8Array(view.buffer, at, size))
  },
}

/** An address of the family that its message tells. @throws {LibcontainerError} `EPROTO` for one of the other */
export function ofFamily(family: Family, address: string): string {
  if (address.includes(':') !== (family === 'inet6'))
    throw protocolError(`has the address ${address}, which is not of ${family}`)
  return address
}

/** Lengths of link-layer addresses: Ethernet's, EUI-64, InfiniBand's. */
const LENGTHS = [6, 8, 20]

/** An address of a link layer as text; whatever length it has is read. */
export const mac: Codec<string> = {
  write(to, value, field) {
    const digits = typeof value === 'string' ? value.replaceAll(/[^0-9a-fA-F]/g, '').length : 0
    to.append(
      parseMac(
        value,
        field,
        LENGTHS.find(length => length * 2 === digits),
      ),
    )
  },
  read: (view, at, size) => formatMac(new Uint8Array(view.buffer, at, size)),
}

/** A link-layer address where that may be one of IP, as that of a tunnel's end is: text of either. It is read as a MAC, since the bytes do not tell. */
export const linkLayerAddress: Codec<string> = {
  write(to, value, field) {
    const address = typeof value === 'string' ? addressBytes(value) : undefined
    if (address === undefined) mac.write(to, value, field)
    else to.append(address)
  },
  read: mac.read,
}
