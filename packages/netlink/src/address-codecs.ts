import { ConfigInvalid } from '@libcontainer/sys'
import { addressBytes, formatAddress, parseAddress } from './address-text.js'
import type { Codec } from './codec.js'
import { formatMac, parseMac } from './mac.js'
import { protocolError } from './wire.js'

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

/** An address of a link layer as text: six bytes of Ethernet, else as many as it has. */
export const mac: Codec<string> = {
  write(to, value, field) {
    const length = typeof value === 'string' ? value.replaceAll(/[^0-9a-fA-F]/g, '').length / 2 : 0
    to.append(parseMac(value, field, Number.isInteger(length) && length > 0 && length <= 32 ? length : 6))
  },
  read: (view, at, size) => formatMac(new Uint8Array(view.buffer, at, size)),
}

/** A link-layer address where that may be one of IP, as of tunnels: text of both. */
export const linkLayerAddress: Codec<string> = {
  write(to, value, field) {
    if (typeof value !== 'string') throw new ConfigInvalid(field, value, 'must be a string')
    const address = addressBytes(value)
    if (address === undefined) mac.write(to, value, field)
    else to.append(address)
  },
  read: mac.read,
}
