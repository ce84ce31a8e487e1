import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CDI_VERSIONS,
  type CdiSpec,
  cdiEdits,
  parseCdi,
  parseCdiName,
  readCdi,
  resolveEdits,
} from '@libcontainer/devices'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const edits = { env: ['A=1'] }
const least = { cdiVersion: '0.3.0', kind: 'vendor.com/net', devices: [{ name: 'one', containerEdits: edits }] }
const whole = {
  cdiVersion: '1.1.0',
  kind: 'vendor.com/class.sub',
  annotations: { note: 'text' },
  containerEdits: {
    env: ['VENDOR=all', 'EMPTY='],
    mounts: [{ hostPath: '/usr/lib/vendor', containerPath: '/usr/lib/vendor', options: ['ro', 'nosuid'] }],
    hooks: [{ hookName: 'createContainer', path: '/bin/ldconfig', args: ['ldconfig'], env: ['X=y'], timeout: 5 }],
  },
  devices: [
    {
      name: '0:gpu',
      annotations: { a: 'b' },
      containerEdits: {
        deviceNodes: [
          { path: '/dev/card0', hostPath: '/dev/null' },
          { path: '/dev/made', type: 'c', major: 240, minor: 1, fileMode: 0o600, permissions: 'r', uid: 5, gid: 6 },
          { path: '/dev/quiet', type: 'b', major: 241, permissions: 'none' },
          { path: '/dev/pipe', type: 'p' },
        ],
        additionalGids: [44, 0, 44],
        mounts: [{ hostPath: 'tmpfs', containerPath: '/scratch', type: 'tmpfs' }],
        intelRdt: { closID: 'gpu', schemata: ['L3:0=f'], enableMonitoring: true },
        netDevices: [{ hostInterfaceName: 'ens1', name: 'eth1' }],
      },
    },
    { name: 'all', containerEdits: { env: ['ALL=1'] } },
  ],
}

test('DV-20 a file with everything, from text and from data', () => {
  expect(parseCdi(JSON.stringify(whole))).toEqual(whole)
  expect(parseCdi(least)).toEqual(least)
  for (const cdiVersion of CDI_VERSIONS) expect(parseCdi({ ...least, cdiVersion }).cdiVersion).toBe(cdiVersion)
  // An encoder's nulls are nothing.
  const nulls = { ...least, devices: [{ name: 'a', containerEdits: { ...edits, mounts: null, hooks: null } }] }
  expect(parseCdi(nulls)).toEqual(nulls)
})

const withEdits = (containerEdits: unknown, cdiVersion = '1.1.0') => ({
  ...least,
  cdiVersion,
  devices: [{ name: 'one', containerEdits }],
})
const at = 'devices[0].containerEdits'

test.each<[field: string, file: unknown]>([
  ['file', '{'],
  ['', null],
  ['', []],
  ['cdiVersion', { ...least, cdiVersion: undefined }],
  ['cdiVersion', { ...least, cdiVersion: '0.2.0' }],
  ['cdiVersion', { ...least, cdiVersion: '1.2.0' }],
  ['cdiVersion', { ...least, cdiVersion: 'v1.0.0' }],
  ['kind', { ...least, kind: 'vendor.com' }],
  ['kind', { ...least, kind: 'vendor.com/a/b' }],
  ['kind', { ...least, kind: '1vendor/a' }],
  ['kind', { ...least, kind: 'vendor.com/a-' }],
  ['devices', { ...least, devices: [] }],
  ['devices', { ...least, devices: {} }],
  ['devices', { cdiVersion: '0.3.0', kind: 'vendor.com/net' }],
  ['devices[1].name', { ...least, devices: [least.devices[0], least.devices[0]] }],
  ['devices[0].name', { ...least, devices: [{ name: 'a b', containerEdits: edits }] }],
  ['devices[0].name', { ...least, devices: [{ name: '', containerEdits: edits }] }],
  [at, { ...least, devices: [{ name: 'one', containerEdits: {} }] }],
  [at, withEdits({ env: [], mounts: null })],
  ['containers', { ...least, containers: [] }],
  [`${at}.environment`, withEdits({ environment: ['A=1'] })],
  [`${at}.env[0]`, withEdits({ env: ['A'] })],
  [`${at}.env[0]`, withEdits({ env: ['=1'] })],
  [`${at}.env[0]`, withEdits({ env: ['A=\0'] })],
  [`${at}.deviceNodes[0].path`, withEdits({ deviceNodes: [{ path: 'dev/null' }] })],
  [`${at}.deviceNodes[0].path`, withEdits({ deviceNodes: [{}] })],
  [`${at}.deviceNodes[0].type`, withEdits({ deviceNodes: [{ path: '/dev/x', type: 'a' }] })],
  [`${at}.deviceNodes[0].major`, withEdits({ deviceNodes: [{ path: '/dev/x', type: 'c', major: -1 }] })],
  [`${at}.deviceNodes[0].permissions`, withEdits({ deviceNodes: [{ path: '/dev/x', permissions: 'rx' }] })],
  [`${at}.mounts[0].hostPath`, withEdits({ mounts: [{ hostPath: '', containerPath: '/a' }] })],
  [`${at}.mounts[0].containerPath`, withEdits({ mounts: [{ hostPath: '/a', containerPath: 'a' }] })],
  [`${at}.mounts[0].options`, withEdits({ mounts: [{ hostPath: '/a', containerPath: '/a', options: 'ro' }] })],
  [`${at}.hooks[0].hookName`, withEdits({ hooks: [{ hookName: 'start', path: '/bin/true' }] })],
  [`${at}.hooks[0].path`, withEdits({ hooks: [{ hookName: 'poststop', path: 'true' }] })],
  [`${at}.hooks[0].timeout`, withEdits({ hooks: [{ hookName: 'poststop', path: '/bin/true', timeout: 0 }] })],
  [`${at}.additionalGids[0]`, withEdits({ additionalGids: [-1] })],
  [`${at}.intelRdt.closID`, withEdits({ intelRdt: { closID: '..' } })],
  [`${at}.netDevices[0].name`, withEdits({ netDevices: [{ hostInterfaceName: 'eth0', name: 'a name' }] })],
  // What a version does not have yet.
  ['cdiVersion', { ...least, annotations: { a: 'b' } }],
  ['cdiVersion', { ...least, cdiVersion: '0.5.0', kind: 'vendor.com/a.b' }],
  ['cdiVersion', { ...least, devices: [{ name: '1', containerEdits: edits }] }],
  ['cdiVersion', withEdits({ deviceNodes: [{ path: '/dev/x', hostPath: '/dev/y' }] }, '0.4.0')],
  ['cdiVersion', withEdits({ mounts: [{ hostPath: '/a', containerPath: '/a', type: 'bind' }] }, '0.3.0')],
  ['cdiVersion', withEdits({ additionalGids: [1] }, '0.6.0')],
  ['cdiVersion', withEdits({ intelRdt: { schemata: ['L3:0=f'] } }, '1.0.0')],
  ['cdiVersion', withEdits({ netDevices: [{ hostInterfaceName: 'a', name: 'b' }] }, '1.0.0')],
])('DV-20 a fault at %j is refused by its place', (field, file) => {
  expect(() => parseCdi(file)).toThrow(expect.objectContaining({ code: 'ConfigInvalid', field }))
})

test('DV-20 whatever a file holds, it is read or refused', () => {
  const key = fc.constantFrom('cdiVersion', 'kind', 'devices', 'name', 'containerEdits', 'env', 'mounts', '__proto__')
  const { value } = fc.letrec(tie => ({
    value: fc.oneof({ depthSize: 'small' }, fc.string(), fc.integer(), fc.constant(null), tie('list'), tie('object')),
    list: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
  }))
  const refused = (file: unknown): void => {
    try {
      parseCdi(file)
    } catch (error) {
      expect(error).toMatchObject({ code: 'ConfigInvalid' })
    }
  }
  fc.assert(fc.property(value, refused))
  fc.assert(fc.property(fc.json(), refused))
  fc.assert(
    fc.property(value, key, (junk, name) => {
      refused({ ...whole, [name]: junk })
      refused(withEdits({ ...whole.devices[0]!.containerEdits, [name]: junk }))
    }),
  )
})

test('DV-20 whole names', () => {
  expect(parseCdiName('vendor.com/class=0:gpu')).toEqual({ kind: 'vendor.com/class', name: '0:gpu' })
  for (const name of ['', 'gpu', 'vendor.com=gpu', 'a/b=', 'a/b=c=d', 'a/b/c=d', '/b=c', '-a/b=c', 'a/b=.c', undefined])
    expect(() => parseCdiName(name as string, 'cdi[3]'), String(name)).toThrow(
      expect.objectContaining({ code: 'ConfigInvalid', field: 'cdi[3]' }),
    )
})

test('DV-20 edits as data: what the host says of nodes, rules, binds, hooks', async () => {
  const spec = parseCdi(whole)
  const found = await resolveEdits([spec.containerEdits!, spec.devices[0]!.containerEdits])
  expect(
    found.devices.map(({ path, type, major, minor, mode, uid, gid, ownUid, source }) => [
      [path, type, major, minor, mode, uid, gid, ownUid, source],
    ]),
  ).toEqual([
    [['/dev/card0', 'c', 1, 3, 0o666, 0, 0, false, '/dev/null']],
    [['/dev/made', 'c', 240, 1, 0o600, 5, 6, true, '/dev/made']],
    [['/dev/quiet', 'b', 241, 0, 0o666, 0, 0, false, '/dev/quiet']],
    [['/dev/pipe', 'p', 0, 0, 0o666, 0, 0, false, '/dev/pipe']],
  ])
  expect(found.rules).toEqual([
    { type: 'c', major: 1, minor: 3, access: 'rwm', allow: true },
    { type: 'c', major: 240, minor: 1, access: 'r', allow: true },
  ])
  expect(found).toMatchObject({
    mounts: [
      { source: '/usr/lib/vendor', destination: '/usr/lib/vendor', options: ['rbind', 'ro', 'nosuid'] },
      { source: 'tmpfs', destination: '/scratch', type: 'tmpfs' },
    ],
    env: ['VENDOR=all', 'EMPTY='],
    hooks: [{ point: 'createContainer', path: '/bin/ldconfig', args: ['ldconfig'], env: ['X=y'], timeoutMs: 5000 }],
    additionalGroups: [44],
    netDevices: [{ hostInterfaceName: 'ens1', name: 'eth1' }],
    intelRdt: { closID: 'gpu' },
  })
  await expect(resolveEdits([{ deviceNodes: [{ path: '/dev/null', type: 'b' }] }])).rejects.toMatchObject({
    code: 'ConfigInvalid',
    message: expect.stringMatching(/must be c, which \/dev\/null of the host is/),
  })
  await expect(resolveEdits([{ deviceNodes: [{ path: '/dev/absent' }] }])).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(resolveEdits([{ deviceNodes: [{ path: '/dev' }] }])).rejects.toMatchObject({ code: 'NotADevice' })
})

describe('DV-20 the files of a host', () => {
  let top: string
  const owner = process.getuid?.() ?? 0
  const write = (path: string, file: unknown): string => {
    writeFileSync(join(top, path), typeof file === 'string' ? file : JSON.stringify(file), { mode: 0o644 })
    return join(top, path)
  }
  const read = () => readCdi({ directories: [join(top, 'etc'), join(top, 'run'), join(top, 'absent')], owner })
  const named = (name: string, env: string) => ({ ...least, devices: [{ name, containerEdits: { env: [env] } }] })
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'cdi-'))
    for (const directory of ['etc', 'run']) mkdirSync(join(top, directory), { mode: 0o755 })
  })
  afterEach(() => rmSync(top, { recursive: true }))

  test('DV-20 what is in a later directory goes before; twice in one is nobody’s', async () => {
    write('etc/a.json', { ...named('one', 'FROM=etc'), containerEdits: { env: ['ALL=etc'] } })
    write('run/a.json', named('one', 'FROM=run'))
    write('etc/b.json', named('two', 'B=1'))
    write('etc/c.json', named('two', 'C=1'))
    write('etc/notes.txt', 'nothing')
    const registry = await read()
    expect([...registry.devices.keys()]).toEqual(['vendor.com/net=one'])
    expect(registry.problems.map(({ path, error }) => [path, error.message])).toEqual([
      [join(top, 'etc/c.json'), `vendor.com/net=two is described by ${join(top, 'etc/b.json')}, too`],
    ])
    expect((await cdiEdits(registry, ['vendor.com/net=one'])).env).toEqual(['FROM=run'])
    await expect(cdiEdits(registry, ['vendor.com/net=one', 'vendor.com/net=two'])).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'devices[1]',
      hint: expect.stringMatching(/too$/),
    })
    write('run/c.json', named('two', 'RUN=1'))
    expect((await cdiEdits(await read(), ['vendor.com/net=two'])).env).toEqual(['RUN=1'])
  })

  test('DV-20 the edits of a file are made once, before those of its devices', async () => {
    const two = [least.devices[0]!, { name: 'two', containerEdits: { env: ['TWO=2'] } }]
    write('etc/a.json', { ...least, devices: two, containerEdits: { env: ['FILE=1'] } } satisfies CdiSpec)
    const { env } = await cdiEdits(await read(), ['vendor.com/net=two', 'vendor.com/net=one'])
    expect(env).toEqual(['FILE=1', 'TWO=2', 'A=1'])
  })

  test('DV-20 what cannot be read or believed is told, and the rest is there', async () => {
    write('etc/good.json', least)
    write('etc/broken.json', '{')
    write('etc/yaml.yaml', 'kind: x')
    chmodSync(write('etc/open.json', named('open', 'A=1')), 0o666)
    mkdirSync(join(top, 'etc/directory.json'))
    symlinkSync('/nonexistent', join(top, 'etc/dangling.json'))
    const { devices, problems } = await read()
    expect([...devices.keys()]).toEqual(['vendor.com/net=one'])
    const told = Object.fromEntries(problems.map(({ path, error }) => [path.slice(top.length), error.message]))
    expect(told).toMatchObject({
      '/etc/broken.json': expect.stringMatching(/must be JSON/),
      '/etc/yaml.yaml': expect.stringMatching(/YAML/),
      '/etc/open.json': expect.stringMatching(/written to by others/),
      '/etc/directory.json': expect.stringMatching(/EISDIR/),
      '/etc/dangling.json': expect.stringMatching(/ENOENT/),
    })
    chmodSync(join(top, 'etc'), 0o777)
    expect((await read()).devices.size).toBe(0)
    expect((await readCdi({ directories: [join(top, 'absent')] })).problems).toEqual([])
  })
})
