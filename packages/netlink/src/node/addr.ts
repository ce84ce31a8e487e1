import type { Address } from '../address/address.js'
import { Addresses } from '../address/addresses.js'
import { Links } from '../link/links.js'
import { type RouteScope, routeScopes } from '../route/words.js'
import { type LinkNames, linkNamed, nameLinks } from './link.js'
import type { AddrRequest } from './options.js'
import { show } from './output.js'
import { openIn } from './place.js'
import type { Column } from './table.js'

/** `addr`: the exit code. */
export async function addr(request: AddrRequest): Promise<number> {
  const { family, json } = request
  const fits = scopeFilter(request.scope)
  await using socket = await openIn(request.namespace)
  const links = await new Links(socket).list()
  const nameOf = nameLinks(links)
  const link = request.link === undefined ? undefined : linkNamed(links, request.link)
  const found = (await new Addresses(socket).list({ family, link })).filter(fits)
  if (json)
    await show(
      found.map(address => ({ ...address, linkName: nameOf(address.link) })),
      [],
      true,
    )
  else await show(found, addressColumns(nameOf), false)
  return 0
}

/** Pure. @throws {ConfigInvalid} for a word that is none */
export function scopeFilter(scope: string | undefined): (address: Pick<Address, 'scope'>) => boolean {
  if (scope === undefined) return () => true
  const wanted = routeScopes.number(/^\d{1,3}$/.test(scope) ? Number(scope) : (scope as RouteScope), '--scope')
  return address => routeScopes.number(address.scope, 'scope') === wanted
}

/** Pure. */
export function addressColumns(nameOf: LinkNames): Column<Address>[] {
  return [
    { heading: 'LINK', of: ({ link }) => nameOf(link) ?? `if${link}` },
    { heading: 'ADDRESS', of: each => (each.peer === undefined ? withLength(each.address, each) : each.address) },
    { heading: 'PEER', of: each => each.peer && withLength(each.peer, each), optional: true },
    { heading: 'SCOPE', of: ({ scope }) => scope },
    { heading: 'BROADCAST', of: ({ broadcast }) => broadcast, optional: true },
    { heading: 'LABEL', of: ({ label, link }) => (label === nameOf(link) ? undefined : label), optional: true },
    { heading: 'VALID', of: ({ validLifetime }) => validLifetime, right: true, usual: 'forever' },
    { heading: 'PREFERRED', of: ({ preferredLifetime }) => preferredLifetime, right: true, usual: 'forever' },
    // Of an address that is to stay that goes without saying.
    { heading: 'FLAGS', of: ({ flags }) => flags.filter(flag => flag !== 'permanent').join(' '), optional: true },
  ]
}

const withLength = (address: string, { prefixLength }: Address): string => `${address}/${prefixLength}`
