import { LibcontainerError } from '@libcontainer/sys'

/** Flags of a message: netlink(7). */
export const NLM_F_REQUEST = 0x1
export const NLM_F_MULTI = 0x2
export const NLM_F_ACK = 0x4
export const NLM_F_ECHO = 0x8
/** The kernel's table has changed while it was dumped: what came may lack entries, or have some twice. */
export const NLM_F_DUMP_INTR = 0x10
export const NLM_F_DUMP_FILTERED = 0x20
/** Of requests that get. */
export const NLM_F_ROOT = 0x100
export const NLM_F_MATCH = 0x200
export const NLM_F_DUMP = NLM_F_ROOT | NLM_F_MATCH
/** Of requests that make. */
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800
/** Of requests that delete. */
export const NLM_F_NONREC = 0x100
export const NLM_F_BULK = 0x200
/** Of acknowledgements: the request is not repeated in full; attributes are behind it. */
export const NLM_F_CAPPED = 0x100
export const NLM_F_ACK_TLVS = 0x200

/** Types of messages that every protocol has. */
export const NLMSG_NOOP = 1
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
export const NLMSG_OVERRUN = 4
/** The first type that is a protocol's own. */
export const NLMSG_MIN_TYPE = 16

/** Protocols of the family AF_NETLINK. */
export const NETLINK_ROUTE = 0
export const NETLINK_SOCK_DIAG = 4
export const NETLINK_NETFILTER = 12
export const NETLINK_GENERIC = 16

/** struct nlmsghdr. */
export const HEADER_SIZE = 16

/** A message as it stands in a datagram. */
export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  /** That of the request which it answers; 0 where it answers none. */
  readonly sequence: number
  /** The port of the socket that it answers. */
  readonly port: number
  /** What is behind the header. It may be of a buffer that is used again: copy what is kept. */
  readonly payload: Uint8Array
}

/** Where the next attribute or message begins: at a multiple of 4. */
export const aligned = (size: number): number => (size + 3) & ~3

/** What came is no netlink. */
export const protocolError = (problem: string): LibcontainerError =>
  new LibcontainerError('EPROTO', `a netlink message ${problem}`)

let viewed: ArrayBufferLike | undefined
let lastView: DataView | undefined

/** A view of the whole buffer that bytes lie in. Buffers are received into again and again: making one for each message would cost more than reading it. */
export function viewOf(bytes: Uint8Array): DataView {
  if (lastView === undefined || viewed !== bytes.buffer) {
    viewed = bytes.buffer
    lastView = new DataView(bytes.buffer)
  }
  return lastView
}

/**
 * The messages of a datagram, or of several that were put behind each other, one after another.
 *
 * @throws {LibcontainerError} `EPROTO` where a length says less than a header or more than there is; the messages before it were yielded
 */
export const messagesOf = (datagram: Uint8Array): IterableIterator<NetlinkMessage, undefined> => new Messages(datagram)

/** Written by hand: a generator would take as long for each of a hundred thousand messages as reading it does. */
class Messages implements IterableIterator<NetlinkMessage, undefined> {
  readonly #datagram: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(datagram: Uint8Array) {
    this.#datagram = datagram
    this.#view = viewOf(datagram)
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<NetlinkMessage, undefined> {
    const at = this.#at
    const datagram = this.#datagram
    if (at >= datagram.length) return { done: true, value: undefined }
    const view = this.#view
    const place = datagram.byteOffset + at
    const size = messageSize(datagram, at, view)
    // The last may lack what would align the next.
    this.#at = at + aligned(size)
    const value = {
      type: view.getUint16(place + 4, true),
      flags: view.getUint16(place + 6, true),
      sequence: view.getUint32(place + 8, true),
      port: view.getUint32(place + 12, true),
      payload: datagram.subarray(at + HEADER_SIZE, at + size),
    }
    return { done: false, value }
  }
}

/** The length that the header at this place tells, which is that of a header at least, and within the datagram. @throws {LibcontainerError} `EPROTO` */
export function messageSize(datagram: Uint8Array, at: number, view = viewOf(datagram)): number {
  const left = datagram.length - at
  if (left < HEADER_SIZE) throw protocolError(`ends within its header: ${left} bytes of ${HEADER_SIZE}`)
  const size = view.getUint32(datagram.byteOffset + at, true)
  if (size < HEADER_SIZE || size > left) throw protocolError(`says that it has ${size} bytes, where ${left} are left`)
  return size
}

/** Writes a message, header and content, and answers how many bytes that takes, aligned. There must be room. */
export function writeMessage(
  to: Uint8Array,
  at: number,
  { type, flags, sequence, port, payload }: NetlinkMessage,
): number {
  const size = HEADER_SIZE + payload.length
  const view = viewOf(to)
  const place = to.byteOffset + at
  view.setUint32(place, size, true)
  view.setUint16(place + 4, type, true)
  view.setUint16(place + 6, flags, true)
  view.setUint32(place + 8, sequence, true)
  view.setUint32(place + 12, port, true)
  to.set(payload, at + HEADER_SIZE)
  to.fill(0, at + size, at + aligned(size))
  return aligned(size)
}
