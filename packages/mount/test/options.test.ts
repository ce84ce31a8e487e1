import { checkMounts, knownMountOptions, type Mount, parseMountOptions } from '@libcontainer/mount'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  attributesOf,
  exactChange,
  filesystemWords,
  namedChange,
  newAttributes,
  packAttributes,
} from '../src/attributes.js'
import { MOUNT_ATTR, MS } from '../src/flags.js'
import { packPropagation } from '../src/propagation.js'

const nothing = {
  flags: 0,
  cleared: 0,
  propagation: [],
  recursive: { set: 0, clear: 0 },
  data: [],
  extensions: new Set(),
}

describe('MT-05 each word', () => {
  const golden: Record<string, [set: number, clear: number]> = {
    async: [0, MS.SYNCHRONOUS],
    atime: [0, MS.NOATIME],
    bind: [MS.BIND, 0],
    defaults: [0, 0],
    dev: [0, MS.NODEV],
    diratime: [0, MS.NODIRATIME],
    dirsync: [MS.DIRSYNC, 0],
    exec: [0, MS.NOEXEC],
    iversion: [MS.I_VERSION, 0],
    lazytime: [MS.LAZYTIME, 0],
    loud: [0, MS.SILENT],
    mand: [MS.MANDLOCK, 0],
    noatime: [MS.NOATIME, 0],
    nodev: [MS.NODEV, 0],
    nodiratime: [MS.NODIRATIME, 0],
    noexec: [MS.NOEXEC, 0],
    noiversion: [0, MS.I_VERSION],
    nolazytime: [0, MS.LAZYTIME],
    nomand: [0, MS.MANDLOCK],
    norelatime: [0, MS.RELATIME],
    nostrictatime: [0, MS.STRICTATIME],
    nosuid: [MS.NOSUID, 0],
    nosymfollow: [MS.NOSYMFOLLOW, 0],
    rbind: [MS.BIND | MS.REC, 0],
    relatime: [MS.RELATIME, 0],
    remount: [MS.REMOUNT, 0],
    ro: [MS.RDONLY, 0],
    rw: [0, MS.RDONLY],
    silent: [MS.SILENT, 0],
    strictatime: [MS.STRICTATIME, 0],
    suid: [0, MS.NOSUID],
    symfollow: [0, MS.NOSYMFOLLOW],
    sync: [MS.SYNCHRONOUS, 0],
  }
  test.each(Object.entries(golden))('%s', (word, [flags, cleared]) => {
    expect(parseMountOptions([word])).toEqual({ ...nothing, flags, cleared })
  })
})

test('MT-04 the later word wins, in any order', () => {
  expect(parseMountOptions(['ro', 'nosuid', 'rw', 'suid', 'ro'])).toEqual({
    ...nothing,
    flags: MS.RDONLY,
    cleared: MS.NOSUID,
  })
  expect(parseMountOptions(['rw', 'ro']).cleared).toBe(0)
})

test('MT-04 unknown words become data, one option each', () => {
  const { data, flags } = parseMountOptions([
    'size=64k,mode=755',
    'ro',
    'context="a:b:c:s0:c1,c2",x',
    'prototype',
    '__proto__',
  ])
  expect(data).toEqual(['size=64k', 'mode=755', 'context=a:b:c:s0:c1,c2', 'x', 'prototype', '__proto__'])
  expect(flags).toBe(MS.RDONLY)
})

test('MT-06 propagation words keep their order', () => {
  const { propagation } = parseMountOptions(['rshared', 'ro', 'slave', 'runbindable'])
  expect(propagation).toEqual(['rshared', 'slave', 'runbindable'])
  expect(packPropagation(propagation)).toBe(0xc2bn)
})

describe('MT-07 each recursive word', () => {
  const { RDONLY, NOSUID, NODEV, NOEXEC, NODIRATIME, NOSYMFOLLOW, ATIME, NOATIME, STRICTATIME } = MOUNT_ATTR
  const golden: Record<string, [set: number, clear: number]> = {
    rro: [RDONLY, 0],
    rrw: [0, RDONLY],
    rnosuid: [NOSUID, 0],
    rsuid: [0, NOSUID],
    rnodev: [NODEV, 0],
    rdev: [0, NODEV],
    rnoexec: [NOEXEC, 0],
    rexec: [0, NOEXEC],
    rnodiratime: [NODIRATIME, 0],
    rdiratime: [0, NODIRATIME],
    rrelatime: [0, ATIME],
    rnorelatime: [0, ATIME],
    rnoatime: [NOATIME, ATIME],
    ratime: [0, ATIME],
    rstrictatime: [STRICTATIME, ATIME],
    rnostrictatime: [0, ATIME],
    rnosymfollow: [NOSYMFOLLOW, 0],
    rsymfollow: [0, NOSYMFOLLOW],
  }
  test.each(Object.entries(golden))('%s', (word, [set, clear]) => {
    expect(parseMountOptions([word])).toEqual({ ...nothing, recursive: { set, clear } })
  })
  test('the later one wins, and the atime field is one', () => {
    expect(parseMountOptions(['rnoatime', 'rstrictatime']).recursive).toEqual({ set: STRICTATIME, clear: ATIME })
    expect(parseMountOptions(['rstrictatime', 'rrelatime']).recursive).toEqual({ set: 0, clear: ATIME })
    expect(parseMountOptions(['rro', 'rrw']).recursive).toEqual({ set: 0, clear: RDONLY })
    expect(parseMountOptions(['rrw', 'rro']).recursive).toEqual({ set: RDONLY, clear: 0 })
  })
})

test('MT-09 every word is listed, sorted, once', () => {
  expect(knownMountOptions).toEqual([...new Set(knownMountOptions)].sort())
  expect(knownMountOptions).toHaveLength(33 + 8 + 18 + 6 + 2)
  for (const word of knownMountOptions) expect(parseMountOptions([word]).data).toEqual([])
})

test('attributes: strictatime wins over noatime, relatime is the kernel’s default', () => {
  expect(attributesOf(MS.NOATIME | MS.STRICTATIME)).toBe(MOUNT_ATTR.STRICTATIME)
  expect(attributesOf(MS.RELATIME | MS.NODIRATIME)).toBe(MOUNT_ATTR.NODIRATIME)
  expect(newAttributes(parseMountOptions(['nosuid', 'rro', 'rsuid']))).toBe(MOUNT_ATTR.RDONLY)
})

test('MT-20 a bind gets exactly the flags named; none leaves the source’s', () => {
  const { RDONLY, NOSUID, NODEV, NOEXEC, NOSYMFOLLOW, ATIME, NOATIME } = MOUNT_ATTR
  const exact = (...words: string[]) => exactChange(parseMountOptions(words))
  expect(exact('rbind')).toEqual({ set: 0, clear: 0 })
  expect(exact('bind', 'defaults', 'rprivate')).toEqual({ set: 0, clear: 0 })
  expect(exact('bind', 'ro')).toEqual({ set: RDONLY, clear: NOSUID | NODEV | NOEXEC | NOSYMFOLLOW })
  expect(exact('bind', 'rw')).toEqual({ set: 0, clear: RDONLY | NOSUID | NODEV | NOEXEC | NOSYMFOLLOW })
  expect(exact('bind', 'noatime').set).toBe(NOATIME)
  expect(exact('bind', 'noatime').clear & ATIME).toBe(ATIME)
  expect(namedChange(parseMountOptions(['bind', 'ro', 'suid']))).toEqual({ set: RDONLY, clear: NOSUID })
  expect(packAttributes({ set: 1, clear: 0x200000 })).toBe(0x0020000000000001n)
})

test('flags of the file system itself become its words', () => {
  const { flags, cleared } = parseMountOptions(['ro', 'async', 'dirsync', 'mand', 'nolazytime', 'iversion', 'silent'])
  expect(filesystemWords(flags, 0)).toEqual(['ro', 'dirsync', 'mand', 'i_version'])
  expect(filesystemWords(flags, cleared)).toEqual(['ro', 'async', 'dirsync', 'mand', 'nolazytime', 'i_version'])
})

test('EV-077 NUL, and options that fsconfig cannot take, are refused', () => {
  expect(() => parseMountOptions(['a\0b'])).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', field: 'options[0]' }),
  )
  expect(() => parseMountOptions(['ro', `x=${'y'.repeat(256)}`], 'mounts[1].options')).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', field: 'mounts[1].options[1]' }),
  )
  expect(parseMountOptions([`x=${'y'.repeat(255)}`]).data).toHaveLength(1)
  expect(() => parseMountOptions(Array(16).fill('shared'))).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
})

test('EV-199 what only looks like a word is none, whatever was parsed before', () => {
  expect(parseMountOptions(['ro']).flags).not.toBe(0)
  for (const option of [0n, ['ro'], { toJSON: () => 'ro' }, null])
    expect(() => parseMountOptions([option] as never)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
})

test('MT-05 what a list says does not depend on the lists before it (property)', () => {
  const word = fc.constantFrom('', 'ro', 'rw', 'nosuid', 'rprivate', 'rro', 'x', 'x=1,y', 'tmpcopyup', 'idmap')
  // So many that they are not remembered; the word says nothing.
  const long = Array<string>(33).fill('defaults')
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), list => {
      expect(parseMountOptions(list)).toEqual(parseMountOptions([...long, ...list]))
    }),
    { numRuns: 2000 },
  )
})

test('EV-199 a list that answers another time otherwise teaches nobody a wrong meaning', () => {
  let reads = 0
  const lies = new Proxy(['nodev', 'sync'], {
    get: (list, key) => (key === '1' && reads++ % 2 > 0 ? 'dirsync' : Reflect.get(list, key)),
  })
  parseMountOptions(lies)
  for (const option of ['sync', 'dirsync'])
    expect(parseMountOptions(['nodev', option])).toEqual(parseMountOptions([option, 'nodev']))
})

test('a list of mounts is looked at once only where it cannot change', () => {
  const mount: Mount = Object.freeze({ destination: '/a', type: 'tmpfs', options: Object.freeze(['ro']) })
  const list = [mount]
  expect(checkMounts(list)).toHaveLength(1)
  list.push({ ...mount, destination: '/b' })
  expect(checkMounts(list).map(({ destination }) => destination)).toEqual(['/a', '/b'])
  const frozen = Object.freeze([mount])
  expect(checkMounts(frozen)).toBe(checkMounts(frozen))
  expect(checkMounts(frozen, 'volumes')[0]?.field).toBe('volumes[0]')
  const open = Object.freeze([{ ...mount }])
  expect(checkMounts(open)).not.toBe(checkMounts(open))
  const warnings: string[] = []
  const relative = Object.freeze([Object.freeze({ ...mount, destination: 'a' })])
  for (const _ of [1, 2]) checkMounts(relative, 'mounts', warning => void warnings.push(warning))
  expect(warnings).toHaveLength(2)
})
