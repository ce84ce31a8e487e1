import type { Step } from '@libcontainer/sys'
import { bytesOf, type NetlinkRequest } from './message.js'
import { RTM_NEWROUTE } from './routes.js'
import { aligned, HEADER_SIZE, NLM_F_ACK, NLM_F_REQUEST, viewOf, writeMessage } from './wire.js'

/** RTA_OIF. */
const ROUTE_LINK = 4

/**
 * A request as a step of a plan: whoever applies it sends it in the network namespace that he is in by then. Pure.
 *
 * @param request - that makes or changes a link, an address or a route of {@link NETLINK_ROUTE}
 * @param link - the name of a link of that namespace, whose index is put in place of the one that the request was made with. Default: that stays
 */
export function requestStep(request: NetlinkRequest, link?: string): Step {
  const { type, flags = 0, body, about = 'ask the kernel', path, hints } = request
  const payload = bytesOf(body)
  const message = new Uint8Array(aligned(HEADER_SIZE + payload.length))
  writeMessage(message, 0, { type, flags: flags | NLM_F_REQUEST | NLM_F_ACK, sequence: 1, port: 0, payload })
  const place = HEADER_SIZE + placeOfLink(type, payload)
  if (link !== undefined && place === HEADER_SIZE) throw new TypeError(`${about}: the request is of no link`)
  return { op: 'requestNetlink', args: [message, link ?? '', place], about, path, hints }
}

/** Where the index stands: the second word of struct ifinfomsg and of struct ifaddrmsg, an attribute of a route. */
function placeOfLink(type: number, payload: Uint8Array): number {
  if (type !== RTM_NEWROUTE) return 4
  const view = viewOf(payload)
  for (let at = 12; at < payload.length; at += aligned(view.getUint16(payload.byteOffset + at, true)))
    if (view.getUint16(payload.byteOffset + at + 2, true) === ROUTE_LINK) return at + 4
  // One that has none leaves the link to the kernel.
  return 0
}
