import {
  checkRootOverlay,
  type Mount,
  mountSteps,
  overlay,
  type RootOverlay,
  remountProcSteps,
  remountSysSteps,
  rootOverlayStep,
  runtimeFiles,
} from '@libcontainer/mount'
import { nulTerminated, slot } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { HOW } from '../src/flags.js'

const refused = (act: () => unknown, field: string): void =>
  expect(act).toThrow(expect.objectContaining({ code: 'ConfigInvalid', field }))

test('MT-48 files of the runtime are read-only binds, each from where it is said, or left out', () => {
  const binds = (files?: Parameters<typeof runtimeFiles>[0]) =>
    runtimeFiles(files).map(({ source, destination }) => [source, destination])
  const all = ['hosts', 'resolv.conf', 'hostname', 'localtime'].map(name => [`/etc/${name}`, `/etc/${name}`])
  expect(binds()).toEqual(all)
  expect(binds({ hosts: '/run/hosts', hostname: false, localtime: false })).toEqual([
    ['/run/hosts', '/etc/hosts'],
    all[1],
  ])
  for (const { options } of runtimeFiles()) expect(options).toEqual(['bind', 'ro', 'nosuid', 'nodev', 'noexec'])
  refused(() => runtimeFiles({ hosts: 'hosts' }), 'hosts')
})

test('MT-47 overlays: written to a directory, to memory, or not at all', () => {
  const at = { destination: '/x', lower: ['/a', '/b:c'] }
  expect(overlay({ ...at, upper: '/u', work: '/w/', options: ['nodev'] }).options).toEqual([
    'nodev',
    'lowerdir=/a:/b\\:c',
    'upperdir=/u',
    'workdir=/w',
  ])
  expect(overlay(at).options).toEqual(['ro', 'lowerdir=/a:/b\\:c'])
  expect(overlay({ ...at, lower: ['/a'] })).toEqual({ destination: '/x', source: '/a', options: ['rbind', 'ro'] })
  const temporary = overlay({ ...at, temporary: true })
  expect(temporary.options).toEqual(['tmp-overlay', 'lowerdir=/a:/b\\:c'])
  expect(mountSteps([temporary])[0]!.args[6]).toBe(HOW.SCRATCH)
  refused(() => overlay({ ...at, upper: '/u' }), 'work')
  refused(() => overlay({ ...at, work: '/u' }), 'upper')
  refused(() => overlay({ ...at, upper: '/u', work: '/w', temporary: true }), 'temporary')
  refused(() => overlay({ ...at, lower: [] }), 'lower')
  refused(() => overlay({ ...at, lower: ['/a', 'b'] }), 'lower[1]')
  refused(() => overlay({ ...at, upper: '/u,userxattr', work: '/w' }), 'upper')
  const wrong: Mount = { destination: '/x', type: 'tmpfs', options: ['tmp-overlay'] }
  refused(() => mountSteps([wrong]), 'mounts[0].options')
})

test('MT-47 an overlay as the root: of what, and where it is written', () => {
  const { op, args, about } = rootOverlayStep({ lower: ['/a/', '/b'], upper: '/u', work: '/w/.' })
  expect([op, about]).toEqual(['overlayRoot', 'lay /u, /a/, /b over the root'])
  expect(args).toEqual([slot('root'), nulTerminated(['/a', '/b']), '/u', '/w', new Uint8Array(), 0])
  const temporary = rootOverlayStep({ temporary: true }, { userns: true })
  expect(temporary.about).toBe('lay memory over the root')
  expect(temporary.args.slice(1)).toEqual([new Uint8Array(), '', '', nulTerminated(['userxattr']), HOW.SCRATCH])
})

test('MT-47 BY-04 an overlay as the root that cannot be meant is refused by its field', () => {
  const check = (overlay: unknown, rootfs = '/srv/root') => checkRootOverlay(overlay as RootOverlay, rootfs)
  const at = { upper: '/u', work: '/w' }
  expect(check({ lower: ['/a', '/b,:"'], ...at }).map(([field]) => field)).toEqual([
    'rootOverlay.lower[0]',
    'rootOverlay.lower[1]',
    'rootOverlay.upper',
    'rootOverlay.work',
  ])
  expect(check({ temporary: true })).toEqual([])
  expect(check({ lower: Array.from({ length: 60 }, (_, i) => `/l${i}`) })).toHaveLength(60)
  for (const value of [null, 5, 'x', [], {}, { temporary: false }, { lower: [] }])
    refused(() => check(value), 'rootOverlay')
  refused(() => check({ upperdir: '/u' }), 'rootOverlay.upperdir')
  refused(() => check({ upper: '/u' }), 'rootOverlay.work')
  refused(() => check({ work: '/u' }), 'rootOverlay.upper')
  refused(() => check({ ...at, temporary: true }), 'rootOverlay.temporary')
  refused(() => check({ temporary: 1 }), 'rootOverlay.temporary')
  for (const lower of [null, '/a', Array.from({ length: 61 }, (_, i) => `/l${i}`)])
    refused(() => check({ lower }), 'rootOverlay.lower')
  for (const path of ['a', '', '/a\0', 7, null]) refused(() => check({ lower: ['/b', path] }), 'rootOverlay.lower[1]')
  refused(() => check({ upper: 'u', work: '/w' }), 'rootOverlay.upper')
  // Within each other, in whatever spelling.
  refused(() => check({ upper: '/u', work: '/u/work' }), 'rootOverlay.upper')
  refused(() => check({ upper: '/u/x', work: '/u//' }), 'rootOverlay.upper')
  refused(() => check({ lower: ['/a', '/a/../a'] }), 'rootOverlay.lower[0]')
  refused(() => check({ ...at, upper: '/srv' }), 'rootOverlay.upper')
  refused(() => check({ ...at, work: '/srv/root/work' }), 'rootOverlay.work')
  refused(() => check({ lower: ['/'] }), 'rootOverlay.lower[0]')
  expect(check({ upper: '/srv/root-u', work: '/srv/root-w' })).toHaveLength(2)
})

test('MT-43 remountProc and remountSys: what is there goes, nothing there is no error', () => {
  for (const [steps, path] of [
    [remountProcSteps(), '/proc'],
    [remountSysSteps(), '/sys'],
  ] as const) {
    expect(steps.map(({ op }) => op)).toEqual(['unmount', 'mountFilesystem'])
    expect(steps[0]).toMatchObject({ args: [path, 10], onError: { EINVAL: 'skip' } })
    expect(steps[1]!.args.slice(0, 3)).toEqual([slot('root'), path, path === '/proc' ? 'proc' : 'sysfs'])
  }
})
