import { LimitUnsupported } from '@libcontainer/cgroups'
import { validateShape } from '@libcontainer/container'
import { exampleSpec, inSpecWords, type Spec, toContainerConfig } from '@libcontainer/oci'
import type { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { at, BUNDLE, configOf, converted, fault, linuxWith, processWith, specWith } from './support.js'

describe('the root filesystem', () => {
  test('OC-01 without a root nothing can be run', () => {
    expect(fault(specWith({ root: undefined }))).toEqual({
      field: 'root',
      value: undefined,
      message: 'root: must be given: it names the root filesystem (got undefined)',
      hint: 'add "root": { "path": "rootfs" }',
    })
  })

  test('EV-021 a relative root is of the bundle, and is cleaned', () => {
    const rootfs = (path: string): string => configOf(specWith({ root: { path } })).rootfs
    expect(rootfs('rootfs')).toBe(`${BUNDLE}/rootfs`)
    expect(rootfs('./a/../b/')).toBe(`${BUNDLE}/b`)
    expect(rootfs('/srv/rootfs/')).toBe('/srv/rootfs')
    expect(configOf(specWith({ root: { path: 'rootfs', readonly: true } })).readonlyRootfs).toBe(true)
  })

  test('EV-026 the propagation of the root', () => {
    expect(configOf(linuxWith({ rootfsPropagation: 'rslave' })).rootPropagation).toBe('rslave')
    expect(configOf(linuxWith({})).rootPropagation).toBeUndefined()
  })
})

describe('devices', () => {
  const six = ['/dev/null', '/dev/zero', '/dev/full', '/dev/tty', '/dev/urandom', '/dev/random']
  const fuse = { type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o20660, uid: 1, gid: 2 }

  test('OC-02 six devices are added; the config’s own entry wins', () => {
    expect(configOf(exampleSpec()).devices!.map(({ path }) => path)).toEqual(six)
    const own = { type: 'c', path: '/dev/./null', major: 1, minor: 3, fileMode: 0o600 }
    const { devices } = configOf(linuxWith({ devices: [fuse, own] }))
    expect(devices).toHaveLength(7)
    expect(devices!.filter(({ path }) => path.endsWith('null'))).toEqual([
      { path: '/dev/./null', type: 'c', major: 1, minor: 3, mode: 0o600 },
    ])
  })

  test('a mode that was copied from the host loses the bits of its type', () => {
    expect(configOf(linuxWith({ devices: [fuse] })).devices![0]).toEqual({
      path: '/dev/fuse',
      type: 'c',
      major: 10,
      minor: 229,
      mode: 0o660,
      uid: 1,
      gid: 2,
    })
  })

  test('MT-36 none are added without a mount namespace: they would stay', () => {
    const spec = exampleSpec()
    const namespaces = spec.linux!.namespaces!.filter(({ type }) => type !== 'mount')
    expect(configOf({ ...spec, linux: { ...spec.linux, namespaces } }).devices).toEqual([])
  })

  test('a FIFO needs no numbers, other devices do', () => {
    expect(configOf(linuxWith({ devices: [{ type: 'p', path: '/dev/p' }] })).devices![0]).toEqual({
      path: '/dev/p',
      type: 'p',
    })
    expect(at(linuxWith({ devices: [{ type: 'b', path: '/dev/b', major: 1 }] }))).toBe('linux.devices[0].minor')
  })

  test('OC-03 OC-04 rules in order, with type a and every number where nothing is said', () => {
    const rules = [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
      { allow: true, type: 'b', major: 8, access: 'r' },
    ]
    // The rules that every container has, the container adds behind these.
    expect(configOf(linuxWith({ resources: { devices: rules } })).cgroups!.devices).toEqual([
      { allow: false, type: 'a', access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
      { allow: true, type: 'b', major: 8, access: 'r' },
    ])
  })

  test('OC-04 EV-154 empty access and unknown types, by their index', () => {
    const rules = (rule: object) => linuxWith({ resources: { devices: [{ allow: true, access: 'r' }, rule] } })
    expect(at(rules({ allow: true }))).toBe('linux.resources.devices[1].access')
    expect(at(rules({ allow: true, access: '' }))).toBe('linux.resources.devices[1].access')
    expect(at(rules({ allow: true, access: 'r', type: 'x' }))).toBe('linux.resources.devices[1].type')
  })
})

describe('namespaces and ids', () => {
  test('OC-06 the kinds by the kernel’s names; a private network has its loopback from the container', () => {
    const namespaces = [
      { type: 'network' },
      { type: 'mount' },
      { type: 'pid', path: '/proc/1/ns/pid' },
      { type: 'time' },
    ]
    expect(configOf(linuxWith({ namespaces })).namespaces).toEqual([
      'net',
      'mnt',
      { kind: 'pid', path: '/proc/1/ns/pid' },
      'time',
    ])
    expect(configOf(linuxWith({ namespaces: undefined })).namespaces).toEqual([])
  })

  test('OC-07 maps are handed on beside a path, and left to the namespace where there is none', () => {
    const map = [{ containerID: 0, hostID: 100000, size: 65536 }]
    const namespaces = [{ type: 'user', path: '/proc/1/ns/user' }]
    const config = configOf(linuxWith({ namespaces, uidMappings: map, gidMappings: map }))
    expect(config.uidMappings).toEqual([{ containerId: 0, hostId: 100000, size: 65536 }])
    expect(configOf(linuxWith({ namespaces, uidMappings: [] })).uidMappings).toBeUndefined()
  })

  test('OC-08 devices belong to the container’s root, by the container’s ids', () => {
    const map = [{ containerID: 0, hostID: 100000, size: 65536 }]
    const config = configOf(linuxWith({ namespaces: [{ type: 'user' }], uidMappings: map, gidMappings: map }))
    expect(config.devices!.every(({ uid = 0, gid = 0 }) => uid === 0 && gid === 0)).toBe(true)
  })

  test('OC-09 who owns the cgroup: with a cgroup namespace and a writable mount, by the host’s ids', () => {
    const map = [{ containerID: 0, hostID: 100000, size: 65536 }]
    const mount = { destination: '/sys/fs/cgroup/', type: 'cgroup', source: 'cgroup', options: ['rw'] }
    const spec = {
      process: { ...exampleSpec().process, user: { uid: 7, gid: 7 } },
      mounts: [mount],
      linux: { namespaces: [{ type: 'user' }, { type: 'cgroup' }], uidMappings: map, gidMappings: map },
    }
    const owner = (changes: object): number | undefined => converted(specWith({ ...spec, ...changes })).cgroupOwner
    expect(owner({})).toBe(100007)
    expect(owner({ mounts: [{ ...mount, options: ['ro'] }] })).toBeUndefined()
    expect(owner({ mounts: [] })).toBeUndefined()
    expect(owner({ linux: { ...spec.linux, namespaces: [{ type: 'user' }] } })).toBeUndefined()
    expect(owner({ linux: { namespaces: [{ type: 'cgroup' }] } })).toBe(7)
  })

  test('XT-06 CG-83 a cgroup below the scope of systemd, and one that is the container’s own', () => {
    const map = [{ containerID: 0, hostID: 100000, size: 65536 }]
    const cgroups = (annotations: Record<string, string>, cgroupDriver?: 'systemd') =>
      toContainerConfig(
        specWith({
          annotations,
          linux: {
            cgroupsPath: cgroupDriver ? 's.slice:p:n' : '/n',
            namespaces: [{ type: 'user' }],
            uidMappings: map,
            gidMappings: map,
          },
        }),
        { id: 'box', bundle: BUNDLE, cgroupDriver },
      ).config.cgroups
    const subgroup = { 'run.oci.systemd.subgroup': 'inner' }
    const own = { 'run.oci.delegate-cgroup': 'own' }
    expect(cgroups(subgroup, 'systemd')).toMatchObject({ path: 's.slice:p:n/inner' })
    expect(cgroups(subgroup, 'systemd')).not.toHaveProperty('owner')
    expect(cgroups(own, 'systemd')).toMatchObject({ path: 's.slice:p:n/own', owner: 100000 })
    expect(() => cgroups({ ...own, ...subgroup }, 'systemd')).toThrow(
      "annotations['run.oci.delegate-cgroup']: cannot stand beside run.oci.systemd.subgroup",
    )
    expect(() => cgroups(own)).toThrow("annotations['run.oci.delegate-cgroup']: needs systemd")
    expect(() => cgroups(subgroup)).toThrow("annotations['run.oci.systemd.subgroup']: needs systemd")
    expect(() => cgroups({ 'run.oci.systemd.force_cgroup_v1': '/sys/fs/cgroup/systemd' }, 'systemd')).toThrow(
      "annotations['run.oci.systemd.force_cgroup_v1']: cannot be honoured: a container has the cgroups that its host has",
    )
  })

  test('EV-042 EV-043 offsets of clocks, also of one that is none, go to who checks them', () => {
    const timeOffsets = { monotonic: { secs: 5 }, boottime: { secs: -5, nanosecs: 7 } }
    expect({ ...configOf(linuxWith({ timeOffsets })).timeOffsets }).toEqual(timeOffsets)
    const config = configOf(linuxWith({ timeOffsets: { realtime: { secs: 1 } }, namespaces: [{ type: 'time' }] }))
    expect(Object.keys(config.timeOffsets!)).toEqual(['realtime'])
  })
})

describe('mounts', () => {
  test('EV-075 the source of a bind may be relative to the bundle; of other mounts it is a name', () => {
    const mounts = [
      { destination: '/a', type: 'bind', source: 'volumes/a', options: ['rbind', 'ro'] },
      { destination: '/b', type: 'none', source: 'b', options: ['bind'] },
      { destination: '/c', source: '/srv/c', options: ['bind'] },
      { destination: '/d', type: 'tmpfs', source: 'tmpfs', options: ['size=1m', 'rprivate', 'rro'] },
      { destination: '/e', type: 'proc', source: '', options: [] },
    ]
    expect(configOf(specWith({ mounts })).mounts).toEqual([
      { destination: '/a', type: 'bind', source: `${BUNDLE}/volumes/a`, options: ['rbind', 'ro'] },
      { destination: '/b', type: 'none', source: `${BUNDLE}/b`, options: ['bind'] },
      { destination: '/c', source: '/srv/c', options: ['bind'] },
      { destination: '/d', type: 'tmpfs', source: 'tmpfs', options: ['size=1m', 'rprivate', 'rro'] },
      { destination: '/e', type: 'proc', options: [] },
    ])
    expect(configOf(specWith({ mounts: undefined })).mounts).toEqual([])
  })

  test('OC-11 MT-27 mounts with id maps of their own', () => {
    const map = [{ containerID: 0, hostID: 1, size: 1 }]
    const mount = { destination: '/a', source: '/a', options: ['bind', 'ridmap'], uidMappings: map, gidMappings: map }
    const ids = [{ containerId: 0, hostId: 1, size: 1 }]
    expect(configOf(specWith({ mounts: [mount] })).mounts).toEqual([{ ...mount, uidMappings: ids, gidMappings: ids }])
    const { uidMappings: _, gidMappings: __, ...bare } = mount
    expect(configOf(specWith({ mounts: [{ ...bare, uidMappings: [] }] })).mounts).toEqual([bare])
  })
})

test('EV-198 keys of the prototype reach the container as data', () => {
  const text = '{"__proto__":"1"}'
  const { config } = converted(specWith({ linux: { sysctl: JSON.parse(text) }, annotations: JSON.parse(text) }))
  expect(Object.keys(config.sysctl!)).toEqual(['__proto__'])
  expect(config.labels![0]).toBe('__proto__=1')
})

test('a sound spec never makes anything but a config or a refusal with its place', () => {
  const part = fc.record(
    {
      hostname: fc.string(),
      process: fc.record({ cwd: fc.string(), args: fc.array(fc.string()), env: fc.array(fc.string()) }),
      mounts: fc.array(fc.record({ destination: fc.string(), type: fc.string(), options: fc.array(fc.string()) })),
      linux: fc.record(
        {
          cgroupsPath: fc.string(),
          namespaces: fc.array(fc.record({ type: fc.constantFrom('pid', 'network', 'user'), path: fc.string() })),
          devices: fc.array(
            fc.record({ type: fc.constantFrom('c', 'b', 'p'), path: fc.string(), major: fc.integer() }),
          ),
          resources: fc.record({ memory: fc.record({ limit: fc.integer(), swap: fc.bigInt({ min: -9n, max: 9n }) }) }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(part, changes => {
      try {
        converted(specWith(changes))
      } catch (error) {
        expect(error).toMatchObject({ name: 'ConfigInvalid', field: expect.stringMatching(/^[a-z]/) })
      }
    }),
  )
})

describe('a fault that the container finds, by its place in config.json', () => {
  const found = (spec: Spec): (string | undefined)[] =>
    validateShape(configOf(spec)).map(problem => (inSpecWords(problem) as ConfigInvalid).field)

  test.each([
    [linuxWith({ resources: { memory: { limit: 2 ** 20, swap: 5 } } }), []],
    [linuxWith({ resources: { cpu: { shares: 1 } } }), ['linux.resources.cpu.shares']],
    [linuxWith({ resources: { cpu: { cpus: '3-1' } } }), ['linux.resources.cpu.cpus']],
    [linuxWith({ resources: { unified: { 'a/b.c': '1' } } }), ["linux.resources.unified['a/b.c']"]],
    [linuxWith({ devices: [{ type: 'c', path: 'null', major: 1, minor: 3 }] }), ['linux.devices[0].path']],
    [linuxWith({ maskedPaths: ['proc/x'] }), ['linux.maskedPaths[0]']],
    [specWith({ hostname: 'h'.repeat(65) }), ['hostname']],
    [specWith({ mounts: [{ destination: '/proc/x', type: 'tmpfs' }] }), ['mounts[0].destination']],
    [processWith({ rlimits: [{ type: 'RLIMIT_FLY', soft: 1, hard: 1 }] }), ['process.rlimits[0].type']],
    [processWith({ rlimits: [{ type: 'RLIMIT_CPU', soft: 2, hard: 1 }] }), ['process.rlimits[0].soft']],
    [processWith({ oomScoreAdj: 1001 }), ['process.oomScoreAdj']],
    [processWith({ user: { umask: 0o7777 } }), ['process.user.umask']],
    [processWith({ execCPUAffinity: { initial: '3-1' } }), ['process.execCPUAffinity.initial']],
    [specWith({ hooks: { poststop: [{ path: 'x' }] } }), ['hooks.poststop[0].path']],
  ])('EV-106 %# %o', (spec, fields) => {
    expect(found(spec)).toEqual(fields)
  })

  test('the problem, the value and the hint stay; other errors are left alone', () => {
    const [problem] = validateShape(configOf(processWith({ user: { umask: 0o7777 } })))
    const told = inSpecWords(problem!) as ConfigInvalid
    expect(told.message).toBe(problem!.message.replace('umask:', 'process.user.umask:'))
    expect([told.value, told.cause]).toEqual([0o7777, problem])
    const limit = new LimitUnsupported('cpu.rtRuntimeUs', 'cpu', 'no such limit', 'leave it out')
    const place = 'linux.resources.cpu.realtimeRuntime'
    expect(inSpecWords(limit)).toMatchObject({ field: place, message: `${place}: no such limit`, hint: 'leave it out' })
    const other = new Error('x')
    expect(inSpecWords(other)).toBe(other)
  })
})
