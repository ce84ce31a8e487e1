import { type ExecUser, getAdditionalGroups, getExecUser, IdOutOfRange, MAX_ID } from '@libcontainer/user'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const PASSWD = `
root:x:0:0:root user:/root:/bin/bash
adm:x:42:43:adm:/var/adm:/bin/false
111:x:222:333::/var/garbage
odd:x:111:112::/home/odd:::
user7456:x:7456:100:Vasya:/home/user7456
homeless:x:600:600
noid:x
`
const GROUP = `
root:x:0:root
adm:x:43:
grp:x:1234:root,adm,user7456
444:x:555:111
odd:x:444:
manygrp:x:100:${Array.from({ length: 100 }, (_, i) => `user745${i}`).join(',')}
user:x:77:adm,adm
badid:x:nonsense:homeless
`
const user = (uid: number, gid: number, groups: number[], home: string): ExecUser => ({ uid, gid, groups, home })

test.each<[string, ExecUser]>([
  ['', user(0, 0, [0, 1234], '/root')],
  ['root', user(0, 0, [0, 1234], '/root')],
  ['root:root', user(0, 0, [], '/root')],
  ['root:adm', user(0, 43, [], '/root')],
  ['adm', user(42, 43, [1234, 77], '/var/adm')],
  ['adm:grp', user(42, 1234, [], '/var/adm')],
  ['0', user(0, 0, [0, 1234], '/root')],
  ['42', user(42, 43, [1234, 77], '/var/adm')],
  ['42:grp', user(42, 1234, [], '/var/adm')],
  ['adm:0', user(42, 0, [], '/var/adm')],
  ['1337', user(1337, 0, [], '/')],
  ['1337:42', user(1337, 42, [], '/')],
  ['1337:grp', user(1337, 1234, [], '/')],
  ['111:444', user(111, 444, [], '/home/odd')],
  ['odd:111', user(111, 111, [], '/home/odd')],
  ['7456', user(7456, 100, [1234, 100], '/home/user7456')],
  [':grp', user(0, 1234, [], '/root')],
  ['01', user(1, 0, [], '/')],
  ['000:0', user(0, 0, [], '/root')],
  [`${MAX_ID}:${MAX_ID}`, user(MAX_ID, MAX_ID, [], '/')],
  ['homeless:5', user(600, 5, [], '/')],
])('US-03 %j', (spec, expected) => {
  expect(getExecUser(spec, {}, PASSWD, GROUP)).toEqual(expected)
})

test('US-03 CVE-2016-3697 digits are an id though an entry has them as its name', () => {
  expect(getExecUser('1000', {}, '1000:x:0:0::/root:/bin/sh')).toEqual(user(1000, 0, [], '/'))
  expect(getExecUser('5:1000', {}, '', '1000:x:0:')).toEqual(user(5, 1000, [], '/'))
  expect(getAdditionalGroups(['1000'], '1000:x:0:')).toEqual([1000])
})

test.each(['4294967296000', '2147483648', '4294967295', '4294967296', '18446744073709551616', '9'.repeat(400)])(
  'US-03 CVE-2026-46680 %s is out of range and never a name',
  digits => {
    const passwd = `${digits}:x:0:0::/root:/bin/sh`
    const group = `${digits}:x:0:`
    expect(() => getExecUser(digits, {}, passwd, group)).toThrow(IdOutOfRange)
    expect(() => getExecUser(`0:${digits}`, {}, passwd, group)).toThrow(IdOutOfRange)
    expect(() => getAdditionalGroups([digits], group)).toThrow(IdOutOfRange)
    expect(() => getAdditionalGroups([Number(digits)], group)).toThrow(IdOutOfRange)
  },
)

test.each(['-1', '+1', '-0', '+0', '0:-1', '0:+1'])(
  'EV-116 CVE-2026-30892 %j: a signed number is no id and no name',
  spec => {
    const files = '-1:x:0:0\n+1:x:0:0\n-0:x:0:0\n+0:x:0:0'
    expect(() => getExecUser(spec, {}, files, files)).toThrow(IdOutOfRange)
  },
)

test.each([
  ['nobody', /no user 'nobody'/],
  ['notuser:grp', /no user 'notuser'/],
  ['adm:nogroup', /no group 'nogroup'/],
  ['noid', /range 0-2147483647.*no number/],
  [':', /empty name/],
  ['1:', /empty name/],
  ['adm:', /empty name/],
  ['a:b:c', /user or user:group/],
  ['0:0:0', /user or user:group/],
  ['::', /user or user:group/],
  [' 1', /white space/],
  ['1 ', /white space/],
  ['root\n', /white space/],
  ['0: 1', /white space/],
  ['root\0', /NUL/],
  ['homeless', /range/],
])('EV-116 %j is refused, and the field named', (spec, problem) => {
  expect(() => getExecUser(spec, {}, PASSWD, GROUP, 'process.user')).toThrow(problem)
  expect(() => getExecUser(spec, {}, PASSWD, GROUP, 'process.user')).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', field: expect.stringMatching(/^process\.user/) }),
  )
})

test('EV-116 what is no string', () => {
  for (const spec of [0, null, {}, ['root']]) {
    expect(() => getExecUser(spec as never, {}, PASSWD)).toThrow(expect.objectContaining({ field: 'user' }))
  }
})

test('US-03 defaults hold where nothing else says more', () => {
  const defaults = { uid: 8888, gid: 8889, groups: [8890], home: '/8888' }
  expect(getExecUser('', defaults)).toEqual(defaults)
  expect(getExecUser('1234', defaults)).toEqual({ ...defaults, uid: 1234 })
  expect(getExecUser('adm', defaults, PASSWD)).toEqual(user(42, 43, [8890], '/var/adm'))
  expect(getExecUser(':5', defaults)).toEqual({ ...defaults, gid: 5 })
  expect(getExecUser('', { uid: 42 }, PASSWD, GROUP)).toEqual(user(42, 43, [1234, 77], '/var/adm'))
})

test('US-05 missing files are empty ones', () => {
  expect(getExecUser('')).toEqual(user(0, 0, [], '/'))
  expect(getExecUser('5:6')).toEqual(user(5, 6, [], '/'))
  expect(() => getExecUser('root')).toThrow(/no user 'root'/)
  expect(() => getAdditionalGroups(['root'])).toThrow(/no group 'root'/)
})

test('US-04 names and numbers, each once, in order', () => {
  expect(getAdditionalGroups(['grp', '43', 'adm', 7, 'grp', '1234'], GROUP)).toEqual([1234, 43, 7])
  expect(getAdditionalGroups([])).toEqual([])
  expect(getAdditionalGroups([0, 5])).toEqual([0, 5])
})

test.each([
  ['nope', "no group 'nope'"],
  ['', 'empty name'],
  [-1, 'range'],
  [1.5, 'range'],
  [Number.NaN, 'range'],
  [2 ** 31, 'range'],
  ['badid', 'range'],
  [' 5', 'white space'],
])('US-04 %j is refused', (group, problem) => {
  expect(() => getAdditionalGroups(['grp', group], GROUP, 'groups')).toThrow(problem)
  expect(() => getAdditionalGroups(['grp', group], GROUP, 'groups')).toThrow(
    expect.objectContaining({ field: expect.stringMatching(/^groups\[1\]/) }),
  )
})

test('US-03 no more groups than a process can have', () => {
  const groups = (count: number) => Array.from({ length: count }, (_, i) => `g${i}:x:${i}:other,adm`).join('\n')
  expect(getExecUser('adm', {}, PASSWD, groups(65536)).groups).toHaveLength(65536)
  expect(() => getExecUser('adm', {}, PASSWD, groups(65537), 'process.user')).toThrow(
    expect.objectContaining({
      code: 'ConfigInvalid',
      field: 'process.user',
      message: expect.stringContaining('65536'),
    }),
  )
})

test('US-03 who is a member: by whole names, and no name with a comma in it', () => {
  const group = 'one:x:1:ab,a,\ntwo:x:2:b,a b\nthree:x:3:a,b\nnone:x:4:\nlast:x:5:b'
  const groupsOf = (name: string) => getExecUser('7', {}, `${name}:x:7:7`, group).groups
  expect(groupsOf('a')).toEqual([1, 3])
  expect(groupsOf('b')).toEqual([2, 3, 5])
  expect(groupsOf('a,b')).toEqual([])
  expect(groupsOf('')).toEqual([])
})

test('US-03 whatever the files hold, digits give that very uid or an error', () => {
  const line = fc.tuple(
    fc.stringMatching(/^[0-9a-z+-]{0,4}$/),
    fc.constantFrom('0', '', 'x', '99999999999', '1000'),
    fc.constantFrom('0', '', '7'),
  )
  fc.assert(
    fc.property(fc.array(line), fc.nat(), fc.nat(), (lines, uid, gid) => {
      const passwd = lines.map(([name, u, g]) => `${name}:x:${u}:${g}`).join('\n')
      const group = lines.map(([name, u]) => `${name}:x:${u}:root`).join('\n')
      expect(getExecUser(`${uid}:${gid}`, {}, passwd, group)).toMatchObject({ uid, gid })
      let alone: ExecUser | undefined
      try {
        alone = getExecUser(String(uid), {}, passwd, group)
      } catch (error) {
        expect(error).toBeInstanceOf(IdOutOfRange)
      }
      if (alone) expect(alone.uid).toBe(uid)
    }),
  )
})

test('EV-116 any specification gives ids in the range, or ConfigInvalid', () => {
  const spec = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9:+ -]{0,12}$/),
    fc.constantFrom('root', 'adm:adm', 'noid:1'),
  )
  fc.assert(
    fc.property(spec, text => {
      try {
        const { uid, gid, groups } = getExecUser(text, {}, PASSWD, GROUP)
        for (const id of [uid, gid, ...groups]) expect(Number.isInteger(id) && id >= 0 && id <= MAX_ID).toBe(true)
      } catch (error) {
        expect(error).toMatchObject({ code: 'ConfigInvalid' })
      }
    }),
  )
})
