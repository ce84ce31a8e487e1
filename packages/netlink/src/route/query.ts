import { ConfigInvalid, type Waiting } from '@libcontainer/sys'
import { familyNumber, familyOf, parseAddress } from '../address/text.js'
import { type LinkIndex, numbered } from '../link/index-of.js'
import type { LinkReference } from '../link/options.js'
import { type MessageBody, messageBody } from '../message/message.js'
import { checkInteger, MAX_U8 } from '../message/words.js'
import { routeAttributes, routeHeader } from './attributes.js'

/** The packet that {@link Routes.get} asks about, beside where it goes. */
export interface RouteQuery extends Waiting {
  /** Its source address. */
  from?: string | undefined
  /** The link that it leaves by. */
  dev?: LinkReference | undefined
  /** The link that it has come in by: then the question is how it is forwarded. */
  iif?: LinkReference | undefined
  tos?: number | undefined
  /** Its mark of the firewall. */
  mark?: number | undefined
  /** The user whose socket sends it. */
  uid?: number | undefined
  /** IPPROTO_*: 6 is TCP, 17 UDP. */
  ipProtocol?: number | undefined
  sourcePort?: number | undefined
  destinationPort?: number | undefined
  /** Answers the entry of the table that was found instead of the way that the packet takes. Default: `false` */
  fibMatch?: boolean | undefined
}

/** So that the answer says which table had it. IPv6 always does, and refuses the flag. */
const RTM_F_LOOKUP_TABLE = 0x1000
const RTM_F_FIB_MATCH = 0x2000

/** The message that asks for the route to an address. */
export function routeQueryBody(
  destination: string,
  query: Omit<RouteQuery, 'signal'>,
  index: LinkIndex = numbered,
): MessageBody {
  const { from, dev, iif, tos = 0, mark, uid, ipProtocol, sourcePort, destinationPort, fibMatch = false } = query
  const address = parseAddress(destination, 'destination')
  if (from !== undefined && parseAddress(from, 'from').length !== address.length)
    throw new ConfigInvalid('from', from, `must be of the family of ${destination}`)
  return messageBody(
    routeHeader,
    {
      family: familyNumber(familyOf(address)),
      // Strict checking wants the whole address, and nothing of the table, type and so on.
      destinationLength: address.length * 8,
      fromLength: from === undefined ? 0 : address.length * 8,
      tos: checkInteger(tos, 'tos', 0, MAX_U8),
      flags: (address.length === 4 ? RTM_F_LOOKUP_TABLE : 0) | (fibMatch ? RTM_F_FIB_MATCH : 0),
    },
    routeAttributes,
    {
      destination,
      from,
      iif: index(iif, 'iif'),
      dev: index(dev, 'dev'),
      mark,
      uid,
      ipProtocol,
      sourcePort,
      destinationPort,
    },
  )
}
