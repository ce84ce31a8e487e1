import { withEdits } from '@libcontainer/container'
import { DEFAULT_SIMPLE_DEVICES, namedDevice, resolveEdits } from '@libcontainer/devices'
import { defaultMounts } from '@libcontainer/mount'
import { expect, test } from 'vitest'

const nothing = await resolveEdits([])
const plain = { config: { rootfs: '/r' }, process: { args: ['true'] } }

test('DV-20 no edits change nothing that was said', () => {
  expect(withEdits(plain, nothing)).toEqual({
    config: { rootfs: '/r', devices: DEFAULT_SIMPLE_DEVICES },
    process: plain.process,
  })
})

test('DV-20 nodes take the place of those at their paths, and belong to the user of the process', async () => {
  const edits = await resolveEdits([
    { deviceNodes: [{ path: '/dev/null', type: 'c', major: 240 }] },
    {
      deviceNodes: [
        { path: '/dev/own', type: 'c', major: 240, minor: 1, uid: 0, gid: 9 },
        { path: '/dev/p', type: 'p' },
      ],
    },
    { deviceNodes: [{ path: '/dev/null', type: 'c', major: 240, minor: 3, permissions: 'r' }] },
  ])
  const rules = [{ type: 'c', major: 1, access: 'r', allow: true }] as const
  const { config, process } = withEdits(
    {
      config: { rootfs: '/r', devices: [namedDevice('null'), namedDevice('fuse')], cgroups: { devices: rules } },
      process: { args: ['true'], user: { uid: 7 }, env: ['A=1'] },
    },
    edits,
  )
  expect(config.devices?.map(({ path, minor, uid, gid }) => [path, minor, uid, gid])).toEqual([
    ['/dev/fuse', 229, 0, 0],
    ['/dev/null', 3, 7, 0],
    ['/dev/own', 1, 0, 9],
    ['/dev/p', 0, 7, 0],
  ])
  expect(config.cgroups?.devices?.map(({ minor, access }) => [minor, access])).toEqual([
    [undefined, 'r'],
    [0, 'rwm'],
    [1, 'rwm'],
    [3, 'r'],
  ])
  expect(process).toEqual({ args: ['true'], user: { uid: 7 }, env: ['A=1'] })
})

test('DV-20 mounts, environment, groups and hooks are added in their places', async () => {
  const edits = await resolveEdits([
    {
      env: ['PATH=/vendor', 'B=2'],
      mounts: [
        { hostPath: '/lib', containerPath: '/usr/lib' },
        { hostPath: '/dev/shm', containerPath: '/dev' },
        { hostPath: '/own', containerPath: '/proc/' },
      ],
      hooks: [{ hookName: 'prestart', path: '/bin/b' }],
      additionalGids: [5, 44],
    },
  ])
  const { config, process } = withEdits(
    {
      config: { rootfs: '/r', hooks: { prestart: [{ path: '/bin/a' }] } },
      process: { args: ['true'], env: { PATH: '/bin', A: '1' }, additionalGroups: [5, 'staff'] },
    },
    edits,
  )
  const before = defaultMounts.map(({ destination }) => destination)
  expect(before).toContain('/dev/shm')
  const expected = [...before.filter(path => path !== '/proc' && path !== '/dev'), '/usr/lib', '/proc/']
  const first = expected.findIndex(path => path.startsWith('/dev/'))
  expected.splice(first, 0, '/dev')
  expect(config.mounts?.map(({ destination }) => destination)).toEqual(expected)
  expect(config.hooks).toEqual({ prestart: [{ path: '/bin/a' }, { path: '/bin/b' }] })
  expect(process.env).toEqual(['PATH=/vendor', 'A=1', 'B=2'])
  expect(process.additionalGroups).toEqual([5, 'staff', 44])
})

test('DV-20 what no package does yet is refused by name', async () => {
  const intelRdt = await resolveEdits([{ intelRdt: { closID: 'a' } }])
  expect(() => withEdits(plain, intelRdt)).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', field: 'intelRdt' }),
  )
})

test('DV-20 NL-30 network devices move into the container, those of the config with them', async () => {
  const edits = await resolveEdits([{ netDevices: [{ hostInterfaceName: 'a', name: 'b' }] }])
  const { config } = withEdits({ ...plain, config: { ...plain.config, netDevices: { c: {} } } }, edits)
  expect(config.netDevices).toEqual({ c: {}, a: { name: 'b' } })
})
