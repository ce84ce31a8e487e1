import { type ContainerConfig, resolveConfig } from '@libcontainer/container'
import type { MountInfo } from '@libcontainer/mount'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { candidateOf, candidates, externalMounts, pointsInRoot } from '../src/checkpoint/mounts.js'
import { type CheckpointOptions, checkCheckpoint, checkImage } from '../src/checkpoint/options.js'
import { type DumpFacts, planDump, planRestore } from '../src/checkpoint/plan.js'
import { keyOf, parseStreams, type Stream, toldAtDump } from '../src/checkpoint/streams.js'

/* What CRIU is asked is planned without it: here for a machine of the tests' own, where the host has the devices 8:1 and 0:5. */

const resolved = (config: Partial<ContainerConfig> = {}) => resolveConfig('demo', { rootfs: '/srv/root', ...config })

function mounted(id: number, mountPoint: string, more: Partial<MountInfo> = {}): MountInfo {
  return {
    id,
    parent: 1,
    major: 0,
    minor: 100 + id,
    root: '/',
    mountPoint,
    options: ['rw'],
    type: 'tmpfs',
    source: 'tmpfs',
    superOptions: [],
    ...more,
  }
}

const root = mounted(1, '/', { major: 8, minor: 1, root: '/srv/root', type: 'ext4' })
const hostDevices = new Set(['8:1', '0:5'])
const ofHost = { major: 8, minor: 1, type: 'ext4', root: '/data' }

function facts(
  table: readonly MountInfo[],
  seen: Record<string, number> = {},
  more: Partial<DumpFacts> = {},
): DumpFacts {
  return {
    table: [root, ...table],
    hostDevices,
    seen: new Map(Object.entries(seen)),
    pid: 42,
    cgroupPaths: { '': '/sys/fs/cgroup/demo' },
    streams: [],
    joined: [],
    ...more,
  }
}

describe('mounts', () => {
  const binds = resolved({ mounts: [{ destination: '/data', type: 'bind', source: '/srv/data', options: ['ro'] }] })

  test('CR-07 binds are the host’s, by names of ours; what the kernel makes anew, and what is the container’s own, CRIU saves', () => {
    const table = [
      mounted(2, '/proc', { type: 'proc' }),
      mounted(3, '/tmp'),
      mounted(4, '/data', ofHost),
      mounted(5, '/proc/kcore', { minor: 103, root: '/null' }),
    ]
    expect(externalMounts(binds, facts(table, { 'mount-/data': 4 }))).toEqual([
      { key: 'mount-/data', mountPoint: '/data' },
    ])
  })

  test('CR-07 device nodes and masked files that are binds of the host’s devices', () => {
    const null_ = { major: 0, minor: 5, type: 'devtmpfs', root: '/null' }
    const config = resolved({ mounts: [], maskedPaths: ['/proc/keys'] })
    const table = [mounted(2, '/dev/null', null_), mounted(3, '/proc/keys', null_)]
    expect(externalMounts(config, facts(table, { 'device-/dev/null': 2, 'mask-/proc/keys': 3 }))).toEqual([
      { key: 'device-/dev/null', mountPoint: '/dev/null' },
      { key: 'mask-/proc/keys', mountPoint: '/proc/keys' },
    ])
  })

  test('CR-07 a masked directory, which can hold nothing, is made anew; one that somebody has put something over is saved', () => {
    const empty = { options: ['ro'], superOptions: ['ro', 'size=4k', 'nr_inodes=1', 'mode=555'] }
    const config = resolved({ mounts: [], maskedPaths: ['/proc/acpi', '/sys/firmware'] })
    const table = [mounted(2, '/proc/acpi', empty), mounted(3, '/sys/firmware', { superOptions: ['rw'] })]
    const listed = externalMounts(config, facts(table, { 'mask-/proc/acpi': 2, 'mask-/sys/firmware': 3 }))
    expect(listed).toEqual([{ key: 'mask-/proc/acpi/', mountPoint: '/proc/acpi' }])
    expect(candidateOf('mask-/proc/acpi/', config)).toMatchObject({ kind: 'mask', place: 0 })
    expect(candidateOf('mount-/data/', binds)).toBeUndefined()
    expect(externalMounts(resolved({ mounts: [], maskedPaths: [] }), facts([mounted(2, '/proc/acpi', empty)]))).toEqual(
      [],
    )
  })

  test('CR-07 a cgroup that is shown without a cgroup namespace is a bind', () => {
    const mounts = [{ destination: '/sys/fs/cgroup', type: 'cgroup' }]
    const table = [mounted(2, '/sys/fs/cgroup', { major: 0, minor: 5, type: 'cgroup2', root: '/demo' })]
    const seen = facts(table, { 'mount-/sys/fs/cgroup': 2 })
    expect(externalMounts(resolved({ mounts }), seen)).toEqual([
      { key: 'mount-/sys/fs/cgroup', mountPoint: '/sys/fs/cgroup' },
    ])
    expect(externalMounts(resolved({ mounts, namespaces: ['mnt', 'pid', 'cgroup'] }), seen)).toEqual([])
  })

  test('CR-07 hierarchies of version 1 that are shown without a cgroup namespace are binds, each of its own', () => {
    const config = resolved({ mounts: [{ destination: '/sys/fs/cgroup', type: 'cgroup' }] })
    const shown = { minor: 5, type: 'cgroup', root: '/demo', parent: 2 }
    const table = [
      mounted(2, '/sys/fs/cgroup'),
      mounted(3, '/sys/fs/cgroup/cpu,cpuacct', shown),
      mounted(4, '/sys/fs/cgroup/unified', { ...shown, type: 'cgroup2' }),
    ]
    const seen = { 'mount-/sys/fs/cgroup': 2 }
    expect(externalMounts(config, facts(table, seen))).toEqual([
      { key: 'mount-/sys/fs/cgroup/cpu%2Ccpuacct', mountPoint: '/sys/fs/cgroup/cpu,cpuacct' },
      { key: 'mount-/sys/fs/cgroup/unified', mountPoint: '/sys/fs/cgroup/unified' },
    ])
    for (const key of ['mount-/sys/fs/cgroup/cpu%2Ccpuacct', '/sys/fs/cgroup/cpu,cpuacct'])
      expect(candidateOf(key, config)).toMatchObject({ kind: 'cgroup', hierarchy: 'cpu,cpuacct' })
    for (const key of ['mount-/sys/fs/cgroup/', '/sys/fs/cgroup/../..', '/sys/fs/cgroup/a/b', '/sys/fs/cgroups'])
      expect(candidateOf(key, config)).toBeUndefined()
    // What somebody has mounted there is none.
    const other = mounted(5, '/sys/fs/cgroup/a]:b', { ...shown, type: 'tmpfs' })
    expect(() => externalMounts(config, facts([...table, other], seen))).toThrow(/cannot save the mount/)
    const own = resolved({ mounts: config.mounts, namespaces: ['mnt', 'pid', 'cgroup'] })
    expect(externalMounts(own, facts(table, seen))).toEqual([])
  })

  test('a mount of the host that the config does not account for is told by its path', () => {
    expect(() => externalMounts(binds, facts([mounted(4, '/data/below', ofHost)]))).toThrow(
      /cannot save the mount on "\/data\/below": its file system \(ext4\) is the host's/,
    )
  })

  test.each(['/a]:b', '/a:b', '/a,b', '/a[b', '/a\nb'])(
    'CVE-2026-115520 a mount point that CRIU could not read back is refused: %j',
    mountPoint => {
      expect(() => externalMounts(binds, facts([mounted(4, mountPoint, ofHost)], { 'mount-/data': 4 }))).toThrow(
        /CRIU cannot read back its name/,
      )
    },
  )

  test('CVE-2026-115520 whatever a path is called, the keys are ours', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ minLength: 1 }).filter(name => !/[\0/]|^\.{1,2}$/.test(name)),
          { minLength: 1 },
        ),
        names => {
          const mountPoint = `/${names.join('/')}`
          let keys: string[] = []
          try {
            keys = externalMounts(binds, facts([mounted(4, mountPoint, ofHost)], { 'mount-/data': 4 })).map(
              ({ key }) => key,
            )
          } catch (error) {
            expect(String(error)).toMatch(/CRIU cannot read back/)
          }
          for (const key of keys) expect(key).toBe('mount-/data')
        },
      ),
    )
  })

  test('CR-07 a key of an image means a mount of the config, or nothing; runc’s are the paths of its mounts', () => {
    expect(candidateOf('mount-/data', binds)).toMatchObject({ kind: 'bind', place: 0 })
    expect(candidateOf('/data', binds)).toMatchObject({ kind: 'bind', place: 0 })
    expect(candidateOf('/dev/null', binds)).toMatchObject({ kind: 'device' })
    expect(candidateOf('/etc', binds)).toBeUndefined()
    expect(candidateOf('mount-0', binds)).toBeUndefined()
  })

  test('CR-07 CVE-2026-115520 a key is the same wherever the mount stands in its list, and has nothing that CRIU reads as more than a name', () => {
    const bind = (destination: string) => ({ destination, type: 'bind', source: '/srv' })
    const listed = resolved({ mounts: [bind('/b]:c,d[e\nf%'), bind('/a'), bind('/ü')] })
    const turned = resolved({ mounts: [bind('/ü'), bind('/a'), bind('/b]:c,d[e\nf%')] })
    const keys = (config: typeof listed) =>
      candidates(config)
        .filter(({ kind }) => kind === 'bind')
        .map(({ key }) => key)
    expect(keys(listed)).toEqual(['mount-/b%5D%3Ac%2Cd%5Be%0Af%25', 'mount-/a', 'mount-/%C3%BC'])
    for (const key of keys(listed)) expect(candidateOf(key, turned)?.path).toBe(candidateOf(key, listed)?.path)
    const twice = resolved({ mounts: [{ ...bind('/a'), source: '/below' }, bind('/a')] })
    expect(candidateOf('mount-/a', twice)).toMatchObject({ place: 1 })
  })

  test('CR-17 mount points that an image needs in the root itself; paths that lead out of it are refused', () => {
    const image = [
      { id: 1, parent: 0, mountPoint: '/' },
      { id: 3, parent: 1, mountPoint: '/proc' },
      { id: 4, parent: 3, mountPoint: '/proc/sys' },
      { id: 2, parent: 1, mountPoint: '/data', key: 'mount-/data' },
    ]
    expect(pointsInRoot(image).map(({ mountPoint }) => mountPoint)).toEqual(['/data', '/proc'])
    for (const mountPoint of ['/../etc', '/a/./b', 'a', '/a//b', '/a/'])
      expect(() => pointsInRoot([...image, { id: 5, parent: 1, mountPoint }])).toThrow(/which is no plain path/)
    expect(() => pointsInRoot([])).toThrow(/has no root/)
  })
})

describe('streams', () => {
  const file = {
    type: 'file',
    mountId: 29n,
    inode: 0x168n,
    device: { major: 8, minor: 1 },
    rdev: { major: 0, minor: 0 },
  }
  const stream = (link: string, more: Partial<Stream['file']> = {}): Stream => ({
    link,
    file: { ...(file as Stream['file']), ...more },
  })

  test('CR-09 pipes and sockets by their links, files and terminals of the host by what CRIU calls them', () => {
    const own = new Set([60])
    expect(keyOf(stream('pipe:[15077]'), own)).toBe('pipe:[15077]')
    expect(keyOf(stream('socket:[7]'), own)).toBe('socket:[7]')
    expect(keyOf(stream('/var/log/x'), own)).toBe('file[1d:168]')
    expect(keyOf(stream('/dev/null', { mountId: 60n }), own)).toBeUndefined()
    const tty = { type: 'character', rdev: { major: 136, minor: 3 }, device: { major: 0, minor: 24 } } as const
    expect(keyOf(stream('/dev/pts/3', tty), own)).toBe('tty[8803:18]')
    expect(keyOf(undefined, own)).toBeUndefined()
    expect(toldAtDump(['pipe:[1]', 'file[1d:168]', 'file[1d:168]', undefined])).toEqual(['file[1d:168]'])
  })

  test('CR-09 what an image says of streams is read as far as it is sound: runc’s, ours, and none', () => {
    expect(parseStreams('["/dev/null","pipe:[1]","file[1d:168]"]')).toEqual([undefined, 'pipe:[1]', 'file[1d:168]'])
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        for (const key of parseStreams(text))
          if (key !== undefined) expect(key).toMatch(/^[a-z]+\[[0-9a-f:]+\]$|^\w+:\[\d+\]$/)
        expect(parseStreams(text).length).toBeLessThanOrEqual(3)
      }),
    )
  })
})

describe('requests', () => {
  const imagesDir = '/var/images'

  test('CR-06 CR-14 a dump: the tree, its root, its freezer, cgroups softly, the terminal’s master', () => {
    const { request } = planDump(resolved({ mounts: [] }), { imagesDir, tcpEstablished: true }, facts([]))
    expect(request).toMatchObject({
      imagesDir,
      pid: 42,
      root: '/srv/root',
      tcpEstablished: true,
      freezeCgroup: '/sys/fs/cgroup/demo',
      manageCgroupsMode: 'soft',
      orphanPtsMaster: true,
    })
    const v1 = facts([], {}, { cgroupPaths: { memory: '/m', freezer: '/f' } })
    expect(planDump(resolved(), { imagesDir, manageCgroupsMode: 'ignore' }, v1).request).toMatchObject({
      freezeCgroup: '/f',
      manageCgroupsMode: 'ignore',
    })
  })

  test('CR-14 the network is locked by nftables where they are there, or as is said', () => {
    const lock = (given: Partial<CheckpointOptions>, more: Partial<DumpFacts>): unknown =>
      planDump(resolved({ mounts: [] }), { imagesDir, ...given }, facts([], {}, more)).request.networkLock
    expect(lock({}, { nftables: true })).toBe('nftables')
    expect(lock({}, { nftables: false })).toBeUndefined()
    expect(lock({ networkLock: 'iptables' }, { nftables: true })).toBe('iptables')
  })

  test('CR-08 namespaces of others: net and pid by their inodes, others joined, a cgroup namespace refused', () => {
    const namespaces = [
      'mnt',
      { kind: 'pid', path: '/p' },
      { kind: 'net', path: '/n' },
      { kind: 'ipc', path: '/i' },
    ] as const
    const config = resolved({ namespaces, mounts: [] })
    const joined = [
      { kind: 'pid', inode: 5n },
      { kind: 'net', inode: 6n },
    ] as const
    expect(planDump(config, { imagesDir }, facts([], {}, { joined })).request.external).toEqual([
      'pid[5]:extRootPidNS',
      'net[6]:extRootNetNS',
    ])
    const restore = planRestore(config, { imagesDir }, { root: '/r', sources: new Map(), cgroups: new Map() })
    expect(restore.joinNs).toEqual([{ ns: 'ipc', nsFile: '/i' }])
    const other = resolved({ namespaces: ['mnt', 'pid', { kind: 'cgroup', path: '/c' }] })
    expect(() => planDump(other, { imagesDir }, facts([]))).toThrow(/CRIU joins no cgroup namespace/)
  })

  test('CR-13 a network is not touched: its namespace is left out, unless it is to be saved and has no networks of ours; one of others always is', () => {
    const networks = [{ type: 'veth', bridge: 'br0', address: '10.0.0.2/24' }] as unknown as ContainerConfig['networks']
    const emptyNs = (config: Partial<ContainerConfig>, given?: { emptyNs: 'net'[] }): unknown => {
      const { request } = planDump(resolved({ mounts: [], ...config }), { imagesDir, ...given }, facts([]))
      return request.emptyNs
    }
    expect(emptyNs({})).toEqual(['net'])
    expect(emptyNs({}, { emptyNs: ['net'] })).toEqual(['net'])
    expect(emptyNs({}, { emptyNs: [] })).toBeUndefined()
    expect(emptyNs({ networks }, { emptyNs: [] })).toEqual(['net'])
    expect(emptyNs({ namespaces: ['mnt', 'pid'] })).toBeUndefined()
    expect(emptyNs({ namespaces: ['mnt', 'pid', { kind: 'net', path: '/proc/1/ns/net' }] })).toBeUndefined()
  })

  test('CR-18 a restore: a child of ours, devices by other names, the cgroup of each hierarchy, labels', () => {
    const sources = new Map([['mount-/data', '/run/x/0/srv/data']])
    const cgroups = new Map([
      ['', '/new'],
      ['memory', '/m'],
    ])
    expect(
      planRestore(
        resolved(),
        { imagesDir, lsmProfile: 'apparmor:x', lsmMountContext: 'c' },
        { root: '/run/x/root', sources, cgroups },
      ),
    ).toMatchObject({
      root: '/run/x/root',
      rstSibling: true,
      evasiveDevices: true,
      extMnt: [{ key: 'mount-/data', val: '/run/x/0/srv/data' }],
      cgRoot: [{ path: '/new' }, { ctrl: 'memory', path: '/m' }],
      lsmProfile: 'apparmor:x',
      lsmMountContext: 'c',
    })
  })

  test('what CRIU has no way to bring back is refused by its field', () => {
    const refused = (config: Partial<ContainerConfig>) => () => planDump(resolved(config), { imagesDir }, facts([]))
    expect(refused({ rootOverlay: { lower: ['/l'] } as never })).toThrow(/^rootOverlay: /)
    expect(refused({ namespaces: ['pid'] })).toThrow(/^namespaces: must have mnt/)
    expect(refused({ namespaces: ['mnt'] })).toThrow(/^namespaces: must have pid/)
  })

  test('EV-190 an image path that is empty or relative; EV-189 a status descriptor without lazy pages', () => {
    for (const path of ['', 'images', undefined as unknown as string])
      expect(() => checkImage({ imagesDir: path })).toThrow(/^imagesDir: must be an absolute path/)
    expect(() => checkImage({ imagesDir, workDir: 'work' })).toThrow(/^workDir: /)
    expect(() => checkCheckpoint({ imagesDir, statusFd: 1 })).toThrow(/^statusFd: /)
    expect(() => checkCheckpoint({ imagesDir, preDump: true, lazyPages: true })).toThrow(/^lazyPages: /)
    expect(() => checkCheckpoint({ imagesDir })).not.toThrow()
  })
})
