import { ConfigInvalid, decodeUtf8, encodeUtf8, kernelString } from '@libcontainer/sys'
import { protocolError } from './wire.js'
import type { ByteWriter } from './writer.js'

/** How values of one type stand in a message. */
export interface Codec<T> {
  /** Writes a value at the end. @throws {ConfigInvalid} that names `field` for one that does not fit */
  write(to: ByteWriter, value: T, field: string): void
  /** The value in `size` bytes from `at` of a view on, all of which are there. @throws {LibcontainerError} `EPROTO` when they are too few */
  read(view: DataView, at: number, size: number): T
  /** How many bytes every value takes, where that is always the same. */
  readonly size?: number | undefined
  /** In a struct: at a multiple of what it begins. */
  readonly align?: number | undefined
  /** Bits that go into the attribute's type. */
  readonly flags?: number | undefined
  /** Its values are lists, each element of which is an attribute of the same type beside the others. */
  readonly repeated?: boolean | undefined
  /** Of a {@link flag}: there without content, or not there. */
  readonly presence?: boolean | undefined
}

/** The type that a codec's values have. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never

/** A codec whose values all take so many bytes. */
export interface FixedCodec<T> extends Codec<T> {
  readonly size: number
  readonly align: number
}

/** NLA_F_NESTED. */
export const NESTED = 0x8000

export function needBytes(size: number, wanted: number): void {
  if (size < wanted) throw protocolError(`has ${size} bytes where a value of ${wanted} belongs`)
}

/** A fixed codec of the accessors of a DataView. */
function number(
  size: number,
  low: number,
  high: number,
  get: (view: DataView, at: number) => number,
  set: (view: DataView, at: number, value: number) => void,
): FixedCodec<number> {
  return {
    size,
    align: size,
    write(to, value, field) {
      if (!Number.isInteger(value) || value < low || value > high)
        throw new ConfigInvalid(field, value, `must be a whole number from ${low} to ${high}`)
      const at = to.grow(size)
      set(to.view, at, value)
    },
    read(view, at, have) {
      needBytes(have, size)
      return get(view, at)
    },
  }
}

const wide = (low: bigint, high: bigint, little: boolean): FixedCodec<bigint> => ({
  size: 8,
  align: 8,
  write(to, value, field) {
    if (typeof value !== 'bigint' || value < low || value > high)
      throw new ConfigInvalid(field, value, `must be a bigint from ${low} to ${high}`)
    const at = to.grow(8)
    to.view.setBigUint64(at, value, little)
  },
  read(view, at, have) {
    needBytes(have, 8)
    return low < 0n ? view.getBigInt64(at, little) : view.getBigUint64(at, little)
  },
})

export const u8 = number(
  1,
  0,
  0xff,
  (view, at) => view.getUint8(at),
  (view, at, value) => view.setUint8(at, value),
)
export const u16 = number(
  2,
  0,
  0xffff,
  (view, at) => view.getUint16(at, true),
  (view, at, value) => view.setUint16(at, value, true),
)
export const u32 = number(
  4,
  0,
  0xffff_ffff,
  (view, at) => view.getUint32(at, true),
  (view, at, value) => view.setUint32(at, value, true),
)
export const s32 = number(
  4,
  -0x8000_0000,
  0x7fff_ffff,
  (view, at) => view.getInt32(at, true),
  (view, at, value) => view.setInt32(at, value, true),
)
export const u64 = wide(0n, 2n ** 64n - 1n, true)
export const s64 = wide(-(2n ** 63n), 2n ** 63n - 1n, true)
/** In network order, whatever the machine's. */
export const be16 = number(
  2,
  0,
  0xffff,
  (view, at) => view.getUint16(at),
  (view, at, value) => view.setUint16(at, value),
)
export const be32 = number(
  4,
  0,
  0xffff_ffff,
  (view, at) => view.getUint32(at),
  (view, at, value) => view.setUint32(at, value),
)
export const be64 = wide(0n, 2n ** 64n - 1n, false)

/** 64 bits as a number, which is exact up to 2^53: of what is counted in bytes that is nine petabytes. */
export const counter: FixedCodec<number> = {
  size: 8,
  align: 8,
  write(to, value, field) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new ConfigInvalid(field, value, `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`)
    const at = to.grow(8)
    to.view.setUint32(at, value % 0x1_0000_0000, true)
    to.view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
  },
  read(view, at, have) {
    needBytes(have, 8)
    return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000
  },
}

/** Text, which NUL ends. What is no UTF-8 is read as U+FFFD. */
export const string: Codec<string> = {
  write(to, value, field) {
    to.append(encodeUtf8(kernelString(value, field)))
    to.grow(1)
  },
  read(view, at, size) {
    let text = ''
    for (let end = at; end < at + size; end++) {
      const code = view.getUint8(end)
      if (code === 0) break
      if (code > 127) return decodeText(view, at, size)
      text += String.fromCharCode(code)
    }
    return text
  },
}

function decodeText(view: DataView, at: number, size: number): string {
  const all = new Uint8Array(view.buffer, at, size)
  const end = all.indexOf(0)
  return decodeUtf8(end < 0 ? all : all.subarray(0, end))
}

/** Bytes as they are: a copy of their own. */
export const bytes: Codec<Uint8Array> = {
  write(to, value, field) {
    if (!(value instanceof Uint8Array)) throw new ConfigInvalid(field, value, 'must be a Uint8Array')
    to.append(value)
  },
  read: (view, at, size) => new Uint8Array(view.buffer as ArrayBuffer, at, size).slice(),
}

/** Bytes that are attributes, whose table depends on another value: of a link's kind, say. See `encodeAttributes` and `decodeAttributes`. */
export const nestedBytes: Codec<Uint8Array> = { ...bytes, flags: NESTED }

/** Exactly so many bytes. */
export const bytesOf = (count: number): FixedCodec<Uint8Array> => ({
  size: count,
  align: 1,
  write(to, value, field) {
    if (!(value instanceof Uint8Array) || value.length !== count)
      throw new ConfigInvalid(field, value, `must be a Uint8Array of ${count} bytes`)
    to.append(value)
  },
  read(view, at, size) {
    needBytes(size, count)
    return bytes.read(view, at, count)
  },
})

/** True where the attribute is there, which has no content. False writes none. */
export const flag: Codec<boolean> = {
  presence: true,
  write() {},
  read: () => true,
}

type Fields = Readonly<Record<string, FixedCodec<unknown>>>

/** Of the fields that a struct has; those that are not given are 0. */
export type StructOf<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> }

export interface StructCodec<T> extends FixedCodec<T> {
  /** Writes fields; those that are absent are 0. */
  write(to: ByteWriter, value: Partial<T>, field: string): void
}

/**
 * A C struct: fields in order, each where the C compilers of Linux would have it. A shorter one, of an older kernel, is read with 0 for what it lacks, unless
 * `whole` says that there is none; of a longer one, of a younger kernel, the rest is not looked at.
 */
export function struct<const F extends Fields>(
  fields: F,
  { whole = false }: { whole?: boolean } = {},
): StructCodec<StructOf<F>> {
  let end = 0
  let align = 1
  const layout = Object.entries(fields).map(([name, codec]) => {
    const at = Math.ceil(end / codec.align) * codec.align
    end = at + codec.size
    align = Math.max(align, codec.align)
    return { name, codec, at }
  })
  const size = Math.ceil(end / align) * align
  const read = (view: DataView, at: number): StructOf<F> => {
    const value: Record<string, unknown> = {}
    for (const { name, codec, at: offset } of layout) value[name] = codec.read(view, at + offset, codec.size)
    return value as StructOf<F>
  }
  return {
    size,
    align,
    write(to, value, field) {
      if (typeof value !== 'object' || value === null) throw new ConfigInvalid(field, value, 'must be an object')
      const start = to.size
      for (const { name, codec, at } of layout) {
        to.grow(start + at - to.size)
        const given = value[name]
        if (given === undefined) to.grow(codec.size)
        else codec.write(to, given, field === '' ? name : `${field}.${name}`)
      }
      to.grow(start + size - to.size)
    },
    read(view, at, have) {
      if (have >= size) return read(view, at)
      if (whole) needBytes(have, size)
      const padded = new Uint8Array(size)
      padded.set(new Uint8Array(view.buffer, at, have))
      return read(new DataView(padded.buffer), 0)
    },
  }
}

/** Values of one size behind each other, without a header each: an array of C. */
export const packed = <T>(codec: FixedCodec<T>): Codec<readonly T[]> => ({
  write(to, values, field) {
    if (!Array.isArray(values)) throw new ConfigInvalid(field, values, 'must be a list')
    for (const [i, value] of (values as readonly T[]).entries()) codec.write(to, value, `${field}[${i}]`)
  },
  read(view, at, size) {
    if (size % codec.size !== 0) throw protocolError(`has ${size} bytes where values of ${codec.size} belong`)
    return Array.from({ length: size / codec.size }, (_, i) => codec.read(view, at + i * codec.size, codec.size))
  },
})
