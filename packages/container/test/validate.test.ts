import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerConfig, Factory, resolveConfig, validate, validateShape } from '@libcontainer/container'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'
import { configCopy, plainCopy } from '../src/config/plain-copy.js'

const directory = temporaryDirectory('validate-')
afterAll(() => directory[Symbol.dispose]())
const rootfs = join(directory.path, 'rootfs')
mkdirSync(join(rootfs, 'below'), { recursive: true })

const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
const userns = {
  namespaces: ['mnt', 'pid', 'user', 'net', 'ipc', 'uts', 'time'],
  uidMappings: map,
  gidMappings: map,
} as const

/** Any value may come from JSON: types are no protection. */
const problemsOf = (config: object): string[] =>
  validateShape({ rootfs, ...config } as ContainerConfig).map(problem => `${problem.field}: ${problem.message}`)

/** One problem, of this field, told in these words. */
function refused(config: object, field: string, text: string | RegExp = ''): void {
  const problems = validateShape({ rootfs, ...config } as ContainerConfig)
  expect(problems.map(problem => problem.field)).toEqual([field])
  expect(problems[0]).toMatchObject({ name: 'ConfigInvalid', code: 'ConfigInvalid' })
  expect(problems[0]!.message).toMatch(text)
}

const accepted = (config: object): void => expect(problemsOf(config)).toEqual([])

async function refusedHere(config: object, field: string, text: string | RegExp): Promise<void> {
  const problems = await validate({ rootfs, ...config } as ContainerConfig)
  expect(problems.map(problem => problem.field)).toEqual([field])
  expect(problems[0]!.message).toMatch(text)
}

describe('root filesystem', () => {
  test('EV-020 a missing rootfs is refused, with its path', async () => {
    await refusedHere({ rootfs: join(directory.path, 'no') }, 'rootfs', join(directory.path, 'no'))
  })

  test('EV-020 no rootfs at all', () => {
    for (const value of [undefined, null, '', 7, {}, [rootfs]]) refused({ rootfs: value }, 'rootfs')
  })

  test('EV-021 a relative rootfs is refused; one that is not clean is looked at after cleaning', async () => {
    refused({ rootfs: 'rootfs' }, 'rootfs', /absolute/)
    refused({ rootfs: './rootfs' }, 'rootfs', /absolute/)
    for (const path of [`${rootfs}/`, `${rootfs}//below/..`, `${rootfs}/./`, `/..${rootfs}`]) {
      expect(await validate({ rootfs: path })).toEqual([])
      expect(resolveConfig('id', { rootfs: path }).rootfs).toBe(rootfs)
    }
  })

  test('EV-022 VAL-01 a rootfs that is a link, or lies behind one, is refused with the link', async () => {
    const link = join(directory.path, 'link')
    symlinkSync(rootfs, link)
    await refusedHere({ rootfs: link }, 'rootfs', `${link} leads to ${rootfs}`)
    await refusedHere({ rootfs: `${link}/` }, 'rootfs', link)
    await refusedHere({ rootfs: `${link}/below` }, 'rootfs', `${link} leads to`)
  })

  test('EV-022 a loop of links is an error and no hang', async () => {
    const loop = join(directory.path, 'loop')
    symlinkSync(loop, loop)
    await refusedHere({ rootfs: loop }, 'rootfs', /ELOOP/)
    await refusedHere({ rootfs: `${loop}/below` }, 'rootfs', /ELOOP/)
  })

  test('EV-023 a file, a FIFO behind a file and a device are no rootfs', async () => {
    const file = join(directory.path, 'file')
    writeFileSync(file, '')
    await refusedHere({ rootfs: file }, 'rootfs', /must be a directory, not a file/)
    await refusedHere({ rootfs: `${file}/below` }, 'rootfs', /ENOTDIR/)
    await refusedHere({ rootfs: '/dev/null' }, 'rootfs', /must be a directory/)
  })

  test('EV-024 the root of the host is refused, however it is spelt', () => {
    for (const path of ['/', '//', '/.', '/..', '/a/..', '/a/../../']) refused({ rootfs: path }, 'rootfs', /host/)
  })

  test('EV-026 an unknown propagation of the root is refused', () => {
    refused({ rootPropagation: 'shared-ish' }, 'rootPropagation')
    refused({ rootPropagation: 1 }, 'rootPropagation')
    for (const rootPropagation of ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared', 'unbindable'])
      accepted({ rootPropagation })
  })

  test('EV-200 a NUL byte or a lone surrogate in a path', () => {
    refused({ rootfs: '/a\0b' }, 'rootfs', /NUL/)
    refused({ rootfs: '/a\ud800' }, 'rootfs', /surrogate/)
    accepted({ rootfs: '/täglich/😀' })
  })
})

describe('namespaces and id maps', () => {
  test('EV-030 an unknown kind is refused by its place, and nothing else is said of it', () => {
    refused({ namespaces: ['mnt', 'uts', 'network!'], hostname: 'x' }, 'namespaces[2]', /must be one of user, ipc/)
    refused({ namespaces: ['mnt', { kind: 'no' }] }, 'namespaces[1]', '"no"')
    for (const value of [null, 1, {}, [], '']) refused({ namespaces: ['mnt', value] }, 'namespaces[1]')
    for (const value of [null, 'mnt', {}, 1]) refused({ namespaces: value }, 'namespaces', /list/)
  })

  test('EV-030 kinds have the names of OCI too', () => {
    accepted({ namespaces: ['mount', 'network', 'pid', 'ipc', 'uts'] })
    expect(resolveConfig('x', { rootfs, namespaces: ['mount', { kind: 'network' }] as never }).namespaces).toEqual([
      { kind: 'mnt' },
      { kind: 'net' },
    ])
  })

  test('EV-031 VAL-29 the same kind twice is refused, also in two spellings', () => {
    refused({ namespaces: ['mnt', 'pid', 'pid'] }, 'namespaces[2].kind', /twice/)
    refused({ namespaces: ['mnt', 'net', 'network'] }, 'namespaces[2].kind', /twice/)
    refused({ namespaces: ['mnt', 'net', { kind: 'net', path: '/proc/1/ns/net' }] }, 'namespaces[2].kind', /twice/)
  })

  test('VAL-05 EV-086 without a mount namespace of its own nothing could be masked, mounted or hidden', () => {
    refused({ namespaces: ['pid'] }, 'namespaces', /must have a new mnt/)
    refused({ namespaces: [] }, 'namespaces', /mnt/)
    refused({ namespaces: [{ kind: 'mnt', path: '/proc/1/ns/mnt' }] }, 'namespaces', /new mnt, or none/)
  })

  test('MT-36 VAL-05 EV-086 in the mounts of the host: that nothing is wanted of them is said, and what is wanted is refused by name', () => {
    const bare = { namespaces: ['pid'], mounts: [], devices: [], maskedPaths: [], readonlyPaths: [] }
    accepted(bare)
    accepted({ ...bare, namespaces: [], readonlyRootfs: false, noPivotRoot: false })
    const [unsaid] = validateShape({ rootfs, ...bare, devices: undefined, mounts: undefined } as never)
    expect(unsaid).toMatchObject({ field: 'namespaces', hint: expect.stringContaining('mounts: [], devices: []') })
    for (const wish of [
      { mounts: [{ destination: '/proc', type: 'proc' }] },
      { devices: [{ path: '/dev/null', type: 'c', major: 1, minor: 3 }] },
      { maskedPaths: ['/proc/kcore'] },
      { readonlyPaths: ['/proc/sys'] },
      { readonlyRootfs: true },
      { noPivotRoot: true },
      { rootPropagation: 'rslave' },
    ])
      refused({ ...bare, ...wish }, Object.keys(wish)[0]!, /add mnt to namespaces/)
  })

  test('EV-032 a path that is not there is refused by name', async () => {
    const path = join(directory.path, 'ns')
    await refusedHere(
      { namespaces: ['mnt', { kind: 'ipc', path }] },
      'namespaces[1].path',
      `does not exist (got "${path}"`,
    )
    await refusedHere(
      { namespaces: ['mnt', { kind: 'net', path: '/proc/4194304/ns/net' }] },
      'namespaces[1].path',
      /exist/,
    )
  })

  test('EV-033 a path of another kind, or of no namespace, is refused by what the kernel says of it', async () => {
    await refusedHere(
      { namespaces: ['mnt', { kind: 'net', path: '/proc/self/ns/uts' }] },
      'namespaces[1].path',
      /is a uts namespace/,
    )
    const net = join(directory.path, 'net')
    writeFileSync(net, '')
    await refusedHere({ namespaces: ['mnt', { kind: 'net', path: net }] }, 'namespaces[1].path', /is no namespace/)
    await refusedHere(
      { namespaces: ['mnt', { kind: 'net', path: directory.path }] },
      'namespaces[1].path',
      /is no namespace/,
    )
  })

  test('EV-034 a relative path, an endless one, and what is no path', () => {
    refused({ namespaces: ['mnt', { kind: 'net', path: 'ns/net' }] }, 'namespaces[1].path', /absolute/)
    refused({ namespaces: ['mnt', { kind: 'net', path: `/${'x'.repeat(70000)}` }] }, 'namespaces[1].path', /4095/)
    refused({ namespaces: ['mnt', { kind: 'net', path: '/a\0' }] }, 'namespaces[1].path', /NUL/)
    for (const path of [null, 5, {}]) refused({ namespaces: ['mnt', { kind: 'net', path }] }, 'namespaces[1].path')
  })

  test('EV-036 VAL-07 maps without a user namespace', () => {
    refused({ uidMappings: map }, 'uidMappings', /user/)
    refused({ gidMappings: map }, 'gidMappings', /user/)
    accepted({ uidMappings: [], gidMappings: [] })
    for (const value of [null, 5, 'x', {}]) refused({ uidMappings: value }, 'uidMappings')
  })

  test('EV-037 a user namespace with neither path nor maps', () => {
    refused({ namespaces: ['mnt', 'user'] }, 'uidMappings', /needed/)
    refused({ namespaces: ['mnt', 'user'], uidMappings: map }, 'gidMappings', /needed/)
    refused({ namespaces: ['mnt', 'user'], uidMappings: map, gidMappings: [] }, 'gidMappings', /needed/)
  })

  test('EV-038 a joined user namespace with other maps than its own', async () => {
    const namespaces = ['mnt', { kind: 'user', path: '/proc/self/ns/user' }]
    await refusedHere({ namespaces, uidMappings: map }, 'uidMappings', /differs from the map/)
  })

  test('EV-039 root must be mapped', () => {
    const without = [{ containerId: 1, hostId: 100000, size: 10 }]
    refused({ ...userns, uidMappings: without }, 'uidMappings: the id 0 inside', /not mapped/)
    refused({ ...userns, gidMappings: without }, 'gidMappings: the id 0 inside', /not mapped/)
  })

  test('EV-040 EV-199 maps that the kernel would refuse with a bare EINVAL', () => {
    const entry = { containerId: 0, hostId: 0, size: 1 }
    const bad: [object[], string][] = [
      [[{ ...entry, size: 0 }], 'uidMappings[0].size'],
      [[{ ...entry, size: -1 }], 'uidMappings[0].size'],
      [[{ ...entry, size: 1.5 }], 'uidMappings[0].size'],
      [[{ ...entry, size: Number.NaN }], 'uidMappings[0].size'],
      [[{ ...entry, size: '1' }], 'uidMappings[0].size'],
      [[{ ...entry, size: 4294967296 }], 'uidMappings[0].size'],
      [[{ ...entry, hostId: 4294967295 }], 'uidMappings[0].hostId'],
      [[{ ...entry, hostId: 4294967290, size: 10 }], 'uidMappings[0].size'],
      [[{ ...entry, containerId: -1 }], 'uidMappings[0].containerId'],
      [[entry, { ...entry, hostId: 5 }], 'uidMappings[1].containerId'],
      [
        [
          { ...entry, size: 10 },
          { containerId: 100, hostId: 9, size: 1 },
        ],
        'uidMappings[1].hostId',
      ],
      [Array.from({ length: 341 }, (_, i) => ({ containerId: 2 * i, hostId: 2 * i, size: 1 })), 'uidMappings'],
      [[{ ...entry, count: 1 }], 'uidMappings[0].count'],
      [[null as never], 'uidMappings[0]'],
    ]
    for (const [uidMappings, field] of bad) refused({ ...userns, uidMappings }, field)
  })

  test('EV-042 VAL-08 clocks without a time namespace, or for one that is joined', async () => {
    const timeOffsets = { monotonic: { secs: 5 } }
    refused({ timeOffsets }, 'timeOffsets', /time/)
    refused({ namespaces: ['mnt', { kind: 'time', path: '/proc/1/ns/time' }], timeOffsets }, 'timeOffsets', /joined/)
    accepted({ namespaces: ['mnt', 'time'], timeOffsets })
    accepted({ timeOffsets: {} })
  })

  test('EV-043 EV-199 other clocks, and offsets that no clock can have', () => {
    const offsets = (timeOffsets: unknown) => ({ namespaces: ['mnt', 'time'], timeOffsets })
    refused(offsets({ realtime: { secs: 1 } }), 'timeOffsets', /monotonic and boottime/)
    refused(offsets({ boottime: { nanosecs: 1e9 } }), 'timeOffsets.boottime.nanosecs')
    refused(offsets({ boottime: { nanosecs: -1 } }), 'timeOffsets.boottime.nanosecs')
    refused(offsets({ boottime: { secs: 0.5 } }), 'timeOffsets.boottime.secs')
    refused(offsets({ boottime: { secs: Number.NaN } }), 'timeOffsets.boottime.secs')
    refused(offsets({ boottime: { secs: 2 ** 60 } }), 'timeOffsets.boottime.secs', /bigint/)
    refused(offsets({ boottime: { secs: 2n ** 63n } }), 'timeOffsets.boottime.secs')
    refused(offsets({ boottime: { seconds: 1 } }), 'timeOffsets.boottime.seconds')
    refused(offsets({ boottime: null }), 'timeOffsets.boottime')
    for (const value of [null, 5, 'x', []]) refused(offsets(value), 'timeOffsets')
    accepted(offsets({ boottime: { secs: -2, nanosecs: 999_999_999 }, monotonic: { secs: 2n ** 40n } }))
  })

  test('EV-030 an unknown field of a namespace', () => {
    refused({ namespaces: ['mnt', { kind: 'net', paht: '/x' }] }, 'namespaces[1].paht', /kind, path/)
  })
})

describe('hostname and domainname', () => {
  test('EV-050 VAL-04 without a uts namespace they would be the host’s', () => {
    refused({ namespaces: ['mnt'], hostname: 'x' }, 'hostname', /uts/)
    refused({ namespaces: ['mnt'], domainname: 'x' }, 'domainname', /uts/)
    accepted({ namespaces: ['mnt', 'uts'], hostname: 'x', domainname: 'y' })
  })

  test('EV-050 EV-053 a joined uts namespace that is this process’s own is none', async () => {
    const namespaces = ['mnt', { kind: 'uts', path: '/proc/self/ns/uts' }]
    await refusedHere({ namespaces, hostname: 'x' }, 'hostname', /other than this process/)
    await refusedHere({ namespaces, domainname: 'x' }, 'domainname', /other than this process/)
    expect(await validate({ rootfs, namespaces } as ContainerConfig)).toEqual([])
  })

  test('EV-051 more than 64 bytes, which are not 64 characters', () => {
    accepted({ hostname: 'x'.repeat(64), domainname: 'ü'.repeat(32) })
    refused({ hostname: 'x'.repeat(65) }, 'hostname', /64 bytes/)
    refused({ hostname: 'ü'.repeat(33) }, 'hostname', /64 bytes/)
    refused({ domainname: 'x'.repeat(65) }, 'domainname', /64 bytes/)
    refused({ hostname: 'a\0b' }, 'hostname', /NUL/)
    for (const hostname of [1, null, {}, []]) refused({ hostname }, 'hostname')
  })
})

describe('mounts, masks and devices', () => {
  const mount = (value: unknown) => ({ mounts: [{ destination: '/ok', type: 'tmpfs' }, value] })
  const bind = (value: object) => mount({ destination: '/x', source: '/y', options: ['bind'], ...value })

  test('EV-070 VAL-30 a relative destination is taken from /', () => {
    accepted(mount({ destination: 'srv', type: 'tmpfs' }))
  })

  test('EV-071 a mount on top of the root', () => {
    for (const destination of ['/', '.', '..', '/..', '/a/..'])
      refused(mount({ destination, type: 'tmpfs' }), 'mounts[1].destination', /root/)
  })

  test('EV-072 a destination that climbs stays below the root', () => {
    accepted(mount({ destination: '/../../srv', type: 'tmpfs' }))
  })

  test('EV-073 MT-17 what may stand on /proc, and below it', () => {
    refused(mount({ destination: '/proc', type: 'tmpfs' }), 'mounts[1].type', /must be proc/)
    refused(mount({ destination: '/x/../proc/', type: 'tmpfs' }), 'mounts[1].type', /must be proc/)
    refused(mount({ destination: '/proc/sys', type: 'tmpfs' }), 'mounts[1].destination', /below \/proc/)
    refused(bind({ destination: '/proc/self/attr/exec' }), 'mounts[1].destination', /below \/proc/)
    for (const destination of ['/procfoo', '/sys/fs/cgroup/x', '/proc/meminfo', '/proc/uptime'])
      accepted(bind({ destination }))
    accepted(bind({ destination: '/proc', source: '/proc' }))
  })

  test('EV-075 a bind needs an absolute source', () => {
    refused(bind({ source: 'relative' }), 'mounts[1].source', /absolute/)
    refused(bind({ source: undefined }), 'mounts[1].source', /absolute/)
  })

  test('EV-077 EV-200 NUL and surrogates in source, destination, type and options', () => {
    refused(bind({ source: '/a\0' }), 'mounts[1].source', /NUL/)
    refused(bind({ destination: '/a\0' }), 'mounts[1].destination', /NUL/)
    refused(mount({ destination: '/x', type: 'tm\0pfs' }), 'mounts[1].type', /NUL/)
    refused(mount({ destination: '/x', type: 'tmpfs', options: ['size=1\0'] }), 'mounts[1].options[0]', /NUL/)
    refused(bind({ destination: '/\udc00' }), 'mounts[1].destination', /surrogate/)
  })

  test('EV-078 VAL-23 an unknown option of a bind, which has no file system to give it to', () => {
    refused(bind({ options: ['bind', 'read-only'] }), 'mounts[1].options', /read-only/)
  })

  test('EV-079 an unknown option of another file system is the kernel’s to judge', () => {
    accepted(mount({ destination: '/x', type: 'tmpfs', options: ['nr_blocks=1', 'no-such'] }))
  })

  test('EV-077 wrong types and unknown fields of a mount', () => {
    for (const value of [null, 5, 'tmpfs', undefined]) refused(mount(value), 'mounts[1]')
    refused(mount({ destination: '/x', type: 'tmpfs', options: 'ro' }), 'mounts[1].options', /list/)
    refused(
      mount({ destination: '/x', type: 'tmpfs', option: ['ro'] }),
      'mounts[1].option',
      /destination, type, source/,
    )
    refused(mount({ destination: '/x' }), 'mounts[1].type', /file system/)
    refused(mount({ type: 'tmpfs' }), 'mounts[1].destination')
    for (const value of [null, {}, 'x']) refused({ mounts: value }, 'mounts', /list/)
  })

  test('EV-087 masked and read-only paths must be absolute', () => {
    refused({ maskedPaths: ['/proc/kcore', 'proc/keys'] }, 'maskedPaths[1]', /absolute/)
    refused({ readonlyPaths: [''] }, 'readonlyPaths[0]', /absolute/)
    refused({ readonlyPaths: ['/a\0'] }, 'readonlyPaths[0]', /NUL/)
    refused({ maskedPaths: [7] }, 'maskedPaths[0]')
    refused({ maskedPaths: '/proc' }, 'maskedPaths', /list/)
    accepted({ maskedPaths: ['/no/such', '/no/such'], readonlyPaths: [] })
  })

  test('EV-154 device nodes of no type, with a wildcard, or at no path', () => {
    const node = { path: '/dev/x', type: 'c', major: 1, minor: 3 }
    refused({ devices: [node, { ...node, type: 'x' }] }, 'devices[1].type')
    refused({ devices: [{ ...node, type: 'a' }] }, 'devices[0].type')
    refused({ devices: [{ ...node, major: -1 }] }, 'devices[0].major')
    refused({ devices: [{ ...node, minor: '*' }] }, 'devices[0].minor')
    refused({ devices: [{ ...node, path: 'dev/x' }] }, 'devices[0].path', /absolute/)
    refused({ devices: [{ ...node, path: '/' }] }, 'devices[0].path')
    refused({ devices: [{ ...node, uid: -1 }] }, 'devices[0].uid')
    refused({ devices: [{ ...node, perms: 'rw' }] }, 'devices[0].perms')
    refused({ devices: [null] }, 'devices[0]')
    accepted({ devices: [node, { ...node, type: 'u' }, { path: '/run/fifo', type: 'p' }] })
  })

  test('EV-154 device rules of no access, of other letters, of no type', () => {
    const rule = { type: 'c', major: 1, minor: 3, access: 'rwm', allow: true }
    const rules = (value: object) => ({ cgroups: { devices: [rule, value] } })
    refused(rules({ ...rule, access: '' }), 'cgroups.devices[1].access')
    refused(rules({ ...rule, access: 'rx' }), 'cgroups.devices[1].access')
    refused(rules({ ...rule, type: 'd' }), 'cgroups.devices[1].type')
    refused(rules({ ...rule, allow: 'yes' }), 'cgroups.devices[1].allow')
    refused(rules({ ...rule, major: 1.5 }), 'cgroups.devices[1].major')
    accepted(rules({ access: 'rwm', allow: false }))
    accepted(rules({ type: 'c', major: -1, minor: '*', access: 'm', allow: true }))
  })
})

describe('cgroups', () => {
  test('EV-140 EV-141 a path must name a cgroup below the top: what is there is killed in the end', () => {
    for (const path of ['', '/', '.', '..', '/../..', '/a/..'])
      refused({ cgroups: { path } }, 'cgroups.path', /below the top/)
    refused({ cgroups: { path: '/a\nb' } }, 'cgroups.path', /line end/)
    refused({ cgroups: { path: `/${'x'.repeat(256)}` } }, 'cgroups.path', /255/)
    refused({ cgroups: { path: 5 } }, 'cgroups.path')
    accepted({ cgroups: { path: '/../../a' } })
  })

  test('EV-199 limits that are no amounts, and unknown ones', () => {
    refused({ cgroups: { memory: { max: -1 } } }, 'cgroups.memory.max')
    refused({ cgroups: { memory: { max: 1.5 } } }, 'cgroups.memory.max')
    refused({ cgroups: { memory: { max: Number.NaN } } }, 'cgroups.memory.max')
    refused({ cgroups: { memory: { max: 2 ** 60 } } }, 'cgroups.memory.max')
    refused({ cgroups: { memory: { maximum: 1 } } }, 'cgroups.memory.maximum')
    refused({ cgroups: { pids: { max: '10' } } }, 'cgroups.pids.max')
    refused({ cgroups: { memroy: {} } }, 'cgroups.memroy')
    for (const cgroups of [null, 5, 'x']) refused({ cgroups }, 'cgroups')
    accepted({ cgroups: { memory: { max: 2n ** 60n }, pids: { max: 0 } } })
  })
})

describe('attributes of processes', () => {
  const limit = { type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }

  test('EV-104 VAL-29 unknown, doubled and upside-down limits', () => {
    refused({ rlimits: [limit, { ...limit, type: 'RLIMIT_FOO' }] }, 'rlimits[1].type', /RLIMIT_FOO/)
    refused({ rlimits: [limit, limit] }, 'rlimits[1].type', /twice/)
    refused({ rlimits: [limit, { ...limit, type: 7 }] }, 'rlimits[1].type', /twice/)
    refused({ rlimits: [{ ...limit, soft: 21 }] }, 'rlimits[0].soft', /above the hard limit 20/)
    refused({ rlimits: [{ ...limit, soft: 'unlimited' }] }, 'rlimits[0].soft', /above/)
    accepted({
      rlimits: [
        { ...limit, hard: 'unlimited' },
        { type: 'RLIMIT_CPU', soft: 0, hard: 0 },
      ],
    })
    accepted({ rlimits: [{ ...limit, soft: 2n ** 64n - 1n, hard: 'unlimited' }] })
  })

  test('EV-199 limits that are no 64-bit integers', () => {
    for (const soft of [-1, 1.5, Number.NaN, 2 ** 53, 2n ** 64n, -1n, '5', null, undefined, {}])
      refused({ rlimits: [{ ...limit, soft, hard: 'unlimited' }] }, 'rlimits[0].soft')
    refused({ rlimits: [{ type: 'RLIMIT_CPU', soft: 0 }] }, 'rlimits[0].hard')
    refused({ rlimits: [{ ...limit, max: 1 }] }, 'rlimits[0].max')
    for (const value of [null, 'x', 5]) refused({ rlimits: [value] }, 'rlimits[0]')
    refused({ rlimits: limit }, 'rlimits', /list/)
  })

  test('EV-106 PP-03 oomScoreAdj beyond a thousand', () => {
    for (const oomScoreAdj of [-1001, 1001, 0.5, Number.NaN, '5', null, 5n])
      refused({ oomScoreAdj }, 'oomScoreAdj', /1000/)
    for (const oomScoreAdj of [-1000, 0, 1000]) accepted({ oomScoreAdj })
  })

  test('EV-113 an unknown capability is an error, by list and place', () => {
    refused({ capabilities: ['CAP_KILL', 'CAP_FLY'] }, 'capabilities.bounding[1]', /unknown capability/)
    refused({ capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_FLY'] } }, 'capabilities.effective[0]')
    refused({ capabilities: { boundign: [] } }, 'capabilities.boundign')
    refused({ capabilities: { bounding: 'CAP_KILL' } }, 'capabilities.bounding')
    for (const capabilities of ['CAP_KILL', 5, true]) refused({ capabilities }, 'capabilities')
    accepted({ capabilities: null })
    accepted({ capabilities: [] })
  })

  test('CP-14 secure bits are a list of names', () => {
    refused({ secureBits: ['NOROOT', 'NOROOT_UNLOCKED'] }, 'secureBits[1]', /NO_SETUID_FIXUP/)
    for (const secureBits of ['NOROOT', 1, null]) refused({ secureBits }, 'secureBits', /list/)
    accepted({ secureBits: ['NOROOT', 'NOROOT_LOCKED', 'EXEC_DENY_INTERACTIVE'] })
  })

  test('CP-10 sets that the kernel would not let stand beside each other', () => {
    refused({ capabilities: { effective: ['CAP_KILL'] } }, 'capabilities.effective', /permitted/)
    refused(
      { capabilities: { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] } },
      'capabilities.ambient',
      /inheritable/,
    )
  })

  test('EV-180 EV-181 a seccomp profile is compiled before anything is made', () => {
    refused({ seccomp: { defaultAction: 'SCMP_ACT_NO' } }, 'seccomp.defaultAction')
    refused(
      { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [], action: 'SCMP_ACT_ERRNO' }] } },
      'seccomp.syscalls[0].names',
    )
    accepted({ seccomp: null })
    accepted({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } })
  })

  test('EV-199 switches, masks and signals of the wrong kind', () => {
    for (const value of [0, 'false', null, {}]) {
      refused({ readonlyRootfs: value }, 'readonlyRootfs', /true or false/)
      refused({ noNewPrivileges: value }, 'noNewPrivileges', /true or false/)
    }
    for (const umask of [-1, 0o1000, 1.5, '022', null]) refused({ umask }, 'umask')
    for (const parentDeathSignal of ['SIGNONE', 0, 65, 1.5, null, {}, []])
      refused({ parentDeathSignal }, 'parentDeathSignal')
    accepted({ parentDeathSignal: 'kill', umask: 0 })
    refused({ labels: ['a=b', 'ab'] }, 'labels[1]', /key=value/)
    refused({ labels: { a: 'b' } }, 'labels', /list/)
  })
})

describe('the config as a whole', () => {
  test('VAL-32 an unknown field is refused, with those that there are', () => {
    refused({ hostName: 'x' }, 'hostName', /is no field of a container; there are rootfs, .*hostname/)
    refused({ args: ['sh'] }, 'args')
  })

  test('5d EV-156 SkipDevices, SkipFreezeOnSet: no word leaves rules of devices out, or a stop that they need', () => {
    for (const name of ['skipDevices', 'skipFreezeOnSet']) refused({ cgroups: { [name]: true } }, `cgroups.${name}`)
  })

  test('EV-199 what is no object is no config', async () => {
    for (const value of [undefined, null, 5, 'x', [], () => {}]) {
      const problems = await validate(value as never)
      expect(problems.length).toBeGreaterThan(0)
      expect(problems[0]).toMatchObject({ code: 'ConfigInvalid' })
    }
  })

  test('VAL-32 all problems are told, each once, by their fields', async () => {
    const problems = await validate({
      rootfs: join(directory.path, 'no'),
      colour: 'red',
      hostname: 'x'.repeat(65),
      namespaces: ['mnt', 'uts', 'wat', 'hm'],
      mounts: [{ destination: '/proc', type: 'tmpfs' }, { destination: '/ok', type: 'tmpfs' }, { destination: '' }],
      devices: [{ path: 'x' }, null],
      sysctl: { 'vm.swappiness': '1', 'kernel.hostname': 'x', 'net.ipv4.ip_forward': '1' },
      rlimits: [
        { type: 'RLIMIT_CPU', soft: 2, hard: 1 },
        { type: 'x', soft: 0, hard: 0 },
      ],
      maskedPaths: ['a', '/b', 'c'],
      umask: 8.5,
    } as never)
    expect(problems.map(({ field }) => field)).toEqual([
      'colour',
      'namespaces[2]',
      'namespaces[3]',
      'hostname',
      'mounts[0].type',
      'mounts[2].destination',
      'devices[0].type',
      'devices[1]',
      'maskedPaths[0]',
      'maskedPaths[2]',
      "sysctl['vm.swappiness']",
      "sysctl['kernel.hostname']",
      'rlimits[0].soft',
      'rlimits[1].type',
      'umask',
      'rootfs',
    ])
  })

  test('FA-10 create throws the first problem, and makes no directory', async () => {
    const factory = await Factory.open(join(directory.path, 'state'))
    await expect(factory.create('x', { rootfs, umask: -1, hostname: 'x'.repeat(65) })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'hostname',
    })
    expect(await factory.list()).toEqual([])
    await expect(factory.load('x')).rejects.toMatchObject({ code: 'ContainerNotExists' })
  })

  test('FA-08 a validator of one’s own takes the place of ours', async () => {
    const asked: ContainerConfig[] = []
    const factory = await Factory.open(join(directory.path, 'own'), {
      validator: async config => {
        asked.push(config)
        return (await validate(config)).slice(1)
      },
    })
    await expect(factory.create('x', { rootfs: 'a', umask: -1 })).rejects.toMatchObject({ field: 'umask' })
    expect(asked).toEqual([{ rootfs: 'a', umask: -1 }])
  })

  test('EV-198 prototype keys are data, and never reach a prototype', () => {
    const hostile = JSON.parse('{"sysctl": {"__proto__": "1", "constructor": "2"}}')
    expect(validateShape({ rootfs, ...plainCopy(hostile as object) }).map(({ field }) => field)).toEqual([
      "sysctl['__proto__']",
      "sysctl['constructor']",
    ])
    const config = plainCopy(JSON.parse(`{"rootfs": "${rootfs}", "__proto__": {"readonlyRootfs": true}}`))
    expect(config.readonlyRootfs).toBeUndefined()
    expect(validateShape(config).map(({ field }) => field)).toEqual(['__proto__'])
    expect(validateShape({ rootfs, constructor: 1, toString: 2 } as never).map(({ field }) => field)).toEqual([
      'constructor',
      'toString',
    ])
    expect(({} as { readonlyRootfs?: boolean }).readonlyRootfs).toBeUndefined()
  })

  test('EV-199 a config is read once: a getter that answers another time changes nothing', () => {
    let reads = 0
    const config = {
      get rootfs() {
        reads++
        return reads === 1 ? rootfs : '/'
      },
    }
    const copy = plainCopy(config)
    expect([copy.rootfs, copy.rootfs, reads]).toEqual([rootfs, rootfs, 1])
    const inherited = Object.create({ readonlyRootfs: true, rootfs })
    expect(plainCopy(inherited as object)).toEqual({})
    expect(() => plainCopy({ mounts: [() => {}] })).toThrow(expect.objectContaining({ field: 'mounts[0]' }))
    expect(() => plainCopy({ rootfs: Symbol('x') })).toThrow(expect.objectContaining({ field: 'rootfs' }))
  })

  const anything = fc.anything({ withBigInt: true, withNullPrototype: true, maxDepth: 3, maxKeys: 4 })
  const either = (...words: unknown[]) => fc.oneof(anything, fc.constantFrom(...words))
  const listOf = (fields: Record<string, fc.Arbitrary<unknown>>) =>
    fc.array(fc.record(fields, { requiredKeys: [] }), { maxLength: 3 })
  const shapes: Record<string, fc.Arbitrary<unknown>> = {
    rootfs: either('/'),
    readonlyRootfs: anything,
    rootPropagation: anything,
    namespaces: fc.oneof(anything, listOf({ kind: either('user', 'net'), path: either('/x') })),
    uidMappings: fc.oneof(anything, listOf({ containerId: either(0), hostId: either(0), size: either(1) })),
    gidMappings: anything,
    timeOffsets: fc.oneof(
      anything,
      fc.record({ monotonic: anything, boottime: fc.record({ secs: anything, nanosecs: anything }) }),
    ),
    hostname: anything,
    domainname: anything,
    mounts: fc.oneof(
      anything,
      listOf({
        destination: either('/x'),
        type: either('tmpfs'),
        source: anything,
        options: fc.oneof(anything, fc.array(either('bind'))),
      }),
    ),
    devices: fc.oneof(
      anything,
      listOf({
        path: either('/x'),
        type: either('c', 98),
        major: either(1),
        minor: either(1),
        mode: anything,
        uid: anything,
        access: anything,
      }),
    ),
    cgroups: fc.oneof(
      anything,
      fc.record({
        path: either('/x'),
        memory: anything,
        cpu: anything,
        cpuset: anything,
        pids: anything,
        unified: anything,
        devices: listOf({ type: either('a'), access: either('rwm'), allow: either(true) }),
      }),
    ),
    capabilities: fc.oneof(anything, fc.record({ bounding: fc.array(either('CAP_KILL')), ambient: anything })),
    seccomp: fc.oneof(
      anything,
      fc.record({
        defaultAction: either('SCMP_ACT_ALLOW'),
        syscalls: listOf({
          names: fc.array(either('read')),
          action: either('SCMP_ACT_ERRNO'),
          args: anything,
          errnoRet: anything,
        }),
      }),
    ),
    maskedPaths: anything,
    readonlyPaths: anything,
    sysctl: fc.oneof(anything, fc.dictionary(fc.string(), either('1'))),
    rlimits: fc.oneof(
      anything,
      listOf({ type: either('RLIMIT_CPU', 7), soft: either(1), hard: either(2, 'unlimited') }),
    ),
    oomScoreAdj: anything,
    noNewPrivileges: anything,
    umask: anything,
    parentDeathSignal: anything,
    labels: anything,
  }

  test.each(Object.keys(shapes))(
    'EV-199 whatever stands in %s is accepted or a ConfigInvalid, never another error',
    field => {
      fc.assert(
        fc.property(shapes[field]!, value => {
          for (const base of [{ rootfs }, { rootfs, ...userns }])
            for (const problem of validateShape({ ...base, [field]: value } as never)) {
              expect(problem.code).toBe('ConfigInvalid')
              expect(problem.message.length).toBeLessThan(1000)
            }
        }),
        { numRuns: 60 },
      )
    },
  )
})

test('IN-09 a session keyring: of the container’s own, by a name, or none', () => {
  const fields = (config: object): string[] => validateShape({ rootfs: '/r', ...config }).map(({ field }) => field)
  for (const sessionKeyring of [undefined, true, false, 'mine', 'x'.repeat(4095)])
    expect(fields({ sessionKeyring })).toEqual([])
  for (const sessionKeyring of ['', '.own', 'x'.repeat(4096), 'é'.repeat(2048), 'a\0b', 1, null, {}])
    expect(fields({ sessionKeyring }), String(sessionKeyring)).toEqual(['sessionKeyring'])
  expect(fields({ keepGroups: 1 })).toEqual(['keepGroups'])
})

test('a copied config has mounts that cannot change, so that each is looked at once; the original stays as it is', () => {
  const mounts = [{ destination: '/a', type: 'tmpfs', options: ['ro'] }]
  const copy = configCopy({ rootfs: '/', mounts })
  expect(copy).toMatchObject({ mounts })
  expect(copy.mounts?.every(mount => Object.isFrozen(mount) && Object.isFrozen(mount.options))).toBe(true)
  expect(Object.isFrozen(mounts[0])).toBe(false)
  for (const odd of [undefined, null, 7, [null], ['x']])
    expect(configCopy({ rootfs: '/', mounts: odd as never })).toMatchObject({ rootfs: '/' })
})
