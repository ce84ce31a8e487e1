import { exampleSpec, parseProcess, parseResources, parseSpec } from '@libcontainer/oci'
import { stringifyJson } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusal } from './support.js'

const fault = (text: string) => {
  const { field, message, hint } = refusal(() => parseSpec(text))
  return { field, message, ...(hint === undefined ? {} : { hint }) }
}

describe('EV-192 a config.json that is none', () => {
  test('EV-192 no JSON: the line and the column, and what must stand there', () => {
    expect(fault('{\n  "ociVersion": "1.0.0",\n  "root": { "path": \'rootfs\' }\n}')).toEqual({
      field: 'config.json, line 3, column 21',
      message: `config.json, line 3, column 21: is no JSON: a value must stand here (got "'rootfs' }\\n}")`,
      hint: 'JSON has double quotes alone',
    })
    expect(fault('').message).toContain('line 1, column 1: is no JSON: the text ends too early')
    expect(fault('{"ociVersion": "1"').message).toContain('ends too early')
    expect(fault('{"a": 1,}').hint).toBe('leave the comma before it out')
    expect(fault('{"a": [1, 2,]}').message).toContain('column 13: is no JSON: a value must stand here')
    expect(fault('{"a": 1} // the end').hint).toBe('JSON has no comments')
    expect(fault('{"a" 1}').message).toContain('a colon must stand here')
    expect(fault('{a: 1}').message).toContain('a name in double quotes or a closing brace')
    expect(fault('{"a": 01}').field).toBe('config.json, line 1, column 7')
    expect(fault('{"a": nul}').field).toBe('config.json, line 1, column 7')
    expect(fault('{"a": "b\nc"}').field).toBe('config.json, line 1, column 9')
    expect(fault('\ufeff{}').hint).toBe('save it without a byte order mark')
    expect(fault('[1}').message).toContain('a comma or a closing bracket')
  })

  test('EV-192 null, and other things than an object', () => {
    for (const text of ['null', '[]', '"config"', '5'])
      expect(fault(text).message).toBe(`config.json: must be an object (got ${text})`)
  })

  test('EV-192 keys that come twice, since readers disagree on which counts', () => {
    expect(fault('{"ociVersion":"1","root":{"path":"/a","path":"/b"}}')).toEqual({
      field: 'config.json, line 1, column 39',
      message: 'config.json, line 1, column 39: says root.path twice (got "\\"path\\":\\"/b\\"}}")',
      hint: 'leave one of the two out: readers disagree on which counts',
    })
    expect(fault('{"ociVersion":"1","mounts":[{},{"type":"a","\\u0074ype":"b"}]}').message).toContain('mounts[1].type')
    expect(fault('{"ociVersion":"1","annotations":{"__proto__":"a","__proto__":"b"}}').message).toContain('twice')
  })

  test('EV-192 endless nesting', () => {
    const deep = (n: number) => `{"ociVersion":"1","x":${'['.repeat(n)}${']'.repeat(n)}}`
    expect(fault(deep(100)).message).toContain('is nested deeper than 64 levels')
    expect(fault(deep(1_000_000)).message).toContain('is nested deeper than 64 levels')
    expect(parseSpec(deep(10)).ociVersion).toBe('1')
  })

  test('EV-192 more than 16 MiB', () => {
    const text = JSON.stringify({ ociVersion: '1', hostname: 'a'.repeat(16 * 1024 * 1024) })
    expect(fault(text).message).toContain('must not be larger than 16777216 characters')
  })

  test('EV-192 the name of the file is that of the caller', () => {
    expect(refusal(() => parseSpec('{', '/b/config.json')).field).toBe('/b/config.json, line 1, column 2')
  })
})

test('EV-121 a process.json that is none', () => {
  expect(refusal(() => parseProcess('null')).message).toBe('process: must be an object (got null)')
  expect(refusal(() => parseProcess('{"args":["sh"]}')).field).toBe('process.cwd')
  expect(refusal(() => parseProcess('{"cwd":"/","args":"sh"}')).field).toBe('process.args')
  expect(refusal(() => parseProcess('{"cwd":"/","user":"root"}')).field).toBe('process.user')
  expect(refusal(() => parseProcess('{')).field).toBe('process.json, line 1, column 2')
  expect(parseProcess('{"cwd":"/","args":["sh"]}')).toEqual({ cwd: '/', args: ['sh'] })
})

test('EV-162 resources that are none', () => {
  expect(refusal(() => parseResources('{"memory":{"limit":"1G"}}')).field).toBe('linux.resources.memory.limit')
  expect(parseResources('{"memory":{"limit":9223372036854775807}}')).toEqual({ memory: { limit: 2n ** 63n - 1n } })
})

test('D-09 numbers beyond 2^53 survive', () => {
  const process = { cwd: '/', rlimits: [{ type: 'RLIMIT_NPROC', soft: 2n ** 64n - 1n, hard: 2n ** 64n - 1n }] }
  const text = stringifyJson({ ociVersion: '1', process })
  expect(parseSpec(text).process!.rlimits).toEqual(process.rlimits)
})

test('what is written is what is read: compact, with tabs, with any blanks', () => {
  const spec = exampleSpec()
  for (const indent of [undefined, '\t', 2, 7]) expect(parseSpec(JSON.stringify(spec, undefined, indent))).toEqual(spec)
  expect(parseSpec(`\n ${JSON.stringify(spec)}\t\n`)).toEqual(spec)
})

test('EV-192 keys that come twice are found, however they are written', () => {
  const blank = fc.constantFrom('', ' ', '\t', '\n', '\r\n')
  const value = fc.constantFrom('1', '"a"', '"\\":"', '" :"', '"\\u003a"', '{"x":1}', '["k"]', '{"\\":": 1}')
  const entry = fc.tuple(fc.constantFrom('a', 'b', 'c', '\\u0061', '\\":'), blank, blank, value)
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 4 }), entries => {
      const text = `{"ociVersion":"1",${[...entries, ['z', '', '', '0']]
        .map(([key, before, after, what]) => `"${key}"${before}:${after}${what}`)
        .join(',')}}`
      const names = entries.map(([key]) => JSON.parse(`"${key}"`))
      const repeats = new Set(names).size < names.length
      let refused = ''
      try {
        parseSpec(text)
      } catch (error) {
        refused = (error as Error).message
      }
      expect([text, refused.includes('twice')]).toEqual([text, repeats])
    }),
    { numRuns: 2000 },
  )
})
