import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DEFAULT_SIMPLE_DEVICES,
  type DeviceRequest,
  deviceFromPath,
  deviceSteps,
  hostDevices,
  linkSteps,
  ptmxStep,
  removeDeviceSteps,
} from '@libcontainer/devices'
import { type OwnedFd, openDirectory, type Step, slot } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Driver } from '../../sys/test/driver.js'
import { native } from '../dist/native.js'

const FCHMODAT2 = 452
const zero: DeviceRequest = { path: '/dev/zero', type: 'c', major: 1, minor: 5, mode: 0o640, uid: 1234, gid: 4321 }

describe('as root', requires('CAP_MKNOD', 'root', 'program:gcc', 'namespace:user'), () => {
  let driver: Driver
  let directory: string
  let rootfs: string
  let outside: string
  let root: OwnedFd
  beforeAll(() => {
    driver = new Driver(['devices'])
  })
  afterAll(() => driver.close())
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'device-nodes-'))
    rootfs = join(directory, 'rootfs')
    outside = join(directory, 'outside')
    for (const path of [rootfs, outside]) mkdirSync(path)
    writeFileSync(join(outside, 'ptmx'), 'precious')
    root = await openDirectory(rootfs, { handle: true })
  })
  afterEach(() => {
    root.close()
    rmSync(directory, { recursive: true })
  })

  const make = (requests: readonly DeviceRequest[], options = {}) =>
    native.apply(deviceSteps(root.fd, requests, options))
  const inRoot = (path: string) => join(rootfs, path)

  /** Steps in a process of its own, in a mount namespace of its own where `rootfs` is a fresh tmpfs; then a script there. */
  async function inOwnRoot(
    before: Step[],
    steps: (root: ReturnType<typeof slot>) => Step[],
    script: string,
  ): Promise<string[]> {
    const plan: Step[] = [
      ...before,
      { op: 'driverOwnMounts', args: [], about: 'own mounts' },
      { op: 'driverMountTmpfs', args: [rootfs], about: 'mount a tmpfs' },
      { op: 'driverOpenDirectory', args: [rootfs], about: 'open the root', into: 'root' },
      ...steps(slot('root')),
    ]
    const { code, stdout, stderr } = await driver.run(plan, { argv: ['sh', '-ec', `cd ${rootfs}; ${script}`] })
    if (code !== 0) throw new Error(stderr)
    return stdout.trim().split('\n')
  }
  const ownUsers: Step = { op: 'driverOwnUsers', args: [], about: 'own users' }

  test('DV-11 DV-17 nodes with type, numbers, owner and mode, exact whatever the umask', async () => {
    const umask = process.umask(0o077)
    try {
      await make([
        zero,
        { path: '/dev/sub/loop', type: 'b', major: 7, minor: 300, mode: 0o1777 },
        { path: '/opt/n', type: 'u', major: 1, minor: 3 },
      ])
      expect(process.umask()).toBe(0o077)
    } finally {
      process.umask(umask)
    }
    expect(await deviceFromPath(inRoot('dev/zero'))).toMatchObject({
      type: 'c',
      major: 1,
      minor: 5,
      mode: 0o20640,
      uid: 1234,
      gid: 4321,
    })
    expect(await deviceFromPath(inRoot('dev/sub/loop'))).toMatchObject({
      type: 'b',
      major: 7,
      minor: 300,
      mode: 0o61777,
      uid: 0,
      gid: 0,
    })
    expect(await deviceFromPath(inRoot('opt/n'))).toMatchObject({ type: 'c', major: 1, minor: 3, mode: 0o20666 })
  })

  test('DV-11 the default devices', async () => {
    await make(DEFAULT_SIMPLE_DEVICES)
    const made = await hostDevices({ root: inRoot('dev') })
    expect(
      made.map(({ path, mode, ...rest }) => ({ ...rest, path: path.slice(rootfs.length), mode: mode & 0o7777 })),
    ).toEqual([...DEFAULT_SIMPLE_DEVICES].sort((a, b) => (a.path < b.path ? -1 : 1)))
  })

  test('DV-11 before Linux 6.6 the mode is set through a verified procfs', async () => {
    const forbid: Step = { op: 'driverForbid', args: [FCHMODAT2], about: 'forbid fchmodat2' }
    const umask: Step = { op: 'driverUmask', args: [0o077], about: 'set the umask' }
    const lines = await inOwnRoot(
      [],
      at => [umask, forbid, ...deviceSteps(at, [zero])],
      "stat -c '%F %t:%T %a %u:%g' dev/zero",
    )
    expect(lines).toEqual(['character special file 1:5 640 1234:4321'])
  })

  test('DV-11 a matching node is kept as it is, twice the same is once', async () => {
    await make([zero])
    chmodSync(inRoot('dev/zero'), 0o600)
    const before = lstatSync(inRoot('dev/zero'))
    await make([zero, { ...zero, mode: 0o777 }])
    expect(lstatSync(inRoot('dev/zero'))).toMatchObject({ ino: before.ino, mode: 0o20600 })
  })

  test('DV-19 only the very device is removed, and no directory is made for it', async () => {
    const unmount = (path: string): Step => ({
      op: 'makeSymlink',
      args: [root.fd, '', path, 'x', 0],
      about: 'not this',
    })
    const remove = (request: DeviceRequest) => native.apply(removeDeviceSteps(root.fd, [request], { unmount }))
    await make([zero])
    await remove(zero)
    expect(readdirSync(inRoot('dev'))).toEqual([])
    await expect(remove(zero)).rejects.toMatchObject({ code: 'ENOENT', path: '/dev/zero' })
    await expect(remove({ ...zero, path: '/dev/deep/zero' })).rejects.toMatchObject({ code: 'ENOENT' })
    expect(readdirSync(inRoot('dev'))).toEqual([])
    await make([{ ...zero, minor: 9 }])
    symlinkSync('zero', inRoot('dev/link'))
    for (const request of [zero, { ...zero, type: 'b' }, { ...zero, path: '/dev/link', minor: 9 }] as DeviceRequest[])
      await expect(remove(request)).rejects.toMatchObject({ code: 'EEXIST', hint: expect.stringMatching(/stays/) })
    expect(readdirSync(inRoot('dev')).sort()).toEqual(['link', 'zero'])
    await expect(make([{ ...zero, minor: 9 }], { exclusive: true })).rejects.toMatchObject({
      code: 'EEXIST',
      message: expect.stringMatching(/there already/),
    })
  })

  test('DV-06 of a tree only nodes are listed, and none of terminals and managers', async () => {
    const node = (path: string): DeviceRequest => ({ ...zero, path: `/dev/${path}` })
    const skipped = ['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'].map(name => `${name}/x`)
    await make([...['zero', 'net/tun', 'console', 'deep/console', ...skipped].map(node), { path: '/dev/p', type: 'p' }])
    await make([{ ...node('loop'), type: 'b' }])
    symlinkSync('zero', inRoot('dev/link'))
    writeFileSync(inRoot('dev/file'), '')
    const listed = await hostDevices({ root: inRoot('dev') })
    expect(listed.map(({ path, type }) => `${type} ${path.slice(inRoot('dev/').length)}`)).toEqual([
      'b loop',
      'c net/tun',
      'c zero',
    ])
  })

  test('DV-15 a FIFO', async () => {
    await make([{ path: '/dev/log', type: 'p', mode: 0o622, uid: 7 }])
    expect(lstatSync(inRoot('dev/log'))).toMatchObject({ mode: 0o10622, uid: 7 })
    await make([{ path: '/dev/log', type: 'p' }])
  })

  test.each(['file', 'directory', 'link', 'other device', 'dangling link'])(
    'DV-16 a %s at the path is an error, or left alone',
    async kind => {
      const at = inRoot('dev/zero')
      mkdirSync(inRoot('dev'))
      if (kind === 'file') writeFileSync(at, '')
      if (kind === 'directory') mkdirSync(at)
      if (kind === 'link') symlinkSync(join(outside, 'ptmx'), at)
      if (kind === 'dangling link') symlinkSync(join(outside, 'new'), at)
      if (kind === 'other device') await make([{ ...zero, minor: 9 }])
      const before = lstatSync(at)
      await expect(make([zero])).rejects.toMatchObject({
        code: 'EEXIST',
        path: '/dev/zero',
        message: expect.stringMatching(/make the device c 1:5 at \/dev\/zero.*another file is there/),
        hint: expect.stringMatching(/another file/),
      })
      await make([zero], { strict: false })
      expect(lstatSync(at)).toMatchObject({ ino: before.ino, mode: before.mode, uid: before.uid })
      expect(readdirSync(outside)).toEqual(['ptmx'])
    },
  )

  test('DV-11 nothing is left of a node that could not get its owner', async () => {
    const fifo: DeviceRequest = { path: '/dev/pipe', type: 'p', uid: 5 }
    await expect(inOwnRoot([ownUsers], at => deviceSteps(at, [fifo]), 'true')).rejects.toThrow(/ 22 fchownat/)
    const ignored = (at: ReturnType<typeof slot>) =>
      deviceSteps(at, [fifo]).map(step => ({ ...step, onError: { EINVAL: 'skip' } }) as Step)
    expect(await inOwnRoot([ownUsers], ignored, 'ls -A dev | wc -l')).toEqual(['0'])
  })

  test('DV-12 in a user namespace the host’s nodes are bound and work', async () => {
    const script = `
      for name in null zero full tty urandom random; do
        [ "$(stat -c %t:%T dev/$name)" = "$(stat -c %t:%T /dev/$name)" ]
        grep -q " $PWD/dev/$name " /proc/self/mountinfo
      done
      echo written > dev/null
      head -c 4 dev/zero | od -An -tx1 | tr -d ' '
      stat -c '%a' dev/null`
    for (const bind of ['fallback', 'always'] as const) {
      const lines = await inOwnRoot([ownUsers], at => deviceSteps(at, DEFAULT_SIMPLE_DEVICES, { bind }), script)
      expect(lines).toEqual(['00000000', '666'])
    }
    expect(statSync('/dev/null')).toMatchObject({ mode: 0o20666, uid: 0, gid: 0 })
  })

  test('DV-12 bound on an empty file and on nothing else; a matching node is kept', async () => {
    const bind = (at: ReturnType<typeof slot>) =>
      deviceSteps(at, [{ ...zero, source: '/dev/zero' }], { bind: 'always' })
    mkdirSync(inRoot('dev'))
    const run = (prepare: () => void) => {
      rmSync(inRoot('dev/zero'), { force: true })
      prepare()
      const open: Step = { op: 'driverOpenDirectory', args: [rootfs], about: 'open the root', into: 'root' }
      return driver.run([{ op: 'driverOwnMounts', args: [], about: 'own mounts' }, open, ...bind(slot('root'))], {
        argv: ['grep', '-c', ` ${rootfs}/dev/zero `, '/proc/self/mountinfo'],
      })
    }
    expect(await run(() => {})).toMatchObject({ code: 0, stdout: '1\n' })
    expect(await run(() => writeFileSync(inRoot('dev/zero'), ''))).toMatchObject({ code: 0, stdout: '1\n' })
    expect(await run(() => writeFileSync(inRoot('dev/zero'), 'full'))).toMatchObject({
      code: 99,
      stderr: expect.stringMatching(/^2 17 move_mount another/),
    })
    expect(await run(() => symlinkSync(join(outside, 'ptmx'), inRoot('dev/zero')))).toMatchObject({ code: 99 })
    rmSync(inRoot('dev/zero'))
    await make([zero])
    const open: Step = { op: 'driverOpenDirectory', args: [rootfs], about: 'open the root', into: 'root' }
    const kept = await driver.run([open, ...bind(slot('root'))], {
      argv: ['grep', '-c', ` ${rootfs}/dev/zero `, '/proc/self/mountinfo'],
    })
    expect(kept).toMatchObject({ code: 1, stdout: '0\n' })
  })

  test('DV-12 the source must be that very device of the host', async () => {
    const bind = (source: string) => make([{ ...zero, source }], { bind: 'always' })
    await expect(bind('/dev/null')).rejects.toMatchObject({
      code: 'ENODEV',
      hint: '/dev/null of the host is another device',
    })
    await expect(bind('/dev/absent')).rejects.toMatchObject({
      code: 'ENOENT',
      hint: expect.stringMatching(/the host has no/),
    })
    symlinkSync('/dev/zero', join(outside, 'link'))
    await expect(bind(join(outside, 'link'))).rejects.toMatchObject({ code: 'ENODEV' })
    expect(readdirSync(rootfs)).toEqual([])
  })

  test.each(['../outside', '../../../../../../outside', '/volume'])(
    'CVE-2026-47766 CVE-2026-41579 /dev -> %s: refused, and nothing made or removed there',
    async target => {
      const volume = inRoot('volume')
      mkdirSync(volume)
      writeFileSync(join(volume, 'ptmx'), 'precious')
      symlinkSync(target.startsWith('../') ? outside : target, inRoot('dev'))
      const refused = {
        code: 'ENOTDIR',
        message: expect.stringMatching(/\(dev\)/),
        hint: expect.stringMatching(/not a link/),
      }
      for (const step of [...deviceSteps(root.fd, [zero]), ...linkSteps(root.fd, { kcore: true }), ptmxStep(root.fd)]) {
        await expect(native.apply([step])).rejects.toMatchObject(refused)
      }
      await expect(make([zero], { bind: 'always' })).rejects.toMatchObject(refused)
      for (const path of [outside, volume]) {
        expect(readdirSync(path)).toEqual(['ptmx'])
        expect(readFileSync(join(path, 'ptmx'), 'utf8')).toBe('precious')
      }
    },
  )

  test('CVE-2026-47766 the same without the rule that /dev must be no link: the node appears in the volume', async () => {
    mkdirSync(inRoot('volume'))
    symlinkSync('/volume', inRoot('dev'))
    const weakened = deviceSteps(root.fd, [zero]).map(step => ({
      ...step,
      args: [root.fd, '', '/dev/zero', ...step.args.slice(3)],
    }))
    await native.apply(weakened)
    expect(readdirSync(inRoot('volume'))).toEqual(['zero'])
  })

  test('CVE-2026-47766 a link below /dev leads nowhere but below /dev, and one elsewhere nowhere but into the root', async () => {
    mkdirSync(inRoot('dev'))
    symlinkSync(outside, inRoot('dev/net'))
    symlinkSync('../../../../outside', inRoot('dev/up'))
    symlinkSync(outside, inRoot('run'))
    await make(['/dev/net/tun', '/dev/up/zero', '/run/zero'].map(path => ({ ...zero, path })))
    expect(readdirSync(outside)).toEqual(['ptmx'])
    expect(lstatSync(inRoot(`dev${outside}/tun`)).isCharacterDevice()).toBe(true)
    expect(lstatSync(inRoot('dev/outside/zero')).isCharacterDevice()).toBe(true)
    expect(lstatSync(inRoot(`${outside}/zero`)).isCharacterDevice()).toBe(true)
  })

  test('MT-39 the links are made, existing files kept', async () => {
    mkdirSync(inRoot('dev'))
    writeFileSync(inRoot('dev/stdout'), 'kept')
    symlinkSync('elsewhere', inRoot('dev/stderr'))
    const steps = linkSteps(root.fd, { kcore: true, classic: true })
    await native.apply(steps)
    await native.apply(steps)
    const links = ['fd', 'stdin', 'stderr', 'core', 'kcore'].map(name => readlinkSync(inRoot(`dev/${name}`)))
    expect(links).toEqual(['/proc/self/fd', '/proc/self/fd/0', 'elsewhere', '/proc/kcore', '/proc/kcore'])
    expect(readFileSync(inRoot('dev/stdout'), 'utf8')).toBe('kept')
  })

  test.each(['nothing', 'node', 'file', 'link', 'right link'])('MT-40 ptmx in place of a %s', async kind => {
    mkdirSync(inRoot('dev'))
    if (kind === 'node') await make([{ path: '/dev/ptmx2', type: 'c', major: 5, minor: 2 }])
    if (kind === 'file') writeFileSync(inRoot('dev/ptmx'), '')
    if (kind === 'link') symlinkSync(join(outside, 'ptmx'), inRoot('dev/ptmx'))
    if (kind === 'right link') symlinkSync('pts/ptmx', inRoot('dev/ptmx'))
    await native.apply([ptmxStep(root.fd)])
    expect(readlinkSync(inRoot('dev/ptmx'))).toBe('pts/ptmx')
    expect(readFileSync(join(outside, 'ptmx'), 'utf8')).toBe('precious')
  })

  test('MT-40 a directory in the way is an error', async () => {
    mkdirSync(inRoot('dev/ptmx'), { recursive: true })
    await expect(native.apply([ptmxStep(root.fd)])).rejects.toMatchObject({ code: 'EISDIR', path: '/dev/ptmx' })
  })

  test('no descriptor is left behind, whatever happens', async () => {
    const open = () => readdirSync('/proc/self/fd').length
    const steps = [...deviceSteps(root.fd, [zero, { ...zero, path: '/dev/null/x' }]), ptmxStep(root.fd)]
    for (const step of steps) await native.apply([step]).catch(() => {})
    const before = open()
    for (let i = 0; i < 5; i++) for (const step of steps) await native.apply([step]).catch(() => {})
    await make([{ ...zero, source: '/dev/null' }], { bind: 'always' }).catch(() => {})
    expect(open()).toBe(before)
  })
})
