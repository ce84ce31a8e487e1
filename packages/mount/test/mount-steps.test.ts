import {
  bindsDev,
  checkMount,
  cleanPath,
  defaultMounts,
  fromClassicMount,
  lateReadonlySteps,
  type Mount,
  maskedPathSteps,
  mountSteps,
  moveRootSteps,
  openedMounts,
  pivotSteps,
  prepareRootSteps,
  propagationStep,
  readonlyPathSteps,
  readonlyRootStep,
  rootPropagationSteps,
  sourceSteps,
} from '@libcontainer/mount'
import { decodeUtf8, encodePlan, type Step, slot } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HOW, MOUNT_ATTR } from '../src/flags.js'
import { parseIdMapWord } from '../src/id-map.js'

/** Steps as a person reads them: bytes as the words that they are. */
const readable = (steps: readonly Step[]): unknown[] =>
  steps.map(({ op, args }) => [
    op,
    ...args.map(arg => (arg instanceof Uint8Array ? decodeUtf8(arg).split('\0').slice(0, -1) : arg)),
  ])

const root = slot('root')
const { RDONLY, NOSUID, NODEV, NOEXEC, STRICTATIME } = MOUNT_ATTR
const SECURE = NOSUID | NODEV | NOEXEC
const clear = (bits: number): bigint => BigInt(bits) << 32n

test('MT-11 MT-13 the default mounts as steps, in order', () => {
  const cgroups = { hierarchies: [{ version: 2 as const, name: '', path: '/sys/fs/cgroup/x' }], namespace: true }
  expect(readable(mountSteps(defaultMounts, { cgroups }))).toEqual([
    ['mountFilesystem', root, '/proc', 'proc', 'proc', [], SECURE, HOW.TARGET_REAL | HOW.TARGET_PROC, 0n],
    ['mountFilesystem', root, '/dev', 'tmpfs', 'tmpfs', ['mode=755', 'size=65536k'], NOSUID | STRICTATIME, 0, 0n],
    [
      'mountFilesystem',
      root,
      '/dev/pts',
      'devpts',
      'devpts',
      ['newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      NOSUID | NOEXEC,
      0,
      0n,
    ],
    ['mountFilesystem', root, '/dev/shm', 'tmpfs', 'shm', ['mode=1777', 'size=65536k'], SECURE, 0, 0n],
    ['mountFilesystem', root, '/dev/mqueue', 'mqueue', 'mqueue', [], SECURE, 0, 0n],
    ['mountFilesystem', root, '/sys', 'sysfs', 'sysfs', [], SECURE | RDONLY, HOW.TARGET_REAL, 0n],
    ['mountFilesystem', root, '/sys/fs/cgroup', 'cgroup2', 'cgroup', [], SECURE | RDONLY, 0, 0n],
  ])
  expect(() => encodePlan([...prepareRootSteps('/r'), ...mountSteps(defaultMounts, { cgroups })])).not.toThrow()
})

test('MT-20 MT-21 a bind, and what it becomes where flags are locked', () => {
  const [step] = mountSteps([{ destination: '/b', source: '/a', type: 'none', options: ['rbind', 'ro', 'rslave'] }])
  expect(readable([step!])).toEqual([
    ['bindMount', root, -1, '/a', '/b', HOW.RECURSIVE, BigInt(RDONLY) | clear(SECURE | 0x200000), 0n, 10n],
  ])
  const locked = step!.onError!.EPERM as Step
  expect(readable([locked])).toEqual([['bindMount', root, -1, '/a', '/b', HOW.RECURSIVE, BigInt(RDONLY), 0n, 10n]])
  expect(locked.onError).toBeUndefined()
  const [kept] = mountSteps([{ destination: '/b', source: '/a', type: 'bind' }])
  expect(kept!.args[5]).toBe(0n)
  expect(kept!.onError).toBeUndefined()
})

test('a tree that was handed over takes the place of the source', () => {
  const bind = { destination: '/b', source: '/a', type: 'bind' }
  const steps = mountSteps([bind, bind], { trees: new Map([[1, slot('tree')]]) })
  expect(steps.map(step => step.args[1])).toEqual([-1, slot('tree')])
})

test('MT-22 remount words: of the mount alone, or of the file system too', () => {
  expect(
    readable(
      mountSteps([
        { destination: '/x', options: ['remount', 'bind', 'ro'] },
        { destination: '/y', type: 'tmpfs', options: ['remount', 'rw', 'nosuid', 'size=1m'] },
      ]),
    ),
  ).toEqual([
    ['setMountAttributes', root, '/x', BigInt(RDONLY), 0],
    ['remountFilesystem', root, '/y', ['rw', 'size=1m'], BigInt(NOSUID) | clear(RDONLY)],
  ])
})

test('MT-18 MT-26 tmpfs: the mode of the directory it covers, read-only at the end', () => {
  const mounts: Mount[] = [
    { destination: '/t', type: 'tmpfs', options: ['ro', 'size=1m'] },
    { destination: '/m', type: 'tmpfs', options: ['ro', 'mode=700'] },
    { destination: '/dev', type: 'bind', source: '/dev', options: ['bind', 'ro'] },
    { destination: '/s', type: 'sysfs', options: ['ro'] },
    { destination: '/t', type: 'tmpfs', options: ['ro'] },
  ]
  const steps = mountSteps(mounts)
  expect(readable(steps.slice(0, 2))).toEqual([
    ['mountFilesystem', root, '/t', 'tmpfs', 'tmpfs', ['size=1m'], 0, HOW.COPY_MODE, 0n],
    ['mountFilesystem', root, '/m', 'tmpfs', 'tmpfs', ['mode=700'], 0, 0, 0n],
  ])
  expect(BigInt.asUintN(32, steps[2]!.args[5] as bigint)).toBe(0n)
  expect(steps[3]!.args[5]).toBe(RDONLY)
  expect(readable(lateReadonlySteps(mounts))).toEqual([
    ['setMountAttributes', root, '/t', BigInt(RDONLY), 0],
    ['setMountAttributes', root, '/m', BigInt(RDONLY), 0],
    ['setMountAttributes', root, '/dev', BigInt(RDONLY), 0],
  ])
})

describe('MT-23 MT-24 cgroups', () => {
  const mount = [{ destination: '/sys/fs/cgroup', type: 'cgroup', options: ['nosuid', 'ro'] }]
  const hierarchies = [
    { version: 1 as const, name: 'cpu,cpuacct', options: ['cpu', 'cpuacct'], path: '/c/cpu/x' },
    { version: 1 as const, name: 'systemd', options: ['none', 'name=systemd'], path: '/c/systemd/x' },
    { version: 2 as const, name: 'unified', path: '/c/unified/x' },
  ]
  test('hybrid without a cgroup namespace: the own directories are bound', () => {
    const at = '/sys/fs/cgroup'
    const bind = (from: string, to: string) => [
      'bindMount',
      root,
      -1,
      from,
      to,
      HOW.RECURSIVE,
      BigInt(NOSUID | RDONLY),
      0,
      0n,
    ]
    expect(readable(mountSteps(mount, { cgroups: { hierarchies, namespace: false } }))).toEqual([
      ['mountFilesystem', root, at, 'tmpfs', 'cgroup', ['mode=755'], NOSUID, 0, 0n],
      bind('/c/cpu/x', `${at}/cpu,cpuacct`),
      bind('/c/systemd/x', `${at}/systemd`),
      bind('/c/unified/x', `${at}/unified`),
      ['linkController', root, 'cpu,cpuacct', `${at}/cpu`],
      ['linkController', root, 'cpu,cpuacct', `${at}/cpuacct`],
      ['setMountAttributes', root, at, BigInt(RDONLY), 0],
    ])
  })
  test('with one: each is mounted, and bound where the kernel refuses', () => {
    const steps = mountSteps(mount, { cgroups: { hierarchies, namespace: true } })
    expect(readable(steps.slice(1, 4))).toEqual([
      [
        'mountFilesystem',
        root,
        '/sys/fs/cgroup/cpu,cpuacct',
        'cgroup',
        'cgroup',
        ['cpu', 'cpuacct'],
        NOSUID | RDONLY,
        0,
        0n,
      ],
      [
        'mountFilesystem',
        root,
        '/sys/fs/cgroup/systemd',
        'cgroup',
        'cgroup',
        ['none', 'name=systemd'],
        NOSUID | RDONLY,
        0,
        0n,
      ],
      ['mountFilesystem', root, '/sys/fs/cgroup/unified', 'cgroup2', 'cgroup', [], NOSUID | RDONLY, 0, 0n],
    ])
    const unified = steps[3]!.onError!.EPERM as Step
    expect(unified).toBe(steps[3]!.onError!.EBUSY)
    expect((unified.onError!.ENOENT as Step).about).toBe('hide cgroups on /sys/fs/cgroup/unified')
  })
  test('without the container’s cgroups it is refused', () => {
    expect(() => mountSteps(mount)).toThrow(expect.objectContaining({ field: 'mounts[0].type' }))
  })
})

test('sysfs and proc have a stand-in in a user namespace, proc only where the pids are the host’s', () => {
  const mounts = defaultMounts.filter(({ type }) => type === 'proc' || type === 'sysfs')
  const about = (options: object) =>
    mountSteps(mounts, options).map(step => (step.onError?.EPERM as Step | undefined)?.about)
  expect(about({})).toEqual([undefined, undefined])
  expect(about({ userns: true })).toEqual([undefined, "bind the host's /sys on /sys"])
  expect(about({ userns: true, pidns: false })).toEqual([
    "bind the host's /proc on /proc",
    "bind the host's /sys on /sys",
  ])
  const [, sysfs] = mountSteps(mounts, { userns: true })
  // CVE-2023-25809: the host's cgroups lie below /sys, so read-only must reach them.
  expect((sysfs!.onError!.EPERM as Step).args.slice(5)).toEqual([0, BigInt(SECURE | RDONLY), 0n])
})

describe('bad input', () => {
  const refused = (mount: Mount, field: string, problem: RegExp | string) =>
    expect(() => mountSteps([mount])).toThrow(
      expect.objectContaining({
        code: 'ConfigInvalid',
        field: `mounts[0].${field}`,
        message: expect.stringMatching(problem),
      }),
    )
  test('EV-070 a relative destination is taken from /, with a warning', () => {
    const warnings: string[] = []
    const [step] = mountSteps([{ destination: 'a/b', type: 'tmpfs' }], { warn: text => warnings.push(text) })
    expect(step!.path).toBe('/a/b')
    expect(warnings).toEqual(["mounts[0].destination: 'a/b' is relative and is taken from /"])
  })
  test.each(['/', '//', '/a/..', '.', '/../..'])('EV-071 %s is the root itself', destination =>
    refused({ destination, type: 'tmpfs' }, 'destination', 'root itself'),
  )
  test('an empty destination', () => refused({ destination: '', type: 'tmpfs' }, 'destination', 'empty'))
  test.each(['/proc/sys', '/proc/1', '/proc/cpuinfo/x', '/proc/self/attr'])('EV-073 below /proc: %s', destination => {
    refused({ destination, type: 'tmpfs' }, 'destination', 'below /proc')
    refused({ destination: `${destination}/`, type: 'bind', source: '/x' }, 'destination', 'below /proc')
  })
  test('EV-073 CVE-2015-3631 CVE-2019-16884 anything but proc on /proc', () => {
    refused({ destination: '/proc', type: 'tmpfs' }, 'type', 'must be proc')
    refused({ destination: '/x/../proc/', type: 'overlay' }, 'type', 'must be proc')
  })
  test('EV-073 what is allowed', () => {
    for (const file of [
      'cpuinfo',
      'diskstats',
      'meminfo',
      'stat',
      'swaps',
      'uptime',
      'loadavg',
      'slabinfo',
      'sys/kernel/ns_last_pid',
      'sys/crypto/fips_enabled',
    ]) {
      expect(mountSteps([{ destination: `/proc/${file}`, type: 'bind', source: '/x' }])).toHaveLength(1)
    }
    expect(mountSteps([{ destination: '/procfoo', type: 'tmpfs' }])).toHaveLength(1)
    expect(mountSteps([{ destination: '/proc', type: 'bind', source: '/proc' }])[0]!.args[4]).toBe(
      HOW.TARGET_PROC | HOW.TARGET_REAL | HOW.SOURCE_PROC,
    )
  })
  test('EV-075 a relative source of a bind', () =>
    refused({ destination: '/x', type: 'bind', source: 'a' }, 'source', 'absolute'))
  test('EV-077 NUL', () => {
    refused({ destination: '/a\0b', type: 'tmpfs' }, 'destination', 'NUL')
    refused({ destination: '/a', type: 'tm\0pfs' }, 'type', 'NUL')
    refused({ destination: '/a', type: 'bind', source: '/\0' }, 'source', 'NUL')
    refused({ destination: '/a', type: 'tmpfs', options: ['x\0'] }, 'options[0]', 'NUL')
  })
  test('CVE-2021-43784 a source of 70,000 bytes reaches the kernel whole', () => {
    const source = `/${'x'.repeat(70_000)}`
    const [step] = mountSteps([{ destination: '/a', type: 'bind', source }])
    expect(step!.args[2]).toBe(source)
  })
  test('EV-078 a bind with options of a file system', () => {
    refused({ destination: '/x', type: 'bind', source: '/a', options: ['bind', 'size=1'] }, 'options', 'unknown')
    refused({ destination: '/x', options: ['remount', 'bind', 'size=1'] }, 'options', 'unknown')
  })
  test('MT-08 EV-081 words of a bind alone', () => {
    for (const word of ['idmap', 'ridmap', 'copy-symlink', 'src-nofollow', 'dest-nofollow'])
      refused({ destination: '/x', type: 'tmpfs', options: [word] }, 'options', 'a bind')
    // By itself this package has nobody's ids.
    refused({ destination: '/x', type: 'bind', source: '/a', options: ['idmap'] }, 'options', 'sourceSteps')
  })
  test('EV-081 ids of users and groups, both, and said once', () => {
    const bind = { destination: '/x', type: 'bind', source: '/a' }
    const ids = [{ containerId: 0, hostId: 1, size: 1 }]
    refused({ ...bind, uidMappings: ids }, 'gidMappings', 'given too')
    refused({ ...bind, gidMappings: ids, uidMappings: [] }, 'uidMappings', 'given too')
    refused({ ...bind, uidMappings: [{ containerId: 0, hostId: 1, size: 0 }] }, 'uidMappings[0].size', '1 to')
    refused({ ...bind, userNamespace: 'x' }, 'userNamespace', 'absolute')
    refused({ ...bind, userNamespace: '/x', uidMappings: ids, gidMappings: ids }, 'userNamespace', 'second time')
    refused({ ...bind, userNamespace: '/x', options: ['idmap=uids=0-1-1;gids=0-1-1'] }, 'userNamespace', 'second time')
  })
  test('MT-28 commands that are none', () => {
    const mount = { destination: '/x', type: 'tmpfs' }
    const at = 'premountCommands[0]'
    refused({ ...mount, premountCommands: [{ path: 'true' }] }, `${at}.path`, 'absolute')
    refused({ ...mount, premountCommands: [{ path: '/x', args: [] }] }, `${at}.args`, 'must begin with argv')
    refused({ ...mount, premountCommands: [{ path: '/x', env: ['A'] }] }, `${at}.env[0]`, 'NAME=value')
    refused({ ...mount, premountCommands: [{ path: '/x', dir: '.' }] }, `${at}.dir`, 'absolute')
    refused(
      { ...mount, postmountCommands: [{ path: '/x', cwd: '/' } as object] as never },
      'postmountCommands[0].cwd',
      'must be one of',
    )
  })
  test('MT-19 tmpcopyup is for a tmpfs', () => {
    refused(
      { destination: '/x', type: 'bind', source: '/a', options: ['tmpcopyup'] },
      'options',
      'only a mount of type tmpfs',
    )
    refused({ destination: '/x', type: 'proc', options: ['tmpcopyup'] }, 'options', 'only a mount of type tmpfs')
    const [step] = mountSteps([{ destination: '/x', type: 'tmpfs', options: ['tmpcopyup'] }])
    expect(step?.args[6]).toBe(HOW.COPY_MODE | HOW.COPY_UP)
  })
  test('no type', () => refused({ destination: '/x' }, 'type', 'must name a file system'))
  test('EV-087 masked and read-only paths: relative refused, duplicates once', () => {
    expect(() => maskedPathSteps(['/a', 'b'])).toThrow(expect.objectContaining({ field: 'maskedPaths[1]' }))
    expect(() => readonlyPathSteps([''])).toThrow(expect.objectContaining({ field: 'readonlyPaths[0]' }))
    expect(readable(readonlyPathSteps(['/a', '/b', '/a']))).toEqual([['readonlyPaths', root, ['/a', '/b']]])
    expect(maskedPathSteps([])).toEqual([])
  })
  test('an unknown propagation', () => {
    expect(() => propagationStep('rsalve' as 'rslave')).toThrow(expect.objectContaining({ field: 'rootfsPropagation' }))
    expect(() => rootPropagationSteps('' as 'rslave')).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
  })
})

test('MT-10 MT-34 MT-37 MT-38 the root’s own steps', () => {
  expect(
    readable([...prepareRootSteps('/r'), ...prepareRootSteps('/r', 'rprivate'), ...prepareRootSteps('/r', 'rshared')]),
  ).toEqual([
    ['setPropagation', '/', 10n],
    ['prepareRoot', '/r', 2n],
    ['setPropagation', '/', 9n],
    ['prepareRoot', '/r', 1n],
    ['setPropagation', '/', 11n],
    ['prepareRoot', '/r', 1n],
  ])
  expect(
    readable([
      ...pivotSteps(),
      ...rootPropagationSteps('rslave'),
      ...rootPropagationSteps('shared'),
      readonlyRootStep(7),
    ]),
  ).toEqual([
    ['pivotRoot', root, ''],
    ['setPropagation', '/', 3n],
    ['setMountAttributes', 7, '', 1n, 0],
  ])
  expect(readable([...pivotSteps(7, { directory: '/old' }), ...moveRootSteps()])).toEqual([
    ['pivotRoot', 7, '/old'],
    ['moveRoot', root],
  ])
  expect(() => pivotSteps(7, { directory: 'old' })).toThrow(expect.objectContaining({ field: 'pivotDirectory' }))
})

test('MT-30 masks: the root’s null device, or the host’s where it has none', () => {
  const [open, mask] = maskedPathSteps(['/proc/kcore', '/sys/firmware'], { label: 'a:b:c:s0' })
  expect(open!.into).toBe('null')
  expect((open!.onError!.ENOENT as Step).args).toEqual([-100])
  expect(readable([mask!])).toEqual([['maskPaths', root, slot('null'), ['/proc/kcore', '/sys/firmware'], 'a:b:c:s0']])
})

test('MT-30 MT-16 masks in /proc and /sys are found from the mount itself, which stays open', () => {
  const mounts: Mount[] = [
    { destination: '/proc/', type: 'proc' },
    { destination: '/sys', type: 'sysfs' },
  ]
  const opened = openedMounts(mounts)
  const steps = mountSteps(mounts, { opened, userns: true, pidns: false })
  expect(steps.map(({ into }) => into)).toEqual(['proc', 'sys'])
  for (const { args, onError } of steps) {
    const instead = onError!.EPERM as Step
    expect([args[6], instead.args[4], instead.into]).toEqual([
      HOW.TARGET_REAL | HOW.KEEP | (instead.into === 'proc' ? HOW.TARGET_PROC : 0),
      expect.any(Number),
      expect.stringMatching(/^(proc|sys)$/),
    ])
    expect(Number(instead.args[4]) & HOW.KEEP).toBe(HOW.KEEP)
  }
  const paths = ['/proc/keys', '/sys//firmware', '/proc', '/processes', '/proc/acpi/']
  expect(readable(readonlyPathSteps(paths, { opened }))).toEqual([
    ['readonlyPaths', slot('proc'), ['/keys', '/acpi']],
    ['readonlyPaths', slot('sys'), ['/firmware']],
    ['readonlyPaths', root, ['/proc', '/processes']],
  ])
  expect(maskedPathSteps(paths, { opened }).map(({ about }) => about)).toEqual([
    'open the null device',
    'mask /proc/keys, /proc/acpi/',
    'mask /sys//firmware',
    'mask /proc, /processes',
  ])
  // What a remount changes is nothing new, and what is elsewhere is found by its path.
  expect(
    openedMounts([
      { destination: '/proc', options: ['remount'] },
      { destination: '/x', type: 'proc' },
    ]).size,
  ).toBe(0)
})

test('MT-41 whether /dev is a bind', () => {
  expect(bindsDev(defaultMounts)).toBe(false)
  expect(bindsDev([{ destination: '/dev/', source: '/dev', options: ['rbind'] }])).toBe(true)
})

test('cleanPath cannot climb (property)', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', '.', '..', '', '...'), { maxLength: 12 }), names => {
      const cleaned = cleanPath(`/${names.join('/')}`)
      expect(cleaned).toMatch(/^\/(?:(?:[ab]|\.\.\.)(?:\/(?:[ab]|\.\.\.))*)?$/)
      expect(cleanPath(cleaned)).toBe(cleaned)
    }),
  )
})

describe('the configuration of 2015', () => {
  test('flags and data become words', () => {
    expect(
      fromClassicMount(
        { source: 'shm', destination: '/dev/shm', device: 'tmpfs', flags: 0xe, data: 'mode=1777,size=65536k' },
        'm',
      ),
    ).toEqual({
      source: 'shm',
      destination: '/dev/shm',
      type: 'tmpfs',
      options: ['nosuid', 'nodev', 'noexec', 'mode=1777,size=65536k'],
    })
    expect(
      fromClassicMount(
        {
          source: '/a',
          destination: '/b',
          device: 'bind',
          flags: 4096 | 16384 | 1,
          propagationFlags: [(1 << 19) | 16384],
        },
        'm',
      ).options,
    ).toEqual(['rbind', 'ro', 'rslave'])
  })
  test('EV-080 an unknown device, or bits that mean nothing', () => {
    const refused = (mount: object, field: string) =>
      expect(() => fromClassicMount({ destination: '/x', device: 'tmpfs', ...mount }, 'mounts[0]')).toThrow(
        expect.objectContaining({ code: 'ConfigInvalid', field: `mounts[0].${field}` }),
      )
    refused({ device: 'ext4' }, 'device')
    refused({ device: '__proto__' }, 'device')
    refused({ flags: 1 << 30 }, 'flags')
    refused({ propagationFlags: [3] }, 'propagationFlags')
  })
})

describe('MT-27 sources whose ids are mapped', () => {
  const ids = [{ containerId: 0, hostId: 1000, size: 2 }]
  const mount: Mount = {
    destination: '/data',
    source: '/srv',
    options: ['rbind', 'ridmap'],
    uidMappings: ids,
    gidMappings: ids,
  }

  test('are taken and mapped outside, and mounted from the tree', () => {
    const steps = sourceSteps(mount, { userns: slot('user') })
    expect(steps.map(({ about }) => about)).toEqual(['take /srv', 'map the ids of /srv'])
    expect(steps[0]).toMatchObject({ into: 'tree', args: [-100, '/srv', 0x8001] })
    expect(steps[1]!.args).toEqual([slot('tree'), '', 0x9000, MOUNT_ATTR.IDMAP, 0, 0, slot('user')])
    const [bind] = mountSteps([mount], { trees: new Map([[0, slot('tree')]]) })
    expect(bind).toMatchObject({ op: 'bindMount', about: 'bind /srv on /data' })
    expect(bind!.args[1]).toEqual(slot('tree'))
    expect(() => sourceSteps(mount)).toThrow(expect.objectContaining({ field: 'mounts[0].options' }))
    expect(sourceSteps({ destination: '/x', source: '/srv', options: ['bind', 'src-nofollow'] })).toMatchObject([
      { args: [-100, '/srv', 0x101] },
    ])
  })

  test('MT-08 words and fields say the same', () => {
    const word = (option: string) =>
      checkMount({ destination: '/x', source: '/a', options: ['bind', option] }, 'm').idMap
    expect(word('idmap')).toEqual({ recursive: false })
    expect(word('ridmap')).toEqual({ recursive: true })
    expect(word('ridmap=uids=0-1000-2;gids=0-1000-2')).toEqual({ recursive: true, maps: { uid: ids, gid: ids } })
    expect(checkMount(mount, 'm').idMap).toEqual({ recursive: true, maps: { uid: ids, gid: ids } })
    expect(word('idmap=gids=@5-6-7;uids=0-1-2#3-4-5')).toEqual({
      recursive: false,
      maps: {
        uid: [
          { containerId: 0, hostId: 1, size: 2 },
          { containerId: 3, hostId: 4, size: 5 },
        ],
        gid: [{ containerId: 5, hostId: 6, size: 7, relative: true }],
      },
    })
  })

  test('MT-08 any text behind idmap= is parsed or refused by name (property)', () => {
    const part = fc.oneof(
      fc.constantFrom('uids=', 'gids=', '@', '#', ';', '-', '0', '1-2-3', '4294967295'),
      fc.string(),
    )
    fc.assert(
      fc.property(
        fc.array(part).map(parts => parts.join('')),
        text => {
          try {
            const { uid, gid } = parseIdMapWord(text, 'options[0]')
            expect(uid.length * gid.length).toBeGreaterThan(0)
            for (const { size } of [...uid, ...gid]) expect(size).toBeGreaterThan(0)
          } catch (error) {
            expect(error).toMatchObject({ code: 'ConfigInvalid', field: expect.stringContaining('options[0]') })
          }
        },
      ),
    )
  })
})
