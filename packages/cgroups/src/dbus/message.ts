import { protocolError } from './errors.js'
import { DBusReader } from './read.js'
import type { DBusValue, Variant } from './value.js'
import { DBusWriter } from './write.js'

/** Kinds of messages. */
export const METHOD_CALL = 1
export const METHOD_RETURN = 2
export const ERROR = 3
export const SIGNAL = 4

/** Nothing of a message can be larger. */
const MAX_MESSAGE = 2 ** 27

export interface DBusMessage {
  readonly type: number
  readonly serial: number
  readonly path?: string | undefined
  readonly interface?: string | undefined
  readonly member?: string | undefined
  readonly errorName?: string | undefined
  readonly replySerial?: number | undefined
  readonly destination?: string | undefined
  readonly sender?: string | undefined
  readonly signature?: string | undefined
  readonly body: readonly DBusValue[]
}

/** The fields of a header by their numbers, with their types. */
const fields = [
  ['path', 'o'],
  ['interface', 's'],
  ['member', 's'],
  ['errorName', 's'],
  ['replySerial', 'u'],
  ['destination', 's'],
  ['sender', 's'],
  ['signature', 'g'],
] as const

/** The fields that a message of each type must have, by the type. */
const required: Readonly<Record<number, readonly (keyof DBusMessage)[]>> = {
  [METHOD_CALL]: ['path', 'member'],
  [METHOD_RETURN]: ['replySerial'],
  [ERROR]: ['errorName', 'replySerial'],
  [SIGNAL]: ['path', 'interface', 'member'],
}

/** What `yyyyuua(yv)` reads as. */
type Header = [number, number, number, number, number, number, readonly (readonly [number, Variant])[]]

/** A message as it is sent. */
export function encodeMessage(
  message: DBusMessage,
  { littleEndian = true }: { littleEndian?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const { type, serial, signature = '', body } = message
  const values = new DBusWriter({ littleEndian })
  values.writeAll(signature, body)
  const header = fields.flatMap(([name, letter], i) => {
    const value = message[name]
    return value === undefined || value === '' ? [] : [[i + 1, { type: letter, value }]]
  })
  const writer = new DBusWriter({ littleEndian })
  const endian = littleEndian ? 'l' : 'B'
  writer.writeAll('yyyyuua(yv)', [endian.charCodeAt(0), type, 0, 1, values.size, serial, header])
  writer.align(8)
  const bytes = new Uint8Array(writer.size + values.size)
  bytes.set(writer.bytes)
  bytes.set(values.bytes, writer.size)
  return bytes
}

/** How long the message is that begins here; `undefined` while too little of it is there to tell. */
export function messageSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < 16) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const little = isLittleEndian(bytes)
  if (bytes[3] !== 1) throw protocolError(`is of version ${bytes[3]}, not 1`)
  const body = view.getUint32(4, little)
  const header = view.getUint32(12, little)
  const size = Math.ceil((16 + header) / 8) * 8 + body
  if (size > MAX_MESSAGE) throw protocolError(`has ${size} bytes, more than may be`)
  return size
}

/** Reads a whole message, in either order of bytes. */
export function decodeMessage(bytes: Uint8Array): DBusMessage {
  const littleEndian = isLittleEndian(bytes)
  const reader = new DBusReader(bytes, { littleEndian })
  const [, type, , , , serial, header] = reader.readAll('yyyyuua(yv)') as unknown as Header
  reader.align(8)
  const found: Record<string, DBusValue> = {}
  for (const [number, { type, value }] of header) {
    const [name, letter] = fields[number - 1] ?? []
    // Of fields that are younger than this the specification says: ignore them.
    if (name === undefined) continue
    if (type !== letter) throw protocolError(`has the field ${name} with the type '${type}'`)
    found[name] = value
  }
  if (serial === 0) throw protocolError('has no serial')
  // No name is empty, and no serial is 0.
  const missing = required[type]?.find(name => !found[name])
  if (missing !== undefined) throw protocolError(`has no ${missing}`)
  const body = new DBusReader(bytes.subarray(reader.offset), { littleEndian })
  return { ...found, type, serial, body: body.readAll((found.signature as string | undefined) ?? '') }
}

function isLittleEndian(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x6c && bytes[0] !== 0x42) throw protocolError('has no order of bytes')
  return bytes[0] === 0x6c
}
