import { readFileSync } from 'node:fs'
import { findJsonFault } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test.each([
  ['{\n\t"a": 1,\n\t"b": tru\n}', 3, 7, 'a value must stand here'],
  ['{"a": 1,}', 1, 9, 'a name in double quotes must stand here'],
  ["{'a': 1}", 1, 2, 'a name in double quotes or a closing brace must stand here'],
  ['{"a" 1}', 1, 6, 'a colon must stand here'],
  ['[1 2]', 1, 4, 'a comma or a closing bracket must stand here'],
  ['[1,]', 1, 4, 'a value must stand here'],
  ['{"a": 01}', 1, 7, 'a value must stand here'],
  ['{"a": "x\ny"}', 1, 9, 'a string cannot hold this character'],
  ['{"a": "\\x"}', 1, 8, 'there is no such escape in a string'],
  ['{"a\t": 1}', 1, 4, 'a string cannot hold this character'],
  ['{"a": "x', 1, 9, 'the string has no end'],
  ['{"a": [1', 1, 9, 'the text ends too early'],
  ['', 1, 1, 'the text ends too early'],
  ['{} {}', 1, 4, 'nothing more must stand here'],
  ['\ufeff{}', 1, 1, 'a value must stand here'],
  ['{"😀": nope}', 1, 7, 'a value must stand here'],
  [`${'['.repeat(100_000)}x`, 1, 100_001, 'a value must stand here'],
])('EV-192 where a text ceases to be JSON: %.20j', (text, line, column, problem) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError)
  expect(findJsonFault(text)).toMatchObject({ line, column, problem: `is no JSON: ${problem}` })
})

test('EV-192 what is JSON has no fault but one of the rules', () => {
  for (const name of ['minimal', 'host-pid', 'userns']) {
    const text = readFileSync(new URL(`../../../sample_configs/${name}.json`, import.meta.url), 'utf8')
    expect(findJsonFault(text, { maxDepth: 64, uniqueKeys: true })).toBeUndefined()
    for (let end = 0; end < text.trimEnd().length; end++) expect(findJsonFault(text.slice(0, end))).toBeDefined()
  }
  expect(findJsonFault('[[1]]')).toBeUndefined()
  expect(findJsonFault('[[1]]', { maxDepth: 1 })).toMatchObject({
    column: 2,
    problem: 'is nested deeper than 1 levels',
  })
  expect(findJsonFault('{"a":1,"a":2}')).toBeUndefined()
  expect(findJsonFault('{"b":[{"a":1,"\\u0061":2}]}', { uniqueKeys: true })).toMatchObject({
    problem: 'says b[0].a twice',
  })
})

test('EV-192 the look at the text agrees with the engine on every text', () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text)
    } catch {
      return false
    }
    return true
  }
  const damaged = fc
    .tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom('', ',', '"', '}', ']', '\\', ' ', '0', ':', '{', '\n', '-', 'e'),
    )
    .map(([text, at, what]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + what + text.slice(what === '' ? place + 1 : place)
    })
  fc.assert(
    fc.property(fc.oneof(fc.json(), damaged, fc.string()), text => {
      expect([text, findJsonFault(text) === undefined]).toEqual([text, isJson(text)])
    }),
    { numRuns: 3000 },
  )
})
