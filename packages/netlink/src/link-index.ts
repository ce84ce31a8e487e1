import type { Waiting } from '@libcontainer/sys'
import { parseLinkIndex } from './link.js'
import { RTM_NEWLINK } from './link-attributes.js'
import { getLink } from './link-messages.js'
import type { LinkReference } from './link-options.js'
import { checkIndex } from './link-values.js'
import type { NetlinkSocket } from './socket.js'
import { protocolError } from './wire.js'

/** The number of a link that was looked up before. */
export type LinkIndex = (link: LinkReference, field: string) => number

/** A link that has a number already. @throws {ConfigInvalid} that names `field` for one that has none */
export const numbered: LinkIndex = (link, field) => checkIndex(link as number, field)

/** For messages that are only checked, before links are looked up: what cannot be is told of without asking the kernel anything. */
export const anyLink: LinkIndex = () => 1

/**
 * The numbers of links, each name asked for once.
 *
 * @param links - by the fields that errors name; those that are not given are left out
 * @throws {ConfigInvalid} for what can be no link's name
 * @throws {SyscallError} `ENODEV` for a name that no link has; its path is the name
 */
export async function linkIndexes(
  socket: NetlinkSocket,
  links: Readonly<Record<string, LinkReference | undefined>>,
  waiting: Waiting = {},
): Promise<LinkIndex> {
  const known = new Map<string, number>()
  for (const [field, link] of Object.entries(links)) {
    if (typeof link !== 'string') {
      if (link !== undefined) numbered(link, field)
    } else if (!known.has(link)) known.set(link, await linkIndex(socket, link, field, waiting))
  }
  return (link, field) => numbered(typeof link === 'string' ? known.get(link)! : link, field)
}

/** The number of one link. @throws as {@link linkIndexes} */
export async function linkIndex(
  socket: NetlinkSocket,
  link: LinkReference,
  field: string,
  waiting: Waiting = {},
): Promise<number> {
  if (typeof link !== 'string') return numbered(link, field)
  return parseLinkIndex(await askLink(socket, link, waiting, field))
}

/** The message that tells of a link. @throws as {@link linkIndexes} */
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
