import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import type { PageServer } from './options.js'

/** Reads `ADDRESS:PORT`; an IPv6 address stands in brackets. Pure. @throws {ConfigInvalid} without a port, or with none from 1 to 65535 */
export function parsePageServer(text: string, field = 'pageServer'): PageServer {
  const found = /^(\[[^[\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(text)
  if (found === null)
    throw new ConfigInvalid(field, text, 'must be ADDRESS:PORT, with an IPv6 address in brackets: [::1]:27')
  const server = { address: bareAddress(found[1]!), port: Number(found[2]) }
  checkPageServer(server, field)
  return server
}

/** Refuses an address that is empty, and a port that is none. */
export function checkPageServer({ address, port }: PageServer, field = 'pageServer'): void {
  if (kernelString(address, `${field}.address`) === '')
    throw new ConfigInvalid(`${field}.address`, address, 'must be an address')
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new ConfigInvalid(`${field}.port`, port, 'must be a port from 1 to 65535')
}

/** The address as CRIU takes it: an IPv6 address stands without brackets. Pure. */
export const bareAddress = (address: string): string => /^\[(.*)\]$/.exec(address)?.[1] ?? address
