import { encodePlan, type Step, slot } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { native } from '../dist/native.js'

const step = (op: string, args: Step['args'], more: Partial<Step> = {}): Step => ({ op, args, about: op, ...more })

test('a batch runs its steps in order, passes results on by slots, and tells the step that failed', async () => {
  const results = new Map<string, number>()
  await native.apply(
    [
      step('openAt', [-100, '/dev/zero', 0, 0], { into: 'zero' }),
      step('dup', [slot('zero'), 10], { into: 'copy' }),
      step('close', [slot('copy')]),
      step('close', [slot('zero')]),
    ],
    { results },
  )
  expect(results.get('copy')).toBeGreaterThanOrEqual(10)

  await expect(
    native.apply([
      step('clock', [1]),
      step('openAt', [-100, '/absent', 0, 0], {
        about: 'open what is not there',
        path: '/absent',
        hints: { ENOENT: 'make it' },
      }),
    ]),
  ).rejects.toMatchObject({
    code: 'ENOENT',
    syscall: 'openat',
    path: '/absent',
    step: 'step 2: open what is not there',
    hint: 'make it',
    message: "step 2: open what is not there: ENOENT: no such file or directory, openat '/absent'",
  })
})

test('S16 onError leads to another step, to nothing, or is not there for this errno', async () => {
  const absent = (onError: Step['onError']): Step => step('openAt', [-100, '/absent', 0, 0], { onError, into: 'fd' })
  const other = step('openAt', [-100, '/dev/null', 0, 0], { into: 'fd' })
  await native.apply([absent({ ENOENT: other }), step('close', [slot('fd')])])
  await native.apply([absent({ ENOENT: 'skip' })])
  await expect(native.apply([absent({ EPERM: 'skip' })])).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(native.apply([absent({ ENOENT: absent({ EPERM: 'skip' }) })])).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a slot that nothing has filled is refused when its step comes', async () => {
  const skipped = step('openAt', [-100, '/absent', 0, 0], { onError: { ENOENT: 'skip' }, into: 'fd' })
  await expect(native.apply([skipped, step('close', [slot('fd')])])).rejects.toMatchObject({ code: 'EINVAL' })
  expect(() => encodePlan([step('close', [slot('never')])])).toThrow(/nothing fills the slot 'never'/)
})

test('failAt makes one step fail, whichever it is', async () => {
  const steps = Array.from({ length: 5 }, () => step('clock', [1]))
  for (let failAt = 0; failAt < 5; failAt++) {
    await expect(native.apply(steps, { failAt })).rejects.toMatchObject({
      code: 'EIO',
      step: `step ${failAt + 1}: clock`,
    })
  }
})

test('what cannot be encoded is refused', () => {
  expect(() => encodePlan([step('close', [1.5])])).toThrow(/no integer/)
  expect(() => encodePlan([step('openAt', [-100, 'a\0b', 0, 0])])).toThrow(/NUL/)
  expect(() => encodePlan([step('close', [1], { onError: { ENOPE: 'skip' } })])).toThrow(/no errno/)
  expect(() => encodePlan([step('x', Array(9).fill(0))])).toThrow(/arguments/)
  expect(() => encodePlan(Array.from({ length: 65 }, (_, i) => step(`op${i}`, [])))).toThrow(/at most 64 ops/)
})

test('TS-04 what ops write cannot change the steps that were checked', async () => {
  const { bytes } = encodePlan([step('ids', [new Uint8Array(40)])])
  const { loadOps } = await import('../dist/node/host.js')
  const { apply } = loadOps('sys', new URL('../dist/native.js', import.meta.url).href)
  const [argument, VALUE] = [32 + 8 + 24, 8]
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  expect(await apply(bytes, new Uint8Array(200 + 64 * 8), false)).toBe(0)
  // Over the header, up to the number of the step's op.
  view.setBigUint64(argument + VALUE, 0n, true)
  expect(await apply(bytes, new Uint8Array(200 + 64 * 8), false)).toBe(-22)
})

test('TS-04 no bytes that claim to be a plan make the interpreter read outside of them, or hang', async () => {
  // Ops that only fill a buffer: what a broken table makes of them harms nobody.
  const { bytes } = encodePlan([
    step('ids', [new Uint8Array(40)], { onError: { ENOENT: step('uname', [new Uint8Array(400)]) }, into: 'one' }),
    step('uname', [new Uint8Array(400)], { into: 'two', onError: { ERANGE: 'skip' } }),
  ])
  const tables = 32 + 8 + 3 * 24 + 3 * 16 + 2 * 8
  const { loadOps } = await import('../dist/node/host.js')
  const { apply } = loadOps('sys', new URL('../dist/native.js', import.meta.url).href)
  const failure = new Uint8Array(200 + 64 * 8)
  const change = fc.tuple(fc.nat(tables - 1), fc.integer({ min: 0, max: 255 }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 12 }),
      fc.option(fc.nat(bytes.length)),
      async (changes, length) => {
        const broken = bytes.slice(0, length ?? bytes.length)
        for (const [at, value] of changes) if (at < broken.length) broken[at] = value
        expect(await apply(broken, failure, false)).toBeLessThanOrEqual(0)
      },
    ),
    { numRuns: 2000 },
  )
})
