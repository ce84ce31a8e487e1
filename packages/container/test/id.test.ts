import { ContainerError, checkId } from '@libcontainer/container'
import { shown } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultCgroupPath } from '../src/config/resolve.js'

const invalid = (id: unknown): void => {
  expect(() => checkId(id as string), shown(id)).toThrow(
    expect.objectContaining({ name: 'ContainerError', code: 'InvalidIdFormat', number: 1 }),
  )
}

test.each([
  'a',
  'A9',
  '_',
  '+',
  '-a',
  '.a',
  '...',
  'a.b',
  'a..b',
  '-',
  '--',
  '__proto__',
  'constructor',
  'x'.repeat(255),
])('EV-001 EV-003 EV-004 %s is an id', id => {
  expect(() => checkId(id)).not.toThrow()
})

test('EV-002 the empty id is refused in words of its own', () => {
  expect(() => checkId('')).toThrow('container id cannot be empty')
  invalid('')
})

test.each(['.', '..'])('EV-003 %s is no file name of its own', invalid)

test('EV-004 more than 255 bytes are refused, and 2000 too', () => {
  invalid('x'.repeat(256))
  invalid('x'.repeat(2000))
  expect(() => checkId('x'.repeat(2000))).toThrow(/2000/)
})

test.each(['a\n', '\n', 'a\0', 'a/b', '/', '../x', 'a/../b', 'a b', ' a', 'a\t', 'a\r'])(
  'EV-005 %j is refused',
  invalid,
)

test.each(['é', 'ß', '名', 'ａ', '𝒂', 'а', 'a\u0301', '\u200b', '\ud800'])(
  'EV-001 letters beyond ASCII are refused: %j',
  invalid,
)

test.each(['@', ':', '~', '%', '*', '\\', '"', "'", '$', '(', '#', ',', ';', '='])('EV-001 %s is refused', invalid)

test('EV-199 what is no string is refused as an id', () => {
  for (const value of [undefined, null, 1, Number.NaN, 1n, {}, [], ['a'], true]) invalid(value)
})

test('EV-001 any id is accepted or refused by its characters alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), id => {
      const right = [...id].every(char => /[A-Za-z0-9_+.-]/.test(char)) && id.length > 0 && id.length <= 255
      if (right && id !== '.' && id !== '..') checkId(id)
      else expect(() => checkId(id)).toThrow(ContainerError)
    }),
  )
})

test('EV-001 an accepted id is one file name, and leads nowhere else', () => {
  const characters = fc.constantFrom(...'abzAZ09_+-.')
  fc.assert(
    fc.property(fc.string({ unit: characters, minLength: 1, maxLength: 255 }), id => {
      fc.pre(id !== '.' && id !== '..')
      checkId(id)
      expect(new URL(`file:///state/${id}/x`).pathname.split('/')).toEqual(['', 'state', id, 'x'])
    }),
  )
})

test('EV-004 the cgroup of the longest id has a name that fits, and no two have the same', () => {
  const ids = [1, 241, 242, 243, 255].map(length => 'x'.repeat(length))
  const paths = ids.map(defaultCgroupPath)
  for (const path of paths) expect(path.length).toBeLessThanOrEqual(256)
  expect(new Set(paths).size).toBe(ids.length)
  expect(defaultCgroupPath('demo')).toBe('/libcontainer-demo')
})
