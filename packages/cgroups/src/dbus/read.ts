import { ConfigInvalid, decodeUtf8 } from '@libcontainer/sys'
import { protocolError } from './errors.js'
import { alignments, type DBusType, parseSignature } from './signature.js'
import type { DBusValue } from './value.js'
import { isObjectPath } from './write.js'

/** Of variants in each other, with the arrays and structs in them. */
const MAX_DEPTH = 64

/** Reads values of D-Bus. What breaks its rules, or ends too early, is an error of the protocol. */
export class DBusReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #little: boolean
  #at = 0

  constructor(bytes: Uint8Array, { littleEndian = true }: { littleEndian?: boolean } = {}) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#little = littleEndian
  }

  get offset(): number {
    return this.#at
  }

  align(to: number): void {
    this.#take(Math.ceil(this.#at / to) * to - this.#at)
  }

  readAll(signature: string): DBusValue[] {
    return this.#types(signature).map(type => this.read(type))
  }

  read({ code, inner }: DBusType, depth = 0): DBusValue {
    if (depth > MAX_DEPTH) throw protocolError(`has more than ${MAX_DEPTH} values in each other`)
    this.align(alignments[code]!)
    switch (code) {
      case 'a':
        return this.#array(inner[0]!, depth + 1)
      case '(':
      case '{':
        return inner.map(type => this.read(type, depth + 1))
      case 'v':
        return this.#variant(depth + 1)
      case 's':
      case 'o':
        return this.#string(this.#view.getUint32(this.#take(4), this.#little), code)
      case 'g':
        return this.#string(this.#view.getUint8(this.#take(1)), code)
      default:
        return this.#number(code)
    }
  }

  #types(signature: string): readonly DBusType[] {
    try {
      return parseSignature(signature)
    } catch (error) {
      if (error instanceof ConfigInvalid) throw protocolError(error.message)
      throw error
    }
  }

  /** The place of the next bytes, which are there. */
  #take(size: number): number {
    const at = this.#at
    if (size > this.#bytes.length - at) throw protocolError('ends before its values do')
    this.#at += size
    return at
  }

  #array(element: DBusType, depth: number): DBusValue {
    const size = this.#view.getUint32(this.#take(4), this.#little)
    this.align(alignments[element.code]!)
    const end = this.#at + size
    if (end > this.#bytes.length) throw protocolError('has an array that is longer than itself')
    if (element.code === 'y') return Uint8Array.from(this.#bytes.subarray(this.#take(size), end))
    const values: DBusValue[] = []
    while (this.#at < end) values.push(this.read(element, depth))
    if (this.#at !== end) throw protocolError('has an array whose values do not fill it')
    return values
  }

  #variant(depth: number): DBusValue {
    const type = this.#string(this.#view.getUint8(this.#take(1)), 'g')
    const [one, ...more] = this.#types(type)
    if (one === undefined || more.length > 0) throw protocolError(`has a variant of the types '${type}'`)
    return { type, value: this.read(one, depth) }
  }

  #string(size: number, code: string): string {
    const at = this.#take(size + 1)
    const bytes = this.#bytes.subarray(at, at + size)
    if (this.#bytes[at + size] !== 0 || bytes.includes(0))
      throw protocolError('has a string with a NUL at another place than its end')
    const text = decodeUtf8(bytes)
    if (code === 'o' && !isObjectPath(text)) throw protocolError('has a path of an object that is none')
    return text
  }

  #number(code: string): DBusValue {
    const little = this.#little
    const at = this.#take(alignments[code]!)
    switch (code) {
      case 'y':
        return this.#view.getUint8(at)
      case 'n':
        return this.#view.getInt16(at, little)
      case 'q':
        return this.#view.getUint16(at, little)
      case 'i':
        return this.#view.getInt32(at, little)
      case 'x':
        return this.#view.getBigInt64(at, little)
      case 't':
        return this.#view.getBigUint64(at, little)
      case 'd':
        return this.#view.getFloat64(at, little)
      default: {
        const number = this.#view.getUint32(at, little)
        if (code !== 'b') return number
        if (number > 1) throw protocolError(`has a boolean that is ${number}`)
        return number === 1
      }
    }
  }
}
