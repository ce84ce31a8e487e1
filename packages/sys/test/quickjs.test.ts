import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseJson, stringifyJson } from '@libcontainer/sys'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildExecutable } from '../../../scripts/binary/executable.mjs'
import { temporaryDirectory } from '../../../test/support/index.js'
import { cases } from './quickjs/cases.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const program = join(root, '.cache/binary/test-program')

beforeAll(async () => {
  // Always at one place, so that a second run has nothing to build.
  const file = `${program}-greeting`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'hello\0')
  await buildExecutable({
    entry: 'packages/sys/test/quickjs/program.ts',
    output: program,
    packages: ['sys'],
    assets: [{ name: 'greeting', file }],
  })
}, 600_000)

interface Options {
  env?: Record<string, string>
  /** A shell's words before the program. */
  before?: string
}

function start(args: string[], { env, before }: Options = {}): SpawnSyncReturns<string> {
  const command =
    before === undefined ? [program, ...args] : ['/bin/sh', '-c', `${before}; exec "$@"`, 'sh', program, ...args]
  return spawnSync(command[0]!, command.slice(1), {
    encoding: 'utf8',
    timeout: 20_000,
    ...(env === undefined ? {} : { env }),
  })
}

/** What an act prints, when it ends well. */
function result(args: string[], options?: Options): unknown {
  const { status, stdout, stderr } = start(args, options)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe('both hosts answer alike', () => {
  let quickjs: Record<string, unknown>
  beforeAll(() => {
    quickjs = result(['cases']) as typeof quickjs
  })

  test.each(Object.entries(cases))('%s', async (name, run) => {
    expect(quickjs).toHaveProperty([name])
    expect(quickjs[name]).toEqual(JSON.parse(JSON.stringify(await run())))
  })

  test('and as expected', () => {
    expect(quickjs).toMatchObject({
      'a 64-bit answer': true,
      'a 64-bit answer beyond 2^53 as the nearest number': ['number', true, true],
      'numbers beyond 32 bits': '0000010000000000',
      'bigints of 63 bits': '4000010000000000',
      'strings beyond ASCII': '/memfd:é€😀 (deleted)',
      'the bytes of a string': 2,
      'the bytes of a string with two': 'TypeError: readFile: the bytes of a string do not end at their one NUL',
      'a string with NUL': 'TypeError: readFile: a string holds a NUL byte',
      'a number for a string': 'TypeError: readFile: argument 2 is of the wrong kind',
      'undefined for a number': 'TypeError: close: argument 1 is of the wrong kind',
      'another typed array for bytes': 'TypeError: readFd: argument 2 is of the wrong kind',
      'an errno is negative': -9,
      'an errno through a promise': -9,
      'a full buffer, a part of one, and none': { wrote: 5, sync: 2, async: 3, none: 0, all: [0, 0, 1, 2, 0, 3, 4, 5] },
      'a plan that works': 'done',
      'a plan whose second step fails': {
        ours: true,
        code: 'ENOENT',
        syscall: 'openat',
        path: '/absent/é',
        hint: 'make it',
      },
    })
  })
})

describe('text', () => {
  /** All pairs of bytes that are not ASCII, and random sequences of the bytes at which the rules change. */
  function sequences(): string[] {
    const edges = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed]
    edges.push(0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff, 0xbb)
    const lines = []
    for (let a = 0x80; a < 0x100; a++) for (let b = 0x80; b < 0x100; b += 5) lines.push(hex([a, b]))
    let seed = 1
    const next = () => {
      seed = (seed * 48271) % 0x7fffffff
      return seed
    }
    for (let i = 0; i < 4000; i++)
      lines.push(hex(Array.from({ length: 1 + (next() % 8) }, () => edges[next() % edges.length]!)))
    return lines
  }
  const hex = (bytes: number[]): string => Buffer.from(bytes).toString('hex')

  test('TextDecoder reads invalid UTF-8 as Node does, whole and in pieces', () => {
    using dir = temporaryDirectory('quickjs-text-')
    const file = join(dir.path, 'sequences')
    const lines = sequences()
    writeFileSync(file, lines.join('\n'))
    const decoder = new TextDecoder()
    expect(result(['decode', file])).toEqual(lines.map(line => decoder.decode(Buffer.from(line, 'hex'))))
    expect(result(['decode-stream', file])).toEqual([])
  })

  test('a fatal TextDecoder refuses what is not UTF-8, and U+FFFD itself is', () => {
    expect(result(['decode-fatal'])).toEqual([false, false, true, true])
  })

  test('TextEncoder replaces lone surrogates', () => {
    const encoder = new TextEncoder()
    expect(result(['encode'])).toEqual(['a\ud800b', '\udc00', 'é€😀\0'].map(text => [...encoder.encode(text)]))
  })

  test('the command line and the environment arrive, whatever they hold', () => {
    expect(result(['args', '', 'é😀', '--x=1', 'a b'])).toEqual(['', 'é😀', '--x=1', 'a b'])
    const printed = start(['environment'], {
      env: { A: '1', E: '', 'with space': 'a=b', ['__proto__']: 'data' },
    }).stdout
    expect(JSON.parse(printed)).toEqual(JSON.parse('{"A":"1","E":"","with space":"a=b","__proto__":"data"}'))
  })
})

describe('S21 JSON', () => {
  const texts = [
    ...[
      '{"a":1,"a":2}',
      '{"__proto__":{"x":1},"constructor":2}',
      '[18446744073709551615,-9223372036854775808,9007199254740993]',
    ],
    ...[
      '9007199254740991',
      '9007199254740992',
      '1e400',
      '-0',
      '12345678901234567890.5',
      '12345678901234567e2',
      '"12345678901234567890"',
    ],
    ...[
      '{"12345678901234567890":"\\"12345678901234567890\\""}',
      '"\\ud800"',
      '"\\u0000"',
      '{"é":"€😀"}',
      ' [ ] ',
      '{"x":[{"y":18446744073709551615}]}',
    ],
    ...[
      '',
      '{',
      '[1,]',
      '{"a":1,}',
      "{'a':1}",
      '01',
      '1.',
      '.5',
      '+1',
      'NaN',
      'undefined',
      '// x\n1',
      '"\t"',
      '"\\x41"',
      '[1] 2',
      '{a:1}',
      '0x10',
      '1_000',
    ],
    ...['012345678901234567890', '-', '[12345678901234567890,]', 'tru', '"abc'],
  ]

  test('both engines read and write the same', () => {
    using dir = temporaryDirectory('quickjs-json-')
    const file = join(dir.path, 'texts')
    writeFileSync(file, JSON.stringify(texts))
    const node = texts.map(text => {
      try {
        return { value: stringifyJson(parseJson(text)) }
      } catch (error) {
        return { refused: (error as Error).name }
      }
    })
    expect(result(['json', file])).toEqual(node)
  })

  test('nesting beyond the stack is an error, not a crash', () => {
    expect(result(['deep'])).toMatch(/Error$/)
  })
})

describe('the loop', () => {
  test('timers fire in the order of their time, then of their making', () => {
    expect(result(['timers'])).toEqual(['now', 'job', 'first', 'second', 'a', 'b', 'c', 'd'])
  })

  test('a descriptor is waited for once, while timers go on', () => {
    expect(result(['poll'])).toEqual(['slept', 'ready 1', 'closed 16', 'EBADF'])
  })

  test('a hundred descriptors at once', () => {
    expect(result(['poll-many'])).toBe(100)
  })

  test('waits end by their signal, with its reason', () => {
    expect(result(['abort'])).toEqual([
      'Error: enough',
      'Error: enough',
      'Error: enough',
      'TimeoutError: The operation was aborted due to timeout',
      'AbortError: This operation was aborted',
      'why',
    ])
  })

  test('a signal calls its listeners once', () => {
    expect(result(['listeners'])).toEqual(['onabort', 'abort true', false, 'AbortError'])
  })

  test('a module is loaded when it is imported', () => {
    expect(result(['split'])).toBe('loaded when needed')
  })
})

describe('the end of the process', () => {
  test('exit gives its status', () => {
    expect(start(['status', '3']).status).toBe(3)
    expect(start(['status', '0']).status).toBe(0)
    expect(start(['answer', '4']).status).toBe(4)
  })

  test('an error of ours prints its message, hint and causes', () => {
    const { status, stderr } = start(['uncaught-ours'])
    expect(status).toBe(1)
    expect(stderr.split('\n').slice(0, 3)).toEqual(['the message', 'hint: the remedy', 'because: Error: deeper'])
  })

  test('a defect says where it arose', () => {
    const { status, stderr } = start(['uncaught-defect'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^TypeError: .*undefined.*\n +at uncaught-defect/)
  })

  test('a rejection that nobody handles ends it', () => {
    expect(start(['unhandled'])).toMatchObject({ status: 1, stderr: expect.stringMatching(/^Error: nobody cares\n/) })
    expect(start(['throws-in-timer'])).toMatchObject({ status: 1, stderr: expect.stringMatching(/^TypeError: late\n/) })
    expect(result(['handled-later'])).toBe('handled')
  })

  test('waiting for what nothing can bring is status 13, as in Node', () => {
    expect(start(['unsettled']).status).toBe(13)
  })

  test('a deadline alone keeps no process alive', () => {
    expect(start(['background-timer'])).toMatchObject({ status: 0, signal: null })
  })
})

describe('the executable', () => {
  test('S8 SIGCHLD is not ignored, whatever was inherited', () => {
    const ignored = BigInt(`0x${result(['signal-state'], { before: "trap '' CHLD INT" })}`)
    expect({ chld: (ignored >> 16n) & 1n, int: (ignored >> 1n) & 1n }).toEqual({ chld: 0n, int: 1n })
  })

  test('an op at a module’s top level fails the build, since its answer would be the build’s', async () => {
    const early = { entry: 'packages/sys/test/quickjs/early.ts', output: `${program}-early`, packages: ['sys'] }
    await expect(buildExecutable(early)).rejects.toThrow(/uname: not while a module is evaluated/)
  }, 60_000)

  test('a program without a function to call at the start fails the build', async () => {
    const part = { entry: 'packages/sys/test/quickjs/part.ts', output: `${program}-part`, packages: ['sys'] }
    await expect(buildExecutable(part)).rejects.toThrow(/default export must be the function/)
  }, 60_000)

  test('what belongs to one run is not in the image', () => {
    expect(result(['random'])).not.toBe(result(['random']))
    expect(start(['--write-image']).status).toBe(1)
  })

  test('what is in the image is not carried once more', () => {
    const head = readFileSync(
      join(root, `.cache/binary/${process.arch}-test-program/modules/main.js.bytecode`),
    ).subarray(0, 512)
    expect(head.length).toBe(512)
    expect(readFileSync(program).includes(head)).toBe(false)
  })

  test('carries files', () => {
    expect(result(['asset'])).toEqual([...Buffer.from('hello\0')])
    expect(start(['asset-absent'])).toMatchObject({ status: 1, stderr: 'this executable was built without absent\n' })
  })

  test('holds two megabytes at most, and does not grow with work', () => {
    const { start: resident, grown } = result(['memory']) as { start: number; grown: number }
    expect(resident).toBeLessThan(2048)
    expect(grown).toBeLessThan(1024)
  })

  test('says what it is, and stays small', () => {
    expect(result(['engine'])).toBe('quickjs 0.17.0')
    expect(statSync(program).size).toBeLessThan(1.5 * 1024 * 1024)
  })
})
