import { type Mount, mountSteps, overlay, remountProcSteps, remountSysSteps, runtimeFiles } from '@libcontainer/mount'
import { slot } from '@libcontainer/sys'
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
