// What the virtual machine runs tests with in place of vitest, which takes a minute to start there: the part of its interface that our
// tests use, with vitest's own `expect`. Tests are collected as their file is imported, then run one after the other.
import { format } from 'node:util'
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  addCustomEqualityTesters,
  chai,
  customMatchers,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'

const settings = { leaveOut: [], only: '', ...JSON.parse(process.env.VM_TESTS ?? '{}') }
const slowness = Number(process.env.LIBCONTAINER_TESTS_SLOWNESS ?? 1)

const group = (name, parent, skip = false) => {
  return {
    name,
    parent,
    skip: skip || (parent?.skip ?? false),
    entries: [],
    beforeAll: [],
    afterAll: [],
    beforeEach: [],
    afterEach: [],
  }
}
const root = group('', undefined)
let current = root
let file = ''

const hook = kind => (call, timeout) => current[kind].push({ call, timeout })
export const [beforeAll, afterAll, beforeEach, afterEach] = ['beforeAll', 'afterAll', 'beforeEach', 'afterEach'].map(
  hook,
)

/** `test` and `describe` with their variants, above a function that takes (name, options, callback). */
function variants(add) {
  const make = given => {
    const call = (name, ...rest) => {
      const callback = rest.find(value => typeof value === 'function')
      const options = rest.find(value => typeof value === 'object') ?? {}
      const timeout = rest.find(value => typeof value === 'number') ?? options.timeout
      return add(typeof name === 'function' ? name.name : name, { ...options, ...given, timeout }, callback)
    }
    const rows =
      spread =>
      table =>
      (name, ...rest) => {
        const index = rest.findIndex(value => typeof value === 'function')
        for (const [i, row] of table.entries()) {
          const values = spread && Array.isArray(row) ? row : [row]
          call(
            rowName(name, values, i),
            ...rest.with(index, (...context) => rest[index](...values, ...(spread ? [] : context))),
          )
        }
      }
    return Object.assign(call, {
      each: rows(true),
      for: rows(false),
      skipIf: skip => (skip ? make({ skip: true }) : call),
      runIf: run => (run ? call : make({ skip: true })),
    })
  }
  const call = make({})
  return Object.assign(call, {
    skip: make({ skip: true }),
    todo: make({ skip: true }),
    sequential: call,
    concurrent: call,
  })
}

/** `%s` and its like stand for the values, `%#` for the number of the row, `$a.b` for a field of the first value. */
function rowName(name, values, index) {
  const [first] = values
  const named = name
    .replaceAll('%#', String(index))
    .replace(/\$([\w.]+)/g, (all, path) =>
      first !== null && typeof first === 'object' ? String(path.split('.').reduce((at, key) => at?.[key], first)) : all,
    )
  const wanted = named.match(/%[sdifjoOc]/g)?.length ?? 0
  return wanted === 0 ? named : format(named, ...values.slice(0, wanted))
}

export const describe = variants((name, { skip }, callback) => {
  const outer = current
  current = group(name, outer, skip)
  outer.entries.push(current)
  try {
    callback?.()
  } finally {
    current = outer
  }
})
export const test = variants((name, { skip, timeout }, call) => {
  current.entries.push({ name, skip: skip || call === undefined || current.skip, timeout, call })
})
export { describe as suite, test as it }

let finished = []
export const onTestFinished = call => finished.push(call)

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin)
export const expect = Object.assign((value, message) => chai.expect(value, message), chai.expect)
Object.assign(expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT], {
  getState: () => getState(expect),
  setState: state => setState(state, expect),
  extend: matchers => chai.expect.extend(expect, matchers),
  addEqualityTesters: testers => addCustomEqualityTesters(testers),
  soft: (value, message) => expect(value, message),
  unreachable: message => chai.assert.fail(`not to be reached${message ? `: ${message}` : ''}`),
  poll,
})
globalThis[GLOBAL_EXPECT] = expect
expect.setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null })
expect.extend(customMatchers)

/** The matcher that is called on it is tried until it holds. */
function poll(read, { interval = 50, timeout = 1000 } = {}) {
  const until = Date.now() + timeout * slowness
  const retrying = path =>
    new Proxy(() => undefined, {
      get: (_, key) => retrying([...path, key]),
      async apply(_, __, args) {
        for (;;) {
          try {
            const assertion = path.slice(0, -1).reduce((at, key) => at[key], expect(await read()))
            return assertion[path.at(-1)](...args)
          } catch (error) {
            if (Date.now() > until) throw error
            await new Promise(resolve => setTimeout(resolve, interval))
          }
        }
      },
    })
  return retrying([])
}

/** A line for vm/test.mjs, told from what tests print by the character at its start. */
const record = fields => process.stdout.write(`\x1e${JSON.stringify(fields)}\n`)

let stray
process.on('unhandledRejection', error => {
  stray ??= error
})

async function within(call, milliseconds, argument) {
  let timer
  const late = new Promise((_, reject) => {
    const wait = milliseconds * slowness
    timer = setTimeout(() => reject(new Error(`not done after ${wait} ms`)), wait)
  })
  try {
    await Promise.race([call(argument), late])
  } finally {
    clearTimeout(timer)
  }
}

const HOOK_MS = 60_000
const TEST_MS = 30_000

async function runHooks(hooks) {
  for (const { call, timeout = HOOK_MS } of hooks) await within(call, timeout)
}

/** A rule of worlds.mjs. */
function isMeant({ file: of, test: pattern, allBut }, name) {
  if (of !== undefined && of !== file) return false
  return pattern !== undefined ? new RegExp(pattern).test(name) : !new RegExp(allBut).test(name)
}

async function runTest(entry, path, around) {
  const name = [...path, entry.name].join(' > ')
  if (settings.only && !new RegExp(settings.only).test(name)) return
  const left = settings.leaveOut.find(rule => isMeant(rule, name))
  if (entry.skip || left !== undefined) {
    record({ name, outcome: 'skipped', ...(left && { why: left.why }) })
    return
  }
  const start = performance.now()
  record({ name, outcome: 'started' })
  const first = await attemptTest(entry, around)
  // As on a host: vitest.config.ts.
  const last = first.length === 0 ? first : await attemptTest(entry, around)
  const outcome = last.length === 0 ? 'passed' : 'failed'
  record({ name, outcome, ms: Math.round(performance.now() - start), errors: first.map(told), again: last.map(told) })
}

/** What went wrong in it, in the hooks around it, or behind its back. */
async function attemptTest(entry, around) {
  const errors = []
  const attempt = async run => {
    try {
      await run()
    } catch (error) {
      errors.push(error)
    }
  }
  finished = []
  stray = undefined
  await attempt(async () => {
    await runHooks(around.flatMap(({ beforeEach }) => beforeEach))
    await within(entry.call, entry.timeout ?? TEST_MS, { expect, onTestFinished, signal: new AbortController().signal })
  })
  await attempt(() => runHooks(around.toReversed().flatMap(({ afterEach }) => afterEach.toReversed())))
  for (const call of finished.toReversed()) await attempt(() => within(call, HOOK_MS))
  if (stray !== undefined) errors.push(stray)
  return errors
}

async function runGroup(at, path, around) {
  const inner = [...around, at]
  const runs = entry => ('entries' in entry ? entry.entries.some(runs) : !entry.skip)
  const hooked = at.entries.some(runs)
  if (hooked) await runHooks(at.beforeAll)
  for (const entry of at.entries) {
    if ('entries' in entry) await runGroup(entry, [...path, entry.name], inner)
    else await runTest(entry, path, inner)
  }
  if (hooked) await runHooks(at.afterAll.toReversed())
}

const told = error => {
  const lines = (error?.stack ?? String(error)).split('\n')
  const values = ['actual', 'expected']
    .filter(key => error && key in error)
    .map(key => `${key}: ${format('%O', error[key]).slice(0, 2000)}`)
  const cause = error?.cause === undefined ? [] : [`caused by: ${told(error.cause)}`]
  return [...lines.slice(0, 8), ...values, ...cause].join('\n')
}

/** Runs what was collected, and ends the process whatever still holds it. */
export async function run(of) {
  file = of
  try {
    await runGroup(root, [], [])
    record({ outcome: 'end' })
  } catch (error) {
    record({ name: file, outcome: 'failed', errors: [told(error)] })
    record({ outcome: 'end' })
  }
  process.stdout.write('', () => process.exit())
}
