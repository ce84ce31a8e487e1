import { DEFAULT_PATH, type ProcessSpec } from '@libcontainer/container'
import { decodeUtf8 } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { processSteps, userArgs } from '../src/plan/process.js'
import { answerUser } from '../src/start/user-answer.js'
import { checkProcess, environment, variable } from '../src/validate/process.js'

const args = ['/bin/true']
const check = (spec: object): void => checkProcess({ args, ...spec } as ProcessSpec)

function refused(spec: object, field: string, text: string | RegExp = ''): void {
  let error: unknown
  try {
    check(spec)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toMatchObject({ name: 'ConfigInvalid', code: 'ConfigInvalid', field })
  expect((error as Error).message).toMatch(text)
}

describe('what cannot be run', () => {
  test('EV-100 no process', () => {
    for (const spec of [undefined, null, 5, 'sh', ['sh']])
      expect(() => checkProcess(spec as never)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
    expect(() => checkProcess({} as never)).toThrow(expect.objectContaining({ field: 'process.args' }))
  })

  test('EV-102 VAL-31 no arguments', () => {
    for (const value of [[], undefined, null, 'sh', {}, 5]) refused({ args: value }, 'process.args', /program/)
    refused({ args: ['sh', 5] }, 'process.args[1]', /string/)
    refused({ args: ['sh', 'a\0b'] }, 'process.args[1]', /NUL/)
    refused({ args: ['\ud800'] }, 'process.args[0]', /surrogate/)
    check({ args: [''] })
  })

  test('EV-101 VAL-31 an empty or relative working directory', () => {
    for (const cwd of ['', 'tmp', './tmp', '../']) refused({ cwd }, 'process.cwd', /absolute/)
    refused({ cwd: '/a\0' }, 'process.cwd', /NUL/)
    for (const cwd of [5, null, {}]) refused({ cwd }, 'process.cwd')
  })

  test('EV-103 PP-06 variables without =, without a name, with NUL', () => {
    refused({ env: ['A=1', 'B'] }, 'process.env[1]', /NAME=value/)
    refused({ env: ['=1'] }, 'process.env[0]', /NAME=value/)
    refused({ env: [''] }, 'process.env[0]')
    refused({ env: ['A=\0'] }, 'process.env[0]', /NUL/)
    refused({ env: ['A=1', 5] }, 'process.env[1]', /string/)
    for (const env of [null, 'A=1', 5]) refused({ env }, 'process.env')
    check({ env: ['A=', 'B=a=b', 'C=line\nend', 'ü=ü'] })
  })

  test('EV-103 an object of variables is held to the same: no name with =, no value that is no string', () => {
    refused({ env: { '': 'x' } }, 'process.env.', /NAME=value/)
    refused({ env: { 'PATH=/evil': 'x' } }, 'process.env.PATH=/evil', /NAME=value/)
    for (const value of [undefined, null, 5, {}]) refused({ env: { HOME: value } }, 'process.env.HOME', /string/)
    check({ env: { A: '', B: 'a=b' } })
  })

  test('EV-198 a variable may have any name of an object', () => {
    const env = JSON.parse('{"__proto__": "1", "constructor": "2", "toString": "3"}') as Record<string, string>
    expect(environment({ args, env })).toEqual(['__proto__=1', 'constructor=2', 'toString=3'])
    expect(environment({ args, env: ['__proto__=1', '__proto__=2'] })).toEqual(['__proto__=2'])
  })

  test('EV-104 limits are held to the same as the container’s', () => {
    refused({ rlimits: [{ type: 'RLIMIT_X', soft: 0, hard: 0 }] }, 'process.rlimits[0].type')
    refused({ rlimits: [{ type: 'RLIMIT_CPU', soft: 1, hard: 0 }] }, 'process.rlimits[0].soft')
    const cpu = { type: 'RLIMIT_CPU', soft: 0, hard: 0 }
    refused({ rlimits: [cpu, cpu] }, 'process.rlimits[1].type', /twice/)
    refused({ rlimits: cpu }, 'process.rlimits', /list/)
  })

  test('EV-106 EV-113 EV-199 other attributes', () => {
    refused({ oomScoreAdj: 1001 }, 'process.oomScoreAdj')
    refused({ umask: 0o1000 }, 'process.umask')
    refused({ umask: '022' }, 'process.umask')
    refused({ noNewPrivileges: 1 }, 'process.noNewPrivileges')
    refused({ capabilities: ['CAP_NO'] }, 'process.capabilities.bounding[0]')
    refused({ capabilities: { ambient: ['CAP_KILL'] } }, 'process.capabilities.ambient')
    refused({ secureBits: ['NOROOT', 'ROOT'] }, 'process.secureBits[1]')
    check({ capabilities: null, oomScoreAdj: -1000, umask: 0, noNewPrivileges: false })
  })

  test('EV-116 EV-199 users and groups that are none', () => {
    for (const uid of [-1, 0.5, 4294967295, '0', undefined, null, Number.NaN])
      refused({ user: { uid } }, 'process.user.uid')
    refused({ user: { uid: 0, gid: -1 } }, 'process.user.gid')
    for (const user of [null, 5, true]) refused({ user }, 'process.user')
    refused({ user: 'a\0' }, 'process.user', /NUL/)
    refused({ additionalGroups: [1.5] }, 'process.additionalGroups[0]')
    refused({ additionalGroups: ['wheel', -1] }, 'process.additionalGroups[1]')
    refused({ additionalGroups: [null] }, 'process.additionalGroups[0]')
    refused({ additionalGroups: 'wheel' }, 'process.additionalGroups', /list/)
    check({ user: { uid: 4294967294, gid: 0 }, additionalGroups: [0, 'wheel'] })
  })

  test('EV-122 a terminal is all three streams, and has a size that fits', () => {
    refused({ terminal: true, stdio: 'pipe' }, 'process.stdio', /terminal/)
    refused({ terminal: { rows: 0, columns: 80 } }, 'process.terminal.rows')
    refused({ terminal: { rows: 24 } }, 'process.terminal.columns')
    refused({ terminal: { rows: 24, columns: 65536 } }, 'process.terminal.columns')
    for (const terminal of [null, 'yes', 1]) refused({ terminal }, 'process.terminal')
    check({ terminal: false, stdio: 'pipe' })
    check({ terminal: true })
    refused({ plainNewlines: true }, 'process.plainNewlines', /set terminal/)
    refused({ terminal: true, plainNewlines: 1 }, 'process.plainNewlines')
    check({ terminal: true, plainNewlines: true })
  })

  test('PR-04 PR-05 streams and descriptors that are none', () => {
    refused({ stdio: 'pipes' }, 'process.stdio', /'pipe', 'inherit', 'null'/)
    refused({ stdio: ['pipe', 'pipe'] }, 'process.stdio', /three/)
    refused({ stdio: ['pipe', -1, 'null'] }, 'process.stdio[1]')
    refused({ stdio: ['pipe', 'null', null] }, 'process.stdio[2]')
    for (const stdio of [-1, 1.5, null, {}, Number.NaN]) refused({ stdio }, 'process.stdio')
    refused({ extraFds: [0, 'pipe'] }, 'process.extraFds[1]', /descriptor/)
    refused({ extraFds: [-1] }, 'process.extraFds[0]')
    refused({ extraFds: 5 }, 'process.extraFds', /list/)
    refused({ extraFds: Array.from({ length: 1001 }, () => 0) }, 'process.extraFds', /1000 descriptors at most/)
    check({ stdio: ['null', 1, 'inherit'], extraFds: [0] })
  })

  test('VAL-31 an unknown field is refused, with those that there are', () => {
    refused({ command: 'sh' }, 'process.command', /is no field of a process; there are args, env/)
    refused({ constructor: 1 }, 'process.constructor')
    refused(JSON.parse('{"__proto__": 1}'), 'process.__proto__')
  })

  const anything = fc.anything({ withBigInt: true, withNullPrototype: true, maxDepth: 2 })
  const fields =
    'args env cwd user additionalGroups terminal stdio extraFds capabilities rlimits noNewPrivileges umask oomScoreAdj'.split(
      ' ',
    )
  test.each(fields)('EV-199 whatever stands in %s is accepted or a ConfigInvalid, never another error', field => {
    fc.assert(
      fc.property(
        fc.oneof(
          anything,
          fc.array(fc.oneof(fc.string({ unit: 'binary' }), anything)),
          fc.dictionary(fc.string(), fc.string()),
        ),
        value => {
          try {
            check({ [field]: value })
          } catch (error) {
            expect(error).toMatchObject({ code: 'ConfigInvalid' })
          }
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('environment', () => {
  test('PP-06 without one there is PATH alone', () => {
    expect(environment({ args })).toEqual([`PATH=${DEFAULT_PATH}`])
    expect(environment({ args, env: [] })).toEqual([])
  })

  test('PP-06 of duplicates the last wins, in the place of the first', () => {
    expect(environment({ args, env: ['A=1', 'B=2', 'A=3', 'C=4', 'B='] })).toEqual(['A=3', 'B=', 'C=4'])
  })

  test('PP-06 merged, each name has its last value, in the order of first mention', () => {
    const name = fc.constantFrom('A', 'B', 'PATH', 'HOME', '__proto__', 'ü', 'A B')
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            name,
            fc.string().filter(text => !text.includes('\0')),
          ),
        ),
        pairs => {
          const env = pairs.map(([key, value]) => `${key}=${value}`)
          const merged = environment({ args, env })
          expect(merged.map(entry => entry.slice(0, entry.indexOf('=')))).toEqual([
            ...new Set(pairs.map(([key]) => key)),
          ])
          for (const [key] of pairs) {
            const last = pairs.findLast(([other]) => other === key)![1]
            expect(variable(merged, key)).toBe(last)
          }
          expect(environment({ args, env: merged })).toEqual(merged)
          // The same as an object.
          const object = Object.assign(
            Object.create(null),
            Object.fromEntries(pairs.filter(([key]) => key !== '__proto__')),
          )
          const without = merged.filter(entry => !entry.startsWith('__proto__='))
          expect(environment({ args, env: object }).sort()).toEqual(without.sort())
        },
      ),
    )
  })

  test('PP-06 a variable is found by its whole name', () => {
    const env = ['XPATH=1', 'PATH2=2', 'PATH=a=b', 'EMPTY=']
    expect(variable(env, 'PATH')).toBe('a=b')
    expect(variable(env, 'EMPTY')).toBe('')
    expect(variable(env, 'P')).toBeUndefined()
  })

  const text = (bytes: Uint8Array | string | undefined): string[] =>
    (typeof bytes === 'string' ? bytes : decodeUtf8(bytes!)).split('\0').slice(0, -1)

  test('PP-06 HOME is that of the user’s entry, else /, unless it is given and not empty', async () => {
    const home = async (spec: object): Promise<string[]> => {
      const { bytes } = await answerUser({ args, ...spec } as ProcessSpec, [undefined, undefined])
      return text(bytes!.home)
    }
    expect(await home({})).toEqual(['HOME=/'])
    expect(await home({ env: ['HOME='] })).toEqual(['HOME=/'])
    expect(await home({ env: ['HOME=/x'] })).toEqual(['HOME=/x'])
    expect(await home({ env: ['HOME=/x', 'HOME='] })).toEqual(['HOME=/'])
    expect(await home({ env: ['HOME2=/x'] })).toEqual(['HOME=/'])
  })
})

describe('what is looked up in the container', () => {
  const attributes = {
    capabilities: null,
    seccomp: [],
    noNewPrivileges: false,
    rlimits: [],
    umask: 0o22,
    parentDeathSignal: undefined,
    sharing: { initial: [], affinity: undefined, steps: [] },
  }
  const asks = (spec: ProcessSpec): boolean =>
    processSteps(spec, attributes, { userns: false }).some(step => step.op === 'askWithFiles')

  test('US-05 numbers and a given HOME need no look into passwd and group', () => {
    expect(asks({ args, user: { uid: 5 }, env: ['HOME=/'] })).toBe(false)
    expect(asks({ args, env: ['HOME=/'], additionalGroups: [5, 6] })).toBe(false)
    expect(asks({ args })).toBe(true)
    expect(asks({ args, env: ['HOME='] })).toBe(true)
    expect(asks({ args, user: '0', env: ['HOME=/'] })).toBe(true)
    expect(asks({ args, additionalGroups: ['wheel'], env: ['HOME=/'] })).toBe(true)
  })

  test('PR-03 groups go to the kernel as u32s', () => {
    const { groups } = userArgs({ args, env: ['HOME=/'], additionalGroups: [1, 4294967294] }, ['HOME=/'])
    expect(groups).toEqual(new Uint8Array([1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]))
  })
})
