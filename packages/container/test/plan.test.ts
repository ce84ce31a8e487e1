import {
  type ContainerConfig,
  type ContainerPlan,
  type ProcessSpec,
  resolveConfig,
  validate,
} from '@libcontainer/container'
import { encodePlan, type Step } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { attributesOf } from '../src/plan/attributes.js'
import { confinementOf } from '../src/plan/confinement.js'
import type { Confinement } from '../src/plan/confinement-steps.js'
import { type ContainerFacts, planContainer } from '../src/plan/container.js'
import { planExec } from '../src/plan/exec.js'
import { ownFilesOf } from '../src/plan/own-files.js'

/*
 * Plans are pure: here they are made for a machine of the tests' own, with cgroup2 alone and a kernel of 41 capabilities.
 */

const kinds = ['mnt', 'pid', 'ipc', 'uts', 'net'] as const
const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
const maps = { uidMappings: map, gidMappings: map }
const join: Step = { op: 'joinCgroups', args: [], about: 'join the cgroups' }
/** Where cgroups have to be joined by init: v1 and hybrid. */
const v1: Partial<ContainerFacts> = { joinCgroups: [join], bornInCgroup: false }

function planOf(
  config: Partial<ContainerConfig> = {},
  process: Partial<ProcessSpec> = {},
  facts: Partial<ContainerFacts> = {},
  confinement: Confinement = {},
): ContainerPlan {
  const resolved = resolveConfig('demo', { rootfs: '/rootfs', ...config })
  const spec = { args: ['/bin/true'], ...process }
  const plan = planContainer(resolved, spec, attributesOf(resolved, spec, true, confinement), {
    cgroups: {
      hierarchies: [{ version: 2, name: '', options: [], path: '/sys/fs/cgroup/libcontainer-demo' }],
      namespace: resolved.namespaces.some(({ kind }) => kind === 'cgroup'),
    },
    joinCgroups: [],
    bornInCgroup: true,
    kcore: true,
    lastCap: 40,
    ...facts,
  })
  // Whatever is planned can be handed over: every slot that is used is filled by a step, an answer or the caller.
  const values = { parent: 9, listener: 9, network: 9 }
  expect(() => encodePlan(plan.steps, { slots: plan.slots, values })).not.toThrow()
  return plan
}

/** What a person reads; the length of the filter differs from one architecture to another. */
const told = ({ steps }: { steps: readonly Step[] }): string[] =>
  steps.map(({ about }) => about.replace(/filter of \d+ instructions/, 'filter'))

const defaultPlan = [
  'start a new session',
  'make / rslave',
  'bind /rootfs onto itself',
  'mount proc on /proc',
  'mount tmpfs on /dev',
  'mount devpts on /dev/pts',
  'mount tmpfs on /dev/shm',
  'mount mqueue on /dev/mqueue',
  'mount sysfs on /sys',
  'bind cgroup /sys/fs/cgroup/libcontainer-demo on /sys/fs/cgroup',
  'make the device c 1:3 at /dev/null',
  'make the device c 1:5 at /dev/zero',
  'make the device c 1:7 at /dev/full',
  'make the device c 5:0 at /dev/tty',
  'make the device c 1:9 at /dev/urandom',
  'make the device c 1:8 at /dev/random',
  'link /dev/fd to /proc/self/fd',
  'link /dev/stdin to /proc/self/fd/0',
  'link /dev/stdout to /proc/self/fd/1',
  'link /dev/stderr to /proc/self/fd/2',
  'link /dev/core to /proc/kcore',
  'link /dev/ptmx to pts/ptmx',
  'bring the interface lo up',
  'make /proc/bus, /proc/fs, /proc/irq, /proc/sys, /proc/sysrq-trigger read-only',
  'open the null device',
  'mask /proc/acpi, /proc/asound, /proc/interrupts, /proc/kcore, /proc/keys, /proc/latency_stats, /proc/sched_debug, ' +
    '/proc/scsi, /proc/timer_list, /proc/timer_stats',
  'mask /sys/devices/virtual/powercap, /sys/firmware',
  'pivot to the new root',
  "take the container's null device for standard streams",
  'run on every CPU that the cpuset allows',
  'look the user up in the container’s passwd and group',
  'set the umask to 0022',
  'give the standard streams to the user',
  'change to the directory /',
  'limit the bounding set to CAP_KILL, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE',
  'keep capabilities across the change of user',
  'set the supplementary groups',
  'become user of the container, group of the container',
  'stop keeping capabilities across changes of user',
  'set the permitted capabilities to CAP_KILL, CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN, CAP_AUDIT_WRITE',
  'set the ambient capabilities to none',
  'change to the directory / as the user',
  'find /bin/true',
  'wait until the state is saved',
  'report that the program is next',
  'load the seccomp filter',
  'execute /bin/true',
]

/** What a plan has that the default one has not, and the reverse. */
function difference(plan: ContainerPlan): { more: string[]; less: string[] } {
  const less = [...defaultPlan]
  const more = told(plan).filter(about => {
    const at = less.indexOf(about)
    if (at >= 0) less.splice(at, 1)
    return at < 0
  })
  return { more, less }
}

/** The place of the only step of this op (the first of several, with `first`). */
function at(plan: { steps: readonly Step[] }, op: string, ask?: string): number {
  const places = plan.steps.flatMap((step, i) =>
    step.op === op && (ask === undefined || step.args[0] === ask) ? [i] : [],
  )
  expect(places, `${op} ${ask ?? ''}`).toHaveLength(1)
  return places[0]!
}

/** The steps follow one another in this order, whatever stands between. */
function ordered(plan: { steps: readonly Step[] }, ...ops: (string | readonly [op: string, name: string])[]): void {
  const places = ops.map(op => (typeof op === 'string' ? at(plan, op) : at(plan, ...op)))
  expect(places, ops.join(' < ')).toEqual([...places].sort((a, b) => a - b))
}

const flags = {
  NEWNS: 0x20000,
  NEWCGROUP: 0x2000000,
  NEWUTS: 0x4000000,
  NEWIPC: 0x8000000,
  NEWUSER: 0x10000000,
  NEWPID: 0x20000000,
  NEWNET: 0x40000000,
}

describe('the default container', () => {
  const plan = planOf()

  test('IN-09 every step, in words', () => {
    expect(told(plan)).toEqual(defaultPlan)
    expect(plan.namespaces.cloneFlags).toBe(flags.NEWNS | flags.NEWUTS | flags.NEWIPC | flags.NEWPID | flags.NEWNET)
    expect(plan.slots).toEqual(['uid', 'gid', 'groups', 'home'])
  })

  test('the same request gives the same plan, and a plan is plain data', () => {
    expect(planOf()).toEqual(plan)
    expect(structuredClone(plan.steps)).toEqual(plan.steps)
  })

  test('S13 the filter is the last thing before the program', () => {
    expect(plan.steps.slice(-3).map(step => step.op)).toEqual(['announceExec', 'setSeccompFilter', 'execProgram'])
  })

  test('S16 a step branches by errno alone, to another step or past itself', () => {
    const check = (step: Step): void => {
      for (const [errno, other] of Object.entries(step.onError ?? {})) {
        expect(errno).toMatch(/^E[A-Z0-9]+$/)
        if (other !== 'skip') check(other)
      }
    }
    const userns = planOf({ ...maps, namespaces: [...kinds, 'user'] })
    for (const step of [...plan.steps, ...userns.steps]) check(step)
    expect(plan.steps.some(step => step.onError !== undefined)).toBe(true)
  })
})

describe('variants', () => {
  test('a user namespace: maps, root, binds in place of nodes, and limits by the parent', () => {
    const plan = planOf({
      ...maps,
      namespaces: [...kinds, 'user'],
      rlimits: [{ type: 'RLIMIT_CPU', soft: 1, hard: 2 }],
    })
    const nodes = ['null (c 1:3)', 'zero (c 1:5)', 'full (c 1:7)', 'tty (c 5:0)', 'urandom (c 1:9)', 'random (c 1:8)']
    expect(difference(plan)).toEqual({
      more: [
        'wait until the id maps are written',
        'become root of the user namespace',
        ...nodes.map(node => `bind the host's /dev/${node} on /dev/${node.split(' ')[0]}`),
      ],
      less: defaultPlan.filter(about => about.startsWith('make the device')),
    })
    expect(plan.namespaces.cloneFlags & flags.NEWUSER).toBeTruthy()
    expect(plan.namespaces.clonesUser).toBe(true)
  })

  test('a user namespace without network or pid namespace has a stand-in for /sys and /proc', () => {
    const plan = planOf({ ...maps, namespaces: ['mnt', 'user'] })
    const fallback = (path: string): unknown =>
      plan.steps.find(step => step.op === 'mountFilesystem' && step.path === path)?.onError
    expect(fallback('/proc')).toMatchObject({ EPERM: { op: 'bindMount', about: "bind the host's /proc on /proc" } })
    expect(fallback('/sys')).toMatchObject({ EPERM: { op: 'bindMount', about: "bind the host's /sys on /sys" } })
  })

  test('readonlyRootfs: after all that is made in the root', () => {
    const plan = planOf({ readonlyRootfs: true }, { cwd: '/made' })
    expect(difference(plan).more).toEqual([
      'make the root read-only',
      'make the working directory /made',
      'change to the directory /made',
      'change to the directory /made as the user',
    ])
    const readonly = plan.steps.findIndex(step => step.about === 'make the root read-only')
    for (const op of ['makeDevice', 'makeSymlink', 'mountFilesystem', 'maskPaths', 'pivotRoot', 'reopenNull'])
      expect(plan.steps.findLastIndex(step => step.op === op)).toBeLessThan(readonly)
  })

  test('MT-26 a read-only /dev and tmpfs stay writable until they are filled', () => {
    const mounts = [
      { destination: '/proc', type: 'proc' },
      { destination: '/dev', type: 'tmpfs', options: ['ro', 'mode=755'] },
      { destination: '/srv', type: 'tmpfs', options: ['ro'] },
    ]
    const plan = planOf({ mounts })
    ordered(plan, 'pivotRoot', 'reopenNull', 'execProgram')
    const late = plan.steps.flatMap((step, i) => (/^make \/(dev|srv) read-only$/.test(step.about) ? [i] : []))
    expect(late).toHaveLength(2)
    expect(Math.min(...late)).toBeGreaterThan(plan.steps.findLastIndex(step => step.op === 'makeSymlink'))
  })

  test('DV-13 a bind on /dev is somebody else’s: nothing is made in it', () => {
    const plan = planOf({ mounts: [{ destination: '/dev', source: '/dev', options: ['rbind'] }] })
    expect(plan.steps.some(step => /makeDevice|makeSymlink|bindDevice|reopenNull/.test(step.op))).toBe(false)
  })

  test('a time namespace: made and set by init, entered by a second clone', () => {
    const plan = planOf({ namespaces: [...kinds, 'time'], timeOffsets: { boottime: { secs: 5 } } })
    expect(difference(plan)).toEqual({
      more: [
        'make new namespaces: pid',
        'make new namespaces: time',
        'set the clocks of the time namespace',
        'clone into the pid namespace',
      ],
      less: [],
    })
  })

  test('a terminal: its own pts, sent up before anything could use it, in place of the null device', () => {
    const plan = planOf({}, { terminal: { rows: 24, columns: 80 } })
    expect(difference(plan)).toEqual({
      more: [
        'open a new terminal in /dev/pts',
        'open the terminal’s slave',
        'make the terminal 80 columns by 24 rows',
        'hand the terminal’s master to the parent',
        'close the master',
        'mount the terminal on /dev/console',
        'take the terminal as standard streams and controlling terminal',
      ],
      less: ["take the container's null device for standard streams"],
    })
    ordered(plan, 'setSession', 'pivotRoot', 'openConsole', ['ask', 'terminal'], 'useTerminal', 'ownStdio')
    expect(told(planOf({}, { terminal: true }))).not.toContain('make the terminal 80 columns by 24 rows')
  })

  test('PP-04 no_new_privs: after all that needs privileges, and then no CAP_SYS_ADMIN is kept', () => {
    const plan = planOf({ noNewPrivileges: true })
    expect(difference(plan)).toEqual({
      more: [
        'set the permitted capabilities to CAP_KILL, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE',
        'gain no privileges by exec',
      ],
      less: ['set the permitted capabilities to CAP_KILL, CAP_NET_BIND_SERVICE, CAP_SYS_ADMIN, CAP_AUDIT_WRITE'],
    })
    ordered(plan, 'setUser', 'setCapabilities', 'setNoNewPrivileges', 'setSeccompFilter', 'execProgram')
    expect(told(planOf({ noNewPrivileges: true }, { noNewPrivileges: false }))).toEqual(defaultPlan)
  })

  test('no filter, no capabilities to drop: nothing is said of them', () => {
    const { more, less } = difference(planOf({ seccomp: null, capabilities: null }))
    expect(more).toEqual([])
    expect(less).toEqual(defaultPlan.filter(about => /filter|capabilities|bounding/.test(about)))
  })

  test('S13 a filter without the change of capabilities: CAP_SYS_ADMIN is raised again after the change of user', () => {
    const plan = planOf({ capabilities: null })
    ordered(plan, 'setUser', 'raiseEffective', 'setSeccompFilter')
    expect(planOf({ capabilities: null, noNewPrivileges: true }).steps.some(step => step.op === 'raiseEffective')).toBe(
      false,
    )
  })

  test('a joined namespace is opened, then joined, before anything is mounted; lo is its owner’s', () => {
    const plan = planOf({ namespaces: ['mnt', 'pid', 'ipc', 'uts', { kind: 'net', path: '/proc/9/ns/net' }] })
    expect(difference(plan)).toEqual({
      more: ['open the net namespace /proc/9/ns/net', 'join the net namespace /proc/9/ns/net'],
      less: ['bring the interface lo up'],
    })
    ordered(plan, 'openNamespace', 'joinNamespaces', 'prepareRoot')
    expect(plan.namespaces.cloneFlags & flags.NEWNET).toBe(0)
  })

  test('IN-09 networks are there before whatever can tell: a mount from elsewhere, its command, a hook; a loopback alone needs nobody', () => {
    const networks = [{ type: 'veth', bridge: 'br0' }] as const
    const network = { isThere: false, waits: true, steps: [] }
    const waiting = planOf({ networks }, {}, { network })
    expect(difference(waiting)).toEqual({ more: ['wait until the networks are there'], less: [] })
    const hooks = { id: 'x', at: (point: string) => (point === 'createRuntime' ? [{ path: '/bin/true' }] : []) }
    const order = (mounts: ContainerConfig['mounts'] = []): (string | undefined)[] =>
      planOf({ networks, mounts: [{ destination: '/proc', type: 'proc' }, ...mounts] }, {}, { hooks, network })
        .steps.map(({ op, args }) => (op === 'ask' ? `${args[0]}` : op))
        .filter(name => ['network', 'prepareRoot', 'mountFilesystem', 'hooks', 'pivotRoot'].includes(name))
        .filter((name, i, all) => name !== all[i - 1])
    expect(order()).toEqual(['prepareRoot', 'mountFilesystem', 'network', 'hooks', 'pivotRoot'])
    const early = ['network', 'prepareRoot', 'mountFilesystem', 'hooks', 'pivotRoot']
    expect(order([{ destination: '/data', type: 'nfs', source: '10.0.0.1:/data' }])).toEqual(early)
    const premountCommands = [{ path: '/bin/true' }]
    expect(order([{ destination: '/tmp', type: 'tmpfs', premountCommands }]).slice(0, 2)).toEqual(early.slice(0, 2))
    expect(difference(planOf({ networks: [{ type: 'loopback' }] }))).toEqual({ more: [], less: [] })
    // What init does of them itself follows at once.
    const own8 = { op: 'requestNetlink', args: [], about: 'give eth0 10.0.0.2/24' }
    const { steps } = planOf({ networks }, {}, { network: { ...network, steps: [own8] } })
    const wait = steps.findIndex(({ op, args }) => op === 'ask' && args[0] === 'network')
    expect(steps.slice(wait + 1, wait + 3)).toMatchObject([{ op: 'linkUp' }, own8])
    // Nobody but the host's root finds the namespace of a process that is not dumpable.
    const root0 = [{ containerId: 0, hostId: 1000, size: 1 }]
    const own = { networks: [{ type: 'user' }] as const, namespaces: ['user', 'mnt', 'pid', 'net'] as const }
    const plan = planOf({ ...own, uidMappings: root0, gidMappings: root0 }, {}, { unprivileged: true, network })
    const at = plan.steps.findIndex(({ about }) => about === 'wait until the networks are there')
    expect(plan.steps.slice(at - 1, at + 2).map(({ op }) => op)).toEqual(['setDumpable', 'ask', 'setDumpable'])
  })

  test('IN-09 a namespace that is made with its networks is asked for, and joined, right before the first that looks at it', () => {
    const networks = [{ type: 'veth', bridge: 'br0' }] as const
    const network = { isThere: true, waits: false, steps: [] }
    const plan = planOf({ networks }, {}, { network })
    expect(plan.namespaces.cloneFlags & flags.NEWNET).toBe(0)
    expect(plan.namespaces.cloneFlags & flags.NEWPID).toBe(flags.NEWPID)
    const asked = 'wait until the network namespace is there'
    const joined = [asked, 'join the net namespace']
    expect(difference(plan)).toEqual({ more: joined, less: [] })
    expect(plan.slots).toContain('network')
    ordered(plan, ['ask', 'network'], 'joinNamespaces', 'linkUp')
    const around = (mounts: ContainerConfig['mounts'], more: Partial<ContainerConfig> = {}): (string | undefined)[] => {
      const all = told(planOf({ networks, mounts, ...more }, {}, { network }))
      const at = all.indexOf(asked)
      expect(all[at + 1]).toBe(joined[1])
      return [all[at - 1], all[at + 2]]
    }
    const proc = { destination: '/proc', type: 'proc' }
    expect(around(undefined)[1]).toBe('mount sysfs on /sys')
    expect(around([proc, { destination: '/etc/x', source: '/etc/x', options: ['bind'] }])).toEqual([
      'mount proc on /proc',
      'bind /etc/x on /etc/x',
    ])
    // Nothing looks: what init does of them is the first. One can tell: they are all there before the root is made.
    expect(around([proc])[1]).toBe('bring the interface lo up')
    const nfs = { destination: '/data', type: 'nfs', source: '10.0.0.1:/data' }
    expect(around([proc, nfs])).toEqual(['start a new session', 'bring the interface lo up'])
    const bare = { namespaces: ['net', 'pid'], devices: [], maskedPaths: [], readonlyPaths: [] } as const
    expect(around([], bare)[1]).toBe('bring the interface lo up')
  })

  test('without a network namespace lo is the host’s', () => {
    expect(difference(planOf({ namespaces: ['mnt', 'pid'] }))).toEqual({
      more: [],
      less: ['bring the interface lo up'],
    })
  })

  test('names, sysctls and limits', () => {
    const sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '7' }
    const rlimits = [{ type: 'RLIMIT_CPU', soft: 1, hard: 'unlimited' as const }]
    const plan = planOf(
      { hostname: 'h', domainname: 'd', sysctl, rlimits, umask: 0o77, parentDeathSignal: 'TERM' },
      {},
      { initialFiles: 1024n },
    )
    expect(difference(plan)).toEqual({
      more: [
        'set the hostname to h',
        'set the domainname to d',
        'set net.ipv4.ip_forward to 1',
        'set kernel.shmmax to 7',
        'limit RLIMIT_CPU to 1, at most unlimited',
        'limit RLIMIT_NOFILE to 1024',
        'set the umask to 0077',
        'die by signal 15 with the parent',
      ],
      less: ['set the umask to 0022'],
    })
    expect(plan.steps.find(step => step.op === 'setResourceLimit')!.args).toEqual([0, 1n, 18446744073709551615n])
  })

  test('S24 open files are as they were before the engine raised its own limit, unless they are asked for', () => {
    const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 5, hard: 6 }]
    const abouts = told(planOf({ rlimits }, {}, { initialFiles: 1024n }))
    expect(abouts.filter(about => about.includes('NOFILE'))).toEqual(['limit RLIMIT_NOFILE to 5, at most 6'])
    expect(told(planOf({}, {}, { initialFiles: undefined }))).toEqual(defaultPlan)
  })

  test('US-05 a user by numbers with HOME needs no look into the container’s files', () => {
    const plan = planOf({}, { user: { uid: 5, gid: 6 }, env: ['HOME=/', 'PATH=/bin'] })
    expect(difference(plan)).toEqual({
      more: ['become user 5, group 6'],
      less: [
        'look the user up in the container’s passwd and group',
        'become user of the container, group of the container',
      ],
    })
    expect(plan.slots).toEqual([])
  })

  test('PR-10 what the process asks for wins over the container', () => {
    const plan = planOf(
      { capabilities: ['CAP_KILL'], umask: 0, rlimits: [{ type: 'RLIMIT_CPU', soft: 1, hard: 1 }] },
      { capabilities: ['CAP_CHOWN'], umask: 0o27, rlimits: [] },
    )
    const abouts = told(plan)
    expect(abouts).toContain('limit the bounding set to CAP_CHOWN')
    expect(abouts).toContain('set the umask to 0027')
    expect(abouts.some(about => about.includes('RLIMIT_CPU'))).toBe(false)
    expect(
      told(planOf({ capabilities: ['CAP_KILL'] }, { capabilities: null })).some(about => about.includes('bounding')),
    ).toBe(false)
  })

  test('CP-10 what this process cannot hand on is left out, but in a user namespace everything can be', () => {
    const facts = { available: 1n << 5n }
    expect(told(planOf({}, {}, facts))).toContain('limit the bounding set to CAP_KILL')
    expect(told(planOf({ ...maps, namespaces: [...kinds, 'user'] }, {}, facts))).toContain(
      'limit the bounding set to CAP_KILL, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE',
    )
  })

  test('S20 created: it reports so and waits, after the state is saved and before the program', () => {
    const plan = planOf({}, {}, { waitForStart: 0 })
    expect(difference(plan)).toEqual({ more: ['report that the container is created', 'wait to be started'], less: [] })
    ordered(plan, 'findProgram', ['ask', 'ready'], 'announceCreated', 'awaitStart', 'announceExec', 'setSeccompFilter')
  })
})

describe('the order that the kernel asks for', () => {
  const everything: Partial<ContainerConfig> = {
    readonlyRootfs: true,
    hostname: 'h',
    domainname: 'd',
    sysctl: { 'net.ipv4.ip_forward': '1' },
    rlimits: [{ type: 'RLIMIT_CPU', soft: 1, hard: 2 }],
    parentDeathSignal: 9,
    noNewPrivileges: true,
    rootPropagation: 'rprivate',
  }
  const spec: Partial<ProcessSpec> = { user: 'user', cwd: '/srv', terminal: true }
  const plans: [string, ContainerPlan][] = [
    ['default', planOf()],
    ['everything', planOf(everything, spec, { initialFiles: 7n })],
    ['everything on v1', planOf({ ...everything, namespaces: [...kinds, 'cgroup', 'time'] }, spec, v1)],
    ['userns on v1', planOf({ ...everything, ...maps, namespaces: [...kinds, 'user', 'cgroup'] }, spec, v1)],
    [
      'userns with time',
      planOf({ ...maps, namespaces: [...kinds, 'user', 'time'], timeOffsets: { monotonic: { secs: 1 } } }, {}, v1),
    ],
    ['userns, net joined', planOf({ ...maps, namespaces: ['mnt', 'pid', 'user', { kind: 'net', path: '/n' }] })],
    [
      'all joined',
      planOf({
        namespaces: [
          'mnt',
          ...(['pid', 'ipc', 'uts', 'net', 'user', 'cgroup'] as const).map(kind => ({ kind, path: `/${kind}` })),
        ],
      }),
    ],
    ['created', planOf(everything, {}, { waitForStart: 0 })],
    ['no filter', planOf({ seccomp: null })],
  ]
  const before = (plan: ContainerPlan, a: RegExp, b: RegExp): void => {
    const last = plan.steps.findLastIndex(step => a.test(step.op))
    const first = plan.steps.findIndex(step => b.test(step.op))
    if (last >= 0 && first >= 0) expect(last, `${a} before ${b}`).toBeLessThan(first)
  }

  test.each(plans)('IN-04 S27 %s: cgroups are joined before anything else', (_, plan) => {
    const joins = plan.steps.findIndex(step => step.op === 'joinCgroups')
    if (joins >= 0) expect(joins).toBe(0)
  })

  test.each(plans)(
    'S1 S5 %s: maps, then root, then the rest; the second clone comes after all namespaces',
    (_, plan) => {
      const maps = plan.steps.findIndex(step => step.args[0] === 'maps')
      const root = plan.steps.findIndex(step => step.op === 'becomeRoot')
      if (maps >= 0) expect(root).toBeGreaterThan(maps)
      before(plan, /^becomeRoot$/, /^(prepareRoot|mountFilesystem|setHostname)$/)
      before(plan, /Namespace/, /^(secondClone|setSession)$/)
      before(plan, /^secondClone$/, /^setSession$/)
      if (plan.namespaces.needsSecondClone) expect(plan.namespaces.cloneFlags & flags.NEWPID).toBe(0)
    },
  )

  test.each(plans)(
    'S3 %s: no clone makes a time namespace; its clocks are set before a process is in it',
    (_, plan) => {
      expect(plan.namespaces.cloneFlags & 0x80).toBe(0)
      before(plan, /^setTimeOffsets$/, /^secondClone$/)
      const clocks = plan.steps.findIndex(step => step.args[0] === 'clocks')
      const clone = plan.steps.findIndex(step => step.op === 'secondClone')
      if (clocks >= 0) expect(clocks).toBeLessThan(clone)
    },
  )

  test.each(plans)('S4 %s: a cgroup namespace is made once all hierarchies are joined', (_, plan) => {
    const joins = plan.steps.findIndex(step => step.op === 'joinCgroups')
    if (joins >= 0) expect(plan.namespaces.cloneFlags & flags.NEWCGROUP).toBe(0)
  })

  test.each(plans)('IN-09 %s: mounts and devices, pivot, read-only, names, sysctls, then the process', (_, plan) => {
    before(plan, /^prepareRoot$/, /^mountFilesystem|bindMount$/)
    before(plan, /^mountFilesystem$/, /^(makeDevice|bindDevice|makeSymlink)$/)
    before(plan, /^(makeDevice|bindDevice|makeSymlink|mountFilesystem|bindMount|prepareRoot)$/, /^pivotRoot$/)
    before(plan, /^(mountFilesystem|makeDevice|bindDevice|makeSymlink)$/, /^(readonlyPaths|maskPaths)$/)
    before(plan, /^pivotRoot$/, /^(setHostname|setDomainname|writeSysctl|openConsole|reopenNull)$/)
    before(plan, /^(setHostname|setDomainname|writeSysctl|linkUp|maskPaths|readonlyPaths)$/, /^(setUser|dropBounding)$/)
  })

  test.each(plans)(
    'S13 S14 S18 %s: capabilities around the change of user, privileges away, the last word, the filter',
    (_, plan) => {
      before(
        plan,
        /^(setResourceLimit|setSoftLimit|makeWorkingDirectory|setGroups|dropBounding|ownStdio)$/,
        /^setUser$/,
      )
      before(plan, /^setUser$/, /^(setCapabilities|setAmbient|raiseEffective|setNoNewPrivileges|setParentDeathSignal)$/)
      before(plan, /^(setCapabilities|setAmbient)$/, /^(setNoNewPrivileges|setParentDeathSignal|findProgram)$/)
      before(plan, /^(setNoNewPrivileges|setParentDeathSignal|findProgram|ask|awaitStart)$/, /^announceExec$/)
      before(plan, /^announceExec$/, /^(setSeccompFilter|execProgram)$/)
      expect(plan.steps.at(-1)!.op).toBe('execProgram')
      const filters = plan.steps.filter(step => step.op === 'setSeccompFilter').length
      if (filters > 0) expect(plan.steps.at(-2)!.op).toBe('setSeccompFilter')
    },
  )

  test.each(plans)('ST-16 IN-12 %s: the program is found, then the state saved, then reported and run', (_, plan) => {
    ordered(plan, 'findProgram', ['ask', 'ready'], 'announceExec', 'execProgram')
  })

  test.each(plans)('S10 %s: the parent-death signal comes after the last change of ids', (_, plan) => {
    before(plan, /^(setUser|setGroups|becomeRoot|setCapabilities)$/, /^setParentDeathSignal$/)
  })

  test.each(plans)('IN-14 %s: the working directory is entered before the change of user and after it', (_, plan) => {
    const changes = plan.steps.flatMap((step, i) => (step.op === 'changeDirectory' ? [i] : []))
    expect(changes).toHaveLength(2)
    const user = at(plan, 'setUser')
    expect(changes[0]).toBeLessThan(user)
    expect(changes[1]).toBeGreaterThan(user)
    expect(changes[0]).toBeGreaterThan(at(plan, 'pivotRoot'))
  })
})

test('MT-47 an overlay is laid over the root before anything is mounted on it', () => {
  const rootOverlay = { lower: ['/layer'], upper: '/upper', work: '/work' }
  const plan = planOf({ rootOverlay })
  expect(difference(plan)).toEqual({ more: ['lay /upper, /layer over the root'], less: [] })
  expect(at(plan, 'overlayRoot')).toBe(at(plan, 'prepareRoot') + 1)
  // Whoever is in a user namespace keeps notes where its root may write them.
  const [own, user] = [plan, planOf({ rootOverlay, namespaces: [...kinds, 'user'], ...maps })]
  const notes = [own, user].map(each => each.steps[at(each, 'overlayRoot')]!.args[4] as Uint8Array)
  expect(notes.map(bytes => new TextDecoder().decode(bytes))).toEqual(['', 'userxattr\0'])
})

test('BY-24 a root whose ids are mapped covers the root before anything else does', () => {
  const config = { rootIdMap: 'idmap', namespaces: [...kinds, 'user'] as const, ...maps }
  const resolved = resolveConfig('demo', { rootfs: '/rootfs', ...config })
  const plan = planOf({ ...config, rootOverlay: { temporary: true } }, {}, { ownFiles: ownFilesOf(resolved) })
  expect(at(plan, 'coverRoot')).toBe(at(plan, 'prepareRoot') + 2)
  expect(at(plan, 'overlayRoot')).toBeGreaterThan(at(plan, 'coverRoot'))
  expect(plan.slots).toContain('source')
})

test('MT-36 in the mounts of the host: a chroot, and no step that mounts, makes a node or masks', () => {
  const shared = { namespaces: ['pid', 'uts'], mounts: [], devices: [], maskedPaths: [], readonlyPaths: [] } as const
  const { more, less } = difference(planOf(shared))
  expect(more).toEqual(['open /rootfs', 'change to the new root'])
  expect(less).toEqual(defaultPlan.slice(1, defaultPlan.indexOf('pivot to the new root') + 1))
  expect(told(planOf(shared, { terminal: true }))).not.toContain('mount the terminal on /dev/console')
})

test.each(['user', 'NEWUSER', 'CLONE_NEWUSER', { kind: 'user' }, { kind: 'NEWUSER' }])(
  'NS-01 a user namespace is one by any of its words: %o',
  async word => {
    const one = { uidMappings: [{ ...map[0]!, size: 1 }], gidMappings: [{ ...map[0]!, size: 1 }] }
    const namespaces = [...kinds, word] as NonNullable<ContainerConfig['namespaces']>
    const plain = resolveConfig('demo', { rootfs: '/rootfs', namespaces: [...kinds, 'user'], ...one })
    const resolved = resolveConfig('demo', { rootfs: '/rootfs', namespaces, ...one })
    expect(resolved).toEqual(plain)
    // 5 is no id of the maps: the group of terminals is root's then.
    expect(resolved.mounts.find(({ type }) => type === 'devpts')?.options).not.toContain('gid=5')
    const problems = await validate({ rootfs: '/absent', namespaces, rootIdMap: 'idmap', ...one })
    expect(problems.map(({ field }) => field)).toEqual(['rootfs'])
  },
)

describe('a further process', () => {
  const config = resolveConfig('demo', { rootfs: '/rootfs' })
  const exec = (spec: Partial<ProcessSpec> = {}, facts: object = {}): { steps: readonly Step[] } => {
    const whole = { args: ['/bin/true'], ...spec }
    return planExec(whole, attributesOf(config, whole, false), { kinds, joinCgroups: [], lastCap: 40, ...facts })
  }

  test('IN-10 CO-10 into the namespaces, then from the jail on as the first process', () => {
    const process = defaultPlan.slice(defaultPlan.indexOf('run on every CPU that the cpuset allows'))
    expect(told(exec())).toEqual([
      'join the namespaces mnt, pid, ipc, uts, net of the process',
      'clone into the pid namespace',
      'start a new session',
      'open the root of the container',
      "take the container's null device for standard streams",
      ...process,
    ])
  })

  test('MT-36 in the mounts of the host: its root is handed in, and changed to', () => {
    const abouts = told(exec({ terminal: true }, { kinds: ['pid'], rooted: true }))
    expect(abouts.slice(0, 5)).toEqual([
      'join the namespaces pid of the process',
      'clone into the pid namespace',
      'start a new session',
      'change to the new root',
      'open a new terminal in /dev/pts',
    ])
  })

  test('S12 one setns for all; root of the user namespace right after it', () => {
    const plan = exec({}, { kinds: [...kinds, 'user'], joinCgroups: [join] })
    expect(plan.steps.slice(0, 4).map(step => step.op)).toEqual([
      'joinCgroups',
      'setProcessNamespaces',
      'becomeRoot',
      'secondClone',
    ])
  })

  test('a container that shares all of its namespaces needs no join and no second clone', () => {
    const ops = exec({}, { kinds: [] }).steps.map(step => step.op)
    expect(ops[0]).toBe('setSession')
    expect(ops).not.toContain('secondClone')
  })

  test('its terminal is not the container’s console', () => {
    const abouts = told(exec({ terminal: true }))
    expect(abouts).toContain('open a new terminal in /dev/pts')
    expect(abouts).not.toContain('mount the terminal on /dev/console')
  })

  test('S13 the filter of the container is last here too, and nothing waits to be started', () => {
    const { steps } = exec()
    expect(steps.slice(-2).map(step => step.op)).toEqual(['setSeccompFilter', 'execProgram'])
    expect(steps.some(step => /awaitStart|announceCreated|setParentDeathSignal/.test(step.op))).toBe(false)
  })
})

test('IN-09 IN-10 AA-02 the profile of AppArmor: told while the filter lets it be, to a procfs of its own; a process has its own word', async () => {
  const steps = async (
    config: Partial<ContainerConfig>,
    process: Partial<ProcessSpec> = {},
  ): Promise<readonly Step[]> => planOf(config, process, {}, await confinementOf(config, process)).steps
  const write = async (...given: Parameters<typeof steps>): Promise<Step | undefined> =>
    (await steps(...given)).find(({ op }) => op === 'writeLabel')
  const written = async (...given: Parameters<typeof steps>): Promise<unknown> => (await write(...given))?.args.slice(1)
  expect((await steps({})).map(({ op }) => op)).not.toContain('openLabels')
  const ops = (await steps({ apparmorProfile: 'box', noNewPrivileges: true })).map(({ op }) => op)
  const order = ['openLabels', 'setUser', 'writeLabel', 'findProgram'].map(op => ops.indexOf(op))
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(order).not.toContain(-1)
  expect(ops.slice(0, order[2]).join()).not.toMatch(/seccomp|filter/i)
  expect(await written({ apparmorProfile: 'box' })).toEqual(['apparmor/exec', 'exec box'])
  expect(await written({ apparmorProfile: 'box' }, { apparmorProfile: '&own' })).toEqual(['apparmor/exec', 'stack own'])
  expect(await written({ apparmorProfile: 'box' }, { apparmorProfile: '' })).toEqual(['apparmor/exec', 'exec box'])
  // Without AppArmor everything is: both files may be missing, or take nothing.
  const unconfined = await write({ apparmorProfile: 'unconfined' })
  expect(unconfined?.onError).toMatchObject({ EINVAL: 'skip', ENOENT: { onError: { EINVAL: 'skip', ENOENT: 'skip' } } })
})
