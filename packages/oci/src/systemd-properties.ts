import { ConfigInvalid, fieldName } from '@libcontainer/sys'

const PREFIX = 'org.systemd.property.'

/** A property of the unit of a container: its name, the type of its value in D-Bus' letters, the value. */
export interface SystemdProperty {
  readonly name: string
  readonly type: string
  readonly value: boolean | number | bigint | string | readonly (string | number | bigint | boolean)[]
}

type Value = Omit<SystemdProperty, 'name'>

const SECOND_US = 1_000_000

/** D-Bus' integers by their names in the text of GVariant, with their ranges. */
const integers: Readonly<Record<string, readonly [letter: string, low: bigint, high: bigint]>> = {
  byte: ['y', 0n, 0xffn],
  int16: ['n', -0x8000n, 0x7fffn],
  uint16: ['q', 0n, 0xffffn],
  int32: ['i', -0x8000_0000n, 0x7fff_ffffn],
  uint32: ['u', 0n, 0xffff_ffffn],
  int64: ['x', -(2n ** 63n), 2n ** 63n - 1n],
  uint64: ['t', 0n, 2n ** 64n - 1n],
}
const byLetter = new Map(Object.entries(integers).map(([name, [letter]]) => [`@${letter}`, name]))

/**
 * The properties that annotations `org.systemd.property.<Name>` ask for: values in the text format of GVariant, `…Sec` in seconds becomes
 * `…USec` in microseconds.
 *
 * They let whoever writes an annotation act on the host, by `SuccessAction` for one: only call this for annotations that you trust.
 *
 * @throws {ConfigInvalid} for a name that is none, and for a value that cannot be read
 */
export function systemdProperties(annotations: Readonly<Record<string, string>>): SystemdProperty[] {
  return Object.entries(annotations)
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([key, text]) => {
      const field = fieldName(key, 'annotations')
      const name = key.slice(PREFIX.length)
      if (!/^[A-Za-z]{3,}$/.test(name))
        throw new ConfigInvalid(field, name, 'must end in the name of a property: three letters or more')
      const value = parse(text.trim(), field)
      return name.endsWith('Sec') && !name.endsWith('USec') ? inMicroseconds(name, value, field) : { name, ...value }
    })
}

function inMicroseconds(name: string, { value }: Value, field: string): SystemdProperty {
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw new ConfigInvalid(field, value, 'must be a number of seconds')
  const us = typeof value === 'bigint' ? value * BigInt(SECOND_US) : BigInt(Math.round(value * SECOND_US))
  if (us < 0n || us >= 2n ** 64n) throw new ConfigInvalid(field, value, 'must be a number of seconds, 0 or more')
  return { name: `${name.slice(0, -'Sec'.length)}USec`, type: 't', value: small(us) }
}

function parse(text: string, field: string): Value {
  if (text === 'true' || text === 'false') return { type: 'b', value: text === 'true' }
  const quoted = /^(?:string |@s )?\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")$/s.exec(text)?.[1]
  if (quoted !== undefined) return { type: 's', value: quoted.slice(1, -1).replace(/\\(.)/gs, '$1') }
  const [, kind, number] = /^(?:(byte|u?int(?:16|32|64)|@[ynqiuxt])\s+)?(-?(?:0x[0-9a-fA-F]+|\d+))$/.exec(text) ?? []
  if (number !== undefined) return integer(kind, number, field)
  const [, double] = /^(?:(?:double|@d)\s+)?(-?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)$/.exec(text) ?? []
  if (double !== undefined) return { type: 'd', value: Number(double) }
  const list = /^(?:@a\w\s+)?\[(.*)\]$/s.exec(text)?.[1]
  if (list !== undefined) return array(text, list, field)
  throw new ConfigInvalid(
    field,
    text,
    "must be a value as GVariant writes it: true, 5, uint64 5, 1.5, 'text', ['a', 'b']",
  )
}

function integer(kind = 'int32', text: string, field: string): Value {
  const [letter, low, high] = integers[byLetter.get(kind) ?? kind]!
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)
  if (value < low || value > high)
    throw new ConfigInvalid(field, text, `must be from ${low} to ${high}: its type is ${kind}`)
  return { type: letter, value: small(value) }
}

/** Parts of one type, split at the commas outside of quotes. */
function array(text: string, inner: string, field: string): Value {
  const parts = inner.match(/(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,'"])+/gs)?.map(part => part.trim()) ?? []
  const values = parts.filter(part => part !== '').map(part => parse(part, field))
  const said = /^@a(\w)/.exec(text)?.[1]
  const type = values[0]?.type ?? said
  if (
    type === undefined ||
    type.length > 1 ||
    (said !== undefined && said !== type) ||
    values.some(each => each.type !== type)
  )
    throw new ConfigInvalid(
      field,
      text,
      'must be a list of plain values of one type; an empty one says its type, @as []',
    )
  return { type: `a${type}`, value: values.map(({ value }) => value as string) }
}

const small = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
