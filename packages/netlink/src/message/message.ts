import type { Waiting } from '@libcontainer/sys'
import { type AttributeTable, decodeAttributes, type Headed } from './attributes.js'
import type { StructCodec } from './codec.js'
import { aligned, viewOf } from './wire.js'
import { ByteWriter } from './writer.js'

/** What stands behind the header of a message: a struct of its type, and attributes. */
export interface MessageBody {
  readonly bytes: Uint8Array
  /** Of the attributes: an error of the kernel names one of them. */
  readonly table?: AttributeTable | undefined
  /** Where in the bytes they begin. */
  readonly attributesAt?: number | undefined
}

export const bytesOf = (body: NetlinkRequest['body']): Uint8Array => (body instanceof Uint8Array ? body : body.bytes)

/**
 * Puts a body together.
 *
 * @param fields - of the struct; those that are absent are 0
 * @param field - what errors put before the names of attributes
 * @throws {ConfigInvalid} for a value that does not fit
 */
export function messageBody<H, V extends object = object>(
  header: StructCodec<H>,
  fields: Partial<H>,
  table?: AttributeTable<V>,
  values?: V,
  field = '',
): MessageBody {
  const writer = new ByteWriter()
  header.write(writer, fields, field)
  writer.align()
  const attributesAt = aligned(header.size)
  if (table !== undefined && values !== undefined) table.write(writer, values, field)
  return { bytes: writer.finish(), table: table as AttributeTable | undefined, attributesAt }
}

/** What {@link messageBody} puts together, of a message of the kernel. @throws {LibcontainerError} `EPROTO` for one that is too short, or lies */
export function readBody<H, V extends object>(
  header: StructCodec<H>,
  table: AttributeTable<V>,
  payload: Uint8Array,
): Headed<H, V> {
  return {
    header: header.read(viewOf(payload), payload.byteOffset, payload.length),
    attributes: decodeAttributes(table, payload, header.size),
  }
}

/** One message for the kernel. */
export interface NetlinkRequest extends Waiting {
  /** Such as RTM_NEWLINK. */
  readonly type: number
  /** Beside NLM_F_REQUEST and NLM_F_ACK, or of a dump NLM_F_DUMP, which are always there. Default: none */
  readonly flags?: number | undefined
  readonly body: MessageBody | Uint8Array
  /** What is being done, for errors: `add the link eth0`. */
  readonly about?: string | undefined
  /** What an error is about: the name of the device. */
  readonly path?: string | undefined
  /** By errno: what the reader can do. `*` is for all others. */
  readonly hints?: Readonly<Record<string, string>> | undefined
}
