import type { Waiting } from '@libcontainer/sys'
import { attributes, s32, string, struct, u8, u16, u32 } from './attributes.js'
import { checkAlternativeName, checkLinkName } from './link-name.js'
import type { LinkReference } from './link-options.js'
import { messageBody } from './message.js'
import type { NetlinkSocket } from './socket.js'
import { protocolError, viewOf } from './wire.js'
import { checkInteger } from './words.js'

/** The number of a link that was looked up before. */
export type LinkIndex = (link: LinkReference, field: string) => number

export const MAX_LINK_INDEX = 0x7fff_ffff

const RTM_GETLINK = 18
const IFNAMSIZ = 16
/** RTEXT_FILTER_SKIP_STATS: they cost more than all the rest. */
const WITHOUT_STATISTICS = 8

/** struct ifinfomsg. */
export const linkHeader = struct({ family: u8, type: u16, index: s32, flags: u32, change: u32 }, { whole: true })
const nameAttributes = attributes({ name: [3, string], extMask: [29, u32], alternativeName: [53, string] })

/** A link that has a number already. @throws {ConfigInvalid} that names `field` for one that has none */
export const numbered: LinkIndex = (link, field) => checkInteger(link, field, 1, MAX_LINK_INDEX)

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
  { signal }: Waiting = {},
): Promise<LinkIndex> {
  const known = new Map<string, number>()
  for (const [field, link] of Object.entries(links)) {
    if (typeof link !== 'string') {
      if (link !== undefined) numbered(link, field)
    } else if (!known.has(link)) known.set(link, await indexOf(socket, link, field, signal))
  }
  return (link, field) => numbered(typeof link === 'string' ? known.get(link)! : link, field)
}

async function indexOf(
  socket: NetlinkSocket,
  name: string,
  field: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const short = name.length < IFNAMSIZ
  if (short) checkLinkName(name, field)
  else checkAlternativeName(name, field)
  const answer = await socket.request({
    type: RTM_GETLINK,
    body: messageBody(linkHeader, {}, nameAttributes, {
      ...(short ? { name } : { alternativeName: name }),
      extMask: WITHOUT_STATISTICS,
    }),
    about: `find the link ${name}`,
    path: name,
    hints: { ENODEV: `no link of this network namespace has the name that ${field} gives` },
    signal,
  })
  if (answer === undefined || answer.payload.length < linkHeader.size) throw protocolError('tells of no link')
  return viewOf(answer.payload).getInt32(answer.payload.byteOffset + 4, true)
}
