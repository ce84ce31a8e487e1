import { ConfigInvalid, encodeUtf8, kernelString } from '@libcontainer/sys'
import { alignments, type DBusType, parseSignature } from './signature.js'
import type { DBusValue, Variant } from './value.js'

/** Of an array, in bytes. */
const MAX_ARRAY = 2 ** 26

/** Values as D-Bus has them on the wire, in this order of bytes: little-endian unless said otherwise. */
export class DBusWriter {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #size = 0
  readonly #little: boolean

  constructor({ littleEndian = true }: { littleEndian?: boolean } = {}) {
    this.#little = littleEndian
  }

  get size(): number {
    return this.#size
  }

  /** What was written. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size)
  }

  /** Zeros up to the next multiple. */
  align(to: number): void {
    this.#grow(Math.ceil(this.#size / to) * to - this.#size)
  }

  /** Values of the types of a signature. @throws {ConfigInvalid} for a value that is not of its type */
  writeAll(signature: string, values: readonly DBusValue[], field = 'arguments'): void {
    const types = parseSignature(signature)
    if (types.length !== values.length)
      throw new ConfigInvalid(field, values.length, `must be ${types.length} values for '${signature}'`)
    for (const [i, type] of types.entries()) this.write(type, values[i]!, `${field}[${i}]`)
  }

  write(type: DBusType, value: DBusValue, field: string): void {
    const { code, inner } = type
    this.align(alignments[code]!)
    if (code === 'a') this.#array(inner[0]!, value, field)
    else if (code === '(' || code === '{') this.#fields(inner, value, field)
    else if (code === 'v') this.#variant(value, field)
    else if (code === 's' || code === 'o' || code === 'g') this.#string(code, value, field)
    else this.#number(code, value, field)
  }

  /** Room for so many bytes, and where it begins. It may move what {@link #view} is of: first this, then the view. */
  #grow(by: number): number {
    const at = this.#size
    this.#size += by
    if (this.#size > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#size, this.#bytes.length * 2))
      bytes.set(this.#bytes)
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer)
    }
    return at
  }

  #array(element: DBusType, value: DBusValue, field: string): void {
    const length = this.#grow(4)
    this.align(alignments[element.code]!)
    const start = this.#size
    if (element.code === 'y' && value instanceof Uint8Array) {
      const at = this.#grow(value.length)
      this.#bytes.set(value, at)
    } else {
      if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list')
      for (const [i, each] of (value as readonly DBusValue[]).entries()) this.write(element, each, `${field}[${i}]`)
    }
    const size = this.#size - start
    if (size > MAX_ARRAY) throw new ConfigInvalid(field, size, `must have at most ${MAX_ARRAY} bytes`)
    this.#view.setUint32(length, size, this.#little)
  }

  #fields(types: readonly DBusType[], value: DBusValue, field: string): void {
    if (!Array.isArray(value) || value.length !== types.length)
      throw new ConfigInvalid(field, value, `must be a list of ${types.length}`)
    for (const [i, type] of types.entries()) this.write(type, value[i] as DBusValue, `${field}[${i}]`)
  }

  #variant(value: DBusValue, field: string): void {
    const { type, value: held } = (value ?? {}) as Variant
    const [one, ...more] = typeof type === 'string' ? parseSignature(type, `${field}.type`) : []
    if (one === undefined || more.length > 0)
      throw new ConfigInvalid(field, value, 'must be a value with one type: { type, value }')
    this.#string('g', type, `${field}.type`)
    this.write(one, held, `${field}.value`)
  }

  #string(code: string, value: DBusValue, field: string): void {
    const text = kernelString(value as string, field)
    if (code === 'o' && !isObjectPath(text)) throw new ConfigInvalid(field, value, 'must be the path of an object')
    if (code === 'g') parseSignature(text, field)
    const bytes = encodeUtf8(text)
    const size = this.#grow(code === 'g' ? 1 : 4)
    const at = this.#grow(bytes.length + 1)
    if (code === 'g') this.#view.setUint8(size, bytes.length)
    else this.#view.setUint32(size, bytes.length, this.#little)
    this.#bytes.set(bytes, at)
  }

  #number(code: string, value: DBusValue, field: string): void {
    if (code === 'b') {
      if (typeof value !== 'boolean') throw new ConfigInvalid(field, value, 'must be true or false')
      const at = this.#grow(4)
      this.#view.setUint32(at, value ? 1 : 0, this.#little)
    } else if (code === 'd') {
      if (typeof value !== 'number') throw new ConfigInvalid(field, value, 'must be a number')
      const at = this.#grow(8)
      this.#view.setFloat64(at, value, this.#little)
    } else if (code === 'x' || code === 't') {
      const number = checkInteger(code, value, field)
      const at = this.#grow(8)
      if (code === 'x') this.#view.setBigInt64(at, number, this.#little)
      else this.#view.setBigUint64(at, number, this.#little)
    } else {
      const number = Number(checkInteger(code, value, field))
      const size = alignments[code]!
      const at = this.#grow(size)
      // Two's complement: the unsigned form of a negative number is the same bits.
      if (size === 1) this.#view.setUint8(at, number)
      else if (size === 2) this.#view.setInt16(at, number, this.#little)
      else this.#view.setInt32(at, number, this.#little)
    }
  }
}

const ranges: Readonly<Record<string, readonly [low: bigint, high: bigint]>> = {
  y: [0n, 0xffn],
  n: [-0x8000n, 0x7fffn],
  q: [0n, 0xffffn],
  i: [-0x8000_0000n, 0x7fff_ffffn],
  u: [0n, 0xffff_ffffn],
  h: [0n, 0xffff_ffffn],
  x: [-(2n ** 63n), 2n ** 63n - 1n],
  t: [0n, 2n ** 64n - 1n],
}

function checkInteger(code: string, value: DBusValue, field: string): bigint {
  const [low, high] = ranges[code]!
  const integer = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined
  if (integer === undefined || integer < low || integer > high)
    throw new ConfigInvalid(field, value, `must be a whole number from ${low} to ${high}`)
  return integer
}

/** Whether a text is the path of an object: `/`, or names of letters, digits and `_` behind slashes. */
export const isObjectPath = (text: string): boolean => /^\/(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*)?$/.test(text)
