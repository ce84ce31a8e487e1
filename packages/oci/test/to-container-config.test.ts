import { LimitUnsupported } from '@libcontainer/cgroups'
import { validateShape } from '@libcontainer/container'
import { exampleSpec, inSpecWords, limitsOf, parseProcess, type Spec, toProcessSpec } from '@libcontainer/oci'
import type { ConfigInvalid } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BUNDLE, converted, linuxWith, processWith, refusal, specWith } from './support.js'

const configOf = (spec: Spec) => converted(spec).config
const fault = (spec: Spec) => refusal(() => converted(spec))
const at = (spec: Spec): string => fault(spec).field

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

  test('OC-11 mounts with id maps of their own are refused by name until they are done', () => {
    const map = [{ containerID: 0, hostID: 1, size: 1 }]
    const mount = { destination: '/a', source: '/a', options: ['bind'], uidMappings: map, gidMappings: map }
    expect(fault(specWith({ mounts: [mount] })).message).toContain('it will be done by @libcontainer/mount')
  })
})

describe('cgroups', () => {
  const limits = (resources: object) => limitsOf(resources as never)

  test('OC-05 the path, cleaned, or the id', () => {
    const path = (cgroupsPath?: string): string => configOf(linuxWith({ cgroupsPath })).cgroups!.path!
    expect(path()).toBe('c1')
    expect(path('')).toBe('c1')
    expect(path('/a/../b//c')).toBe('/b/c')
    expect(path('a/./b')).toBe('a/b')
    expect(at(linuxWith({ cgroupsPath: '/' }))).toBe('linux.cgroupsPath')
  })

  test('EV-141 a path that climbs stays inside', () => {
    const path = (cgroupsPath: string): string => configOf(linuxWith({ cgroupsPath })).cgroups!.path!
    expect(path('../../x')).toBe('x')
    expect(path('/../x')).toBe('/x')
  })

  test('EV-143 the driver systemd is refused by name until it is done', () => {
    const { field, hint } = refusal(() => converted(exampleSpec(), { cgroupDriver: 'systemd' }))
    expect(field).toBe('cgroupDriver')
    expect(hint).toContain('--cgroup-manager=cgroupfs')
  })

  test('memory, processor, processes: in the kernel’s words, -1 for no limit', () => {
    const read = limits({
      memory: { limit: 2 ** 26, reservation: 2 ** 25, swap: 2 ** 27, swappiness: 10, disableOOMKiller: true },
      cpu: { shares: 512, quota: 50000, burst: 1000, period: 100000, cpus: '0-1', mems: '0', idle: 1 },
      pids: { limit: 32 },
      unified: { 'memory.high': '1000000' },
    })
    expect(read).toEqual({
      memory: { max: 2 ** 26, low: 2 ** 25, memswMax: 2 ** 27, swappiness: 10, oomKillDisable: true },
      cpu: { shares: 512, quotaUs: 50000, burstUs: 1000, periodUs: 100000, idle: true },
      cpuset: { cpus: '0-1', mems: '0' },
      pids: { max: 32 },
      unified: { 'memory.high': '1000000' },
    })
    expect(limits({ memory: { limit: -1 }, pids: { limit: -1 }, cpu: { quota: -1 } })).toMatchObject({
      memory: { max: 'max', memswMax: 'max' },
      pids: { max: 'max' },
      cpu: { quotaUs: 'max' },
    })
  })

  test('what an encoder writes for nothing is nothing', () => {
    const empty = {
      memory: { limit: 0, reservation: 0, swap: 0, kernel: 0, disableOOMKiller: false },
      cpu: { shares: 0, quota: 0, period: 0, realtimeRuntime: 0, realtimePeriod: 0, cpus: '', mems: '' },
      blockIO: { weight: 0, weightDevice: [], throttleReadBpsDevice: [] },
      hugepageLimits: [],
      network: { classID: 0, priorities: [] },
      rdma: {},
      unified: {},
      pids: {},
    }
    const { memory, cpu, cpuset, pids, ...others } = limits(empty)
    for (const part of [memory, cpu, cpuset, pids])
      expect(Object.values(part ?? {}).filter(value => value !== undefined)).toEqual([])
    expect(others.unified ?? others.devices).toBeUndefined()
  })

  test('EV-146 EV-150 numbers below -1, a swappiness beyond 100, an idle that is neither', () => {
    expect(refusal(() => limits({ memory: { limit: -2 } })).field).toBe('linux.resources.memory.limit')
    expect(refusal(() => limits({ memory: { swap: -5 } })).field).toBe('linux.resources.memory.swap')
    expect(refusal(() => limits({ memory: { swappiness: 101 } })).field).toBe('linux.resources.memory.swappiness')
    expect(refusal(() => limits({ cpu: { idle: 2 } })).field).toBe('linux.resources.cpu.idle')
    expect(refusal(() => limits({ cpu: { quota: -2 } })).field).toBe('linux.resources.cpu.quota')
  })

  test('OC-14 limits of kernel memory are told of and dropped', () => {
    const { warnings, config } = converted(linuxWith({ resources: { memory: { kernel: 5, kernelTCP: -1 } } }))
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(/^linux\.resources\.memory\.kernel: changes nothing, .* since Linux 5\.16$/)
    expect(warnings[1]).toMatch(/^linux\.resources\.memory\.kernelTCP: changes nothing, .* of TCP's memory/)
    expect(validateShape(config)).toEqual([])
  })

  test('OC-14 limits of huge pages, of which 0 is one', () => {
    const hugepageLimits = [
      { pageSize: '2MB', limit: 0 },
      { pageSize: '1GB', limit: 2n ** 64n - 1n },
    ]
    expect(limits({ hugepageLimits }).hugetlb).toEqual({ '2MB': 0, '1GB': 'max' })
  })

  test('EV-152 EV-153 limits that no package sets yet are refused by name, never ignored', () => {
    const device = { major: 8, minor: 0, rate: 1 }
    for (const [part, field] of [
      [{ blockIO: { weight: 10 } }, 'blockIO.weight'],
      [{ blockIO: { throttleReadBpsDevice: [device] } }, 'blockIO.throttleReadBpsDevice'],
      [{ network: { classID: 1 } }, 'network.classID'],
      [{ network: { priorities: [{ name: 'lo', priority: 1 }] } }, 'network.priorities'],
      [{ rdma: { mlx: { hcaHandles: 1 } } }, 'rdma'],
      [{ memory: { checkBeforeUpdate: true } }, 'memory.checkBeforeUpdate'],
    ] as const) {
      const { field: found, message } = refusal(() => limits(part))
      expect(found).toBe(`linux.resources.${field}`)
      expect(message).toContain('@libcontainer/cgroups')
    }
  })
})

describe('the filter', () => {
  const profile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }] }

  test('OC-12 nothing said, nothing in it: no filter', () => {
    expect(configOf(linuxWith({})).seccomp).toBe(null)
    expect(configOf(linuxWith({ seccomp: {} })).seccomp).toBe(null)
    expect(configOf(linuxWith({ seccomp: { defaultAction: '', syscalls: [] } })).seccomp).toBe(null)
  })

  test('OC-12 without flags SPEC_ALLOW; an empty list means none', () => {
    expect(configOf(linuxWith({ seccomp: profile })).seccomp!.flags).toEqual(['SECCOMP_FILTER_FLAG_SPEC_ALLOW'])
    expect(configOf(linuxWith({ seccomp: { ...profile, flags: [] } })).seccomp!.flags).toEqual([])
    const flags = ['SECCOMP_FILTER_FLAG_LOG']
    expect(configOf(linuxWith({ seccomp: { ...profile, flags } })).seccomp!.flags).toEqual(flags)
  })

  test('EV-183 notifications are refused by name until they are done', () => {
    const syscalls = [...profile.syscalls, { names: ['mount'], action: 'SCMP_ACT_NOTIFY' }]
    const seccomp = { ...profile, syscalls, listenerPath: '/run/agent' }
    expect(at(linuxWith({ seccomp }))).toBe('linux.seccomp.syscalls[1].action')
    expect(at(linuxWith({ seccomp: { defaultAction: 'SCMP_ACT_NOTIFY' } }))).toBe('linux.seccomp.defaultAction')
    // Without notifications the listener is ignored: config-linux.md, Seccomp.
    expect(validateShape(configOf(linuxWith({ seccomp: { ...profile, listenerPath: '/run/agent' } })))).toEqual([])
  })

  test('EV-184 metadata without a listener', () => {
    expect(at(linuxWith({ seccomp: { ...profile, listenerMetadata: 'x' } }))).toBe('linux.seccomp.listenerMetadata')
  })

  test('EV-181 EV-182 EV-185 what a filter cannot be is found when the config is validated', () => {
    const problems = (seccomp: object): string[] =>
      validateShape(configOf(linuxWith({ seccomp }))).map(({ field }) => field)
    expect(problems({ defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 })).toEqual(['seccomp.defaultErrnoRet'])
    const arg = { index: 6, value: 0, op: 'SCMP_CMP_EQ' }
    const call = { names: ['read'], action: 'SCMP_ACT_ALLOW', args: [arg] }
    expect(problems({ ...profile, syscalls: [call] })).toEqual(['seccomp.syscalls[0].args[0].index'])
    expect(problems({ ...profile, syscalls: [{ names: [], action: 'SCMP_ACT_ALLOW' }] })).toEqual([
      'seccomp.syscalls[0].names',
    ])
    expect(problems({ defaultAction: 'SCMP_ACT_KILL' })).toEqual([])
  })

  test('XT-05 unknown system calls are left out, or refused where an annotation asks for it', () => {
    const seccomp = { ...profile, syscalls: [{ names: ['read', 'newcall'], action: 'SCMP_ACT_ALLOW' }] }
    const spec = (annotations: object) => ({ ...linuxWith({ seccomp }), annotations }) as Spec
    expect(converted(spec({})).config.seccomp).not.toBe(null)
    expect(fault(spec({ 'run.oci.seccomp_fail_unknown_syscall': '1' })).value).toBe('newcall')
  })
})

describe('the process', () => {
  test('what runs, where, for whom', () => {
    const { process } = converted(
      processWith({
        args: ['sh', '-c', 'id'],
        env: ['A=1'],
        cwd: '/tmp',
        user: { uid: 5, gid: 6, additionalGids: [7, 8], umask: 0o27 },
        terminal: false,
        consoleSize: { height: 10, width: 20 },
      }),
    )
    expect(process).toEqual({
      args: ['sh', '-c', 'id'],
      env: ['A=1'],
      cwd: '/tmp',
      user: { uid: 5, gid: 6 },
      additionalGroups: [7, 8],
    })
  })

  test('EV-122 the terminal and its size, which counts with a terminal alone', () => {
    const terminal = (part: object) => converted(processWith(part)).process!.terminal
    expect(terminal({ terminal: true, consoleSize: undefined })).toBe(true)
    expect(terminal({ terminal: true, consoleSize: { height: 24, width: 80 } })).toEqual({ rows: 24, columns: 80 })
    expect(terminal({ terminal: true, consoleSize: { height: 0, width: 0 } })).toBe(true)
    expect(terminal({ terminal: false, consoleSize: { height: 24, width: 80 } })).toBeUndefined()
    expect(at(processWith({ consoleSize: { height: 70000, width: 1 } }))).toBe('process.consoleSize.height')
  })

  test('attributes are the container’s, so that further processes have them too', () => {
    const config = configOf(
      processWith({
        user: { umask: 0o77 },
        oomScoreAdj: -5,
        noNewPrivileges: true,
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 5, hard: 2n ** 64n - 1n }],
        scheduler: { policy: 'SCHED_BATCH', nice: 5, runtime: 0 },
        ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 3 },
      }),
    )
    expect(config).toMatchObject({
      umask: 0o77,
      oomScoreAdj: -5,
      noNewPrivileges: true,
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 5, hard: 2n ** 64n - 1n }],
      scheduler: { policy: 'SCHED_BATCH', nice: 5 },
      ioPriority: { class: 'IOPRIO_CLASS_BE', level: 3 },
    })
    expect(validateShape(config)).toEqual([])
  })

  test('PP-12 the affinity is of further processes alone', () => {
    const { config, process } = converted(processWith({ execCPUAffinity: { initial: '0', final: '0-1' } }))
    expect(config.cpuAffinity).toEqual({ initial: '0', final: '0-1' })
    expect(process!.cpuAffinity).toEqual({})
    expect(configOf(processWith({ execCPUAffinity: { initial: '' } })).cpuAffinity).toBeUndefined()
  })

  test('EV-107 EV-109 EV-110 what cannot be meant of schedulers, disks and memory', () => {
    const found = (spec: Spec): string[] =>
      validateShape(configOf(spec)).map(problem => (inSpecWords(problem) as ConfigInvalid).field)
    const scheduler = (part: object): string[] => found(processWith({ scheduler: part }))
    expect(scheduler({ policy: 'SCHED_FIFO', nice: 1 })).toEqual(['process.scheduler.nice'])
    expect(scheduler({ policy: 'SCHED_OTHER', priority: 1 })).toEqual(['process.scheduler.priority'])
    expect(scheduler({ policy: 'SCHED_OTHER', deadline: 5 })).toEqual(['process.scheduler.deadline'])
    const ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 8 }
    expect(found(processWith({ ioPriority }))).toEqual(['process.ioPriority.priority'])
    expect(found(linuxWith({ memoryPolicy: { mode: 'MPOL_BIND' } }))).toEqual(['linux.memoryPolicy.nodes'])
    expect(found(linuxWith({ memoryPolicy: { nodes: '0' } }))).toEqual(['linux.memoryPolicy.mode'])
    expect(
      configOf(linuxWith({ memoryPolicy: { mode: 'MPOL_PREFERRED', nodes: '0', flags: [] } })).memoryPolicy,
    ).toEqual({
      mode: 'MPOL_PREFERRED',
      nodes: '0',
      flags: [],
    })
  })

  test('OC-13 EV-112 personality; its flags are told of and dropped', () => {
    const { config, warnings } = converted(linuxWith({ personality: { domain: 'LINUX32', flags: ['ADDR_X'] } }))
    expect(config.personality).toBe('LINUX32')
    expect(warnings).toEqual(['linux.personality.flags: change nothing, the specification has none yet'])
    expect(configOf(linuxWith({ personality: {} })).personality).toBeUndefined()
  })

  test('EV-113 unknown capabilities are left out with a warning; without the section there are none', () => {
    const capabilities = {
      bounding: ['CAP_KILL', 'CAP_FLY'],
      permitted: ['CAP_KILL'],
      effective: ['CAP_KILL', 'CAP_FLY'],
    }
    const { config, warnings } = converted(processWith({ capabilities }))
    expect(config.capabilities).toMatchObject({ bounding: ['CAP_KILL'], effective: ['CAP_KILL'], ambient: [] })
    expect(warnings).toEqual(['process.capabilities: unknown or unavailable capabilities are ignored: CAP_FLY'])
    expect(configOf(processWith({ capabilities: undefined })).capabilities).toMatchObject({
      bounding: [],
      permitted: [],
    })
  })

  test('the ambient capabilities of runc’s example, which nobody can have, are left out in silence', () => {
    const names = ['CAP_KILL']
    const capabilities = { bounding: names, permitted: names, effective: names, ambient: names }
    const { config, warnings } = converted(processWith({ capabilities }))
    expect(config.capabilities).toMatchObject({ ambient: [] })
    expect(warnings).toEqual([])
  })

  test('EV-114 EV-115 XT-14 labels and profiles of security modules are refused by name until they are done', () => {
    const profile = fault(processWith({ apparmorProfile: 'docker-default' }))
    expect([profile.field, profile.hint]).toEqual([
      'process.apparmorProfile',
      'leave it out, or have the engine do so: docker and podman by --security-opt apparmor=unconfined',
    ])
    for (const harmless of ['', 'unconfined']) converted(processWith({ apparmorProfile: harmless, selinuxLabel: '' }))
    expect(at(processWith({ selinuxLabel: 'system_u:system_r:t:s0' }))).toBe('process.selinuxLabel')
    expect(at(linuxWith({ mountLabel: 'system_u:object_r:t:s0' }))).toBe('linux.mountLabel')
    expect(configOf(linuxWith({ mountLabel: '' })).rootfs).toBeTruthy()
  })

  test('EV-063 EV-161 devices of networks and classes of resctrl are refused by name until they are done', () => {
    expect(at(linuxWith({ netDevices: { eth0: {} } }))).toBe('linux.netDevices')
    expect(at(linuxWith({ intelRdt: { closID: 'x' } }))).toBe('linux.intelRdt')
    expect(configOf(linuxWith({ netDevices: {}, intelRdt: {} })).rootfs).toBeTruthy()
  })

  test('EV-100 without a process there is nothing to start, and the container can be made', () => {
    const { process, config } = converted(specWith({ process: undefined }))
    expect(process).toBeUndefined()
    expect(config.capabilities).toEqual({})
    expect(validateShape(config)).toEqual([])
  })

  test('EX-08 a process.json says all of a further process', () => {
    const text = JSON.stringify({
      cwd: '/',
      args: ['id'],
      user: { uid: 1, gid: 2, umask: 0o77 },
      capabilities: { bounding: ['CAP_KILL'] },
      execCPUAffinity: { final: '0' },
    })
    const { process, warnings } = toProcessSpec(parseProcess(text))
    expect(warnings).toEqual([])
    expect(process).toMatchObject({
      args: ['id'],
      env: [],
      user: { uid: 1, gid: 2 },
      umask: 0o77,
      rlimits: [],
      noNewPrivileges: false,
      cpuAffinity: { final: '0' },
    })
    expect(process.capabilities).toMatchObject({ bounding: ['CAP_KILL'], effective: [] })
  })
})

describe('hooks, annotations, state', () => {
  test('all six points; seconds become milliseconds, and an empty argv is none', () => {
    const hook = (name: string) => ({ path: '/bin/true', args: ['true', name], env: ['A=1'], timeout: 5 })
    const points = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']
    const { hooks } = configOf(specWith({ hooks: Object.fromEntries(points.map(each => [each, [hook(each)]])) }))
    expect(Object.keys(hooks!)).toEqual(points)
    expect(hooks!.poststop).toEqual([{ path: '/bin/true', args: ['true', 'poststop'], env: ['A=1'], timeoutMs: 5000 }])
    expect(configOf(specWith({ hooks: { poststop: [{ path: '/x', args: [] }] } })).hooks!.poststop).toEqual([
      { path: '/x' },
    ])
    expect(configOf(specWith({ hooks: {} })).hooks).toBeUndefined()
  })

  test('EV-125 a hook whose path is relative', () => {
    const config = configOf(specWith({ hooks: { createRuntime: [{ path: 'true' }] } }))
    expect(validateShape(config).map(({ field }) => field)).toEqual(['hooks.createRuntime[0].path'])
  })

  test('OC-16 every annotation is kept as a label, and the bundle is one', () => {
    const annotations = { 'org.example.a': '1', 'io.b': 'x=y', __proto__x: '' }
    const { config, warnings } = converted(specWith({ annotations }))
    expect(config.labels).toEqual(['org.example.a=1', 'io.b=x=y', '__proto__x=', `bundle=${BUNDLE}`])
    expect(warnings).toEqual([])
    expect(converted(specWith({ annotations: { 'a=b': 'c' } })).warnings).toHaveLength(1)
  })

  test('XT-05 XT-07 what crun’s annotations ask for', () => {
    const annotations = {
      'run.oci.hooks.stdout': '/var/log/out',
      'run.oci.hooks.stderr': '/var/log/err',
      'run.oci.keep_original_groups': '1',
      'run.oci.pidfd_receiver': '/run/pidfd',
    }
    const { config, process } = converted(specWith({ annotations }))
    expect(config.hookOutput).toEqual({ stdout: '/var/log/out', stderr: '/var/log/err' })
    expect(config.keepGroups).toBe(true)
    expect(process!.pidfdSocket).toBe('/run/pidfd')
    expect(at(specWith({ annotations: { 'run.oci.handler': 'krun' } }))).toBe("annotations['run.oci.handler']")
    expect(configOf(specWith({ annotations: { 'run.oci.handler': '' } })).hookOutput).toBeUndefined()
  })

  test('a session keyring of its own, unless the caller keeps its own', () => {
    expect(converted(exampleSpec()).config.sessionKeyring).toBe(true)
    expect(converted(exampleSpec(), { newKeyring: false }).config.sessionKeyring).toBeUndefined()
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
