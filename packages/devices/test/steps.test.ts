import {
  DEFAULT_SIMPLE_DEVICES,
  type DeviceRequest,
  device,
  deviceSteps,
  linkSteps,
  mkdev,
  ptmxStep,
  removeDeviceSteps,
  ruleOf,
} from '@libcontainer/devices'
import { encodePlan, type Step, slot } from '@libcontainer/sys'
import { expect, test } from 'vitest'

const root = slot('root')
const fuse: DeviceRequest = { path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 0o20600, uid: 5, gid: 6 }

test('DV-11 DV-12 a node is made, and bound where the kernel refuses', () => {
  const [made] = deviceSteps(root, [fuse])
  expect(made).toMatchObject({
    op: 'makeDevice',
    args: [root, 'dev', 'fuse', 0o20600, mkdev(10, 229), 5, 6, 1],
    about: 'make the device c 10:229 at /dev/fuse',
    path: '/dev/fuse',
  })
  expect(made?.onError?.EPERM).toMatchObject({
    op: 'bindDevice',
    args: [root, 'dev', 'fuse', '/dev/fuse', 0o20000, mkdev(10, 229), 1],
    about: "bind the host's /dev/fuse (c 10:229) on /dev/fuse",
  })
})

test('DV-12 never bound, always bound, or bound from elsewhere', () => {
  expect(deviceSteps(root, [fuse], { bind: 'never' })[0]?.onError).toBeUndefined()
  const [bound] = deviceSteps(root, [{ ...fuse, source: '/dev/other' }], { bind: 'always' })
  expect(bound).toMatchObject({
    op: 'bindDevice',
    args: [root, 'dev', 'fuse', '/dev/other', 0o20000, mkdev(10, 229), 1],
  })
})

test('DV-19 a detached tree is bound where the node itself cannot be seen, and nothing that is there is taken for ours', () => {
  const trees = new Map([[1, slot('tree')]])
  const [first, second] = deviceSteps(root, [fuse, fuse], { bind: 'always', trees, exclusive: true })
  expect(first).toMatchObject({
    op: 'bindDevice',
    args: [root, 'dev', 'fuse', '/dev/fuse', 0o20000, mkdev(10, 229), 2],
  })
  expect(second).toMatchObject({
    op: 'attachDevice',
    args: [root, 'dev', 'fuse', slot('tree'), 0o20000, mkdev(10, 229), 2],
  })
  expect(deviceSteps(root, [fuse], { exclusive: true })[0]?.args.at(-1)).toBe(2)
  expect(deviceSteps(root, [fuse], { trees: new Map([[0, slot('tree')]]) })[0]?.onError?.EPERM).toMatchObject({
    op: 'attachDevice',
  })
})

test('DV-19 a device is removed, or unmounted with the file below', () => {
  const unmount = (path: string): Step => ({ op: 'unmount', args: [path], about: `unmount ${path}` })
  const steps = removeDeviceSteps(root, [fuse, { path: '/run/pipe', type: 'p' }], { unmount })
  expect(steps.map(({ op, args, onError }) => [op, ...args.slice(1), onError])).toEqual([
    ['removeDevice', 'dev', 'fuse', 0o20000, mkdev(10, 229), { EBUSY: unmount('/dev/fuse') }],
    ['removeDevice', 'dev', 'fuse', 0o100000, 0n, { ENOENT: 'skip' }],
    ['removeDevice', '', '/run/pipe', 0o10000, 0n, { EBUSY: unmount('/run/pipe') }],
    ['removeDevice', '', '/run/pipe', 0o100000, 0n, { ENOENT: 'skip' }],
  ])
  expect(() => removeDeviceSteps(root, [{ ...fuse, minor: -1 }], { unmount })).toThrow(
    expect.objectContaining({ field: 'devices[0].minor' }),
  )
})

test('DV-13 /dev/ptmx is left out, however it is written', () => {
  const ptmx = (path: string): DeviceRequest => ({ path, type: 'c', major: 5, minor: 2 })
  expect(deviceSteps(root, ['/dev/ptmx', '//dev/./ptmx', '/dev/../dev/x/../ptmx'].map(ptmx))).toEqual([])
  expect(deviceSteps(root, [ptmx('/dev/ptmx2')])).toHaveLength(1)
})

test('DV-15 a FIFO is made with the ids and mode, and never bound', () => {
  const [fifo] = deviceSteps(root, [{ path: '/run/pipe', type: 'p', mode: 0o600 }], { bind: 'always' })
  expect(fifo).toMatchObject({
    op: 'makeDevice',
    args: [root, '', '/run/pipe', 0o10600, 0n, 0, 0, 1],
    onError: undefined,
  })
  expect(() => ruleOf(device({ path: '/run/pipe', type: 'p' }))).toThrow(/device.type/)
})

test('DV-16 strictness is the default and an option', () => {
  expect(deviceSteps(root, [fuse], { strict: false })[0]?.args.at(-1)).toBe(0)
  expect(deviceSteps(root, [fuse])[0]?.args.at(-1)).toBe(1)
})

test('the defaults are a plan that can be encoded', () => {
  const steps = [...deviceSteps(root, DEFAULT_SIMPLE_DEVICES), ...linkSteps(root, { kcore: true }), ptmxStep(root)]
  expect(encodePlan(steps, { slots: ['root'] }).count).toBe(12)
})

test('MT-39 the links of /dev', () => {
  const made = (steps: ReturnType<typeof linkSteps>) => steps.map(({ args }) => args.slice(1))
  const standard = [
    ['dev', 'fd', '/proc/self/fd', 0],
    ['dev', 'stdin', '/proc/self/fd/0', 0],
    ['dev', 'stdout', '/proc/self/fd/1', 0],
    ['dev', 'stderr', '/proc/self/fd/2', 0],
  ]
  expect(made(linkSteps(root))).toEqual(standard)
  expect(made(linkSteps(root, { kcore: true }))).toEqual([...standard, ['dev', 'core', '/proc/kcore', 0]])
  expect(made(linkSteps(root, { kcore: true, classic: true })).slice(5)).toEqual([['dev', 'kcore', '/proc/kcore', 0]])
  expect(linkSteps(root, { classic: true })).toHaveLength(4)
})

test('MT-40 ptmx replaces what is there', () => {
  expect(ptmxStep(root)).toMatchObject({ op: 'makeSymlink', args: [root, 'dev', 'ptmx', 'pts/ptmx', 1] })
})

test('a device with its defaults', () => {
  expect(device({ path: '//dev/./x/', type: 'b', major: 7, minor: 0 })).toEqual({
    path: '/dev/x',
    type: 'b',
    major: 7,
    minor: 0,
    mode: 0o666,
    uid: 0,
    gid: 0,
    access: 'rwm',
  })
  expect(device({ path: '/dev/x', type: 'c', major: 0, minor: 0, mode: 0 }).mode).toBe(0)
})

test.each([
  ['type', { type: 'a' }],
  ['type', { type: 'x' }],
  ['type', { type: undefined }],
  ['major', { major: -1 }],
  ['major', { major: '*' }],
  ['minor', { minor: undefined }],
  ['minor', { minor: 0x100000 }],
  ['path', { path: 'dev/null' }],
  ['path', { path: '' }],
  ['path', { path: '/' }],
  ['path', { path: '/dev/..' }],
  ['path', { path: '/dev/a\0b' }],
  ['path', { path: 5 }],
  ['mode', { mode: -1 }],
  ['mode', { mode: 0o200000 }],
  ['uid', { uid: -1 }],
  ['gid', { gid: 2 ** 32 - 1 }],
  ['access', { access: '' }],
  ['source', { source: 'dev/null' }],
  ['fileMode', { fileMode: 0o600 }],
])('EV-154 a device with a bad %s is refused: %j', (field, wrong) => {
  const request = { path: '/dev/null', type: 'c', major: 1, minor: 3, ...wrong }
  expect(() => deviceSteps(root, [fuse, request as never])).toThrow(
    expect.objectContaining({ code: 'ConfigInvalid', field: `devices[1].${field}` }),
  )
})
