import { lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Mount, mountSteps, pivotSteps, prepareRootSteps } from '@libcontainer/mount'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { type Applied, type Applier, compileApplier, hostMounts } from './apply.js'
import { type Scratch, scratch } from './rootfs.js'

let applier: Applier
let place: Scratch
let before: string[]

beforeAll(() => {
  applier = compileApplier()
})
afterAll(() => applier[Symbol.dispose]())
beforeEach(() => {
  place = scratch()
  before = hostMounts(place.path)
  mkdirSync(join(place.path, 'host'))
  writeFileSync(join(place.path, 'host/file'), 'the host')
  symlinkSync('file', join(place.path, 'host/link'))
})
// MT-45: whatever a test did, the host's mounts are as they were.
afterEach(() => {
  const after = hostMounts(place.path)
  place[Symbol.dispose]()
  expect(after).toEqual(before)
})

const needs = requires('root', 'program:gcc')
const own = (path: string): string => join(place.path, path)

function apply(
  destination: string,
  source: string,
  words: readonly string[],
  script?: string,
  restricted: string[] = [],
): Applied {
  const mount: Mount = { destination, source: own(source), options: ['bind', ...words] }
  const steps = [...prepareRootSteps(place.rootfs), ...mountSteps([mount]), ...pivotSteps()]
  return applier.apply(steps, restricted, script)
}

test.each([[[]], [['no-openat2']]])(
  'MT-08 dest-nofollow covers the link, and not what it leads to, with %j',
  needs,
  restricted => {
    writeFileSync(join(place.rootfs, 'victim'), 'victim')
    symlinkSync('victim', join(place.rootfs, 'link'))
    const covered = apply('/link', 'host/file', ['dest-nofollow', 'ro'], 'cat /link /victim', restricted)
    expect([covered.failure, covered.output]).toEqual([undefined, 'the hostvictim'])
    const followed = apply('/link', 'host/file', [], 'cat /link /victim', restricted)
    expect([followed.failure, followed.output]).toEqual([undefined, 'the hostthe host'])
    // A link to the outside is no way out either.
    symlinkSync(own('host/file'), join(place.rootfs, 'out'))
    const out = apply('/out', 'host/link', ['dest-nofollow'], 'cat /out', restricted)
    expect([out.failure, out.output]).toEqual([undefined, 'the host'])
    // What is missing is made, as ever.
    expect(apply('/made/file', 'host/file', ['dest-nofollow'], 'cat /made/file', restricted).output).toBe('the host')
    expect(apply('/dir', 'host', ['dest-nofollow'], 'ls /dir', restricted).output).toBe('file\nlink\n')
  },
)

test('MT-08 src-nofollow binds the link itself, whose text the container follows', needs, () => {
  writeFileSync(join(place.rootfs, 'file'), 'the container')
  const { failure, output } = apply('/at', 'host/link', ['src-nofollow'], 'readlink /at; cat /at')
  expect([failure, output]).toEqual([undefined, 'file\nthe container'])
  expect(apply('/at', 'host/link', [], 'cat /at').output).toBe('the host')
  expect(apply('/at2', 'host/file', ['src-nofollow'], 'cat /at2').output).toBe('the host')
})

test('MT-08 copy-symlink makes the link again, and binds what is none', needs, () => {
  const copied = apply('/deep/link', 'host/link', ['copy-symlink'], 'readlink /deep/link')
  expect([copied.failure, copied.output]).toEqual([undefined, 'file\n'])
  expect(copied.mounts.map(({ mountPoint }) => mountPoint)).toEqual(['/'])
  expect(readlinkSync(join(place.rootfs, 'deep/link'))).toBe('file')
  // The same again is no error; anything else there is, and stays.
  expect(apply('/deep/link', 'host/link', ['copy-symlink']).failure).toBeUndefined()
  symlinkSync('other', join(place.rootfs, 'other'))
  writeFileSync(join(place.rootfs, 'plain'), '')
  for (const name of ['/other', '/plain'])
    expect(apply(name, 'host/link', ['copy-symlink']).failure).toMatchObject({ syscall: 'symlinkat', errno: 17 })
  expect(readlinkSync(join(place.rootfs, 'other'))).toBe('other')
  expect(lstatSync(join(place.rootfs, 'plain')).isFile()).toBe(true)
  expect(apply('/bound', 'host/file', ['copy-symlink'], 'cat /bound').output).toBe('the host')
})
