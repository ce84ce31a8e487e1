import { checkLandlock, type Landlock, landlockProblem, landlockSteps } from '@libcontainer/init'
import { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const faultOf = (value: unknown): string | undefined => {
  try {
    checkLandlock(value, 'landlock')
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error
    return error.field
  }
}

const files: Landlock = { paths: [{ path: '/', allow: ['read', 'execute'] }] }

test('BY-20 what is no restriction is refused by its field', () => {
  for (const [value, field] of [
    [undefined, 'landlock'],
    [[], 'landlock'],
    [{}, 'landlock'],
    [{ path: '/' }, 'landlock.path'],
    [{ paths: '/' }, 'landlock.paths'],
    [{ paths: [{ path: 'usr', allow: ['read'] }] }, 'landlock.paths[0].path'],
    [{ paths: [{ path: '/\0', allow: ['read'] }] }, 'landlock.paths[0].path'],
    [{ paths: [{ path: '/' }] }, 'landlock.paths[0].allow'],
    [{ paths: [{ path: '/', allow: [] }] }, 'landlock.paths[0].allow'],
    [{ paths: [{ path: '/', allow: ['read', 'toString'] }] }, 'landlock.paths[0].allow[1]'],
    [{ paths: [{ path: '/', allow: ['read'], optional: 1 }] }, 'landlock.paths[0].optional'],
    [{ bindTcp: [80, 65536] }, 'landlock.bindTcp[1]'],
    [{ connectTcp: ['80'] }, 'landlock.connectTcp[0]'],
    [{ scope: [] }, 'landlock.scope'],
    [{ scope: ['signals'] }, 'landlock.scope[0]'],
  ] as const)
    expect(faultOf(value), JSON.stringify(value)).toBe(field)
  for (const value of [files, { paths: [] }, { bindTcp: [] }, { connectTcp: [0, 65535] }, { scope: ['signal'] }])
    expect(faultOf(value), JSON.stringify(value)).toBeUndefined()
})

test('whatever is given, it is a restriction or a fault with a field', () => {
  const words = fc.constantFrom('read', 'write', 'execute', 'signal', '/', '', 1, null)
  const key = fc.constantFrom('paths', 'bindTcp', 'connectTcp', 'scope', 'path', 'allow', 'optional')
  const value = fc.letrec(tie => ({
    any: fc.oneof({ maxDepth: 4 }, words, fc.array(tie('any'), { maxLength: 3 }), fc.dictionary(key, tie('any'))),
  })).any
  fc.assert(
    fc.property(value, given => {
      if (faultOf(given) === undefined) landlockSteps(given as Landlock, 7)
    }),
    { numRuns: 500 },
  )
})

test('what the kernel does not have is told, and never left out', () => {
  const needs = (landlock: Landlock, version: number): string | undefined =>
    landlockProblem(landlock, version, 'landlock')?.field
  expect(needs(files, 0)).toBe('landlock')
  expect(needs(files, 1)).toBeUndefined()
  expect(needs({ bindTcp: [80] }, 3)).toBe('landlock.bindTcp')
  expect(needs({ connectTcp: [80] }, 4)).toBeUndefined()
  expect(needs({ ...files, scope: ['signal'] }, 5)).toBe('landlock.scope')
})

test('all rights that the kernel knows are restricted, and a rule allows no others', () => {
  const argsOf = (landlock: Landlock, version: number): unknown[] =>
    landlockSteps(landlock, version).prepare.map(({ args }) => args.filter(arg => typeof arg !== 'object'))
  expect(argsOf(files, 1)).toEqual([
    [0x1fff, 0, 0],
    ['/', 0b1101],
  ])
  expect(argsOf(files, 2)[0]).toEqual([0x3fff, 0, 0])
  const writes: Landlock = { paths: [{ path: '/tmp', allow: ['write'] }] }
  expect(argsOf(writes, 7)[0]).toEqual([0xffff, 0, 0])
  expect((argsOf(writes, 1)[1] as number[])[1]! & 0x6000).toBe(0)
  expect((argsOf(writes, 3)[1] as number[])[1]! & 0x6000).toBe(0x6000)
})

test('parts that are not asked for stay free; a list without ports shuts all', () => {
  const { prepare, restrict } = landlockSteps({ bindTcp: [], connectTcp: [53], scope: ['signal'] }, 7)
  expect(prepare.map(({ op, args }) => [op, ...args.slice(op === 'allowPort' ? 1 : 0)])).toEqual([
    ['createRuleset', 0, 3, 2],
    ['allowPort', 53, 2],
  ])
  expect(restrict.map(({ op }) => op)).toEqual(['restrictSelf'])
})

test('a rule of a path that may be absent is passed over', () => {
  const [, step] = landlockSteps({ paths: [{ path: '/lib64', allow: ['read'], optional: true }] }, 1).prepare
  expect(step).toMatchObject({ about: 'allow read beneath /lib64', path: '/lib64', onError: { ENOENT: 'skip' } })
})
