import { chownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultMounts,
  type Mount,
  mountSteps,
  overlay,
  pivotSteps,
  prepareRootSteps,
  type RootOverlay,
  remountProcSteps,
  remountSysSteps,
  rootOverlayStep,
  runtimeFiles,
} from '@libcontainer/mount'
import type { Step } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { requires, together } from '../../../test/support/index.js'
import { type Applied, type Applier, at, compileApplier, hostMounts } from './apply.js'
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
  for (const layer of ['one', 'two', 'upper', 'work']) mkdirSync(join(place.path, layer))
  writeFileSync(join(place.path, 'one/first'), 'one')
  writeFileSync(join(place.path, 'two/first'), 'two')
  writeFileSync(join(place.path, 'two/second'), 'two')
})
// MT-45: whatever a test did, the host's mounts are as they were.
afterEach(() => {
  const after = hostMounts(place.path)
  place[Symbol.dispose]()
  expect(after).toEqual(before)
})

const needs = requires('root', 'program:gcc')
const own = (path: string): string => join(place.path, path)

const apply = (
  mounts: readonly Mount[],
  script: string,
  words: readonly string[] = [],
  after: readonly Step[] = [],
): Applied =>
  applier.apply(
    [
      ...prepareRootSteps(place.rootfs),
      ...mountSteps(mounts, { userns: words.includes('user') }),
      ...pivotSteps(),
      ...after,
    ],
    words,
    script,
  )

const layers = (): { destination: string; lower: string[] } => ({ destination: '/x', lower: [own('one'), own('two')] })
const script = 'cat /x/first /x/second; echo new >/x/new && cat /x/new; ls /x'

test('MT-47 an overlay of directories takes what is written', needs, () => {
  const { failure, output } = apply([overlay({ ...layers(), upper: own('upper'), work: own('work') })], script)
  expect([failure, output]).toEqual([undefined, 'onetwonew\nfirst\nnew\nsecond\n'])
  expect(readdirSync(own('upper'))).toEqual(['new'])
  expect(readdirSync(own('one'))).toEqual(['first'])
})

test(
  'MT-47 an upper directory that cannot be written to is an error, and no overlay that is read-only',
  together(needs, requires('namespace:user')),
  () => {
    const written = overlay({ ...layers(), upper: own('upper'), work: own('work') })
    const expected = { syscall: 'fsconfig', errno: 30, detail: expect.stringContaining('cannot be written to') }
    expect(apply([written], script, ['user']).failure).toMatchObject(expected)
    const readonly = { ...written, options: [...written.options!, 'ro'] }
    expect(apply([readonly], 'cat /x/first', ['user'])).toMatchObject({ failure: undefined, output: 'one' })
  },
)

test('MT-47 one in memory forgets it, and shows nothing of the memory', needs, () => {
  const temporary = overlay({ ...layers(), temporary: true, options: ['nosuid'] })
  const { failure, output, mounts } = apply([temporary], script)
  expect([failure, output]).toEqual([undefined, 'onetwonew\nfirst\nnew\nsecond\n'])
  expect(mounts.map(({ mountPoint, type }) => [mountPoint, type])).toEqual([
    ['/', at(mounts, '/').type],
    ['/x', 'overlay'],
  ])
  expect(at(mounts, '/x').options).toContain('nosuid')
  expect([readdirSync(own('one')), readdirSync(own('upper'))]).toEqual([['first'], []])
  // A link of the image leads it nowhere: `upper` is what the kernel was given, and not a path below the link.
  mkdirSync(own('elsewhere/upper'), { recursive: true })
  mkdirSync(own('elsewhere/work'))
  symlinkSync(own('elsewhere'), join(place.rootfs, 'x-link'))
  const linked = apply([{ ...temporary, destination: '/x-link' }], 'echo new >/x-link/new')
  expect(readdirSync(own('elsewhere/upper'))).toEqual([])
  expect(linked.failure).toBeUndefined()
  const broken = overlay({ ...layers(), lower: [own('absent')], temporary: true })
  expect(apply([broken], ':').failure).toMatchObject({ syscall: 'fsconfig' })
  const left = apply([broken], ':').mounts.filter(({ mountPoint }) => mountPoint.startsWith(place.path))
  expect(left.map(({ type }) => type)).not.toContain('tmpfs')
})

test('MT-47 without either it is read-only, of one directory too', needs, () => {
  const readonly = apply([overlay(layers())], script)
  expect(readonly.output).toContain('onetwo')
  expect(readonly.output).toContain('Read-only file system')
  const single = apply([overlay({ destination: '/x', lower: [own('two')] })], script)
  expect(single.output).toContain('twotwo')
  expect(single.output).toContain('Read-only file system')
})

/** Lays directories over the root; the script sees only that. */
const overRoot = (overlay: RootOverlay, script: string, words: readonly string[] = []): Applied =>
  applier.apply(
    [...prepareRootSteps(place.rootfs), rootOverlayStep(overlay, { userns: words.includes('user') }), ...pivotSteps()],
    words,
    script,
  )

const written = 'cat /first /second; echo new >/new && cat /new; rm /bin/touch; ls /bin/cat /bin/touch'

test('MT-47 BY-04 an overlay is the root: what is written goes to upper, what is below stays', needs, () => {
  const lower = [own('one'), own('two')]
  const { failure, output, mounts } = overRoot({ lower, upper: own('upper'), work: own('work') }, written)
  expect(failure).toBeUndefined()
  expect(output).toBe('onetwonew\n/bin/cat\nls: /bin/touch: No such file or directory\n')
  expect(mounts.map(({ mountPoint, type }) => [mountPoint, type])).toEqual([['/', 'overlay']])
  // No path of the host is told to whoever looks.
  expect(JSON.stringify(mounts)).not.toContain(place.path)
  expect(readdirSync(own('upper')).sort()).toEqual(['bin', 'new'])
  expect([readdirSync(own('one')), readdirSync(own('two')).sort()]).toEqual([['first'], ['first', 'second']])
  expect(readdirSync(join(place.rootfs, 'bin'))).toContain('touch')
  // It is kept, and seen again.
  expect(overRoot({ upper: own('upper'), work: own('work') }, 'cat /new; ls /bin/touch').output).toMatch(/^new\nls: /)
})

test('MT-47 BY-04 in memory it is thrown away, and without either read-only', needs, () => {
  const temporary = overRoot({ lower: [own('one'), own('two')], temporary: true }, written)
  expect([temporary.failure, temporary.output.slice(0, 9)]).toEqual([undefined, 'onetwonew'])
  expect(temporary.mounts.map(({ type }) => type)).toEqual(['overlay'])
  expect(readdirSync(join(place.rootfs, 'bin'))).toContain('touch')
  const readonly = overRoot({ lower: [own('one')] }, 'cat /first; echo new >/new')
  expect(readonly.output).toMatch(/^one.*Read-only file system/s)
  expect(at(readonly.mounts, '/').options).toContain('ro')
})

test(
  'MT-47 in a user namespace: by attributes that its root may write',
  together(needs, requires('namespace:user')),
  () => {
    // The kernel would make it read-only, and tell nobody.
    expect(overRoot({ upper: own('upper'), work: own('work') }, ':', ['user']).failure).toMatchObject({
      syscall: 'fsconfig',
      errno: 30,
    })
    for (const layer of ['upper', 'work']) chownSync(own(layer), 1_000_000, 1_000_000)
    // A directory that replaces another is noted as such in an attribute.
    mkdirSync(join(place.rootfs, 'dir'))
    writeFileSync(join(place.rootfs, 'dir/old'), '')
    chownSync(join(place.rootfs, 'dir'), 1_000_000, 1_000_000)
    chownSync(join(place.rootfs, 'dir/old'), 1_000_000, 1_000_000)
    const script = 'rm -r /dir && mkdir /dir && echo x >/dir/new; ls /dir'
    const { failure, output } = overRoot({ upper: own('upper'), work: own('work') }, script, ['user'])
    expect([failure, output]).toEqual([undefined, 'new\n'])
    expect(readdirSync(own('upper/dir'))).toEqual(['new'])
    expect(overRoot({ temporary: true }, script, ['user'])).toMatchObject({ failure: undefined, output: 'new\n' })
  },
)

test('MT-47 flags of the mounts below hold for the overlay, and sixty directories are not too many', needs, () => {
  const many = Array.from({ length: 60 }, (_, i) => own(`layer ${i},:\\`))
  for (const [i, path] of many.entries()) {
    mkdirSync(path)
    writeFileSync(join(path, `of-${i}`), '')
  }
  const { failure, output } = overRoot({ lower: many }, 'ls /')
  expect(failure).toBeUndefined()
  expect(output.split('\n').filter(name => name.startsWith('of-'))).toHaveLength(60)
  const nosuid = applier.apply(
    [
      ...prepareRootSteps(place.rootfs),
      ...mountSteps([{ destination: '/mnt', type: 'tmpfs', options: ['nosuid', 'noexec'] }]),
      rootOverlayStep({ lower: [join(place.rootfs, 'mnt')], temporary: true }),
      ...pivotSteps(),
    ],
    [],
    undefined,
  )
  expect(nosuid.failure).toBeUndefined()
  const { options } = at(nosuid.mounts, '/')
  expect(options).toEqual(expect.arrayContaining(['nosuid', 'noexec']))
  expect(options).not.toContain('nodev')
})

test('MT-47 a directory that is none, behind a link, or not writable: told, and nothing is left', needs, () => {
  symlinkSync('two', own('link'))
  const failing = (overlay: RootOverlay): unknown => {
    const { failure, mounts } = overRoot(overlay, ':')
    expect(mounts.filter(({ type }) => type === 'overlay')).toEqual([])
    return failure
  }
  const upper = { upper: own('upper'), work: own('work') }
  expect(failing({ lower: [own('absent')] })).toMatchObject({ syscall: 'openat2', errno: 2, detail: own('absent') })
  expect(failing({ lower: [own('link')] })).toMatchObject({ syscall: 'openat2', errno: 40, detail: own('link') })
  expect(failing({ lower: [own('one/first')] })).toMatchObject({ syscall: 'openat2', errno: 20 })
  expect(failing({ ...upper, work: own('absent') })).toMatchObject({ syscall: 'openat2', detail: own('absent') })
  expect(failing({ upper: '/proc/sys', work: own('work') })).toMatchObject({ syscall: 'fsconfig' })
  expect(readdirSync(own('upper'))).toEqual([])
})

test('MT-48 files of the runtime, also where the image has links to nothing', needs, () => {
  mkdirSync(join(place.rootfs, 'etc'))
  symlinkSync('../run/resolv.conf', join(place.rootfs, 'etc/resolv.conf'))
  writeFileSync(own('hosts'), '127.0.0.1 own\n')
  const mounts = runtimeFiles({ hosts: own('hosts'), localtime: false, hostname: own('one/first') })
  const { failure, output, mounts: seen } = apply(mounts, 'cat /etc/hosts /etc/hostname; cat /etc/resolv.conf')
  expect([failure, output]).toEqual([undefined, `127.0.0.1 own\none${readFileSync('/etc/resolv.conf', 'utf8')}`])
  expect(at(seen, '/etc/hosts').options.slice(0, 4)).toEqual(['ro', 'nosuid', 'nodev', 'noexec'])
})

test(
  'MT-43 RemountProc, RemountSys: fresh ones, whatever was there',
  together(needs, requires('namespace:user')),
  () => {
    const old: Mount[] = [
      { ...defaultMounts[0]!, options: ['ro'] },
      { destination: '/sys', type: 'tmpfs' },
    ]
    const { failure, mounts } = apply(old, ':', ['pid', 'net'], [...remountProcSteps(), ...remountSysSteps()])
    expect(failure).toBeUndefined()
    expect(at(mounts, '/proc').options.slice(0, 4)).toEqual(['rw', 'nosuid', 'nodev', 'noexec'])
    expect(at(mounts, '/sys').type).toBe('sysfs')
    expect(mounts).toHaveLength(3)
    const nothing = apply([], ':', ['pid', 'net'], [...remountProcSteps(), ...remountSysSteps()])
    expect(nothing.mounts.map(({ type }) => type).slice(1)).toEqual(['proc', 'sysfs'])
  },
)
