import { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  attributeAt,
  attributes,
  be16,
  be32,
  bytes,
  bytesOf,
  type Codec,
  counter,
  decodeAttributes,
  encodeAttributes,
  flag,
  ip,
  listOf,
  mac,
  nested,
  packed,
  repeated,
  s32,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
  type ValuesOf,
  withHeader,
} from '../src/message/attributes.js'
import { messageBody } from '../src/message/message.js'

const info = attributes({ kind: [1, string], port: [2, be16], peer: [3, ip] })
const hop = struct({ id: u32, weight: u8, more: u8, spare: u16 })
const table = attributes({
  name: [1, string],
  small: [2, u8],
  middle: [3, u16],
  large: [4, u32],
  signed: [5, s32],
  huge: [6, u64],
  count: [7, counter],
  network: [8, be32],
  raw: [9, bytes],
  on: [10, flag],
  address: [11, mac],
  gateway: [12, ip],
  info: [13, nested(info)],
  numbers: [14, listOf(u32)],
  words: [15, listOf(string, { type: 3 })],
  hops: [16, packed(hop)],
  names: [17, repeated(string)],
  headed: [18, withHeader(struct({ family: u8, index: s32 }), info)],
  four: [19, bytesOf(4)],
})
type Values = ValuesOf<typeof table>

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter(each => !each.includes('\0'))
const address = fc.oneof(
  fc.constantFrom('192.0.2.1', '0.0.0.0', '255.255.255.255', '::', '2001:db8::1', 'fe80::1'),
  fc.ipV4(),
)
const word = fc.nat(0xffff_ffff)
const infos = fc.record({ kind: text, port: fc.nat(0xffff), peer: address }, { requiredKeys: [] })
const values: fc.Arbitrary<Values> = fc.record(
  {
    name: text,
    small: fc.nat(255),
    middle: fc.nat(0xffff),
    large: word,
    signed: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    huge: fc.bigInt(0n, 2n ** 64n - 1n),
    count: fc.maxSafeNat(),
    network: word,
    raw: fc.uint8Array({ maxLength: 30 }),
    on: fc.constant(true),
    address: fc.constantFrom('02:42:ac:11:00:02', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00'),
    gateway: address,
    info: infos,
    numbers: fc.array(word, { maxLength: 5 }),
    words: fc.array(text, { maxLength: 5 }),
    hops: fc.array(fc.record({ id: word, weight: fc.nat(255), more: fc.nat(255), spare: fc.nat(0xffff) })),
    names: fc.array(text, { minLength: 1, maxLength: 4 }),
    headed: fc.record({
      header: fc.record({ family: fc.nat(255), index: fc.integer({ min: -5, max: 5 }) }),
      attributes: infos,
    }),
    four: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    unknown: fc.array(
      fc.record({ type: fc.integer({ min: 100, max: 0x3fff }), bytes: fc.uint8Array({ maxLength: 9 }) }),
      { minLength: 1, maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
)

/** The code of what is thrown. */
function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('NL-02 attributes', () => {
  test('are read as they were written, those that the table lacks, too', () => {
    fc.assert(
      fc.property(values, given => {
        expect(decodeAttributes(table, encodeAttributes(table, given))).toEqual(given)
      }),
    )
  })

  test('stand as the kernel has them: length and type, then the value, each at a multiple of four', () => {
    expect([...encodeAttributes(table, { middle: 0x102, name: 'ab', info: { port: 0x102 } })]).toEqual(
      [
        [6, 0, 3, 0, 2, 1, 0, 0],
        [7, 0, 1, 0, 97, 98, 0, 0],
        // NLA_F_NESTED, and a port in network order within.
        [12, 0, 13, 0x80, 6, 0, 2, 0, 1, 2, 0, 0],
      ].flat(),
    )
  })

  test('what was written unknown to one table is read by another that knows it', () => {
    const older = attributes({ name: [1, string] })
    fc.assert(
      fc.property(values, given => {
        const kept = decodeAttributes(older, encodeAttributes(table, given))
        expect(decodeAttributes(table, encodeAttributes(older, kept))).toEqual(given)
      }),
    )
  })

  test('of one that is there twice the last counts, as for the kernel', () => {
    const twice = new Uint8Array([...encodeAttributes(table, { large: 1 }), ...encodeAttributes(table, { large: 2 })])
    expect(decodeAttributes(table, twice)).toEqual({ large: 2 })
  })

  test('a flag that is false is not there', () => {
    expect(encodeAttributes(table, { on: false }).length).toBe(0)
    expect(decodeAttributes(table, encodeAttributes(table, { on: true }))).toEqual({ on: true })
  })

  test('a struct lies as in C, and a shorter one of an older kernel is read with zeros', () => {
    const codec = struct({ family: u8, index: s32, last: u16 })
    expect(codec.size).toBe(12)
    const { bytes: written } = messageBody(codec, { family: 7, last: 9 })
    expect([...written]).toEqual([7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0])
    const view = new DataView(new Uint8Array([7, 1, 1, 1, 5, 0, 0, 0]).buffer)
    expect(codec.read(view, 0, 8)).toEqual({ family: 7, index: 5, last: 0 })
    expect(codeOf(() => struct({ index: s32 }, { whole: true }).read(view, 0, 3))).toBe('EPROTO')
  })
})

describe('NL-02 lengths that lie', () => {
  test('any bytes are values, or EPROTO; nothing loops', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), input => {
        expect([undefined, 'EPROTO']).toContain(codeOf(() => decodeAttributes(table, input)))
      }),
      { numRuns: 1000 },
    )
  })

  test('sound attributes of which one length is changed are values, or EPROTO', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(0xffff), (given, place, lie) => {
        const input = encodeAttributes(table, given)
        if (input.length === 0) return
        const view = new DataView(input.buffer, input.byteOffset)
        view.setUint16((place % (input.length / 4)) * 4, lie, true)
        expect([undefined, 'EPROTO']).toContain(codeOf(() => decodeAttributes(table, input)))
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['a header that is cut', [4, 0, 1]],
    ['less than a header', [3, 0, 1, 0]],
    ['none at all', [0, 0, 1, 0]],
    ['more than there is', [9, 0, 1, 0, 1, 2, 3, 4]],
    ['a nest that ends later than itself', [12, 0, 13, 0x80, 9, 0, 1, 0, 1, 2, 3, 4]],
    ['a number that is too short', [6, 0, 4, 0, 1, 2, 0, 0]],
    ['a list whose element is longer than it', [8, 0, 14, 0x80, 255, 255, 1, 0]],
    ['half a struct in an array', [6, 0, 16, 0, 1, 2, 0, 0]],
    ['an address of five bytes', [9, 0, 12, 0, 1, 2, 3, 4, 5, 0, 0, 0]],
  ])('%s', (_, input) => {
    expect(codeOf(() => decodeAttributes(table, new Uint8Array(input)))).toBe('EPROTO')
  })

  test('bytes behind the message are never looked at', () => {
    const around = new Uint8Array(64).fill(0x41)
    const inside = around.subarray(8, 16)
    inside.set([8, 0, 1, 0, 66, 66, 66, 66])
    expect(decodeAttributes(table, inside)).toEqual({ name: 'BBBB' })
    inside.set([9, 0, 1, 0])
    expect(codeOf(() => decodeAttributes(table, inside))).toBe('EPROTO')
  })
})

describe('NL-02 values that do not fit name their field', () => {
  const wrong = (given: object): string => {
    try {
      encodeAttributes(table, given as Values, 'link')
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigInvalid)
      return (error as ConfigInvalid).field
    }
    return 'it was taken'
  }

  test.each<[string, object]>([
    ['link.small', { small: 256 }],
    ['link.small', { small: 1.5 }],
    ['link.signed', { signed: 2 ** 31 }],
    ['link.huge', { huge: 2n ** 64n }],
    ['link.huge', { huge: 3 }],
    ['link.name', { name: 'a\0b' }],
    ['link.name', { name: 3 }],
    ['link.on', { on: 1 }],
    ['link.info.port', { info: { port: -1 } }],
    ['link.info.peer', { info: { peer: '1.2.3' } }],
    ['link.info', { info: 3 }],
    ['link.numbers[1]', { numbers: [1, -1] }],
    ['link.hops[0].weight', { hops: [{ weight: 300 }] }],
    ['link.names[1]', { names: ['a', '\0'] }],
    ['link.headed.header.family', { headed: { header: { family: 'x' }, attributes: {} } }],
    ['link.address', { address: '02:42' }],
    ['link.four', { four: new Uint8Array(3) }],
    ['link.nothing', { nothing: 1 }],
    ['link.unknown[0].type', { unknown: [{ type: 0x10000, bytes: new Uint8Array() }] }],
  ])('%s', (field, given) => {
    expect(wrong(given)).toBe(field)
  })

  test('a length that 16 bits do not hold is refused, also that of a nest: CVE-2021-43784', () => {
    expect(wrong({ raw: new Uint8Array(65532) })).toBe('link.raw')
    expect(wrong({ info: { kind: 'x'.repeat(65530) } })).toBe('link.info')
    const most = encodeAttributes(table, { raw: new Uint8Array(65531) })
    expect(decodeAttributes(table, most).raw?.length).toBe(65531)
    expect(wrong({ unknown: [{ type: 300, bytes: new Uint8Array(70_000) }] })).toBe('link.unknown[0]')
  })
})

test('NL-01 an attribute is found by its place: the kernel tells no more of what it did not like', () => {
  const input = encodeAttributes(table, { large: 1, info: { kind: 'veth', port: 3 } })
  const pathAt = (offset: number): string | undefined => attributeAt(table, input, offset)?.path
  expect([0, 4, 7, 8, 11].map(pathAt)).toEqual(['large', 'large', 'large', 'info', 'info'])
  expect([12, 20, 24].map(pathAt)).toEqual(['info.kind', 'info.kind', 'info.port'])
  expect([32, 1000].map(pathAt)).toEqual([undefined, undefined])
  const codec: Codec<string> = string
  expect(codec.size).toBe(undefined)
})
