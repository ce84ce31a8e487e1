import { createRequire } from 'node:module'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage, METHOD_CALL, messageSize, SIGNAL } from '../../src/dbus/message.js'
import { DBusReader } from '../../src/dbus/read.js'
import { parseSignature } from '../../src/dbus/signature.js'
import type { DBusValue, Variant } from '../../src/dbus/value.js'
import { DBusWriter } from '../../src/dbus/write.js'

const require = createRequire(import.meta.url)
const oracle = {
  marshall: require('dbus-native/lib/marshall.js') as (signature: string, values: unknown[]) => Buffer,
  unmarshall: require('dbus-native/lib/unmarshall.js') as (bytes: Buffer, signature: string) => unknown[],
  message: require('dbus-native/lib/message.js') as { marshall(message: object): Buffer },
}

type Typed = readonly [signature: string, value: DBusValue]

const name = fc.stringMatching(/^[A-Za-z0-9_]{1,12}$/)
const plain: fc.Arbitrary<Typed> = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map((n): Typed => ['y', n]),
  fc.boolean().map((b): Typed => ['b', b]),
  fc.integer({ min: -0x8000, max: 0x7fff }).map((n): Typed => ['n', n]),
  fc.integer({ min: 0, max: 0xffff }).map((n): Typed => ['q', n]),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }).map((n): Typed => ['i', n]),
  fc.integer({ min: 0, max: 0xffff_ffff }).map((n): Typed => ['u', n]),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n): Typed => ['x', n]),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n): Typed => ['t', n]),
  // The other implementation refuses infinities: they have a test of their own.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n): Typed => ['d', n]),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((s): Typed => ['s', s.replaceAll('\0', '')]),
  fc.array(name, { maxLength: 4 }).map((names): Typed => ['o', `/${names.join('/')}`]),
  fc.constantFrom('', 'a(sv)', 'a{sv}', 'ssa(sv)a(sa(sv))').map((s): Typed => ['g', s]),
)

/** Values of one type, by which arrays are filled. */
const typed: fc.Arbitrary<Typed> = fc.letrec<{ value: Typed }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    plain,
    tie('value').map(([type, value]): Typed => ['v', { type, value }]),
    fc
      .array(tie('value'), { minLength: 1, maxLength: 3 })
      .map((fields): Typed => [`(${fields.map(([type]) => type).join('')})`, fields.map(([, value]) => value)]),
    fc
      .tuple(tie('value'), fc.nat(3))
      .map(
        ([[type, value], count]): Typed =>
          type === 'y' ? ['ay', new Uint8Array(count).fill(value as number)] : [`a${type}`, Array(count).fill(value)],
      ),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 3 }).map((entries): Typed => {
      return ['a{sv}', entries.map(([key, [type, value]]) => [key, { type, value }])]
    }),
  ),
})).value

function written(signature: string, values: readonly DBusValue[], littleEndian = true): Uint8Array<ArrayBuffer> {
  const writer = new DBusWriter({ littleEndian })
  writer.writeAll(signature, values)
  return writer.bytes
}

const refusal = (signature: string, value: unknown): unknown => {
  try {
    return written(signature, [value as DBusValue])
  } catch (error) {
    return error
  }
}

describe('CG-71 values on the wire', () => {
  test('come back as they were, in both orders of bytes', () => {
    fc.assert(
      fc.property(fc.array(typed, { maxLength: 5 }), fc.boolean(), (values, littleEndian) => {
        const signature = values.map(([type]) => type).join('')
        fc.pre(signature.length < 200)
        const body = values.map(([, value]) => value)
        const bytes = written(signature, body, littleEndian)
        expect(new DBusReader(bytes, { littleEndian }).readAll(signature)).toEqual(body)
      }),
      { numRuns: 300 },
    )
  })

  test('are the bytes that another implementation writes', () => {
    fc.assert(
      fc.property(fc.array(typed, { minLength: 1, maxLength: 4 }), values => {
        const signature = values.map(([type]) => type).join('')
        fc.pre(signature.length < 200)
        const theirs = oracle.marshall(
          signature,
          values.map(([type, value]) => theirValue(type, value)),
        )
        const ours = written(
          signature,
          values.map(([, value]) => value),
        )
        expect(Buffer.from(ours).toString('hex')).toBe(theirs.toString('hex'))
      }),
      { numRuns: 200 },
    )
  })

  test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])('%d is a double as well', number => {
    expect(new DBusReader(written('d', [number])).readAll('d')).toEqual([number])
  })

  test('what systemd is asked has the bytes that another implementation writes', () => {
    const properties = [
      ['Slice', { type: 's', value: 'system.slice' }],
      ['PIDs', { type: 'au', value: [42] }],
      ['MemoryMax', { type: 't', value: 2n ** 64n - 1n }],
      ['AllowedCPUs', { type: 'ay', value: new Uint8Array([5]) }],
      ['DeviceAllow', { type: 'a(ss)', value: [['/dev/char/1:3', 'rwm']] }],
    ] as const
    const message = {
      type: METHOD_CALL,
      serial: 7,
      path: '/org/freedesktop/systemd1',
      interface: 'org.freedesktop.systemd1.Manager',
      member: 'StartTransientUnit',
      destination: 'org.freedesktop.systemd1',
      signature: 'ssa(sv)a(sa(sv))',
      body: ['a.scope', 'replace', properties, []],
    }
    const theirs = oracle.message.marshall({
      ...message,
      flags: 0,
      body: message.body.map((value, i) => theirValue(['s', 's', 'a(sv)', 'a(sa(sv))'][i]!, value as DBusValue)),
    })
    expect(decodeMessage(theirs)).toEqual(message)
    expect(decodeMessage(encodeMessage(message))).toEqual(message)
    expect(decodeMessage(encodeMessage(message, { littleEndian: false }))).toEqual(message)
    expect(messageSize(theirs)).toBe(theirs.length)
  })

  test.each([
    ['y', 256],
    ['u', -1],
    ['i', 2 ** 31],
    ['t', -1n],
    ['t', 2n ** 64n],
    ['x', 1.5],
    ['b', 1],
    ['s', 'a\0b'],
    ['s', '\ud800'],
    ['s', 5],
    ['o', 'no/path'],
    ['o', '/a/'],
    ['g', '{sv}'],
    ['as', 'x'],
    ['(ss)', ['one']],
    ['v', 'bare'],
    ['v', { type: 'ss', value: 'x' }],
    ['v', undefined],
    ['d', '1'],
  ])('a value that is not of the type %s is refused with its place: %o', (type, value) => {
    expect(refusal(`(${type})`, [value])).toMatchObject({ code: 'ConfigInvalid' })
    expect(refusal(type, value)).toMatchObject({ field: expect.stringMatching(/^arguments\[0\]/) })
  })

  test.each(['z', 'a', 'a{vs}', 'a{s}', 'a{sss}', '(', '()', '{ss}', `${'a'.repeat(33)}s`, 's'.repeat(256), '(s', ')'])(
    'no signature: %s',
    signature => {
      expect(() => parseSignature(signature)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
    },
  )
})

describe('CG-71 what is no D-Bus', () => {
  const good = encodeMessage({
    type: SIGNAL,
    serial: 1,
    path: '/a',
    interface: 'a.b',
    member: 'C',
    signature: 'sa{sv}',
    body: ['x', [['k', { type: 'as', value: ['y'] }]]],
  })

  test('any bytes are a message, or an error of the protocol: nothing else', () => {
    const either = (bytes: Uint8Array): void => {
      try {
        const size = messageSize(bytes)
        if (size !== undefined && bytes.length >= size) decodeMessage(bytes.subarray(0, size))
      } catch (error) {
        expect(error).toMatchObject({ code: 'EPROTO' })
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        either(bytes)
        either(Uint8Array.from([0x6c, 4, 0, 1, ...bytes]))
      }),
    )
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const broken = good.slice()
        broken[at] = byte
        either(broken)
      }),
      { numRuns: 500 },
    )
    for (let size = 0; size < good.length; size++) {
      const cut = good.slice(0, size)
      expect(() => decodeMessage(cut), `${size} bytes`).toThrow(expect.objectContaining({ code: 'EPROTO' }))
    }
  })

  test('a message larger than any may be is refused by its header', () => {
    const huge = new DBusWriter()
    huge.writeAll('yyyyuuu', [0x6c, 1, 0, 1, 2 ** 31, 1, 0])
    expect(() => messageSize(huge.bytes)).toThrow(/more than may be/)
  })

  test('variants in each other end somewhere', () => {
    const deep = new Uint8Array(400)
    for (let i = 0; i < 390; i += 3) deep.set([1, 0x76, 0], i)
    expect(() => new DBusReader(deep).readAll('v')).toThrow(expect.objectContaining({ code: 'EPROTO' }))
  })
})

/** A value as dbus-native takes it: a variant is its signature and its value, bytes are a Buffer. */
function theirValue(type: string, value: DBusValue): unknown {
  const [one] = parseSignature(type)
  const convert = ({ code, inner }: NonNullable<typeof one>, value: DBusValue): unknown => {
    if (code === 'v') {
      const variant = value as Variant
      return [variant.type, theirValue(variant.type, variant.value)]
    }
    if (value instanceof Uint8Array) return Buffer.from(value)
    if (code === 'a') return (value as DBusValue[]).map(each => convert(inner[0]!, each))
    if (code === '(' || code === '{') return (value as DBusValue[]).map((each, i) => convert(inner[i]!, each))
    return value
  }
  return convert(one!, value)
}
