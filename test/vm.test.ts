import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bundle } from '../vm/bundle.mjs'
import { leaveOut, worlds } from '../vm/worlds.mjs'
import { temporaryDirectory } from './support/index.js'

const top = fileURLToPath(new URL('..', import.meta.url))

test('the worlds of test:vm name test files that exist, and leave out tests that do', () => {
  const files = [...new Set(worlds.flatMap(world => world.files))]
  expect(files.filter(file => !existsSync(join(top, file)))).toEqual([])
  // Groups are called by the host that they run by, too.
  const names = [...files, 'packages/lcrun/test/hosts.ts'].map(file => readFileSync(join(top, file), 'utf8')).join('\n')
  for (const { test, allBut, file, why } of leaveOut as {
    test?: string
    allBut?: string
    file?: string
    why: string
  }[]) {
    if (file !== undefined) expect(files).toContain(file)
    // A name of a group stands without what is in it, and one of both in two places; what a template puts in stands nowhere.
    for (const name of (test ?? allBut!).split('|'))
      expect(names).toContain(
        name
          .replace(/^\^| > $/g, '')
          .split(' > ')
          .at(-1)!
          .replace(/^\S*\\d\S* /, ''),
      )
    expect(why).toMatch(/\w/)
  }
})

test('each file of a world knows no more of vitest than the runner there', { timeout: 120_000 }, async () => {
  using directory = temporaryDirectory('worlds-')
  // The rest of what they import takes most of the time, and is known to be there.
  const external = ['@libcontainer/*', 'libcontainer', 'nsinit']
  await bundle([...new Set(worlds.flatMap(world => world.files))], directory.path, { external })
})

interface Reported {
  name?: string
  outcome: string
  errors?: string[]
  ms?: number
  why?: string
}

const sample = `
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
const order: string[] = []
const say = (word: string) => () => void order.push(word)
beforeAll(say('beforeAll')); beforeEach(say('beforeEach')); afterEach(say('afterEach')); afterAll(() => console.log(order.join(' ')))
describe('a group', () => {
  afterAll(say('inner afterAll'))
  beforeEach(say('inner beforeEach'))
  test('passes', async () => { onTestFinished(say('finished')); await expect(Promise.reject(new Error('so'))).rejects.toThrow('so') })
  test.each([['a', 1], ['b', 2]] as const)('row %s is %d', (_, n) => expect(n).toBe(1))
})
test('fails late', { timeout: 20 }, () => new Promise(() => undefined))
test('fails where nobody waits', async () => { void Promise.reject(new Error('stray')); await new Promise(resolve => setTimeout(resolve, 10)) })
test('is skipped', { skip: true }, () => expect.unreachable())
test('is left out', () => expect.unreachable())
test('knows where it lies', () => expect(import.meta.filename).toMatch(/sample\\.test\\.ts$/))
test('polls', async () => { let n = 0; await expect.poll(() => n++, { interval: 1 }).toBeGreaterThan(3) })
let tries = 0
test('is right at last', () => expect(++tries).toBe(2))
test('compares', () => expect({ a: [1], b: 2 }).toMatchObject({ a: [expect.any(Number)] }))
`

test('the runner of test:vm tells what passes, fails and is skipped, and calls the hooks in their order', async () => {
  using directory = temporaryDirectory('vm-runner-')
  const source = join(directory.path, 'sample.test.ts')
  writeFileSync(source, sample)
  const [program] = await bundle([relative(top, source)], directory.path)
  const settings = { leaveOut: [{ test: 'left out', why: 'to see it' }] }
  const output = execFileSync(process.execPath, [join(directory.path, program!)], {
    encoding: 'utf8',
    env: { ...process.env, VM_TESTS: JSON.stringify(settings) },
  })
  const lines = output.trim().split('\n')
  const records = lines.filter(line => line.startsWith('\x1e')).map(line => JSON.parse(line.slice(1)) as Reported)
  const outcome = (wanted: string) => records.filter(({ outcome }) => outcome === wanted).map(({ name }) => name)
  expect(outcome('passed')).toEqual([
    'a group > passes',
    'a group > row a is 1',
    'knows where it lies',
    'polls',
    'is right at last',
    'compares',
  ])
  expect(outcome('failed')).toEqual(['a group > row b is 2', 'fails late', 'fails where nobody waits'])
  expect(outcome('skipped')).toEqual(['is skipped', 'is left out'])
  expect(records.find(({ name, errors }) => errors && name === 'fails where nobody waits')?.errors?.[0]).toContain(
    'stray',
  )
  // One that fails is tried again, as on a host.
  expect(records.find(({ name, ms }) => ms !== undefined && name === 'is right at last')).toMatchObject({
    errors: [expect.stringContaining('expected 1 to be 2')],
    again: [],
  })
  expect(records.find(({ name }) => name === 'is left out')?.why).toBe('to see it')
  expect(records.at(-1)).toEqual({ outcome: 'end' })
  expect(lines.find(line => line.startsWith('beforeAll'))).toMatch(
    /^beforeAll beforeEach inner beforeEach afterEach finished (beforeEach inner beforeEach afterEach ){3}inner afterAll beforeEach/,
  )
})
