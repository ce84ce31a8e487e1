import { atOrBelow, firstAt, type MountInfo, ofType, parentsOf, parseMountInfo, seenAt } from '@libcontainer/mount'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const sample = `\
21 27 0:20 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 propagate_from:7 - ext3 /dev/root rw,errors=continue
37 27 0:40 / /a\\040b\\011c\\134d rw unbindable - tmpfs  rw,size=4k
38 27 0:41 / /proc/sys/fs rw shared:3 master:2 new:9 flag - fuse.sshfs host:/x\\040y rw,opt=a b
`

test('MT-03 the fields, the optional ones, escapes, an empty source', () => {
  const [proc, , third, fourth, fifth] = parseMountInfo(sample)
  expect(proc).toEqual({
    id: 21,
    parent: 27,
    major: 0,
    minor: 20,
    root: '/',
    mountPoint: '/proc',
    options: ['rw', 'nosuid', 'nodev', 'noexec', 'relatime'],
    shared: 12,
    type: 'proc',
    source: 'proc',
    superOptions: ['rw'],
  })
  expect(third).toMatchObject({ root: '/mnt1', major: 98, minor: 0, master: 1, propagateFrom: 7, source: '/dev/root' })
  expect(fourth).toMatchObject({
    mountPoint: '/a b\tc\\d',
    unbindable: true,
    source: '',
    superOptions: ['rw', 'size=4k'],
  })
  expect(fifth).toMatchObject({
    type: 'fuse.sshfs',
    source: 'host:/x y',
    shared: 3,
    master: 2,
    superOptions: ['rw', 'opt=a b'],
  })
})

test('MT-03 filters: prefix by whole names, single, parents, type, and an early stop', () => {
  const points = (filter: Parameters<typeof parseMountInfo>[1]) =>
    parseMountInfo(sample, filter).map(mount => mount.mountPoint)
  expect(points(atOrBelow('/proc'))).toEqual(['/proc', '/proc/sys/fs'])
  expect(points(atOrBelow('/pro'))).toEqual([])
  expect(points(atOrBelow('/'))).toHaveLength(5)
  expect(points(parentsOf('/proc/sys/fs/binfmt_misc'))).toEqual(['/proc', '/', '/proc/sys/fs'])
  expect(points(ofType('tmpfs', 'ext3'))).toEqual(['/mnt2', '/a b\tc\\d'])
  const seen: number[] = []
  parseMountInfo(sample, mount => {
    seen.push(mount.id)
    return firstAt('/')(mount)
  })
  expect(seen).toEqual([21, 27])
})

test('MT-03 of several at one place, the one that covers the others is seen', () => {
  const line = (id: number, parent: number): string => `${id} ${parent} 0:${id} / /a rw - tmpfs t${id} rw\n`
  expect(seenAt(parseMountInfo(line(40, 42) + line(41, 1) + line(42, 41)), '/a')?.source).toBe('t40')
  expect(seenAt([], '/a')).toBeUndefined()
})

test('MT-03 what is no mountinfo is refused, and shown', () => {
  for (const line of [
    'x',
    '1 2 3 / / rw - a b c',
    '1 2 0:1 / / rw a b c d',
    'a 2 0:1 / / rw - t s o',
    '1 2 0:1 / / rw - t s',
  ]) {
    expect(() => parseMountInfo(line)).toThrow(/not a line of mountinfo: "/)
  }
  expect(parseMountInfo('')).toEqual([])
  expect(parseMountInfo('\n')).toEqual([])
})

const escaped = (text: string): string =>
  text.replace(/[ \t\n\\#]/g, char => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)

const name = fc.string({ unit: 'grapheme' }).map(text => text.replace(/[\0\n]/g, '\n'))
const word = fc.stringMatching(/^[a-z0-9_.=-]{1,8}$/).filter(text => text !== '-')
const number = fc.nat(0x7fffffff)
const line = fc.record(
  {
    id: number,
    parent: number,
    major: fc.nat(4095),
    minor: number,
    root: name.map(text => `/${text}`),
    mountPoint: name.map(text => `/${text}`),
    options: fc.array(word, { minLength: 1, maxLength: 4 }),
    shared: number,
    master: number,
    propagateFrom: number,
    unbindable: fc.constant(true as const),
    type: word,
    source: name,
    superOptions: fc.array(word, { minLength: 1, maxLength: 4 }),
  },
  {
    requiredKeys: ['id', 'parent', 'major', 'minor', 'root', 'mountPoint', 'options', 'type', 'source', 'superOptions'],
  },
)
const text = (m: MountInfo): string => {
  const tags = [
    m.shared === undefined ? '' : ` shared:${m.shared}`,
    m.master === undefined ? '' : ` master:${m.master}`,
    m.propagateFrom === undefined ? '' : ` propagate_from:${m.propagateFrom}`,
    m.unbindable ? ' unbindable' : '',
  ].join('')
  const head = [m.id, m.parent, `${m.major}:${m.minor}`, escaped(m.root), escaped(m.mountPoint), m.options.join(',')]
  return `${head.join(' ')}${tags} - ${m.type} ${escaped(m.source)} ${m.superOptions.join(',')}\n`
}
const table = fc.array(line, { maxLength: 5 }).map(mounts => mounts as MountInfo[])

test('MT-03 whatever the kernel writes comes back (property)', () => {
  fc.assert(
    fc.property(table, mounts => {
      expect(parseMountInfo(mounts.map(text).join(''))).toEqual(mounts)
    }),
  )
})

test('MT-03 a filter that knows what to look for keeps what it keeps of all mounts (property)', () => {
  const places = ['/', '/a', '/a/b', '/a b', '/a#', '/a\\b', '/ä', '/a/\ufffd', '/ab/']
  const place = fc.oneof(fc.constantFrom(...places), name)
  const crowded = fc.array(
    fc.tuple(line, place, place).map(([mount, mountPoint, root]) => ({ ...mount, mountPoint, root }) as MountInfo),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(crowded, place, (mounts, path) => {
      const table = mounts.map(text).join('')
      for (const filter of [atOrBelow(path), firstAt(path)]) {
        expect(parseMountInfo(table, filter)).toEqual(parseMountInfo(table, mount => filter(mount)))
      }
    }),
  )
})

test('MT-03 lines without what is looked for are not parsed', () => {
  expect(parseMountInfo(`no line at all\n${sample}no line either\n`, firstAt('/a b\tc\\d'))).toMatchObject([{ id: 37 }])
})

test('MT-03 any text is parsed or refused by a TypeError (property)', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      try {
        parseMountInfo(text)
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    }),
  )
})
