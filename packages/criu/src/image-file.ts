import { LibcontainerError } from '@libcontainer/sys'
import { decodeMessage, type Fields, type MessageOf } from './protobuf.js'

/** Two magic numbers: of the group of images, and of the kind. */
const HEAD = 8

/** The first entry of an image of CRIU's. Pure. @param magic - both of its numbers @throws {LibcontainerError} `EPROTO` for what is none */
export function firstEntry<F extends Fields>(bytes: Uint8Array, magic: readonly number[], fields: F): MessageOf<F> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEAD + 4 || magic.some((number, i) => view.getUint32(4 * i, true) !== number))
    throw new LibcontainerError('EPROTO', 'this is no image of that kind of CRIU’s')
  const start = HEAD + 4
  const size = view.getUint32(HEAD, true)
  if (bytes.length < start + size) throw new LibcontainerError('EPROTO', 'the image of CRIU’s is cut off')
  return decodeMessage(fields, bytes.subarray(start, start + size))
}
