import {
  type ContainerConfig,
  type DialectConfig,
  defaultReadonlyPaths,
  readConfig,
  readConfig2014,
  readConfig2015,
  readConfig2026,
  validateShape,
  writeConfig2026,
} from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { ConfigInvalid, parseJson, stringifyJson } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { box, file2014, file2015, file2026 } from './files.js'

const with2014 = (more: object): ContainerConfig => readConfig2014(more, box).config
const with2015 = (more: object): ContainerConfig => readConfig2015({ ...box, ...more }).config
const with2026 = (more: object): ContainerConfig => readConfig2026({ ...box, ...more }).config

/** The fault that reading finds, by its field. */
function fault(read: (value: unknown) => unknown, value: unknown): string {
  try {
    read(value)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid)
    return (error as ConfigInvalid).message
  }
  return 'none'
}
const fault2014 = (value: object): string => fault(each => readConfig2014(each, box), value)
const fault2015 = (value: object): string => fault(readConfig2015, { ...box, ...value })
const fault2026 = (value: object): string => fault(readConfig2026, { ...box, ...value })

describe('D-01 every field of an era, in this library’s words', () => {
  const sound = ({ config }: DialectConfig): void => expect(validateShape(config).map(String)).toEqual([])

  test('D-01 2014', () => {
    const read = readConfig2014(file2014, box)
    sound(read)
    expect(read).toEqual({
      config: {
        rootfs: '/srv/box',
        readonlyRootfs: true,
        rootPropagation: 'rprivate',
        namespaces: ['ipc', 'net', 'mnt', 'pid', 'uts'],
        hostname: 'koye',
        mounts: [
          ...defaultMounts,
          { destination: '/in', type: 'bind', source: '/srv/in', options: ['rbind', 'ro'] },
          { destination: '/out', type: 'bind', source: '/srv/out', options: ['rbind', 'private'] },
          { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec'] },
        ],
        devices: [
          { path: '/dev/null', type: 'c', major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0, access: 'rwm' },
          { path: '/dev/sda', type: 'b', major: 8, minor: 0, mode: 0o640, uid: 1, gid: 6, access: 'r' },
        ],
        cgroups: {
          path: 'docker/docker-koye',
          memory: { max: 1 << 26, memswMax: 1 << 27 },
          cpu: { shares: 512, quotaUs: 50_000, periodUs: 100_000 },
          cpuset: { cpus: '0-1' },
          devices: [
            { type: 'c', access: 'm', allow: true },
            { type: 'c', major: 4, minor: 0, access: 'rwm', allow: true },
          ],
        },
        capabilities: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'],
        networks: [{ type: 'loopback', mtu: 1500 }],
        parentDeathSignal: 'SIGKILL',
        readonlyPaths: [...defaultReadonlyPaths, '/sys'],
      },
      process: { env: ['HOME=/', 'TERM=xterm'], cwd: '/tmp', user: 'daemon', terminal: true },
      warnings: [],
    })
  })

  test('D-01 MT-28 2015', () => {
    const read = readConfig2015(file2015)
    sound(read)
    expect(read).toMatchObject({
      config: {
        rootfs: '/srv/box',
        readonlyRootfs: true,
        rootPropagation: 'rprivate',
        namespaces: ['user', 'mnt', 'pid', { kind: 'uts', path: '/proc/1/ns/uts' }, 'net'],
        uidMappings: [{ containerId: 0, hostId: 1000, size: 1 }],
        hostname: 'nsinit',
        mounts: [
          { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'nodev', 'noexec'] },
          { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755'] },
          {
            destination: '/data',
            type: 'bind',
            source: '/srv/data',
            options: ['rbind', 'ro'],
            premountCommands: [{ path: '/bin/sync', args: ['/bin/sync', '-f', '/srv'], env: ['A=b'], dir: '/srv' }],
            postmountCommands: [{ path: '/bin/true', args: ['/bin/true'], env: [] }],
          },
        ],
        devices: [
          { path: '/dev/fuse', mode: 0 },
          { path: '/dev/null', mode: 0o666 },
        ],
        cgroups: {
          path: '/nsinit/box',
          memory: { memswMax: 'max', swappiness: 30, oomKillDisable: true },
          cpu: { shares: 1024 },
          cpuset: { mems: '0' },
          devices: [
            { type: 'a', access: 'rwm', allow: true },
            { type: 'b', major: 8, access: 'w', allow: false },
          ],
        },
        capabilities: ['CAP_KILL', 'CAP_SYS_CHROOT'],
        maskedPaths: ['/proc/kcore'],
        readonlyPaths: ['/proc/sys'],
        sysctl: { 'net.ipv4.ip_forward': '1' },
        rlimits: [
          { type: 'RLIMIT_NOFILE', soft: 512, hard: 1024 },
          { type: 'RLIMIT_MEMLOCK', soft: 0, hard: 18446744073709551615n },
        ],
        parentDeathSignal: 9,
        noNewPrivileges: true,
      },
      process: { additionalGroups: ['audio', 20] },
      warnings: [],
    })
  })

  test('D-01 MT-27 2026', () => {
    const read = readConfig2026(file2026)
    sound(read)
    expect(read).toMatchObject({
      config: {
        umask: 0o77,
        rootPropagation: 'rslave',
        parentDeathSignal: 15,
        domainname: 'example.org',
        namespaces: ['mnt', 'uts', 'cgroup', 'time', 'pid'],
        mounts: [
          { type: 'proc', options: [] },
          { type: 'bind', options: ['rbind', 'nosuid', 'rprivate', 'rw', 'rro', 'rstrictatime'] },
          {
            type: 'bind',
            options: ['bind', 'ridmap'],
            uidMappings: [{ containerId: 0, hostId: 7, size: 2 }],
            gidMappings: [{ containerId: 0, hostId: 8, size: 2 }],
          },
          { type: 'ext4', options: ['ro', 'errors=remount-ro,noload'] },
        ],
        capabilities: { bounding: ['CAP_KILL'], inheritable: ['CAP_KILL'], ambient: [] },
        cgroups: {
          path: '/box',
          memory: { max: 9007199254740993n, swappiness: 0 },
          cpu: { weight: 50, burstUs: 1000, idle: false },
          pids: { max: 'max' },
          unified: { 'memory.high': '1000000' },
          devices: [
            { type: 'a', access: 'rwm', allow: false },
            { type: 'c', major: 10, minor: 200, access: 'rw', allow: true },
            { type: 'c', major: 10, minor: 200, access: 'w', allow: false },
          ],
        },
        seccomp: {
          defaultAction: 'SCMP_ACT_ERRNO',
          defaultErrnoRet: 38,
          architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'],
          flags: ['SECCOMP_FILTER_FLAG_LOG'],
        },
        oomScoreAdj: -500,
        hooks: { poststart: [{ path: '/bin/logger', args: ['logger', 'up'], env: ['A=b'], timeoutMs: 2000 }] },
        scheduler: { policy: 'SCHED_BATCH', nice: 5 },
        ioPriority: { class: 'IOPRIO_CLASS_BE', level: 4 },
        personality: 'LINUX32',
        labels: ['bundle=/srv/box'],
        timeOffsets: { monotonic: { secs: -3, nanosecs: 5 } },
      },
      version: '1.3.0',
    })
  })

  test('D-01 any of them, told by itself; a state.json for the config in it', () => {
    const state = {
      id: 'box',
      init_process_pid: 1,
      init_process_start: 2,
      created: '',
      config: file2026,
      rootless: false,
      cgroup_paths: {},
    }
    const dialects = [file2014, file2015, file2026, state].map(file => readConfig(file, box).dialect)
    expect(dialects).toEqual(['2014', '2015', '2026', '2026'])
    expect(readConfig(state).config).toEqual(readConfig2026(file2026).config)
    expect(readConfig({ ...state, config: file2015, external_descriptors: [] }).config).toEqual(
      readConfig2015(file2015).config,
    )
    expect(fault(readConfig, { ...state, port: 1 })).toMatch(
      /^port: is no field of a state.json; there are id, init_process_pid, /,
    )
    expect(fault(readConfig, { ...state, config: { ...file2026, tty: 1 } })).toMatch(/^config.tty: is no field/)
    expect(fault(readConfig, { ociVersion: '1.3.0' })).toMatch(/^ociVersion: .*@libcontainer\/oci/)
    const scheduler = { policy: 'SCHED_BATCH' }
    const process = { args: ['/bin/sh'], scheduler, secureBits: ['NOROOT'], personality: 'LINUX32' }
    const own = { rootfs: '/srv/box', hostname: 'x', process }
    expect(readConfig(own)).toEqual({
      dialect: 'own',
      config: { rootfs: '/srv/box', hostname: 'x' },
      process,
      warnings: [],
    })
    expect(fault(readConfig, { ...own, process: { arg: [] } })).toMatch(
      /^process.arg: is no field of a process; there are args, env/,
    )
  })
})

describe('D-03 where eras disagree', () => {
  test('D-03 what a file does not say has this library’s defaults; what it says holds', () => {
    for (const config of [with2014({}), with2015({}), with2015({ mounts: null, mask_paths: null })]) {
      expect(config).not.toHaveProperty('mounts')
      expect(config).not.toHaveProperty('devices')
      expect(config).not.toHaveProperty('maskedPaths')
      expect(config).not.toHaveProperty('readonlyPaths')
      expect(config).not.toHaveProperty('seccomp')
    }
    expect(with2015({ mounts: [], mask_paths: [], readonly_paths: [], seccomp: null })).toMatchObject({
      mounts: [],
      maskedPaths: [],
      readonlyPaths: [],
      seccomp: null,
    })
  })

  test('D-03 a config of 2026 is a record: what is not in it is not there', () => {
    const none = { mounts: [], devices: [], maskedPaths: [], readonlyPaths: [], seccomp: null, capabilities: null }
    expect(with2026({})).toMatchObject(none)
  })

  test('D-03 capabilities that 2014 and 2015 do not list are dropped; null of 2026 drops none', () => {
    expect(with2014({}).capabilities).toEqual([])
    expect(with2015({ capabilities: null }).capabilities).toEqual([])
    expect(with2026({ capabilities: null }).capabilities).toBeNull()
  })

  test('D-03 privatefs: mounts of the host do not reach a container of 2014', () => {
    expect(with2014({}).rootPropagation).toBe('rprivate')
    expect(with2014({ mount_config: { no_pivot_root: true } })).toMatchObject({
      rootPropagation: 'rslave',
      noPivotRoot: true,
    })
    expect(with2015({ no_pivot_root: true }).noPivotRoot).toBe(true)
    expect(with2015({ privatefs: true }).rootPropagation).toBe('rprivate')
    expect(with2015({}).rootPropagation).toBeUndefined()
  })

  test('D-03 restrict_sys adds all of /sys to what is read-only anyway; only false takes that away', () => {
    expect(with2014({ restrict_sys: true })).toMatchObject({
      readonlyPaths: expect.arrayContaining(['/sys', '/proc/sys']),
    })
    expect(with2014({ restrict_sys: true })).not.toHaveProperty('maskedPaths')
    expect(with2014({ restrict_sys: false })).toMatchObject({ readonlyPaths: [], maskedPaths: [] })
  })
})

describe('D-09 integers beyond 2^53', () => {
  test('D-09 limits of 64 bits survive reading', () => {
    const text = stringifyJson({ ...file2015, cgroups: { memory: 9223372036854775807n } })
    const { config } = readConfig2015(parseJson(text))
    expect(config.rlimits?.[1]).toEqual({ type: 'RLIMIT_MEMLOCK', soft: 0, hard: 18446744073709551615n })
    expect(config.cgroups?.memory).toEqual({ max: 9223372036854775807n })
  })

  test('D-09 a number that no integer of 64 bits is, is refused', () => {
    expect(fault2015({ rlimits: [{ type: 7, hard: 18446744073709551616n, soft: 0 }] })).toMatch(
      /^rlimits\[0\]\.hard: .*18446744073709551615/,
    )
    expect(fault2015({ rlimits: [{ type: 7, hard: -1, soft: 0 }] })).toMatch(/^rlimits\[0\]\.hard/)
    expect(fault2015({ cgroups: { memory: 1.5 } })).toMatch(/^cgroups\.memory: must be a whole number/)
    expect(fault2015({ cgroups: { memory: '64m' } })).toMatch(/^cgroups\.memory: must be a whole number/)
    expect(fault2015({ cgroups: { memory: 2 ** 60 } })).toMatch(/^cgroups\.memory: must be a whole number/)
  })
})

describe('§5a top level', () => {
  test('5a rootfs: named by the file, or else by the caller; 2014 calls it root_fs too', () => {
    expect(readConfig2014({ root_fs: '/a' }, box).config.rootfs).toBe('/a')
    expect(readConfig2014({}, box).config.rootfs).toBe('/srv/box')
    expect(readConfig2015({ rootfs: '/a' }, box).config.rootfs).toBe('/a')
    expect(fault(readConfig2014, {})).toMatch(/^rootfs: must be given/)
    expect(fault(readConfig2015, {})).toMatch(/^rootfs: must be given/)
    expect(fault(readConfig2026, { rootfs: 7 })).toMatch(/^rootfs: must be a string/)
  })

  test('5a namespaces: a map or a list in 2014, a list since; absent is shared; a path joins', () => {
    expect(with2014({ namespaces: { NEWNS: true, NEWPID: false } }).namespaces).toEqual(['mnt'])
    expect(with2014({ namespaces: [{ type: 'NEWNS' }, { type: 'NEWNET', path: '/run/net' }] }).namespaces).toEqual([
      'mnt',
      { kind: 'net', path: '/run/net' },
    ])
    expect(with2014({ namespaces: { NEWNS: true }, ipc: '/proc/1/ns/ipc' }).namespaces).toEqual([
      'mnt',
      { kind: 'ipc', path: '/proc/1/ns/ipc' },
    ])
    expect(with2015({}).namespaces).toEqual([])
    expect(fault2014({ namespaces: { NEWFOO: true } })).toMatch(/^namespaces\.NEWFOO: must be one of NEWUSER/)
    expect(fault2014({ namespaces: { NEWNS: 1 } })).toMatch(/^namespaces\.NEWNS: must be true or false/)
    expect(fault2015({ namespaces: [{ type: 'mnt' }] })).toMatch(/^namespaces\[0\]\.type: must be one of NEWUSER/)
    expect(fault2015({ namespaces: [{ type: 'NEWNS', file: 'mnt' }] })).toMatch(
      /^namespaces\[0\]\.file: is no field of a namespace/,
    )
  })

  test('5a uid_mappings gid_mappings time_offsets: lists and clocks as they stand; what is wrong is told by its place', () => {
    const map = [{ container_id: 0, host_id: 1000, size: 5 }]
    const ours = [{ containerId: 0, hostId: 1000, size: 5 }]
    for (const read of [with2015, with2026])
      expect(read({ uid_mappings: map, gid_mappings: map })).toMatchObject({ uidMappings: ours, gidMappings: ours })
    expect(fault2015({ uid_mappings: [{ container_id: 0, host_id: '0', size: 1 }] })).toMatch(
      /^uid_mappings\[0\]\.host_id/,
    )
    expect(fault2026({ gid_mappings: [{ containerID: 0 }] })).toMatch(/^gid_mappings\[0\]\.containerID/)
    const time_offsets = { boottime: { secs: -7, nanosecs: 5 }, monotonic: { secs: 1, nanosecs: 0 } }
    expect(with2026({ time_offsets }).timeOffsets).toEqual(time_offsets)
    expect(fault2026({ time_offsets: { boottime: { secs: 'x', nanosecs: 0 } } })).toMatch(
      /^time_offsets\.boottime\.secs/,
    )
    expect(fault2015({ time_offsets })).toMatch(/^time_offsets: is no field of a config of 2015/)
  })

  test('5a capabilities: with or without CAP_; unknown ones are refused', () => {
    expect(with2015({ capabilities: ['CAP_KILL', 'kill', 'CHECKPOINT_RESTORE'] }).capabilities).toEqual([
      'CAP_KILL',
      'CAP_KILL',
      'CAP_CHECKPOINT_RESTORE',
    ])
    expect(fault2014({ capabilities: ['FOO'] })).toMatch(/^capabilities\[0\]: unknown capability/)
    expect(fault2015({ capabilities: { Bounding: [] } })).toMatch(/^capabilities: must be a list/)
    expect(fault2026({ capabilities: ['CAP_KILL'] })).toMatch(/^capabilities: must be an object/)
  })

  test('5a capabilities of 2026 that the kernel would refuse are left out, and told', () => {
    const caps = {
      Bounding: ['CAP_KILL'],
      Permitted: ['CAP_KILL'],
      Effective: ['CAP_CHOWN'],
      Inheritable: null,
      Ambient: ['CAP_KILL'],
    }
    const { config, warnings } = readConfig2026({ ...box, capabilities: caps })
    expect(config.capabilities).toMatchObject({ effective: [], ambient: [] })
    expect(warnings).toEqual([
      'capabilities.Effective: CAP_CHOWN cannot be had and are left out',
      'capabilities.Ambient: CAP_KILL cannot be had and are left out',
    ])
  })

  test('5a process_label mount_label of every year; empty is none', () => {
    const [processLabel, mountLabel] = ['a:b:c:s0:c1,c2', 'a:b:d:s0:c1,c2']
    const both = { process_label: processLabel, mount_label: mountLabel }
    const in2014 = { process_label: processLabel, mount_config: { mount_label: mountLabel } }
    for (const config of [with2014(in2014), with2015(both), with2026(both)])
      expect(config).toMatchObject({ selinuxLabel: processLabel, mountLabel })
    for (const config of [with2014({ process_label: '' }), with2015({ process_label: '', mount_label: '' })])
      expect(Object.keys(config)).not.toEqual(expect.arrayContaining([expect.stringMatching(/Label$/)]))
  })

  test('5a hooks, scheduler, io_priority and personality of 2026', () => {
    expect(with2026({ Hooks: null, hooks: { poststop: null } })).not.toHaveProperty('hooks')
    expect(with2026({ hooks: { poststop: [{ path: '/x', args: null }] } }).hooks).toEqual({
      poststop: [{ path: '/x' }],
    })
    const early = { prestart: [{ path: '/a' }], createRuntime: [{ path: '/b' }], startContainer: [{ path: '/c' }] }
    expect(with2026({ Hooks: { ...early, createContainer: null } }).hooks).toEqual(early)
    expect(fault2026({ Hooks: { poststop: [{ path: '/x', dir: '/y' }] } })).toMatch(
      /^Hooks\.poststop\[0\]\.dir: cannot be honoured yet/,
    )
    expect(fault2026({ Hooks: { poststop: [{ path: '/x', timeout: -1 }] } })).toMatch(/^Hooks\.poststop\[0\]\.timeout/)
    expect(fault2026({ Hooks: { later: [] } })).toMatch(/^Hooks\.later: is no field of the hooks of 2026/)
    expect(fault2026({ scheduler: { policy: 'SCHED_WEIRD' } })).toMatch(/^scheduler\.policy/)
    expect(fault2026({ scheduler: { policy: 'SCHED_FIFO', nice: 3 } })).toMatch(/^scheduler\.nice/)
    expect(with2026({ scheduler: { policy: 'SCHED_DEADLINE', runtime: 9007199254740993n } }).scheduler).toEqual({
      policy: 'SCHED_DEADLINE',
      runtimeNs: 9007199254740993n,
    })
    expect(fault2026({ io_priority: { class: 'IOPRIO_CLASS_BE', priority: 8 } })).toMatch(/^io_priority\.level/)
    expect(fault2026({ personality: { domain: 3 } })).toMatch(/^personality\.domain: must be 0/)
  })

  test('PP-20 exec_cpu_affinity of 2026: two sets in words, each of which may be absent', () => {
    const read = (exec_cpu_affinity: unknown): unknown => with2026({ exec_cpu_affinity }).cpuAffinity
    expect(read({ Initial: [5, 1], Final: null })).toEqual({ initial: '0,2,64' })
    expect(read({ Initial: null, Final: [2n ** 63n] })).toEqual({ final: '63' })
    for (const nothing of [null, {}, { Initial: null, Final: [] }]) expect(read(nothing)).toBeUndefined()
    expect(fault2026({ exec_cpu_affinity: { Initial: '0' } })).toMatch(/^exec_cpu_affinity\.Initial/)
    const cpuAffinity = { initial: '0,2,64', final: '1023' }
    const written = writeConfig2026({ config: { rootfs: '/r', cpuAffinity } })
    expect((written.exec_cpu_affinity as { Initial: unknown[] }).Initial).toHaveLength(16)
    expect(readConfig2026(written).config.cpuAffinity).toEqual(cpuAffinity)
    expect(() => writeConfig2026({ config: { rootfs: '/r', cpuAffinity: { final: '1024' } } })).toThrow(
      /cpuAffinity\.final/,
    )
  })

  test('PP-20 VAL-27 memory_policy of 2026: numbers, and a mask in words', () => {
    const read = (memory_policy: object): unknown => with2026({ memory_policy }).memoryPolicy
    expect(read({})).toEqual({ mode: 'MPOL_DEFAULT' })
    expect(read({ mode: 2, flags: 1 << 15, nodes: [5, 0, 0] })).toEqual({
      mode: 'MPOL_BIND',
      flags: ['MPOL_F_STATIC_NODES'],
      nodes: '0,2',
    })
    expect(read({ mode: 3, nodes: [0, 1n << 63n] })).toEqual({ mode: 'MPOL_INTERLEAVE', nodes: '127' })
    expect(fault2026({ memory_policy: { mode: 7 } })).toMatch(/^memory_policy\.mode/)
    expect(fault2026({ memory_policy: { mode: 2 } })).toMatch(/^memory_policy\.nodes/)
    expect(fault2026({ memory_policy: { mode: 1, flags: 3 } })).toMatch(/^memory_policy\.flags/)
    expect(fault2026({ memory_policy: { mode: 2, nodes: ['0'] } })).toMatch(/^memory_policy\.nodes\[0\]/)
    const memoryPolicy = { mode: 'MPOL_BIND', flags: ['MPOL_F_STATIC_NODES'], nodes: '0,65' } as const
    const written = writeConfig2026({ config: { rootfs: '/r', memoryPolicy } })
    expect(readConfig2026(written).config.memoryPolicy).toEqual(memoryPolicy)
  })

  test('5a VAL-21 EV-161 intel_rdt of 2026: a class of resctrl', () => {
    const read = (intel_rdt: unknown): unknown => with2026({ intel_rdt }).intelRdt
    expect(read(null)).toBeUndefined()
    expect(read({})).toEqual({})
    const all = { closID: 'x', l3_cache_schema: 'L3:0=f', memBwSchema: 'MB:0=20', schemata: ['L2:0=f'] }
    const intelRdt = { closId: 'x', l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=20', schemata: ['L2:0=f'] }
    expect(read({ ...all, enableMonitoring: true })).toEqual({ ...intelRdt, enableMonitoring: true })
    expect(read({ closID: '', l3_cache_schema: '' })).toEqual({})
    expect(fault2026({ intel_rdt: { closID: '..' } })).toMatch(/^intel_rdt\.closId/)
    expect(fault2026({ intel_rdt: { enableCMT: true } })).toMatch(/^intel_rdt\.enableCMT/)
    const written = writeConfig2026({ config: { rootfs: '/r', intelRdt } })
    expect(written.intel_rdt).toEqual(all)
    expect(readConfig2026(written).config.intelRdt).toEqual(intelRdt)
    expect(writeConfig2026({ config: { rootfs: '/r' } })).not.toHaveProperty('intel_rdt')
  })

  test('IN-09 no_new_keyring of 2026: without it there is a session keyring', () => {
    expect(with2026({}).sessionKeyring).toBe(true)
    expect(with2026({ no_new_keyring: true })).not.toHaveProperty('sessionKeyring')
    for (const sessionKeyring of [true, '_ses.x', false]) {
      const { no_new_keyring } = writeConfig2026({ config: { rootfs: '/r', sessionKeyring } }) as Record<
        string,
        unknown
      >
      expect(no_new_keyring).toBe(!sessionKeyring)
    }
  })

  test('5a what changes nothing is told, not dropped', () => {
    expect(readConfig2014({ mount_config: { pivot_dir: '/p' } }, box).warnings[0]).toMatch(/^mount_config\.pivot_dir/)
    expect(readConfig2015({ ...box, pivot_dir: '/p' }).warnings[0]).toMatch(/^pivot_dir/)
    const told = readConfig2026({ ...box, rootless_euid: true, rootless_cgroups: true }).warnings
    expect(told.map(text => text.split(':')[0])).toEqual(['rootless_euid', 'rootless_cgroups'])
  })

  test('5a unknown fields are refused by name, with those that there are', () => {
    expect(fault2014({ hostnam: 'x' })).toMatch(
      /^hostnam: is no field of a config of 2014; there are rootfs, .*hostname/,
    )
    expect(fault2015({ environment: [] })).toMatch(/^environment: is no field of a config of 2015/)
    expect(fault2026({ privatefs: true })).toMatch(/^privatefs: is no field of a config of 2026/)
    expect(fault(readConfig2015, JSON.parse('{"rootfs": "/a", "__proto__": {"a": 1}}'))).toMatch(
      /^__proto__: is no field/,
    )
  })

  test('5a what is nested as deeply as a text can be is refused as any', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    expect(fault2015({ other: deep })).toMatch(/^other: is no field of a config of 2015/)
    expect(fault2015({ mounts: deep })).toMatch(/^mounts\[0\]: must be an object/)
    expect(fault2015({ hostname: deep })).toMatch(/^hostname: must be a string/)
    expect(fault2015({ routes: deep })).toMatch(/^routes\[0\]: must be an object/)
  })

  test('5a EV-198 sysctl: keys are data', () => {
    const file = JSON.parse('{"rootfs": "/a", "system_properties": {"__proto__": "1", "kernel.sem": "2"}}')
    expect(Object.entries(readConfig2015(file).config.sysctl ?? {})).toEqual([
      ['__proto__', '1'],
      ['kernel.sem', '2'],
    ])
    expect(fault2015({ system_properties: { 'kernel.sem': 1 } })).toMatch(
      /^system_properties\['kernel\.sem'\]: must be a string/,
    )
  })

  test('5a additional_groups: names, or ids', () => {
    expect(readConfig2015({ ...box, additional_groups: [7, '8', 'audio'] }).process.additionalGroups).toEqual([
      7,
      8,
      'audio',
    ])
    expect(fault2015({ additional_groups: [''] })).toMatch(/^additional_groups\[0\]: must be the name of a group/)
  })

  test('5a seccomp of 2015: SC-01 numbers become names of this machine, and no_new_privs holds', () => {
    const { config } = readConfig2015(file2015)
    if (process.arch !== 'x64') return
    expect(config.seccomp).toEqual({
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: [
        { names: ['mount'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
        {
          names: ['clone'],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: 13,
          args: [{ index: 0, value: 0x10000000, valueTwo: 0x10000000, op: 'SCMP_CMP_MASKED_EQ' }],
        },
        { names: ['ptrace'], action: 'SCMP_ACT_KILL', args: [{ index: 1, value: 7, op: 'SCMP_CMP_GT' }] },
      ],
    })
    expect(fault2015({ seccomp: { syscalls: [{ value: 99999, action: 1 }] } })).toMatch(
      /^seccomp\.syscalls\[0\]\.value: is no system call/,
    )
    expect(fault2015({ seccomp: { syscalls: [{ value: 1, action: 0 }] } })).toMatch(
      /^seccomp\.syscalls\[0\]\.action: must be -3/,
    )
    expect(fault2015({ seccomp: { syscalls: [{ value: 1, action: 1, args: [{ index: 6 }] }] } })).toMatch(
      /args\[0\]\.index/,
    )
    expect(fault2015({ seccomp: { default_action: 4 } })).toMatch(
      /^seccomp\.default_action: is no field of a filter of 2015/,
    )
  })
})

describe('§5b mounts', () => {
  test('5b device: 2015 knows seven, 2026 passes any on', () => {
    expect(fault2015({ mounts: [{ destination: '/x', device: 'ext4' }] })).toMatch(
      /^mounts\[0\]\.device: unknown mount device/,
    )
    expect(with2026({ mounts: [{ destination: '/x', device: 'ext4' }] }).mounts?.[0]?.type).toBe('ext4')
    expect(fault2014({ mount_config: { mounts: [{ type: 'ext4' }] } })).toMatch(
      /^mount_config\.mounts\[0\]\.type: must be bind or tmpfs/,
    )
  })

  test('5b flags: bits of mount(2) as words; bits that no mount takes are refused', () => {
    const mounts = [{ destination: '/x', device: 'tmpfs', flags: 1 | 2 | 4 | 8 | 1024 | 2048 | (1 << 21) }]
    expect(with2015({ mounts }).mounts?.[0]?.options).toEqual([
      'ro',
      'nosuid',
      'nodev',
      'noexec',
      'noatime',
      'nodiratime',
      'relatime',
    ])
    expect(fault2015({ mounts: [{ destination: '/x', device: 'tmpfs', flags: 1 << 30 }] })).toMatch(
      /^mounts\[0\]\.flags: has bits/,
    )
    expect(fault2015({ mounts: [{ destination: '/x', device: 'tmpfs', flags: -1 }] })).toMatch(
      /^mounts\[0\]\.flags: must be a whole number/,
    )
    expect(fault2026({ mounts: [{ destination: '/x', device: 'tmpfs', cleared_flags: 4096 }] })).toMatch(
      /^mounts\[0\]\.cleared_flags: has bits/,
    )
  })

  test('5b data: goes to the file system, and is no option word', () => {
    expect(fault2015({ mounts: [{ destination: '/x', device: 'tmpfs', data: 'bind' }] })).toMatch(
      /^mounts\[0\]\.data: is no file system’s own option/,
    )
  })

  test('5b relabel EV-085 of binds, where there is a label: else it changes nothing, as ever', () => {
    const bind = { destination: '/a', source: '/b', device: 'bind', type: 'bind' }
    const { device: _, ...of2014 } = { ...bind, relabel: 'z' }
    const { type: __, ...of2015 } = { ...bind, relabel: 'Z' }
    const label = { mount_label: 'a:b:c:s0' }
    const relabelled = (config: ContainerConfig) => config.mounts?.at(-1)?.relabel
    expect(relabelled(with2014({ mount_config: { ...label, mounts: [of2014] } }))).toBe('z')
    expect(relabelled(with2015({ ...label, mounts: [of2015] }))).toBe('Z')
    expect(relabelled(with2026({ ...label, mounts: [of2015] }))).toBe('Z')
    const { config, warnings } = readConfig2015({ ...box, mounts: [of2015] })
    expect(relabelled(config)).toBeUndefined()
    expect(warnings).toEqual(['mounts[0].relabel: changes nothing without mount_label'])
    const both = with2015({ ...label, mounts: [{ ...of2015, relabel: 'zZ' }] })
    expect(validateShape(both).map(({ field }) => field)).toContain('mounts[0].relabel')
  })

  test('EV-081 5b rec_attr holds no MOUNT_ATTR_IDMAP, nor what other fields say', () => {
    const fault = (rec_attr: object) => fault2026({ mounts: [{ device: 'bind', rec_attr }] })
    expect(fault({ Attr_set: 0x100000 })).toMatch(/^mounts\[0\]\.rec_attr: must not hold MOUNT_ATTR_IDMAP/)
    expect(fault({ Attr_set: 0x40000000 })).toMatch(/^mounts\[0\]\.rec_attr: has bits/)
    expect(fault({ Userns_fd: 3 })).toMatch(/^mounts\[0\]\.rec_attr\.Userns_fd: must be 0/)
  })
})

describe('§5c devices, limits, networks', () => {
  test('5c type: the letter, or its code point', () => {
    const types = [99, 'c', 117, 'u', 98, 'b'].map(type =>
      with2015({ devices: [{ type, path: '/dev/x', major: 1, minor: 3 }] }),
    )
    expect(types.map(({ devices }) => devices?.[0]?.type)).toEqual(['c', 'c', 'c', 'c', 'b', 'b'])
    expect(fault2015({ devices: [{ type: 97, path: '/dev/x' }] })).toMatch(/^devices\[0\]\.type/)
  })

  test('5c major and minor: -1 is every one, in rules alone', () => {
    expect(fault2015({ devices: [{ type: 99, path: '/dev/x', major: -1 }] })).toMatch(/^devices\[0\]\.major/)
    expect(fault2014({ mount_config: { device_nodes: [{ type: 99, path: '/dev/x', minor_number: -1 }] } })).toMatch(
      /^mount_config\.device_nodes\[0\]\.minor/,
    )
    expect(fault2015({ cgroups: { allowed_devices: [{ type: 99, major: -2, permissions: 'r' }] } })).toMatch(
      /^cgroups\.allowed_devices\[0\]\.major/,
    )
  })

  test('5c permissions: any order, some letters; file_mode 0666 where it is not said', () => {
    const [node] = with2015({ devices: [{ type: 99, path: '/dev/x', major: 1, permissions: 'mmwr' }] }).devices ?? []
    expect(node).toMatchObject({ access: 'rwm', mode: 0o666, uid: 0, gid: 0 })
    expect(fault2015({ devices: [{ type: 99, path: '/dev/x', permissions: 'x' }] })).toMatch(/^devices\[0\]\.access/)
    expect(fault2015({ cgroups: { allowed_devices: [{ type: 99, permissions: '' }] } })).toMatch(
      /^cgroups\.allowed_devices\[0\]\.access/,
    )
    expect(fault2014({ cgroups: { allowed_devices: [{ type: 99, permissions: 'r' }] } })).toMatch(
      /^cgroups\.allowed_devices\[0\]\.permissions: is no field/,
    )
  })

  test('5c rlimit: by number or name', () => {
    expect(with2015({ rlimits: [{ type: 'RLIMIT_CORE', hard: 0, soft: 0 }] }).rlimits).toEqual([
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
    ])
    expect(with2014({ rlimits: [{ hard: 5, soft: 4 }] }).rlimits).toEqual([{ type: 'RLIMIT_CPU', soft: 4, hard: 5 }])
    expect(fault2015({ rlimits: [{ type: 16 }] })).toMatch(/^rlimits\[0\]\.type/)
    expect(fault2015({ rlimits: [{ type: 'constructor' }] })).toMatch(/^rlimits\[0\]\.type/)
  })

  test('5c network: loopback needs a network namespace of one’s own; netns of 2014 joins one', () => {
    const loopback = [{ type: 'loopback' }]
    expect(with2015({ networks: loopback, namespaces: [{ type: 'NEWNET' }] }).namespaces).toEqual(['net'])
    expect(fault2015({ networks: loopback })).toMatch(/^networks\[0\]: needs a network namespace/)
    const there = [{ type: 'NEWNET', path: '/run/net' }]
    expect(with2015({ networks: loopback, namespaces: there }).networks).toEqual([{ type: 'loopback' }])
    const joined = { namespaces: { NEWNS: true, NEWNET: true }, networks: [{ type: 'netns', ns_path: '/run/net' }] }
    expect(with2014(joined).namespaces).toEqual(['mnt', { kind: 'net', path: '/run/net' }])
    expect(fault2014({ networks: [{ type: 'netns' }] })).toMatch(/^networks\[0\]\.ns_path: must be the path/)
    expect(fault2014({ networks: [{ type: 'tun' }] })).toMatch(/^networks\[0\]\.type: must be loopback, veth or netns/)
  })

  test('EV-062 5c network.address and gateway of a loopback, as the samples have them, are left alone', () => {
    const loopback = { type: 'loopback', address: '127.0.0.1/0', gateway: 'localhost' }
    const namespaces = [{ type: 'NEWNET' }]
    expect(with2015({ networks: [loopback], namespaces })).not.toHaveProperty('networks')
    expect(with2015({ networks: [{ ...loopback, mtu: 1500 }], namespaces }).networks).toEqual([
      { type: 'loopback', mtu: 1500 },
    ])
  })

  test('5c network: every field of a veth, an MTU and a queue of 0 are none', () => {
    const veth = {
      type: 'veth',
      name: 'eth0',
      bridge: 'docker0',
      mac_address: '02:42:ac:11:00:65',
      address: '172.17.0.101/16',
      gateway: '172.17.42.1',
      ipv6_address: '2001:db8::2/64',
      ipv6_gateway: '2001:db8::1',
      mtu: 1500,
      txqueuelen: 1000,
      host_interface_name: 'vethnsinit',
      hairpin_mode: true,
    }
    const namespaces = [{ type: 'NEWNET' }]
    expect(with2015({ networks: [veth], namespaces }).networks).toEqual([
      {
        type: 'veth',
        name: 'eth0',
        bridge: 'docker0',
        macAddress: '02:42:ac:11:00:65',
        address: '172.17.0.101/16',
        gateway: '172.17.42.1',
        ipv6Address: '2001:db8::2/64',
        ipv6Gateway: '2001:db8::1',
        mtu: 1500,
        txQueueLen: 1000,
        hostInterfaceName: 'vethnsinit',
        hairpinMode: true,
      },
    ])
    expect(with2015({ networks: [{ type: 'veth', bridge: 'b', mtu: 0, txqueuelen: 0 }], namespaces }).networks).toEqual(
      [{ type: 'veth', bridge: 'b' }],
    )
    const old = { type: 'veth', bridge: 'b', veth_prefix: 'veth', address: '10.0.0.2/8' }
    expect(with2014({ networks: [old], namespaces: { NEWNET: true } }).networks).toEqual([
      { type: 'veth', bridge: 'b', address: '10.0.0.2/8', hostInterfacePrefix: 'veth' },
    ])
  })

  test('5c route.destination, source, gateway, interface_name; netDevices of 2026', () => {
    const route = { destination: '0.0.0.0/0', source: '172.17.0.101', gateway: '172.17.42.1', interface_name: 'eth0' }
    expect(with2015({ routes: [route, { gateway: '10.0.0.1', destination: '' }] }).routes).toEqual([
      { destination: '0.0.0.0/0', source: '172.17.0.101', gateway: '172.17.42.1', interfaceName: 'eth0' },
      { gateway: '10.0.0.1' },
    ])
    expect(fault2015({ routes: [{ dst: 'x' }] })).toMatch(/^routes\[0\]\.dst: is no field of a route/)
    expect(with2026({ netDevices: { eth0: null, eth1: { name: '' }, eth2: { name: 'a' } } }).netDevices).toEqual({
      eth0: {},
      eth1: {},
      eth2: { name: 'a' },
    })
    expect(fault2026({ netDevices: { eth0: { mtu: 1 } } })).toMatch(/^netDevices\.eth0\.mtu: is no field/)
  })
})

describe('§5d cgroups', () => {
  const cgroups2015 = (cgroups: object): ContainerConfig['cgroups'] => with2015({ cgroups }).cgroups
  const cgroups2026 = (cgroups: object): ContainerConfig['cgroups'] => with2026({ cgroups }).cgroups

  test('5d name, parent, path: one path, which cannot climb', () => {
    expect(cgroups2015({ name: 'a', parent: 'b/c' })?.path).toBe('b/c/a')
    expect(cgroups2015({ name: '../../a', parent: '/b' })?.path).toBe('/a')
    expect(cgroups2015({ name: '../../../a', parent: '..' })?.path).toBe('a')
    expect(cgroups2015({ name: 'a' })?.path).toBe('a')
    expect(fault2015({ cgroups: { parent: 'b' } })).toMatch(/^cgroups\.name: must be given/)
    expect(fault2015({ cgroups: { name: '..' } })).toMatch(/^cgroups\.name: must name a cgroup/)
    expect(fault2015({ cgroups: { name: 'a\nb' } })).toMatch(/^cgroups\.name: must not hold a line end/)
    expect(cgroups2026({ path: '/x/../y' })?.path).toBe('/y')
    expect(fault2015({ cgroups: { name: 'a', path: '/b' } })).toMatch(/^cgroups\.path: must be alone/)
  })

  test('5d allow_all_devices, allowed_devices, denied_devices, devices: none but a list, all but a list, or rules in their order', () => {
    expect(cgroups2015({ allowed_devices: [{ type: 99, major: 1, minor: 3, permissions: 'r' }] })?.devices).toEqual([
      { type: 'c', major: 1, minor: 3, access: 'r', allow: true },
    ])
    expect(cgroups2015({ allow_all_devices: true })?.devices).toEqual([{ type: 'a', access: 'rwm', allow: true }])
    expect(cgroups2015({ allow_all_devices: false })?.devices).toBeUndefined()
    const device = { type: 99, major: 1, minor: 3, permissions: 'w' }
    expect(cgroups2015({ allow_all_devices: true, denied_devices: [device] })?.devices).toEqual([
      { type: 'a', access: 'rwm', allow: true },
      { type: 'c', major: 1, minor: 3, access: 'w', allow: false },
    ])
    expect(cgroups2026({ devices: [{ ...device, allow: false }] })?.devices).toEqual([
      { type: 'c', major: 1, minor: 3, access: 'w', allow: false },
    ])
  })

  test('5d memory, memory_reservation, memory_swap: 0 is not given, -1 is no limit; memory_swap is both together', () => {
    expect(cgroups2015({ memory: 0, memory_swap: 0, memory_reservation: 0 })).toBeUndefined()
    expect(cgroups2015({ memory: -1 })?.memory).toEqual({ max: 'max', memswMax: 'max' })
    expect(cgroups2015({ memory: 10, memory_swap: 20, memory_reservation: 5 })?.memory).toEqual({
      max: 10,
      memswMax: 20,
      low: 5,
    })
    expect(fault2015({ cgroups: { memory: -2 } })).toMatch(/^cgroups\.memory/)
  })

  test('5d memory_swappiness: missing, null and -1 leave it alone; 0 is 0', () => {
    expect(cgroups2015({ memory_swappiness: -1 })).toBeUndefined()
    expect(cgroups2026({ memory_swappiness: null })).toBeUndefined()
    expect(cgroups2015({ memory_swappiness: 0 })?.memory).toEqual({ swappiness: 0 })
  })

  test('5d oom_kill_disable: false is not given', () => {
    expect(cgroups2015({ oom_kill_disable: true })?.memory).toEqual({ oomKillDisable: true })
    expect(cgroups2026({ oom_kill_disable: false })).toBeUndefined()
  })

  test('5d cpu_shares, cpu_quota, cpu_period as CFS; cpu_rt_quota, cpu_rt_period by keys of their own', () => {
    const cpu = { cpu_shares: 512, cpu_quota: -1, cpu_period: 1000, cpu_rt_quota: 5, cpu_rt_period: 10 }
    expect(cgroups2015(cpu)?.cpu).toEqual({
      shares: 512,
      quotaUs: 'max',
      periodUs: 1000,
      rtRuntimeUs: 5,
      rtPeriodUs: 10,
    })
  })

  test('5d cpu_weight, cpu_burst, cpu_idle: of 2026; a burst and an idle of 0 are given', () => {
    expect(cgroups2026({ cpu_weight: 50, cpu_burst: 0, cpu_idle: 0 })?.cpu).toEqual({
      weight: 50,
      burstUs: 0,
      idle: false,
    })
    expect(cgroups2026({ cpu_weight: 0, cpu_burst: null, cpu_idle: null })).toBeUndefined()
    for (const name of ['cpu_weight', 'cpu_burst', 'cpu_idle'])
      expect(fault2015({ cgroups: { [name]: 1 } })).toMatch(new RegExp(`^cgroups\\.${name}: is no field`))
  })

  test('5d cpuset_cpus, cpuset_mems: lists; an empty one is not given', () => {
    expect(cgroups2015({ cpuset_cpus: '0-3,7', cpuset_mems: '0' })?.cpuset).toEqual({ cpus: '0-3,7', mems: '0' })
    expect(cgroups2026({ cpuset_cpus: '', cpuset_mems: '' })).toBeUndefined()
  })

  test('5d unified: files of v2 as they are, in 2026', () => {
    expect(cgroups2026({ unified: { 'memory.high': '64M' } })?.unified).toEqual({ 'memory.high': '64M' })
    expect(fault2026({ cgroups: { unified: { 'memory.high': 5 } } })).toMatch(/^cgroups\.unified\b/)
    expect(fault2015({ cgroups: { unified: {} } })).toMatch(/^cgroups\.unified: is no field/)
  })

  test('5d pids_limit: null is not given, below 0 is no limit, 0 is 1', () => {
    expect(cgroups2026({ pids_limit: null })).toBeUndefined()
    expect(cgroups2026({ pids_limit: -1 })?.pids).toEqual({ max: 'max' })
    expect(cgroups2026({ pids_limit: 0 })?.pids).toEqual({ max: 1 })
    expect(fault2015({ cgroups: { pids_limit: 5 } })).toMatch(/^cgroups\.pids_limit: is no field/)
  })

  test('5d freezer: a container cannot start frozen', () => {
    expect(cgroups2015({ freezer: 'THAWED' })).toBeUndefined()
    expect(fault2015({ cgroups: { freezer: 'FROZEN' } })).toMatch(
      /^cgroups\.freezer: would keep the container from starting/,
    )
    expect(fault2015({ cgroups: { freezer: 'cold' } })).toMatch(/^cgroups\.freezer: must be FROZEN/)
  })

  test.each([{ slice: 'system.slice' }, { scope_prefix: 'docker' }, { driver: 'systemd' }])(
    '5d slice, scope_prefix, driver, Systemd choose who makes the cgroup, and are refused: %o',
    cgroups => {
      const [name] = Object.keys(cgroups)
      expect(fault2015({ cgroups })).toMatch(new RegExp(`^cgroups\\.${name}: cannot be chosen by a file`))
      expect(fault2026({ cgroups: { Systemd: true } })).toMatch(/^cgroups\.Systemd: cannot be chosen by a file/)
    },
  )

  test('5d owner_uid: 0 is somebody', () => {
    expect(cgroups2026({ owner_uid: 0 })).toEqual({ owner: 0 })
    expect(cgroups2026({ owner_uid: null })).toBeUndefined()
    expect(fault2026({ cgroups: { owner_uid: -1 } })).toMatch(/^cgroups\.owner_uid: /)
  })

  test('5d kernel_memory; 0 is not given', () => {
    expect(cgroups2015({ kernel_memory: 5 })?.memory).toEqual({ kernelMax: 5 })
    expect(cgroups2015({ kernel_memory: -1 })?.memory).toEqual({ kernelMax: 'max' })
    expect(cgroups2015({ kernel_memory: 0 })).toBeUndefined()
  })

  test('5d blkio_weight, blkio_leaf_weight, blkio_weight_device, blkio_throttle_*_device: disks as lines of 2015, and as objects', () => {
    expect(
      cgroups2015({
        blkio_weight: 500,
        blkio_leaf_weight: 20,
        blkio_weight_device: '8:0 10',
        blkio_throttle_read_bps_device: '8:0 9007199254740993\n8:16 5\n',
        blkio_throttle_write_iops_device: ['8:16 0'],
      })?.io,
    ).toEqual({
      blkioWeight: 500,
      leafWeight: 20,
      devices: [
        { major: 8, minor: 0, blkioWeight: 10, rbps: 9007199254740993n },
        { major: 8, minor: 16, rbps: 5, wiops: 'max' },
      ],
    })
    const disk = { major: 8, minor: 0 }
    expect(
      cgroups2026({
        blkio_weight: 0,
        blkio_weight_device: [{ ...disk, weight: 10, leafWeight: 30 }],
        blkio_throttle_write_bps_device: [{ ...disk, rate: 7 }],
        blkio_throttle_read_iops_device: null,
      })?.io,
    ).toEqual({ devices: [{ ...disk, blkioWeight: 10, leafWeight: 30, wbps: 7 }] })
    expect(
      cgroups2015({ blkio_weight: 0, blkio_weight_device: '', blkio_throttle_read_bps_device: null }),
    ).toBeUndefined()
  })

  test.each([
    [{ blkio_weight_device: '8:0' }, /^cgroups\.blkio_weight_device: must be a line such as '8:0 1048576'/],
    [{ blkio_weight_device: ['8 0 5'] }, /^cgroups\.blkio_weight_device\[0\]: must be a line/],
    [{ blkio_weight_device: [{ major: 8, minor: 0 }] }, /^cgroups\.blkio_weight_device\[0\]: has neither a weight/],
    [
      { blkio_throttle_read_bps_device: [{ major: 8, minor: 0 }] },
      /^cgroups\.blkio_throttle_read_bps_device\[0\]\.rate/,
    ],
    [{ blkio_throttle_read_bps_device: '8:0 9223372036854775808' }, /^cgroups\.blkio_throttle_read_bps_device: /],
    [{ blkio_throttle_read_bps_device: [{ major: 8, minor: 0, rate: 1, x: 1 }] }, /\.x: is no field of a rate/],
    [{ blkio_weight: -1 }, /^cgroups\.blkio_weight: /],
    [{ hugetlb_limit: [{ limit: 1 }] }, /^cgroups\.hugetlb_limit\[0\]\.page_size: must be given/],
    [{ net_cls_classid: 'ten' }, /^cgroups\.net_cls_classid: must be a number/],
    [{ net_cls_classid: '0x100000000' }, /^cgroups\.net_cls_classid: must be a number/],
    [{ net_prio_ifpriomap: [{ priority: 1 }] }, /^cgroups\.net_prio_ifpriomap\[0\]\.interface: must be given/],
    [{ rdma: {} }, /^cgroups\.rdma: is no field/],
  ])('5d EV-152 EV-153 %o is refused', (cgroups, message) => {
    expect(fault2015({ cgroups })).toMatch(message)
  })

  test('5d hugetlb_limit: 0 is a limit, and the largest number none', () => {
    const hugetlb_limit = [
      { page_size: '2MB', limit: 0 },
      { page_size: '1GB', limit: 18446744073709551615n },
    ]
    expect(cgroups2015({ hugetlb_limit })?.hugetlb).toEqual({ '2MB': { max: 0 }, '1GB': { max: 'max' } })
    expect(cgroups2015({ hugetlb_limit: null })).toBeUndefined()
  })

  test('5d net_cls_classid is text in 2015, and a number with a name of its own in 2026; net_prio_ifpriomap is a list', () => {
    expect(cgroups2015({ net_cls_classid: '0x100001' })?.netCls).toEqual({ classid: 0x100001 })
    expect(cgroups2026({ net_cls_classid_u: 7 })?.netCls).toEqual({ classid: 7 })
    expect(cgroups2026({ net_cls_classid_u: 0 })).toBeUndefined()
    expect(cgroups2015({ net_prio_ifpriomap: [{ interface: 'eth0', priority: 1 }] })?.netPrio).toEqual({
      ifpriomap: { eth0: 1 },
    })
  })

  test('5d rdma: by device; a number that is not given is no limit', () => {
    expect(cgroups2026({ rdma: { mlx5_0: { hca_handles: 3 }, ocrdma1: { hca_objects: 0 } } })?.rdma).toEqual({
      mlx5_0: { hcaHandle: 3 },
      ocrdma1: { hcaObject: 0 },
    })
    expect(fault2026({ cgroups: { rdma: { mlx: { hca_handles: -1 } } } })).toMatch(/^cgroups\.rdma\.mlx\.hca_handles/)
    expect(fault2026({ cgroups: { rdma: { mlx: { more: 1 } } } })).toMatch(/^cgroups\.rdma\.mlx\.more: is no field/)
  })

  test('5d memory_check_before_update: less memory than is in use is refused later', () => {
    expect(cgroups2026({ memory_check_before_update: true })).toEqual({ checkBeforeUpdate: true })
    expect(cgroups2026({ memory_check_before_update: false })).toBeUndefined()
    expect(fault2015({ cgroups: { memory_check_before_update: true } })).toMatch(/is no field/)
  })

  test('5d Rootless changes nothing, and is told', () => {
    expect(readConfig2026({ ...box, cgroups: { Rootless: true } }).warnings[0]).toMatch(/^cgroups\.Rootless/)
  })
})
