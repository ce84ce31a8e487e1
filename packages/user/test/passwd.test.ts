import {
  findGroup,
  findUser,
  parseGroup,
  parsePasswd,
  parseSubIds,
  streamGroup,
  streamPasswd,
  subIdRanges,
} from '@libcontainer/user'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const bytes = (text: string) => new TextEncoder().encode(text)

async function* chunked(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < data.length; i += size) yield data.subarray(i, i + size)
}

const PASSWD =
  'root:x:0:0:Super User:/root:/bin/bash\n\n# a comment: not an entry\nadm:x:42:43:adm:/var/adm:/bin/false\r\nshort:x\n'

test('US-01 passwd: comments, blank lines, line endings, short lines', () => {
  expect(parsePasswd(PASSWD)).toEqual([
    { name: 'root', password: 'x', uid: 0, gid: 0, gecos: 'Super User', home: '/root', shell: '/bin/bash' },
    { name: 'adm', password: 'x', uid: 42, gid: 43, gecos: 'adm', home: '/var/adm', shell: '/bin/false' },
    { name: 'short', password: 'x', uid: undefined, gid: undefined, gecos: '', home: '', shell: '' },
  ])
  expect(parsePasswd(bytes(PASSWD))).toEqual(parsePasswd(PASSWD))
})

test('US-01 a filter chooses entries', () => {
  expect(parsePasswd(PASSWD, entry => entry.uid === 42).map(entry => entry.name)).toEqual(['adm'])
  expect(parseGroup('a:x:1:\nb:x:2:', entry => entry.gid === 2).map(entry => entry.name)).toEqual(['b'])
})

test('US-01 group: members', () => {
  expect(parseGroup('wheel:x:10:root,adm\nempty:x:11:\nshort\nodd:x:12:,a,,b,')).toEqual([
    { name: 'wheel', password: 'x', gid: 10, members: ['root', 'adm'] },
    { name: 'empty', password: 'x', gid: 11, members: [] },
    { name: 'short', password: '', gid: undefined, members: [] },
    { name: 'odd', password: 'x', gid: 12, members: ['a', 'b'] },
  ])
})

test('US-01 EV-116 an id that is no number of the kernel is no id, and never 0', () => {
  for (const id of [
    '',
    ' ',
    'x',
    '-1',
    '+1',
    '0x0',
    '1e1',
    '4294967295',
    '4294967296',
    '18446744073709551616',
    '1.0',
    '٣',
  ]) {
    expect(parsePasswd(`name:x:${id}:0`)[0]?.uid).toBeUndefined()
  }
  expect(parsePasswd('name:x:4294967294:007')[0]).toMatchObject({ uid: 4294967294, gid: 7 })
})

test('US-01 a line with a NUL byte is no entry', () => {
  expect(parsePasswd('a\0b:x:0:0::/\nok:x:1:1::/').map(entry => entry.name)).toEqual(['ok'])
})

test('US-01 lines longer than 64 KiB', () => {
  const members = Array.from({ length: 20_000 }, (_, i) => `user-${i}`)
  const line = `many:x:5:${members.join(',')}`
  expect(line.length).toBeGreaterThan(65536)
  expect(parseGroup(`${line}\nlast:x:6:`)).toEqual([
    { name: 'many', password: 'x', gid: 5, members },
    { name: 'last', password: 'x', gid: 6, members: [] },
  ])
})

test('US-01 nothing: a missing and an empty file', () => {
  expect(parsePasswd(undefined)).toEqual([])
  expect(parsePasswd('')).toEqual([])
  expect(parseGroup(new Uint8Array())).toEqual([])
})

test('US-01 a stream gives what the whole file gives, wherever it breaks', async () => {
  const text = `${PASSWD}# end\nünï:x:7:8:Gecos ü:/home/ü:/bin/sh`
  for (let size = 1; size < 20; size++) {
    const streamed = []
    for await (const entry of streamPasswd(chunked(bytes(text), size))) streamed.push(entry)
    expect(streamed).toEqual(parsePasswd(text))
  }
  const filtered = []
  for await (const entry of streamGroup(chunked(bytes('a:x:1:\nb:x:2:x,y'), 3), ({ gid }) => gid === 2))
    filtered.push(entry)
  expect(filtered).toEqual([{ name: 'b', password: 'x', gid: 2, members: ['x', 'y'] }])
})

test('US-01 any bytes at all are read without an error, whole and streamed alike', async () => {
  const hostile = fc.array(
    fc.constantFrom('root', ':', 'x', '\n', '\r', ',', '#', '0', '99999999999999999999', '\0', 'ü', ' '),
    {
      maxLength: 60,
    },
  )
  await fc.assert(
    fc.asyncProperty(hostile, fc.integer({ min: 1, max: 9 }), async (parts, size) => {
      const data = bytes(parts.join(''))
      const whole = parsePasswd(data)
      const streamed = []
      for await (const entry of streamPasswd(chunked(data, size))) streamed.push(entry)
      expect(streamed).toEqual(whole)
      for (const { name, uid, gid } of whole) {
        expect(name).not.toMatch(/[:\n\0]/)
        for (const id of [uid, gid]) expect(id === undefined || (Number.isInteger(id) && id >= 0)).toBe(true)
      }
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), data => {
      parsePasswd(data)
      parseGroup(data)
      parseSubIds(data)
    }),
  )
})

test('US-02 the first of a name or an id is the one that a look at every line finds (property)', () => {
  const field = fc.constantFrom(
    'a',
    'ab',
    'b',
    '0',
    '00',
    '1',
    '10',
    '010',
    '',
    ' a',
    '#a',
    'x',
    '4294967296',
    'a\0',
    'ü',
  )
  const lines = fc.array(fc.array(field, { maxLength: 5 }).map(fields => fields.join(':')))
  const text = fc.tuple(lines, fc.constantFrom('\n', '\r\n', '\n\n')).map(([parts, end]) => parts.join(end))
  const who = fc.constantFrom('a', 'ab', '', '0', 'ü', 0, 1, 8, 10)
  fc.assert(
    fc.property(text, who, (file, wanted) => {
      const by = (name: string, id: number | undefined): boolean => (typeof wanted === 'string' ? name : id) === wanted
      expect(findUser(file, wanted)).toEqual(parsePasswd(file).find(({ name, uid }) => by(name, uid)))
      expect(findGroup(bytes(file), wanted)).toEqual(parseGroup(file).find(({ name, gid }) => by(name, gid)))
    }),
  )
})

test('US-01 entries survive being written and read', () => {
  const word = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/)
  const id = fc.integer({ min: 0, max: 4294967294 })
  const entry = fc.record({ name: word, password: word, uid: id, gid: id, gecos: word, home: word, shell: word })
  fc.assert(
    fc.property(fc.array(entry), entries => {
      const text = entries.map(e => [e.name, e.password, e.uid, e.gid, e.gecos, e.home, e.shell].join(':')).join('\n')
      expect(parsePasswd(text)).toEqual(entries)
    }),
  )
})

const SUBUID =
  'adm:100000:65536\n# comment\n1000:200000:1000\nadm:300000:10\nbad:x:1\nbad:1\nbad:1:0\nbad:4294967295:1\nbad:1:2:3\n'

test('US-06 sub ids: what is a range, and whose', () => {
  expect(parseSubIds(SUBUID)).toEqual([
    { user: 'adm', start: 100000, count: 65536 },
    { user: '1000', start: 200000, count: 1000 },
    { user: 'adm', start: 300000, count: 10 },
  ])
  expect(subIdRanges(SUBUID, { name: 'adm', uid: 1000 }).map(range => range.start)).toEqual([100000, 200000, 300000])
  expect(subIdRanges(SUBUID, { name: 'adm' }).map(range => range.start)).toEqual([100000, 300000])
  expect(subIdRanges(SUBUID, { uid: 5 })).toEqual([])
  expect(subIdRanges(undefined, { uid: 5 })).toEqual([])
})

test('US-06 a range ends within the ids of the kernel', () => {
  expect(parseSubIds('a:4294967294:1\nb:0:4294967295')).toHaveLength(2)
  expect(parseSubIds('a:4294967294:2\nb:1:4294967295\nc:99999999999999999999:1')).toEqual([])
})
