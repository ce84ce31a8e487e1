import { LibcontainerError } from '@libcontainer/sys'
import { LINK_KINDS } from '../link/kinds.js'
import type { Link } from '../link/link.js'
import { Links } from '../link/links.js'
import type { LinkRequest } from './options.js'
import { show } from './output.js'
import { openIn } from './place.js'
import { didYouMean } from './suggest.js'
import type { Column } from './table.js'
import { UsageError } from './usage-error.js'

/** `link`: the exit code. */
export async function link(request: LinkRequest): Promise<number> {
  await using socket = await openIn(request.namespace)
  const links = await new Links(socket).list({ statistics: request.statistics })
  await show(pickLinks(links, request), linkColumns(nameLinks(links)), request.json)
  return 0
}

/** The name of a link by its number. */
export type LinkNames = (index: number) => string | undefined

/** Pure. */
export function nameLinks(links: readonly Pick<Link, 'index' | 'name'>[]): LinkNames {
  const names = new Map(links.map(({ index, name }) => [index, name]))
  return index => names.get(index)
}

/** The link that a command line means. @throws {LibcontainerError} with one that may have been meant. Pure. */
export function linkNamed(links: readonly Pick<Link, 'index' | 'name' | 'alternativeNames'>[], name: string): number {
  const found =
    links.find(link => link.name === name) ?? links.find(({ alternativeNames }) => alternativeNames.includes(name))
  if (found !== undefined) return found.index
  const meant = didYouMean(name, new Set(links.flatMap(link => [link.name, ...link.alternativeNames])))
  throw new LibcontainerError('ENODEV', `there is no link '${name}'${meant}`)
}

/** What the kernel has beside {@link LINK_KINDS}, and what links without a kind are. */
const OTHERS =
  'bareudp can erspan geneve gre gretap gtp hsr ip6gre ip6gretap ip6tnl ipip ipoib macsec netdevsim netkit nlmon rmnet sit team vcan vti vti6 vxcan xfrm'
const KINDS = [...LINK_KINDS, ...OTHERS.split(' '), 'ether', 'loopback', 'none']

const kindOf = ({ kind, type }: Link): string => kind ?? type

/** Those that were asked for. Pure. */
export function pickLinks(
  links: readonly Link[],
  { name, kind, master, up }: Omit<LinkRequest, 'json' | 'help'>,
): Link[] {
  const index = name === undefined ? undefined : linkNamed(links, name)
  const above = master === undefined ? undefined : linkNamed(links, master)
  if (kind !== undefined && !KINDS.includes(kind) && !links.some(each => kindOf(each) === kind))
    throw new UsageError(`there is no kind of link '${kind}'${didYouMean(kind, KINDS)}`)
  return links.filter(
    each =>
      (index === undefined || each.index === index) &&
      (above === undefined || each.master === above) &&
      (kind === undefined || kindOf(each) === kind) &&
      (up === undefined || each.up === up),
  )
}

/** Pure. */
export function linkColumns(nameOf: LinkNames): Column<Link>[] {
  return [
    { heading: 'INDEX', of: ({ index }) => index, right: true },
    { heading: 'NAME', of: ({ name }) => name },
    { heading: 'KIND', of: kindOf },
    { heading: 'STATE', of: ({ up, operstate }) => (up ? operstate : 'down') },
    { heading: 'MTU', of: ({ mtu }) => mtu, right: true },
    { heading: 'MAC', of: ({ mac }) => mac },
    { heading: 'LOWER', of: each => lowerOf(each, nameOf), optional: true },
    { heading: 'MASTER', of: ({ master }) => master && (nameOf(master) ?? `if${master}`), optional: true },
    { heading: 'ALTERNATIVE NAMES', of: ({ alternativeNames }) => alternativeNames.join(' '), optional: true },
    { heading: 'RX BYTES', of: ({ statistics }) => statistics?.rxBytes, right: true, optional: true },
    { heading: 'PACKETS', of: ({ statistics }) => statistics?.rxPackets, right: true, optional: true },
    { heading: 'ERRORS', of: ({ statistics }) => statistics?.rxErrors, right: true, optional: true },
    { heading: 'DROPPED', of: ({ statistics }) => statistics?.rxDropped, right: true, optional: true },
    { heading: 'TX BYTES', of: ({ statistics }) => statistics?.txBytes, right: true, optional: true },
    { heading: 'PACKETS', of: ({ statistics }) => statistics?.txPackets, right: true, optional: true },
    { heading: 'ERRORS', of: ({ statistics }) => statistics?.txErrors, right: true, optional: true },
    { heading: 'DROPPED', of: ({ statistics }) => statistics?.txDropped, right: true, optional: true },
  ]
}

/** A number of another namespace names nothing here. */
function lowerOf({ link, linkNamespaceId }: Link, nameOf: LinkNames): string | undefined {
  if (link === undefined || link === 0) return undefined
  return (linkNamespaceId === undefined ? nameOf(link) : undefined) ?? `@if${link}`
}
