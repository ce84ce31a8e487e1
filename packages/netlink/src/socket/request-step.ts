import type { Step } from '@libcontainer/sys'
import { RTM_NEWLINK } from '../link/attributes.js'
import { bytesOf, type NetlinkRequest } from '../message/message.js'
import { aligned, HEADER_SIZE, NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, viewOf, writeMessage } from '../message/wire.js'
import { native } from '../native.js'
import { RTM_NEWROUTE } from '../route/routes.js'

/**
 * A request as a step of a plan: whoever applies it sends it in the network namespace that he is in by then. Pure.
 *
 * @param request - that makes or changes a link, an address or a route of {@link NETLINK_ROUTE}
 * @param link - the name of a link of that namespace, whose index is put in place of the one that the request was made with: of the link, and of one that is
 * made, of its master. Default: that stays
 */
export function requestStep(request: NetlinkRequest, link?: string): Step {
  const { type, flags = 0, body, about = 'ask the kernel', path, hints } = request
  const payload = bytesOf(body)
  const message = new Uint8Array(aligned(HEADER_SIZE + payload.length))
  writeMessage(message, 0, { type, flags: flags | NLM_F_REQUEST | NLM_F_ACK, sequence: 1, port: 0, payload })
  const place = link === undefined ? 0 : placeOfLink(request, payload)
  if (link !== undefined && place === 0) throw new TypeError(`${about}: the request is of no link`)
  return { op: 'requestNetlink', args: [message, link ?? '', place], about, path, hints }
}

/**
 * Applies such steps in this process's own network namespace: one call off the thread for all of them.
 *
 * @throws {SyscallError} with `step`, for the first that is refused
 */
export async function applyRequests(steps: readonly Step[]): Promise<void> {
  await native.apply(steps)
}

/** The same in two parts: makes it all ready, and answers with what applies it, once. */
export function prepareRequests(steps: readonly Step[]): () => Promise<void> {
  return native.prepare(steps)
}

/** Of a link that is made the master, of a route the link, both attributes; else the second word of struct ifinfomsg and of struct ifaddrmsg. */
function placeOfLink({ type, flags = 0 }: NetlinkRequest, payload: Uint8Array): number {
  if (type === RTM_NEWROUTE) return placeOfAttribute(payload, 12, RTA_OIF)
  if (type === RTM_NEWLINK && (flags & NLM_F_CREATE) !== 0) return placeOfAttribute(payload, 16, IFLA_MASTER)
  return HEADER_SIZE + 4
}

const RTA_OIF = 4
const IFLA_MASTER = 10

/** @param from - where they begin: behind the struct. @returns 0 for none */
function placeOfAttribute(payload: Uint8Array, from: number, wanted: number): number {
  const view = viewOf(payload)
  for (let at = from; at < payload.length; at += aligned(view.getUint16(payload.byteOffset + at, true)))
    if (view.getUint16(payload.byteOffset + at + 2, true) === wanted) return HEADER_SIZE + at + 4
  return 0
}
