import type { Waiting } from '@libcontainer/sys'
import type { NetlinkRequest } from '../message/message.js'
import { type NetlinkMessage, protocolError } from '../message/wire.js'
import type { NetlinkSocket } from '../socket/socket.js'
import { RTM_NEWLINK } from './attributes.js'
import { parseLinkIndex } from './link.js'
import { getLink } from './messages.js'
import type { LinkReference } from './options.js'
import { checkIndex } from './values.js'

/** The number of a link that was looked up before; of none there is none. */
export type LinkIndex = <L extends LinkReference | undefined>(
  link: L,
  field: string,
) => L extends undefined ? undefined : number

/** Links by the fields that errors name. */
type Links = Readonly<Record<string, LinkReference | undefined>>

const indexBy = (known?: ReadonlyMap<LinkReference, number>): LinkIndex =>
  ((link, field) =>
    link === undefined ? undefined : checkIndex(known?.get(link) ?? (link as number), field)) as LinkIndex

/** A link that has a number already. @throws {ConfigInvalid} that names `field` for one that has none */
export const numbered: LinkIndex = indexBy()

/** For messages that are only checked. */
const anyLink = (link => (link === undefined ? undefined : 1)) as LinkIndex

/**
 * What names links, made with their numbers. It is made once before they are looked up: what cannot be is told of without asking the kernel anything.
 *
 * @throws {ConfigInvalid} for what can be no link's name
 * @throws {SyscallError} `ENODEV` for a name that no link has; its path is the name
 */
export async function withLinks<T>(
  socket: NetlinkSocket,
  links: Links,
  make: (index: LinkIndex) => T,
  waiting: Waiting,
): Promise<T> {
  make(anyLink)
  const known = new Map<LinkReference, number>()
  for (const [field, link] of Object.entries(links))
    if (link !== undefined && !known.has(link)) known.set(link, await linkIndex(socket, link, field, waiting))
  return make(indexBy(known))
}

/** Sends a request {@link withLinks}. @returns what answers it */
export async function requestWithLinks(
  socket: NetlinkSocket,
  links: Links,
  make: (index: LinkIndex) => NetlinkRequest,
  { signal }: Waiting,
): Promise<NetlinkMessage | undefined> {
  return await socket.request({ ...(await withLinks(socket, links, make, { signal })), signal })
}

/** The number of one link. @throws as {@link withLinks} */
export async function linkIndex(
  socket: NetlinkSocket,
  link: LinkReference,
  field: string,
  waiting: Waiting = {},
): Promise<number> {
  if (typeof link !== 'string') return numbered(link, field)
  return parseLinkIndex(await askLink(socket, link, waiting, field))
}

/** The message that tells of a link. @throws as {@link withLinks} */
export async function askLink(
  socket: NetlinkSocket,
  link: LinkReference,
  { signal }: Waiting = {},
  field = 'which',
): Promise<Uint8Array> {
  const answer = await socket.request({ ...getLink(link, field), signal })
  if (answer?.type !== RTM_NEWLINK) throw protocolError('with a link was expected')
  return answer.payload
}
