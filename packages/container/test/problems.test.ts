import { readFileSync } from 'node:fs'
import { type ContainerConfig, configWarnings, readConfig2015, validate, validateShape } from '@libcontainer/container'
import { networkProblems } from '@libcontainer/network/config'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { securityModules, temporaryDirectory } from '../../../test/support/index.js'
import { namespacesOf, networkNamespace } from '../src/config/namespace-requests.js'

const rootfs = '/nowhere'
const fields = (config: object): string[] =>
  validateShape({ rootfs, ...config } as ContainerConfig).map(({ field }) => field)

test('VAL-32 every part of a field is told of, and where it is, as a JSON pointer', async () => {
  using directory = temporaryDirectory('problems-')
  const config = {
    rootfs: directory.path,
    'odd.key/': 1,
    capabilities: { bounding: ['CAP_CHOWN', 'CAP_NONE'], permitted: ['CAP_OTHER'] },
    cgroups: { memory: { max: -1 }, pids: { max: 'many' }, unknown: {}, devices: [{ access: '' }] },
    hooks: { poststop: [{ path: 'a' }, { path: '/b' }, { path: '/c', timeoutMs: 0 }], nope: [] },
    scheduler: { policy: 'SCHED_WRONG' },
    ioPriority: { class: 'wrong', level: 0 },
    labels: ['a=b', 'c'],
    parentDeathSignal: 'SIGNONE',
  }
  const problems = await validate(config as never)
  const pointers = problems.map(({ pointer }) => pointer)
  expect(pointers).toEqual([
    '/odd.key~1',
    '/cgroups/memory/max',
    '/cgroups/pids/max',
    '/cgroups/unknown',
    expect.stringMatching(/^\/cgroups\/devices\/0/),
    '/capabilities/bounding/1',
    '/capabilities/permitted/0',
    expect.stringMatching(/^\/scheduler/),
    expect.stringMatching(/^\/ioPriority/),
    '/hooks/poststop/0/path',
    '/hooks/poststop/2/timeoutMs',
    '/hooks/nope',
    '/parentDeathSignal',
    '/labels/1',
  ])
  for (const problem of problems)
    expect(problem).toMatchObject({ name: 'ConfigInvalid', code: 'ConfigInvalid', number: 7 })
})

test('VAL-32 the pointer of each problem leads to a value that is there, or to where one is missing', () => {
  const config = fc.record(
    {
      hostname: fc.anything(),
      mounts: fc.array(fc.anything({ maxDepth: 1 }), { maxLength: 3 }),
      sysctl: fc.dictionary(fc.string(), fc.anything({ maxDepth: 0 })),
      rlimits: fc.array(fc.anything({ maxDepth: 1 }), { maxLength: 3 }),
      umask: fc.anything(),
      labels: fc.array(fc.anything({ maxDepth: 0 })),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(config, each => {
      const document = { rootfs: '/r', ...each } as Record<string, unknown>
      for (const { pointer } of validateShape(document as never)) {
        const [, first = ''] = pointer.split('/')
        expect(Object.hasOwn(document, first) || first === 'rootfs' || first === 'namespaces', pointer).toBe(true)
      }
    }),
  )
})

test('VAL-04 a hostname and a domainname need a uts namespace', () => {
  expect(fields({ hostname: 'a', domainname: 'b', namespaces: ['mnt'] })).toEqual(['hostname', 'domainname'])
  expect(fields({ hostname: 'a', domainname: 'b', namespaces: ['mnt', 'uts'] })).toEqual([])
})

test('VAL-05 EV-086 masked and read-only paths need a mount namespace', () => {
  expect(fields({ maskedPaths: ['/a'], readonlyPaths: ['/b'], namespaces: ['pid'] })).toEqual([
    'maskedPaths',
    'readonlyPaths',
    'namespaces',
  ])
})

test('VAL-08 offsets of clocks need a time namespace, and a new one', () => {
  const timeOffsets = { boottime: { seconds: 1 } }
  expect(fields({ timeOffsets })).toHaveLength(1)
  expect(fields({ timeOffsets, namespaces: ['mnt', { kind: 'time', path: '/proc/self/ns/time' }] })).toHaveLength(1)
})

test('VAL-25 EV-107 a scheduler’s policy is asked for, and what goes with it', () => {
  for (const scheduler of [
    {},
    { policy: 'SCHED_NONE' },
    { policy: 'SCHED_OTHER', nice: 20 },
    { policy: 'SCHED_OTHER', nice: -21 },
    { policy: 'SCHED_OTHER', priority: 1 },
    { policy: 'SCHED_FIFO', runtimeNs: 1 },
    { policy: 'SCHED_OTHER', flags: ['SCHED_FLAG_NONE'] },
  ])
    expect(fields({ scheduler }), JSON.stringify(scheduler)).toEqual([expect.stringMatching(/^scheduler/)])
})

test('VAL-26 EV-109 a class and a level of io priority', () => {
  for (const ioPriority of [
    {},
    { class: 'x', level: 1 },
    { class: 'best-effort', level: 8 },
    { class: 'best-effort', level: -1 },
  ])
    expect(fields({ ioPriority }), JSON.stringify(ioPriority)).toEqual([expect.stringMatching(/^ioPriority/)])
})

test('EV-111 a list of processors that is none', () => {
  for (const list of ['3-1', 'a', '-1', ',', '65537'])
    expect(fields({ cpuAffinity: { final: list } }), list).toEqual([expect.stringMatching(/^cpuAffinity/)])
})

test('EV-112 an unknown personality', () => {
  expect(fields({ personality: { domain: 'LINUX128' } })).toEqual([expect.stringMatching(/^personality/)])
})

test('VAL-28 EV-140 a cgroup has a path, or a name and a parent', () => {
  expect(fields({ cgroups: { path: '/a', name: 'b' } })).toEqual(['cgroups.name'])
  expect(fields({ cgroups: { path: '/a', parent: 'b' } })).toEqual(['cgroups.parent'])
  const read = (cgroups: object): unknown => readConfig2015({ rootfs, cgroups }).config.cgroups?.path
  expect(read({ name: 'a', parent: '/b' })).toBe('/b/a')
  expect(() => read({ path: '/x', name: 'a' })).toThrow(/cgroups\.path/)
  expect(() => read({ path: '/x', parent: 'a' })).toThrow(/cgroups\.path/)
})

test('VAL-23 EV-078 a bind has no options of a file system', () => {
  expect(fields({ mounts: [{ destination: '/x', source: '/y', options: ['bind', 'size=1m'] }] })).toEqual([
    expect.stringMatching(/^mounts\[0\]\.options/),
  ])
})

test('VAL-30 EV-070 EV-038 what works but is odd is a warning with the field, and no problem', () => {
  const config: ContainerConfig = {
    rootfs,
    mounts: [
      { destination: '/ok', type: 'tmpfs' },
      { destination: 'tmp', type: 'tmpfs' },
    ],
    namespaces: ['mnt', { kind: 'user', path: '/proc/1/ns/user' }],
    uidMappings: [{ containerId: 0, hostId: 0, size: 1 }],
    gidMappings: [{ containerId: 0, hostId: 0, size: 1 }],
  }
  expect(configWarnings(config)).toEqual([
    expect.stringMatching(/^mounts\[1\]\.destination: .*relative/),
    expect.stringMatching(/^uidMappings, gidMappings: .*leave them out/),
  ])
  expect(configWarnings({ rootfs })).toEqual([])
})

test('MT-36 a capability that leaves a root which was only changed is a warning', () => {
  const shared: ContainerConfig = { rootfs, namespaces: ['pid'], mounts: [], devices: [] }
  const warned = [expect.stringMatching(/^capabilities: with CAP_SYS_CHROOT .* add mnt to namespaces/)]
  for (const capabilities of [null, ['CAP_SYS_CHROOT'], { bounding: ['CAP_KILL'], effective: ['sys_chroot'] }])
    expect(configWarnings({ ...shared, capabilities })).toEqual(warned)
  expect(configWarnings({ ...shared, capabilities: ['CAP_KILL'] })).toEqual([])
  expect(configWarnings(shared)).toEqual([])
  expect(configWarnings({ rootfs, capabilities: null })).toEqual([])
})

test('VAL-21 EV-161 a class of resctrl: its shape, and a host that has none', async () => {
  const wrong = async (intelRdt: unknown): Promise<string[]> => {
    const problems = await validate({ rootfs: '/usr', intelRdt } as ContainerConfig)
    return problems.map(({ field }) => field)
  }
  expect(await wrong({ closId: '..' })).toEqual(['intelRdt.closId'])
  expect(await wrong({ schemata: ['L3:0=f\nMB:0=10'] })).toEqual(['intelRdt.schemata[0]'])
  expect(await wrong('gold')).toEqual(['intelRdt'])
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(' - resctrl ')) return
  const found = await validate({ rootfs: '/usr', intelRdt: { closId: '/' } })
  expect(found).toEqual([
    expect.objectContaining({
      field: 'intelRdt',
      message: expect.stringContaining('resctrl is not mounted'),
      hint: expect.stringContaining('mount -t resctrl'),
    }),
  ])
})

test('VAL-32 what this version has not is refused by name, and never left out in silence', () => {
  for (const name of ['processLabel', 'selinuxLabel', 'mountLabel', 'apparmorProfile'])
    expect(fields({ [name]: {} }), name).toEqual([name])
})

test('VAL-06 EV-115 EV-085 labels of SELinux: their shape, and a kernel without it', async () => {
  for (const name of ['selinuxLabel', 'mountLabel'])
    for (const label of ['a', 'a:b', 'a::c', 'a:b:c d', 'a:b:c:"s0'])
      expect(fields({ [name]: label }), label).toEqual([name])
  expect(fields({ selinuxLabel: '', mountLabel: '' })).toEqual([])
  const bind = { destination: '/a', type: 'bind', source: '/b' } as const
  expect(fields({ mounts: [{ ...bind, relabel: 'Z' }] })).toEqual(['mounts[0].relabel'])
  const mountLabel = 'a:b:c:s0:c1,c2'
  expect(fields({ mountLabel, mounts: [{ ...bind, relabel: 'zZ' as never }] })).toEqual(['mounts[0].relabel'])
  expect(fields({ mountLabel, mounts: [{ ...bind, type: 'tmpfs', relabel: 'z' }] })).toEqual(['mounts[0].relabel'])
  expect(fields({ mountLabel, mounts: [{ ...bind, relabel: 'z' }] })).toEqual([])
  if (securityModules().includes('selinux')) return
  const found = await validate({ rootfs: '/usr', selinuxLabel: mountLabel, mountLabel })
  expect(found).toEqual(
    ['selinuxLabel', 'mountLabel'].map(field =>
      expect.objectContaining({
        field,
        message: expect.stringMatching(/cannot be given to anything here: .*SELinux/),
        hint: expect.stringContaining('label=disable'),
      }),
    ),
  )
})

test('VAL-02 EV-058 networks, routes and devices ask for a network namespace, and two paths of one contradict each other', () => {
  const fields = (more: Partial<ContainerConfig>): string[] => {
    const config = { rootfs: '/r', ...more }
    const shape = validateShape(config)
    const problems = shape.length > 0 ? shape : networkProblems(config, networkNamespace(namespacesOf(config)))
    return problems.map(({ field }) => field)
  }
  expect(fields({ networks: {} as never, routes: {} as never })).toEqual(['networks', 'routes'])
  expect(fields({ networks: null as never, netDevices: 7 as never })).toEqual(['networks', 'netDevices'])
  const shared = { namespaces: ['mnt', 'pid'] as const }
  expect(fields({ ...shared, networks: [{ type: 'veth', bridge: 'b' }] })).toEqual(['networks[0]'])
  expect(fields({ ...shared, routes: [{ gateway: '10.0.0.1' }] })).toEqual(['routes'])
  expect(fields({ ...shared, netDevices: { eth0: {} } })).toEqual(['netDevices'])
  expect(fields({ ...shared, networks: [{ type: 'netns', path: '/run/netns/a' }] })).toEqual([])
  const other = { namespaces: ['mnt', { kind: 'net', path: '/run/netns/b' }] as const }
  expect(fields({ ...other, networks: [{ type: 'netns', path: '/run/netns/a' }] })).toEqual(['networks'])
})
