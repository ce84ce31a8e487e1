import {
  accessDifference,
  accessIntersection,
  accessIsEmpty,
  accessIsValid,
  accessUnion,
  canCgroup,
  canMknod,
  DEFAULT_ALLOWED_DEVICES,
  DEFAULT_AUTO_CREATED_DEVICES,
  DEFAULT_RULES,
  DEFAULT_SIMPLE_DEVICES,
  DENY_ALL,
  device,
  deviceRule,
  formatRule,
  isValidType,
  major,
  minor,
  mkdev,
  parseRule,
  parseRules,
  ruleOf,
} from '@libcontainer/devices'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const SIX = ['c 1:3 rwm', 'c 1:5 rwm', 'c 1:7 rwm', 'c 5:0 rwm', 'c 1:9 rwm', 'c 1:8 rwm']

test('DV-01 the six devices of every container', () => {
  expect(DEFAULT_SIMPLE_DEVICES.map(({ path }) => path)).toEqual([
    '/dev/null',
    '/dev/zero',
    '/dev/full',
    '/dev/tty',
    '/dev/urandom',
    '/dev/random',
  ])
  expect(DEFAULT_SIMPLE_DEVICES.map(d => formatRule(ruleOf(d)))).toEqual(SIX)
  for (const { mode, uid, gid } of DEFAULT_SIMPLE_DEVICES) expect([mode, uid, gid]).toEqual([0o666, 0, 0])
})

test('DV-02 what a container of 2015 was allowed', () => {
  const rest = ['c *:* m', 'b *:* m', 'c 5:1 rwm', 'c 4:0 rwm', 'c 4:1 rwm', 'c 136:* rwm', 'c 5:2 rwm', 'c 10:200 rwm']
  expect(DEFAULT_ALLOWED_DEVICES.map(formatRule).sort()).toEqual([...rest, ...SIX].sort())
  for (const { allow } of DEFAULT_ALLOWED_DEVICES) expect(allow).toBe(true)
})

test('DV-03 what a container of 2015 got: fuse too, which it is not allowed', () => {
  expect(DEFAULT_AUTO_CREATED_DEVICES).toHaveLength(7)
  const [fuse] = DEFAULT_AUTO_CREATED_DEVICES
  expect(fuse).toMatchObject({ path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 0 })
  expect(DEFAULT_ALLOWED_DEVICES.map(formatRule)).not.toContain('c 10:229 rwm')
})

test('DV-04 the rules of today: no console, tty0, tty1', () => {
  const rest = ['c *:* m', 'b *:* m', 'c 136:* rwm', 'c 5:2 rwm', 'c 10:200 rwm']
  expect(DEFAULT_RULES.map(formatRule).sort()).toEqual([...rest, ...SIX].sort())
  expect(DEFAULT_RULES.every(rule => rule.allow)).toBe(true)
  expect([formatRule(DENY_ALL), DENY_ALL.allow]).toEqual(['a *:* rwm', false])
})

test('DV-07 numbers as makedev(3) packs them', () => {
  expect(mkdev(1, 3)).toBe(0x103n)
  expect(mkdev(10, 229)).toBe(0xae5n)
  expect(mkdev(259, 0x12345)).toBe(0x12310345n)
  expect(mkdev(0xfff, 0xfffff)).toBe(0xffffffffn)
  expect([major(0xffff_f000_0000_0000n), minor(0x0000_0fff_fff0_0000n)]).toEqual([0xfffff000, 0xffffff00])
  fc.assert(
    fc.property(fc.nat(0xfff), fc.nat(0xfffff), (high, low) => {
      expect([major(mkdev(high, low)), minor(mkdev(high, low))]).toEqual([high, low])
    }),
  )
})

test.each([
  [-1, 3],
  ['*', 3],
  [1, '*'],
  [1, -1],
  [0x1000, 0],
  [0, 0x100000],
  [1.5, 0],
  [undefined, 0],
  ['1', 0],
  [Number.NaN, 0],
])('DV-07 EV-154 mkdev(%j, %j) is refused', (high, low) => {
  expect(() => mkdev(high as number, low as number)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
})

test.each([
  ['c 1:3 rwm', { type: 'c', major: 1, minor: 3, access: 'rwm', allow: true }],
  ['  b *:*\tm\n', { type: 'b', access: 'm', allow: true }],
  ['c 136:* wr', { type: 'c', major: 136, access: 'rw', allow: true }],
  ['a *:* rwm', { type: 'a', access: 'rwm', allow: true }],
  ['a', { type: 'a', access: 'rwm', allow: true }],
])('DV-08 the text %j', (text, rule) => {
  expect(parseRule(text)).toEqual(rule)
  expect(parseRule(text, false)).toEqual({ ...rule, allow: false })
})

test.each([
  '',
  'c',
  'c 1:3',
  'c 1:3 ',
  'c 1:3 x',
  'c 1:3 rwmx',
  'c 1 rwm',
  'c 1:2:3 rwm',
  'c -1:3 rwm',
  'c 1:3 rwm extra',
  'd 1:3 rwm',
  'p 1:3 rwm',
  'c 4294967296:0 r',
  'a 1:3 rwm',
  'a *:* r',
])('DV-08 EV-154 the text %j is refused', text => {
  expect(() => parseRule(text)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
})

const number = fc.option(fc.nat(0xffffffff), { nil: undefined })
const access = fc.constantFrom('r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm')

test('DV-08 rules survive their text, and a devices.list its lines', () => {
  const rule = fc.record({
    type: fc.constantFrom('b', 'c'),
    major: number,
    minor: number,
    access,
    allow: fc.constant(true),
  })
  fc.assert(
    fc.property(fc.array(rule), rules => {
      expect(parseRules(rules.map(r => `${formatRule(r)}\n`).join(''))).toEqual(rules)
    }),
  )
  expect(() => parseRules('a *:* rwm\nnonsense\n')).toThrow(expect.objectContaining({ field: 'line 2' }))
})

test('DV-09 the algebra of access', () => {
  expect(accessUnion('mr', 'w')).toBe('rwm')
  expect(accessDifference('rwm', 'w')).toBe('rm')
  expect(accessIntersection('rw', 'mw')).toBe('w')
  expect([accessIsEmpty(''), accessIsEmpty('r')]).toEqual([true, false])
  expect(['', 'rwm', 'mm', 'x', 'rwx', 'R'].map(accessIsValid)).toEqual([true, true, true, false, false, false])
  fc.assert(
    fc.property(access, access, (a, b) => {
      const both = accessIntersection(a, b)
      expect(accessUnion(both, accessDifference(a, b))).toBe(a)
      expect(accessIsEmpty(accessIntersection(accessDifference(a, b), b))).toBe(true)
      expect(accessUnion(a, b)).toBe(accessUnion(b, a))
    }),
  )
})

test('DV-10 DV-15 types: what a node and what a rule can be', () => {
  const types = ['a', 'b', 'c', 'p', 'u', 'x', '', 99, 98, 97, 0, undefined, null]
  expect(types.filter(isValidType)).toEqual(['a', 'b', 'c', 'p', 'u', 99, 98, 97])
  expect(types.filter(canMknod)).toEqual(['b', 'c', 'p', 'u', 99, 98])
  expect(types.filter(canCgroup)).toEqual(['a', 'b', 'c', 'u', 99, 98, 97])
  expect(device({ path: '/dev/x', type: 'u', major: 1, minor: 3 }).type).toBe('c')
  expect(device({ path: '/dev/x', type: 98, major: 1, minor: 3 }).type).toBe('b')
  expect(deviceRule({ type: 'u', access: 'r', allow: true }).type).toBe('c')
})

test('EV-154 a rule with its defaults', () => {
  expect(deviceRule({ access: 'rwm', allow: false })).toEqual({ type: 'a', access: 'rwm', allow: false })
  expect(deviceRule({ type: 'c', major: -1, minor: '*', access: 'mrm', allow: true })).toEqual({
    type: 'c',
    access: 'rm',
    allow: true,
  })
})

test.each([
  ['type', { type: 'x' }],
  ['type', { type: 'p' }],
  ['type', { type: 'a', major: 1 }],
  ['type', { type: 'a', access: 'r' }],
  ['type', { access: 'r', type: undefined }],
  ['access', { access: '' }],
  ['access', { access: 'rwx' }],
  ['access', { access: undefined }],
  ['access', { access: ['r'] }],
  ['major', { major: -2 }],
  ['major', { major: 1.5 }],
  ['minor', { minor: '3' }],
  ['minor', { minor: 2 ** 32 }],
  ['allow', { allow: 1 }],
  ['allow', { allow: undefined }],
  ['acces', { acces: 'r' }],
])('EV-154 a rule with a bad %s is refused: %j', (field, wrong) => {
  const request = { type: 'c', major: 1, minor: 3, access: 'rwm', allow: true, ...wrong }
  expect(() => deviceRule(request as never, 'rules[3]')).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', field: `rules[3].${field}` }),
  )
})
