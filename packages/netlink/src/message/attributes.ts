import { ConfigInvalid } from '@libcontainer/sys'
import { type Codec, NESTED, type StructCodec, type ValueOf } from './codec.js'
import { aligned, protocolError, viewOf } from './wire.js'
import { ByteWriter } from './writer.js'

export * from '../address/codecs.js'
export * from './codec.js'

/** By name: the type's number, and how the value stands there. */
export type AttributeEntries = Readonly<Record<string, readonly [type: number, codec: Codec<unknown>]>>

/** An attribute that a table does not have: younger than this package, or left out. It is written again as it came. */
export interface UnknownAttribute {
  /** With the bits NLA_F_NESTED (0x8000) and NLA_F_NET_BYTEORDER (0x4000), where it has them. */
  readonly type: number
  readonly bytes: Uint8Array
}

/** The values of attributes by name; those that are not there are absent, and those that the table lacks are in `unknown`. */
export type AttributeValues<E extends AttributeEntries> = {
  -readonly [K in keyof E]?: ValueOf<E[K][1]> | undefined
} & { unknown?: readonly UnknownAttribute[] | undefined }

/** The attributes of one kind of message, or of one nest. Made by {@link attributes}. */
export interface AttributeTable<V extends object = object> {
  /** By type: what errors of the kernel name. */
  nameOf(type: number): string | undefined
  /** The table of a nest; `undefined` for anything else. */
  nestOf(type: number): AttributeTable | undefined
  write(to: ByteWriter, values: V, field: string): void
  read(view: DataView, at: number, size: number): V
}

/** The values that a table reads and writes. */
export type ValuesOf<T> = T extends AttributeTable<infer V> ? V : never

/** struct nlattr. */
const HEADER = 4
const MAX_LENGTH = 0xffff
/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE = 0x3fff

interface Entry {
  readonly name: string
  readonly type: number
  readonly codec: Codec<unknown>
}

/** Codecs of nests, with the table that errors look into. */
const tables = new WeakMap<Codec<unknown>, AttributeTable>()

/**
 * A table of attributes, one line each:
 *
 * ```ts
 * const linkAttributes = attributes({ ifname: [3, string], mtu: [4, u32], linkinfo: [18, nested(linkInfo)] })
 * ```
 */
export function attributes<const E extends AttributeEntries>(entries: E): AttributeTable<AttributeValues<E>> {
  const list: readonly Entry[] = Object.entries(entries).map(([name, [type, codec]]) => ({ name, type, codec }))
  const byType: (Entry | undefined)[] = []
  for (const entry of list) byType[entry.type] = entry
  const read = (view: DataView, start: number, size: number): AttributeValues<E> => {
    const values: Record<string, unknown> = {}
    let unknown: UnknownAttribute[] | undefined
    const end = start + size
    for (let at = start; at < end; ) {
      const length = attributeLength(view, at, end)
      const type = view.getUint16(at + 2, true)
      const entry = byType[type & TYPE]
      if (entry === undefined) {
        unknown ??= []
        unknown.push({ type, bytes: new Uint8Array(view.buffer as ArrayBuffer, at + HEADER, length - HEADER).slice() })
      } else {
        const { name, codec } = entry
        const value = codec.read(view, at + HEADER, length - HEADER)
        // As the kernel does: of what may be there once the last counts.
        if (codec.repeated !== true) values[name] = value
        else if (values[name] === undefined) values[name] = value
        else (values[name] as unknown[]).push(...(value as readonly unknown[]))
      }
      at += aligned(length)
    }
    if (unknown !== undefined) values.unknown = unknown
    return values as AttributeValues<E>
  }
  const table: AttributeTable<AttributeValues<E>> = {
    nameOf: type => byType[type & TYPE]?.name,
    nestOf(type) {
      const codec = byType[type & TYPE]?.codec
      return codec && tables.get(codec)
    },
    write(to, values, field) {
      if (typeof values !== 'object' || values === null) throw new ConfigInvalid(field, values, 'must be an object')
      for (const name in values) {
        const entry = Object.hasOwn(entries, name) ? entries[name] : undefined
        if (entry !== undefined)
          writeEntry(to, entry[0], entry[1], values[name], field === '' ? name : `${field}.${name}`)
        else if (name !== 'unknown' && values[name] !== undefined)
          throw new ConfigInvalid(
            field === '' ? name : `${field}.${name}`,
            values[name],
            `is no attribute of this message; there are ${Object.keys(entries).join(', ')}`,
          )
      }
      for (const [i, { type, bytes }] of (values.unknown ?? []).entries())
        writeUnknown(to, type, bytes, field === '' ? `unknown[${i}]` : `${field}.unknown[${i}]`)
    },
    read,
  }
  return table
}

function writeEntry(to: ByteWriter, type: number, codec: Codec<unknown>, value: unknown, field: string): void {
  if (value === undefined) return
  if (codec.presence === true) {
    if (typeof value !== 'boolean') throw new ConfigInvalid(field, value, 'must be true or false')
    if (!value) return
  }
  if (codec.repeated === true) {
    if (!Array.isArray(value)) throw new ConfigInvalid(field, value, 'must be a list')
    for (const [i, one] of (value as readonly unknown[]).entries()) {
      const at = to.grow(HEADER)
      codec.write(to, [one], `${field}[${i}]`)
      endAttribute(to, at, type | (codec.flags ?? 0), field)
    }
    return
  }
  const at = to.grow(HEADER)
  codec.write(to, value, field)
  endAttribute(to, at, type | (codec.flags ?? 0), field)
}

function writeUnknown(to: ByteWriter, type: number, bytes: Uint8Array, field: string): void {
  if (!Number.isInteger(type) || type < 0 || type > 0xffff)
    throw new ConfigInvalid(`${field}.type`, type, 'must be a whole number from 0 to 65535')
  if (!(bytes instanceof Uint8Array)) throw new ConfigInvalid(`${field}.bytes`, bytes, 'must be a Uint8Array')
  const at = to.grow(HEADER)
  to.append(bytes)
  endAttribute(to, at, type, field)
}

/** The header of an attribute whose content was written behind its place, and what aligns the next. */
function endAttribute(to: ByteWriter, at: number, type: number, field: string): void {
  const length = to.size - at
  // The kernel keeps it in 16 bits: one that is longer would end early, and the rest be read as attributes of its own.
  if (length > MAX_LENGTH)
    throw new ConfigInvalid(field, length - HEADER, `must take at most ${MAX_LENGTH - HEADER} bytes`)
  to.view.setUint16(at, length, true)
  to.view.setUint16(at + 2, type, true)
  to.align()
}

/** The length that an attribute's header tells: that of the header at least, and within what is around it. */
function attributeLength(view: DataView, at: number, end: number): number {
  if (end - at < HEADER) throw protocolError(`ends within an attribute's header: ${end - at} bytes of ${HEADER}`)
  const length = view.getUint16(at, true)
  if (length < HEADER || length > end - at)
    throw protocolError(`has an attribute that says ${length} bytes, where ${end - at} are left`)
  return length
}

/** The bytes of attributes. @throws {ConfigInvalid} with the path of the value that does not fit, behind `field` */
export function encodeAttributes<V extends object>(
  table: AttributeTable<V>,
  values: V,
  field = '',
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter()
  table.write(writer, values, field)
  return writer.finish()
}

/** The values of attributes that fill bytes, from `from` on. @throws {LibcontainerError} `EPROTO` for lengths that lie */
export function decodeAttributes<V extends object>(table: AttributeTable<V>, bytes: Uint8Array, from = 0): V {
  return table.read(viewOf(bytes), bytes.byteOffset + from, Math.max(bytes.length - from, 0))
}

/** Attributes within an attribute. */
export function nested<V extends object>(table: AttributeTable<V>): Codec<V> {
  const codec: Codec<V> = {
    flags: NESTED,
    write: (to, values, field) => table.write(to, values, field),
    read: (view, at, size) => table.read(view, at, size),
  }
  tables.set(codec as Codec<unknown>, table as AttributeTable)
  return codec
}

/** What {@link withHeader} reads and writes. */
export interface Headed<H, V> {
  readonly header: H
  readonly attributes: V
}

/** A struct, and attributes behind it: the options of netem, the peer of a veth. */
export function withHeader<H, V extends object>(
  header: StructCodec<H>,
  table: AttributeTable<V>,
): Codec<{ header: Partial<H>; attributes: V }> & Codec<Headed<H, V>> {
  return {
    write(to: ByteWriter, value: { header: Partial<H>; attributes: V }, field: string) {
      header.write(to, value.header, `${field}.header`)
      to.align()
      table.write(to, value.attributes, `${field}.attributes`)
    },
    read(view: DataView, at: number, size: number) {
      const behind = Math.min(aligned(header.size), size)
      return {
        header: header.read(view, at, Math.min(header.size, size)),
        attributes: table.read(view, at + behind, size - behind),
      }
    },
  }
}

/**
 * A list in a nest: each element is an attribute in it.
 *
 * @param options.type - the type that every element has. Default: they are numbered
 * @param options.from - the first number. Default: 1
 */
export function listOf<T>(
  codec: Codec<T>,
  { type, from = 1 }: { type?: number | undefined; from?: number | undefined } = {},
): Codec<readonly T[]> {
  return {
    flags: NESTED,
    write(to, values, field) {
      if (!Array.isArray(values)) throw new ConfigInvalid(field, values, 'must be a list')
      for (const [i, value] of (values as readonly T[]).entries())
        writeEntry(to, type ?? from + i, codec as Codec<unknown>, value, `${field}[${i}]`)
    },
    read(view, start, size) {
      const values: T[] = []
      const end = start + size
      for (let at = start; at < end; ) {
        const length = attributeLength(view, at, end)
        if (type === undefined || (view.getUint16(at + 2, true) & TYPE) === type)
          values.push(codec.read(view, at + HEADER, length - HEADER))
        at += aligned(length)
      }
      return values
    },
  }
}

/** A list whose elements are attributes of the same type, one beside the other. */
export const repeated = <T>(codec: Codec<T>): Codec<readonly T[]> => ({
  repeated: true,
  flags: codec.flags,
  write: (to, [value], field) => codec.write(to, value as T, field),
  read: (view, at, size) => [codec.read(view, at, size)],
})

/** An attribute that was found by its place. */
export interface AttributePlace {
  /** Such as `linkinfo.kind`. */
  readonly path: string
  /** The table of what is in it, where it is a nest. */
  readonly inside: AttributeTable | undefined
}

/**
 * The attribute at a place in encoded attributes: the kernel tells the offset of what it did not like.
 *
 * @param offset - of the attribute's header or anything in it, from the start of `bytes`
 */
export function attributeAt(table: AttributeTable, bytes: Uint8Array, offset: number): AttributePlace | undefined {
  const view = viewOf(bytes)
  const wanted = bytes.byteOffset + offset
  let end = bytes.byteOffset + bytes.length
  let inside: AttributeTable | undefined = table
  let path: string | undefined
  for (let at = bytes.byteOffset; inside !== undefined && at < end; ) {
    const length = attributeLength(view, at, end)
    const next = at + aligned(length)
    if (wanted >= next) {
      at = next
      continue
    }
    const type = view.getUint16(at + 2, true)
    const name: string = inside.nameOf(type) ?? `type ${type & TYPE}`
    path = path === undefined ? name : `${path}.${name}`
    inside = inside.nestOf(type)
    if (wanted < at + HEADER) break
    end = at + length
    at += HEADER
  }
  return path === undefined ? undefined : { path, inside }
}
