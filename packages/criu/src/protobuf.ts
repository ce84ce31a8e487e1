import { ConfigInvalid, decodeUtf8, encodeUtf8, LibcontainerError } from '@libcontainer/sys'

/** How values of one type stand in a message of Protocol Buffers: numbers of variable length, or bytes with their length before them. */
export interface Kind<T> {
  readonly wire: typeof VARINT | typeof BYTES
  /** @throws {ConfigInvalid} that names `field` for a value that does not fit */
  encode(value: T, field: string): bigint | Uint8Array
  /** @throws {LibcontainerError} `EPROTO` */
  decode(value: bigint | Uint8Array): T
}

/** A field of a message: its number, its kind, and how often it stands there. */
export interface Field<T> {
  readonly number: number
  readonly kind: Kind<never>
  readonly rule: 'optional' | 'required' | 'repeated'
  /** No value: what the field is in TypeScript. */
  readonly type?: T
}

/** Fields by their names, in the order of their numbers. */
export type Fields = Readonly<Record<string, Field<unknown>>>

type RequiredNames<F extends Fields> = {
  [K in keyof F]: F[K] extends { readonly rule: 'required' } ? K : never
}[keyof F]

type TypeOf<F> = F extends Field<infer T> ? T : never

/** What a table of fields says of a message. A field that is absent is `undefined`, a repeated one a list. */
export type MessageOf<F extends Fields> = { readonly [K in RequiredNames<F>]: TypeOf<F[K]> } & {
  readonly [K in Exclude<keyof F, RequiredNames<F>>]?: TypeOf<F[K]> | undefined
}

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

const optional = <T>(number: number, kind: Kind<T>): Field<T> & { readonly rule: 'optional' } => ({
  number,
  kind: kind as Kind<never>,
  rule: 'optional',
})

/** The same field, without which its message is none. */
export const required = <T>({ number, kind }: Field<T>): Field<T> & { readonly rule: 'required' } => ({
  number,
  kind,
  rule: 'required',
})

/** A list of such values. */
export const repeated = <T>({ number, kind }: Field<T>): Field<readonly T[]> & { readonly rule: 'repeated' } => ({
  number,
  kind,
  rule: 'repeated',
})

const integer = (low: number, high: number, narrow: (value: bigint) => bigint): Kind<number> => ({
  wire: VARINT,
  encode(value, field) {
    if (!Number.isInteger(value) || value < low || value > high)
      throw new ConfigInvalid(field, value, `must be a whole number from ${low} to ${high}`)
    return BigInt(value)
  },
  decode(value) {
    const number = Number(narrow(asNumber(value)))
    if (!Number.isSafeInteger(number)) throw protocolError(`has a number beyond 2^53: ${value}`)
    return number
  },
})

const INT32 = integer(-(2 ** 31), 2 ** 31 - 1, value => BigInt.asIntN(32, value))
const UINT32 = integer(0, 2 ** 32 - 1, value => BigInt.asUintN(32, value))
const UINT64 = integer(0, Number.MAX_SAFE_INTEGER, value => value)

const BOOL: Kind<boolean> = {
  wire: VARINT,
  encode(value, field) {
    if (typeof value !== 'boolean') throw new ConfigInvalid(field, value, 'must be true or false')
    return value ? 1n : 0n
  },
  decode: value => asNumber(value) !== 0n,
}

const STRING: Kind<string> = {
  wire: BYTES,
  encode(value, field) {
    if (typeof value !== 'string' || value.includes('\0'))
      throw new ConfigInvalid(field, value, 'must be a string without NUL')
    return encodeUtf8(value)
  },
  decode: value => decodeUtf8(asBytes(value)),
}

export const int32 = (number: number) => optional(number, INT32)
export const uint32 = (number: number) => optional(number, UINT32)
/** Of 64 bits, as far as numbers of JavaScript are exact. */
export const uint64 = (number: number) => optional(number, UINT64)
export const bool = (number: number) => optional(number, BOOL)
export const string = (number: number) => optional(number, STRING)

/** One of some words, each with its number; a number without a word stays one. */
export function words<W extends string>(number: number, numbers: Readonly<Record<W, number>>) {
  const names = new Map(Object.entries<number>(numbers).map(([word, value]) => [value, word as W]))
  const kind: Kind<W | number> = {
    wire: VARINT,
    encode(value, field) {
      const known = typeof value === 'number' ? value : Object.hasOwn(numbers, value) ? numbers[value] : undefined
      if (known === undefined)
        throw new ConfigInvalid(field, value, `must be one of ${Object.keys(numbers).join(', ')}`)
      return INT32.encode(known, field)
    },
    decode(value) {
      const known = INT32.decode(value)
      return names.get(known) ?? known
    },
  }
  return optional(number, kind)
}

/** A message in a message. */
export function nested<F extends Fields>(number: number, fields: F) {
  const kind: Kind<MessageOf<F>> = {
    wire: BYTES,
    encode: (value, field) => encodeMessage(fields, value, field),
    decode: value => decodeMessage(fields, asBytes(value)),
  }
  return optional(number, kind)
}

/** The bytes of a message. @param about - what errors call it @throws {ConfigInvalid} for a value that its field cannot hold */
export function encodeMessage<F extends Fields>(fields: F, message: MessageOf<F>, about = ''): Uint8Array<ArrayBuffer> {
  const bytes: number[] = []
  for (const [name, { number, kind, rule }] of Object.entries(fields)) {
    const field = about === '' ? name : `${about}.${name}`
    const value = (message as Readonly<Record<string, unknown>>)[name]
    if (value === undefined && rule === 'required') throw new ConfigInvalid(field, value, 'must be there')
    const values = value === undefined ? [] : rule === 'repeated' ? (value as unknown[]) : [value]
    if (!Array.isArray(values)) throw new ConfigInvalid(field, value, 'must be a list')
    values.forEach((one, i) => {
      const encoded = kind.encode(one as never, rule === 'repeated' ? `${field}[${i}]` : field)
      pushVarint(bytes, BigInt((number << 3) | kind.wire))
      if (typeof encoded === 'bigint') pushVarint(bytes, encoded)
      else {
        pushVarint(bytes, BigInt(encoded.length))
        for (const byte of encoded) bytes.push(byte)
      }
    })
  }
  return Uint8Array.from(bytes)
}

/**
 * The message in these bytes. Fields that the table does not know are passed over; of one that stands there several times the last one counts, unless it is a list.
 *
 * @throws {LibcontainerError} `EPROTO` for bytes that are none
 */
export function decodeMessage<F extends Fields>(fields: F, bytes: Uint8Array): MessageOf<F> {
  const byNumber = new Map(Object.entries(fields).map(([name, field]) => [field.number, { name, ...field }]))
  const message: Record<string, unknown> = {}
  const reader = new Reader(bytes)
  while (!reader.ended) {
    const tag = reader.varint()
    const wire = Number(tag & 7n)
    const value = reader.value(wire)
    const field = tag >> 3n > 0x1fffffffn ? undefined : byNumber.get(Number(tag >> 3n))
    if (field === undefined) continue
    if (wire !== field.kind.wire) throw protocolError(`has ${field.name} of another type`)
    const decoded = field.kind.decode(value)
    if (field.rule === 'repeated') message[field.name] = [...((message[field.name] as unknown[]) ?? []), decoded]
    else message[field.name] = decoded
  }
  for (const [name, { rule }] of Object.entries(fields))
    if (rule === 'required' && message[name] === undefined) throw protocolError(`lacks ${name}`)
  return message as MessageOf<F>
}

class Reader {
  #at = 0
  constructor(readonly bytes: Uint8Array) {}

  get ended(): boolean {
    return this.#at >= this.bytes.length
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.#at++]
      if (byte === undefined) throw protocolError('ends within a number')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw protocolError('has a number of more than ten bytes')
  }

  value(wire: number): bigint | Uint8Array {
    switch (wire) {
      case VARINT:
        return this.varint()
      case FIXED64:
        return this.#take(8)
      case BYTES: {
        const size = this.varint()
        if (size > BigInt(this.bytes.length)) throw protocolError(`ends within ${size} bytes`)
        return this.#take(Number(size))
      }
      case FIXED32:
        return this.#take(4)
      default:
        throw protocolError(`has a value of the unknown wire type ${wire}`)
    }
  }

  #take(size: number): Uint8Array {
    const bytes = this.bytes.subarray(this.#at, this.#at + size)
    if (bytes.length < size) throw protocolError(`ends within ${size} bytes`)
    this.#at += size
    return bytes
  }
}

/** Negative numbers are written as if they had 64 bits. */
function pushVarint(to: number[], value: bigint): void {
  let rest = BigInt.asUintN(64, value)
  while (rest > 0x7fn) {
    to.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  to.push(Number(rest))
}

function asNumber(value: bigint | Uint8Array): bigint {
  if (typeof value !== 'bigint') throw protocolError('has bytes where a number belongs')
  return value
}

function asBytes(value: bigint | Uint8Array): Uint8Array {
  if (typeof value === 'bigint') throw protocolError('has a number where bytes belong')
  return value
}

const protocolError = (problem: string): LibcontainerError =>
  new LibcontainerError('EPROTO', `a message of CRIU ${problem}`)
