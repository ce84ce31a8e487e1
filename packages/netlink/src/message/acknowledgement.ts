import { errnoName, SyscallError } from '@libcontainer/sys'
import { type AttributeTable, attributeAt, attributes, bytes, decodeAttributes, string, u32 } from './attributes.js'
import type { NetlinkRequest } from './message.js'
import {
  aligned,
  HEADER_SIZE,
  messageSize,
  type NetlinkMessage,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_DONE,
  protocolError,
  viewOf,
} from './wire.js'

/** Attributes behind an acknowledgement: enum nlmsgerr_attrs. */
const acknowledgementAttributes = attributes({
  message: [1, string],
  offset: [2, u32],
  cookie: [3, bytes],
  policy: [4, bytes],
  missingType: [5, u32],
  missingNest: [6, u32],
})

/** What the kernel says at the end: NLMSG_ERROR, which a success is too, or NLMSG_DONE. */
export interface Acknowledgement {
  /** The errno, positive; 0 for success. */
  readonly errno: number
  /** The reason in words, or with success a warning. */
  readonly message?: string | undefined
  /** Where in the request what it did not like begins, from the request's header on. */
  readonly offset?: number | undefined
  /** The attribute that is missing, and the place of the nest that it belongs in. */
  readonly missingType?: number | undefined
  readonly missingNest?: number | undefined
}

/** Reads an acknowledgement. @throws {LibcontainerError} `EPROTO` for one that is too short, or lies */
export function readAcknowledgement({ type, flags, payload }: NetlinkMessage): Acknowledgement {
  if (payload.length < 4) {
    // A dump may end without a word.
    if (type === NLMSG_DONE && payload.length === 0) return { errno: 0 }
    throw protocolError(`ends within its errno: ${payload.length} bytes of 4`)
  }
  const view = viewOf(payload)
  const errno = Math.abs(view.getInt32(payload.byteOffset, true))
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno }
  const behind = type === NLMSG_DONE ? 4 : 4 + requestSize(payload, flags)
  const { message, offset, missingType, missingNest } = decodeAttributes(acknowledgementAttributes, payload, behind)
  return { errno, message, offset, missingType, missingNest }
}

/** How many bytes of the request stand in an acknowledgement: its header, or all of it. */
function requestSize(payload: Uint8Array, flags: number): number {
  if ((flags & NLM_F_CAPPED) === 0) return aligned(messageSize(payload, 4))
  if (payload.length < 4 + HEADER_SIZE) throw protocolError('ends within the header of what it answers')
  return HEADER_SIZE
}

/** What the reader can know of a refusal: the kernel's words, and the attribute that it names. */
export function describeRefusal(found: Acknowledgement, body: NetlinkRequest['body']): string | undefined {
  const words = found.message === undefined ? [] : [found.message]
  if (!(body instanceof Uint8Array) && body.table !== undefined) {
    const start = body.attributesAt ?? 0
    const sent = body.bytes.subarray(start)
    const place = (offset: number): ReturnType<typeof attributeAt> =>
      offset < HEADER_SIZE + start
        ? undefined
        : attributeAt(body.table as AttributeTable, sent, offset - HEADER_SIZE - start)
    if (found.offset !== undefined) {
      const wrong = place(found.offset)
      if (wrong !== undefined) words.push(`attribute ${wrong.path}`)
    }
    if (found.missingType !== undefined) {
      const nest = found.missingNest === undefined ? undefined : place(found.missingNest)
      const table = nest === undefined ? body.table : nest.inside
      const name = table?.nameOf(found.missingType) ?? `type ${found.missingType}`
      words.push(`attribute ${nest === undefined ? name : `${nest.path}.${name}`} is missing`)
    }
  }
  return words.length === 0 ? undefined : words.join('; ')
}

/** The error that a refusal is. */
export function refusal(found: Acknowledgement, request: NetlinkRequest): SyscallError {
  const code = errnoName(found.errno)
  return new SyscallError(found.errno, 'sendto', {
    step: request.about,
    path: request.path,
    detail: describeRefusal(found, request.body),
    hint: request.hints?.[code] ?? request.hints?.['*'],
  })
}
