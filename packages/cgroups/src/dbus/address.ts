import { ConfigInvalid, decodeUtf8, encodeUtf8 } from '@libcontainer/sys'

/**
 * The sockets that an address of D-Bus names, as `connectUnix` takes them: `unix:path=/run/dbus/system_bus_socket;unix:abstract=x`. Other
 * transports are left out.
 *
 * @throws {ConfigInvalid} for what is no address
 */
export function unixSockets(address: string, field = 'address'): string[] {
  return address
    .split(';')
    .filter(Boolean)
    .flatMap(one => {
      const [, transport, rest] = /^([a-z-]+):(.*)$/.exec(one) ?? []
      if (transport === undefined)
        throw new ConfigInvalid(field, address, 'must be an address such as unix:path=/run/dbus/system_bus_socket')
      const keys = new Map(
        rest!
          .split(',')
          .filter(Boolean)
          .map(pair => {
            const at = pair.indexOf('=')
            if (at < 1) throw new ConfigInvalid(field, address, `has '${pair}', which is no key=value`)
            return [pair.slice(0, at), unescaped(pair.slice(at + 1))] as const
          }),
      )
      if (transport !== 'unix') return []
      const [path, abstract] = [keys.get('path'), keys.get('abstract')]
      return path !== undefined ? [path] : abstract !== undefined ? [`@${abstract}`] : []
    })
}

/** The address of a socket's path. */
export function addressOf(path: string): string {
  const bytes = Array.from(encodeUtf8(path), byte => {
    const letter = String.fromCharCode(byte)
    return /[-0-9A-Za-z_/.\\*]/.test(letter) ? letter : `%${byte.toString(16).padStart(2, '0')}`
  })
  return `unix:path=${bytes.join('')}`
}

/** `%2f` is a byte. */
function unescaped(text: string): string {
  if (!text.includes('%')) return text
  const bytes = text.match(/%[0-9A-Fa-f]{2}|[^%]/gs) ?? []
  return decodeUtf8(
    Uint8Array.from(
      bytes.flatMap(each => (each.length === 3 ? [Number.parseInt(each.slice(1), 16)] : [...encodeUtf8(each)])),
    ),
  )
}
