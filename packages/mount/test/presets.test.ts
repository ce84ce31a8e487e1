import { checkMounts, mountPresets } from '@libcontainer/mount'
import { expect, test } from 'vitest'

test('BY-12 presets are mounts and read-only paths, in the order that they need', () => {
  const all = mountPresets(['cgroup:mixed', 'sys:mixed', 'proc:mixed'])
  expect(all.mounts.map(({ destination }) => destination)).toEqual([
    '/proc',
    '/sys',
    '/sys/devices/virtual/net',
    '/sys',
    '/sys/fs/cgroup',
  ])
  expect(all.readonlyPaths).toEqual(['/proc/sys', '/proc/sysrq-trigger'])
  expect(() => checkMounts(all.mounts)).not.toThrow()
  expect(mountPresets(['proc', 'sys', 'cgroup'])).toEqual(mountPresets(['proc:mixed', 'sys:ro', 'cgroup:mixed']))
  expect(mountPresets(['proc:rw', 'sys:rw']).readonlyPaths).toEqual([])
  expect(mountPresets(['sys:ro', 'cgroup:ro']).mounts.map(({ options }) => options!.includes('ro'))).toEqual([
    true,
    true,
  ])
  expect(mountPresets([])).toEqual({ mounts: [], readonlyPaths: [] })
})

test('BY-12 a word that is none, or is said twice, is refused by its place', () => {
  const refused = (words: unknown, field: string): void =>
    expect(() => mountPresets(words as string[])).toThrow(expect.objectContaining({ code: 'ConfigInvalid', field }))
  refused('proc', 'presets')
  refused(['proc', 'cgroup:rw'], 'presets[1]')
  refused(['constructor'], 'presets[0]')
  refused(['sys:ro', 'proc', 'sys:mixed'], 'presets[2]')
})
