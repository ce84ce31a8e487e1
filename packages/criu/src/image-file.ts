import { LibcontainerError } from '@libcontainer/sys'
import { decodeMessage, type Fields, type MessageOf } from './protobuf.js'

/** Two magic numbers: of the group of images, and of the kind. */
const HEAD = 8

/**
 * The entries of an image of CRIU's, as bytes: each has its length before it. Pure.
 *
 * @param magic - both of its numbers
 * @throws {LibcontainerError} `EPROTO` for what is none, and where it is cut off
 */
export function* entriesOf(bytes: Uint8Array, magic: readonly number[]): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEAD || magic.some((number, i) => view.getUint32(4 * i, true) !== number))
    throw new LibcontainerError('EPROTO', 'it is no image of that kind of CRIU’s')
  for (let at = HEAD; at < bytes.length; ) {
    const start = at + 4
    const end = start > bytes.length ? start : start + view.getUint32(at, true)
    if (end > bytes.length) throw new LibcontainerError('EPROTO', 'it is cut off')
    yield bytes.subarray(start, end)
    at = end
  }
}

/** The first entry of an image. Pure. @throws {LibcontainerError} `EPROTO` */
export function firstEntry<F extends Fields>(bytes: Uint8Array, magic: readonly number[], fields: F): MessageOf<F> {
  for (const entry of entriesOf(bytes, magic)) return decodeMessage(fields, entry)
  throw new LibcontainerError('EPROTO', 'it is empty')
}
