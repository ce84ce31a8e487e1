import { parseJson, stringifyJson } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** JSON trees as parseJson gives them: integers are numbers up to 2^53, and bigints beyond. */
const large = fc.bigInt().filter(value => !Number.isSafeInteger(Number(value)))
const huge = fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n })
const key = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'toString', '1', 'integer:', '"integer:1"', '12345678901234567890'),
)
const { tree } = fc.letrec(tie => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null), key, large, huge),
    fc.array(tie('tree')),
    fc.array(fc.tuple(key, tie('tree'))).map(entries => Object.fromEntries(entries)),
  ),
}))

describe('S21', () => {
  test('64-bit integers survive both ways', () => {
    const text = '{"hard":18446744073709551615,"soft":-9223372036854775808,"small":1}'
    expect(parseJson(text)).toEqual({ hard: 18446744073709551615n, soft: -9223372036854775808n, small: 1 })
    expect(stringifyJson(parseJson(text))).toBe(text)
  })

  test('only what no number holds exactly becomes a bigint', () => {
    expect(parseJson('[9007199254740991,-9007199254740991,1000000000000000]')).toEqual([2 ** 53 - 1, 1 - 2 ** 53, 1e15])
    expect(parseJson('[9007199254740992,9007199254740993]')).toEqual([9007199254740992n, 9007199254740993n])
    expect(parseJson('[12345678901234567890.5,12345678901234567890e1,1e300]')).toEqual([
      12345678901234567000, 1.2345678901234568e20, 1e300,
    ])
  })

  test('digits in strings and keys stay what they are', () => {
    const text =
      '{"12345678901234567890":"12345678901234567890","a\\"b":"\\\\\\"12345678901234567890","n":12345678901234567890}'
    expect(parseJson(text)).toEqual({
      '12345678901234567890': '12345678901234567890',
      'a"b': '\\"12345678901234567890',
      n: 12345678901234567890n,
    })
  })

  test('of a repeated key the last counts, and __proto__ is a key as any', () => {
    expect(parseJson('{"a":12345678901234567890,"a":1}')).toEqual({ a: 1 })
    expect(parseJson('{"a":1,"a":12345678901234567890}')).toEqual({ a: 12345678901234567890n })
    const value = parseJson(
      '{"__proto__":{"admin":12345678901234567890},"x":{"__proto__":98765432109876543210}}',
    ) as Record<string, unknown>
    expect(Object.keys(value)).toEqual(['__proto__', 'x'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect((value as { admin?: unknown }).admin).toBeUndefined()
    expect(stringifyJson(value)).toBe(
      '{"__proto__":{"admin":12345678901234567890},"x":{"__proto__":98765432109876543210}}',
    )
  })

  test('what is no JSON is a SyntaxError, with long integers too', () => {
    for (const text of [
      '',
      '[12345678901234567890,]',
      '012345678901234567890',
      '{"a":12345678901234567890',
      '12345678901234567890n',
    ]) {
      expect(() => parseJson(text), text).toThrow(SyntaxError)
    }
  })

  test('every tree comes back as it was', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        expect(parseJson(stringifyJson(value, indent))).toEqual(value)
      }),
    )
  })

  test('without large integers it is the engine’s own', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify(value)
        expect(stringifyJson(value)).toBe(text)
        if (!/\d{16}/.test(text)) expect(parseJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('a string that looks like the mark is told from an integer', () => {
    const value = { a: 'integer:5', b: '_integer:5', c: 5n, d: '"integer:5"' }
    expect(stringifyJson(value)).toBe('{"a":"integer:5","b":"_integer:5","c":5,"d":"\\"integer:5\\""}')
  })
})
