import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultMounts } from '@libcontainer/mount'
import { createInRoot, mkdirAllInRoot, O_CREAT, O_WRONLY, type Step, slot, symlinkInRoot } from '@libcontainer/sys'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { requires } from '../support/index.js'
import { Jail, type Tried, type Weaken } from './jail.js'
import { devpts, withoutDev } from './mounts.js'
import { SECRET } from './victim.js'
import {
  all,
  consoleByName,
  directoryFirst,
  inFront,
  joined,
  nullByName,
  onAnyTarget,
  withoutNull,
  withoutTerminal,
} from './weaken.js'

const needs = requires('root', 'rootfs')

let jail: Jail

beforeAll(async () => {
  jail = await Jail.open()
})
afterAll(async () => await jail[Symbol.asyncDispose]())
beforeEach(() => {
  for (const name of ['dev', 'proc', 'sys', 'srv', 'mnt']) jail.directory(name)
  jail.victim.restore()
})

/** What a plan did outside: mounts that went astray, and changes of the host's files. */
const outside = (tried: Tried): string[] => [...jail.astray(tried), ...jail.victim.changes()]

/** No program of the host's container: it was refused by name, or ran inside. */
const contained = (tried: Tried): void => {
  expect(outside(tried)).toEqual([])
  if (tried.refused !== undefined) expect(tried.refused.code, tried.refused.message).toMatch(/^E[A-Z]+$|ConfigInvalid/)
}

const source = (): string => jail.victim.place
const binds = (destination: string, path = source()) => [
  ...defaultMounts,
  { destination, source: path, type: 'bind', options: ['rbind'] },
]

describe.each([
  ['absolute', 0],
  ['climbing', 1],
] as const)('%s links of an image', (_, way) => {
  test('CVE-2015-3629 CVE-2019-18837 at every mount point, at the first start and again', needs, async () => {
    writeFileSync(join(source(), 'bound'), '')
    const places = {
      dev: { mounts: defaultMounts },
      'dev/pts': { mounts: [...withoutDev, devpts] },
      'dev/shm': { mounts: [...withoutDev, ...defaultMounts.filter(({ destination }) => destination === '/dev/shm')] },
      'dev/mqueue': {
        mounts: [...withoutDev, ...defaultMounts.filter(({ destination }) => destination === '/dev/mqueue')],
      },
      mnt: { mounts: [...defaultMounts, { destination: '/mnt', type: 'tmpfs' }] },
      'mnt/volume': { mounts: binds('/mnt/volume') },
      'mnt/file': { mounts: binds('/mnt/file/new', join(source(), 'bound')) },
    }
    for (const [place, config] of Object.entries(places)) {
      for (const name of ['dev', 'mnt']) jail.directory(name)
      jail.link(jail.victim.ways()[way], place)
      const weak = await jail.run('true', { config, weaken: joined })
      expect(outside(weak), place).not.toEqual([])
      jail.victim.restore()
      contained(await jail.run('true', { config }))
      contained(await jail.run('true', { config }))
    }
  })

  test('CVE-2023-27561 CVE-2023-28642 CVE-2025-54867 in place of /proc and of /sys', needs, async () => {
    jail.directory('srv/inside')
    for (const name of ['proc', 'sys'])
      for (const [to, weaken, at] of [
        // A directory of the host; or of the image, which it can exchange whenever it likes.
        [jail.victim.ways()[way], joined, jail.victim.path],
        ['/srv/inside', onAnyTarget, join(jail.rootfs, 'srv/inside')],
      ] as const) {
        jail.link(to, name)
        const weak = await jail.run('true', { weaken })
        expect(weak.mounts.find(({ mountPoint }) => mountPoint === at)?.type).toBe(name === 'proc' ? 'proc' : 'sysfs')
        jail.victim.restore()
        const real = await jail.run('true')
        expect(real.refused).toMatchObject({ code: 'ENOTDIR', path: `/${name}` })
        expect(outside(real)).toEqual([])
        jail.directory(name)
      }
  })

  test(
    'CVE-2026-41579 /dev, and the directory of the cgroups: no link or ptmx is made or removed outside',
    needs,
    async () => {
      const cgroups = defaultMounts.filter(({ type }) => type === 'proc' || type === 'cgroup')
      for (const [place, mounts] of [
        ['dev', withoutDev],
        ['sys/fs/cgroup', cgroups],
      ] as const) {
        jail.link(jail.victim.ways('sub')[way], place)
        const weak = await jail.run('true', { config: { mounts }, weaken: joined })
        if (place === 'dev') {
          expect(lstatSync(jail.victim.file('sub/ptmx')).isSymbolicLink()).toBe(true)
          expect(lstatSync(jail.victim.file('sub/stdin')).isSymbolicLink()).toBe(true)
        } else expect(jail.astray(weak)).toContain(jail.victim.file('sub'))
        jail.victim.restore()
        const real = await jail.run('true', { config: { mounts } })
        if (place === 'dev') expect(real.refused).toMatchObject({ code: 'ENOTDIR' })
        contained(real)
        jail.directory('dev')
      }
    },
  )

  test('CVE-2026-47766 /dev, where nothing is mounted on it: the default devices and added ones', needs, async () => {
    const devices = [
      { path: '/dev/zero', type: 'c', major: 1, minor: 5 },
      { path: '/dev/added', type: 'c', major: 1, minor: 3 },
    ] as const
    for (const config of [{ mounts: withoutDev }, { mounts: withoutDev, devices }]) {
      jail.link(jail.victim.ways('sub')[way], 'dev')
      await jail.run('true', { config, weaken: joined })
      expect(lstatSync(jail.victim.file('sub/zero')).isCharacterDevice()).toBe(true)
      jail.victim.restore()
      const real = await jail.run('true', { config })
      expect(real.refused).toMatchObject({ code: 'ENOTDIR' })
      contained(real)
    }
  })

  test('CVE-2026-88264 /dev/console: neither made nor covered where a link of the image says', needs, async () => {
    for (const name of ['console', 'missing'])
      for (const [mounts, readonlyRootfs] of [
        [[...withoutDev, devpts], false],
        [[...withoutDev, devpts], true],
      ] as const) {
        jail.directory('dev')
        jail.link(jail.victim.ways(name)[way], 'dev/console')
        const trial = { config: { mounts, readonlyRootfs }, spec: { terminal: true } }
        const weak = await jail.run('true', { ...trial, weaken: consoleByName })
        if (name === 'missing') expect(existsSync(jail.victim.file(name))).toBe(true)
        else expect(jail.astray(weak)).toContain(jail.victim.file(name))
        jail.victim.restore()
        const real = await jail.run('true', trial)
        expect(real.refused).toMatchObject({ code: 'ELOOP', path: '/dev/console' })
        expect(outside(real)).toEqual([])
      }
    // With a tmpfs on /dev the link of the image is never seen.
    contained(await jail.run('true', { spec: { terminal: true } }))
  })

  test('CVE-2025-24965 every file that is made in the root: targets, directories, links, devices', needs, async () => {
    writeFileSync(join(source(), 'bound'), '')
    const mounts = binds('/mnt/config', join(source(), 'bound'))
    jail.link(jail.victim.ways('new')[way], 'mnt/config')
    await jail.run('true', { config: { mounts }, weaken: joined })
    expect(existsSync(jail.victim.file('new'))).toBe(true)
    jail.victim.restore()
    contained(await jail.run('true', { config: { mounts } }))

    jail.link(jail.victim.ways('work')[way], 'mnt/work')
    const spec = { cwd: '/mnt/work/deep' }
    await jail.run('true', { spec, weaken: directoryFirst })
    expect(existsSync(jail.victim.file('work/deep'))).toBe(true)
    jail.victim.restore()
    contained(await jail.run('true', { spec }))

    // The functions by which a program on the host puts files there.
    jail.link(jail.victim.ways('file')[way], 'etc/link')
    jail.link(jail.victim.ways()[way], 'etc/directory')
    writeFileSync(join(jail.rootfs, 'etc/link'), 'overwritten')
    expect(readFileSync(jail.victim.file('file'), 'utf8')).toBe('overwritten')
    jail.victim.restore()
    const fds = await Promise.allSettled([
      createInRoot(jail.rootfs, '/etc/link', O_WRONLY | O_CREAT),
      createInRoot(jail.rootfs, '/etc/directory/new', O_WRONLY | O_CREAT),
      mkdirAllInRoot(jail.rootfs, '/etc/directory/a/b'),
    ])
    for (const fd of fds) if (fd.status === 'fulfilled') fd.value.close()
    await symlinkInRoot(jail.rootfs, 'text', '/etc/directory/link').catch(() => {})
    expect(jail.victim.changes()).toEqual([])
  })

  test(
    'CVE-2025-24965 files of the config’s own, on a mount in which a link of the image has come up',
    needs,
    async () => {
      const up = { destination: '/srv/up', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }
      const files = [
        { path: '/srv/up/link/new', content: 'own' },
        { path: '/srv/up/file/deep', content: 'own' },
      ]
      const config = { mounts: [...binds('/mnt/bound', jail.victim.path), up], files }
      jail.link(['/mnt/bound', '../../mnt/bound'][way]!, 'srv/up/link')
      jail.link(['/mnt/bound/sub', '../../mnt/bound/sub'][way]!, 'srv/up/file')
      // By their paths in the container, as long as they were: the link leads to what is bound from the host.
      const byPath: Weaken = steps =>
        steps.map(step =>
          step.op === 'putFile' ? { ...step, args: [slot('root'), step.path!, ...step.args.slice(2)] } : step,
        )
      await jail.run('true', { config, weaken: byPath })
      expect(existsSync(jail.victim.file('new'))).toBe(true)
      jail.victim.restore()
      const real = await jail.run('ls /srv/up/mnt/bound/new; readlink /srv/up/link', { config })
      expect(real.refused).toBeUndefined()
      expect(real.stdout).toMatch(/^\/srv\/up\/mnt\/bound\/new\n.*mnt\/bound\n$/)
      expect(outside(real)).toEqual([])
    },
  )

  test('CVE-2025-31133 CVE-2025-62161 /dev/null: what is masked by it shows nothing else', needs, async () => {
    const config = { mounts: withoutDev, maskedPaths: ['/srv/masked', '/proc/keys'] }
    for (const to of [
      jail.victim.ways('file')[way],
      ['/proc/sys/kernel/core_pattern', '../proc/sys/kernel/core_pattern'][way]!,
    ]) {
      jail.file('srv/masked', 'masked')
      jail.link(to, 'dev/null')
      const weak = await jail.run('cat /srv/masked; [ -w /srv/masked ] && echo writable', {
        config,
        weaken: nullByName,
      })
      expect(weak.stdout).toMatch(/^.+\nwritable\n$/)
      expect(weak.stdout).not.toMatch(/masked/)
      expect(
        weak.stdout.startsWith(to.includes('proc') ? readFileSync('/proc/sys/kernel/core_pattern', 'utf8') : SECRET),
      ).toBe(true)
      const real = await jail.run('cat /srv/masked', { config })
      expect(real.refused).toMatchObject({ path: '/dev/null' })
      contained(real)
      // Also where no node is to be made: what is found there is looked at.
      const bare = await jail.run('cat /srv/masked', { config, weaken: withoutNull })
      expect(bare.refused?.code ?? 'ran').toMatch(/ENODEV|ran/)
      expect(bare.stdout).toBe('')
      contained(bare)
    }
  })

  test(
    'CVE-2025-52565 /dev/pts/0: the console is the terminal that was opened, and no file of that name',
    needs,
    async () => {
      jail.directory('dev/pts')
      jail.link(jail.victim.ways('file')[way], 'dev/pts/0')
      const trial = { config: { mounts: withoutDev }, spec: { terminal: true } }
      const byName: Step = {
        op: 'bindMount',
        args: [slot('root'), -1, `${jail.rootfs}/dev/pts/0`, '/dev/console', 0, 0, 0, new Uint8Array(0)],
        about: 'bind what has the name of the terminal',
      }
      const weak = await jail.run('cat /dev/console; echo written > /dev/console', {
        ...trial,
        weaken: all(withoutTerminal, inFront('pivotRoot', { ...byName, args: byName.args.with(7, 0) })),
      })
      expect(weak.stdout).toBe(SECRET)
      expect(readFileSync(jail.victim.file('file'), 'utf8')).toBe('written\n')
      jail.victim.restore()
      const real = await jail.run('cat /dev/console', trial)
      expect(real.refused).toMatchObject({ path: '/dev/pts/ptmx' })
      contained(real)
    },
  )
})
