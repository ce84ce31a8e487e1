import {
  flagsOf,
  joinNamespacesStep,
  type Namespace,
  type NamespaceKind,
  type NamespacePlan,
  type NamespacesConfig,
  namespaceKinds,
  planNamespaces,
  planProcessJoin,
  timeOffsetsText,
  validateNamespaces,
} from '@libcontainer/namespaces'
import { ConfigInvalid, encodePlan, type Step, slot } from '@libcontainer/sys'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planEnter } from '../src/enter.js'

const maps = {
  uidMappings: [{ containerId: 0, hostId: 100000, size: 65536 }],
  gidMappings: [{ containerId: 0, hostId: 100000, size: 65536 }],
}

const list = (...words: string[]): Namespace[] =>
  words.map(word => {
    const [kind, path] = word.split('=') as [NamespaceKind, string | undefined]
    return path === undefined ? { kind } : { kind, path }
  })

const abouts = (steps: readonly Step[]): string[] => steps.map(step => step.about)

test('S3, S4 the default container comes from one clone but for its cgroup and time namespaces', () => {
  const namespaces = list('ipc', 'uts', 'net', 'pid', 'mnt', 'cgroup')
  const plan = planNamespaces({ namespaces })
  expect(plan.cloneFlags).toBe(flagsOf(['ipc', 'uts', 'net', 'pid', 'mnt']))
  expect(plan).toMatchObject({
    clonesUser: false,
    needsMaps: false,
    needsSecondClone: false,
    enter: [],
    become: [],
    create: [],
  })
  expect(plan.unshareLater).toEqual(['cgroup'])
  expect(abouts(plan.late)).toEqual(['make new namespaces: cgroup'])

  const born = planNamespaces({ namespaces }, { bornInCgroup: true })
  expect(born.cloneFlags).toBe(flagsOf(['ipc', 'uts', 'net', 'pid', 'mnt', 'cgroup']))
  expect(born.late).toEqual([])
})

test('S1 a new user namespace is made by the clone, and init waits for its maps before it becomes root', () => {
  const plan = planNamespaces({ namespaces: list('mnt', 'user', 'pid'), ...maps })
  expect(plan.cloneFlags).toBe(flagsOf(['user', 'mnt', 'pid']))
  expect(plan).toMatchObject({ clonesUser: true, needsMaps: true, needsSecondClone: false, enter: [] })
  expect(plan.become.map(step => step.op)).toEqual(['becomeRoot'])
})

test('S3 a time namespace is unshared, its clocks set, and entered by exec or by a second clone', () => {
  const config = { namespaces: list('pid', 'time'), timeOffsets: { monotonic: { secs: 100000 } } }
  const byExec = planNamespaces(config, { execEntersTime: true })
  expect(byExec.cloneFlags).toBe(flagsOf(['pid']))
  expect(byExec.needsSecondClone).toBe(false)
  expect(byExec.late.map(step => step.op)).toEqual(['unshareNamespaces', 'setTimeOffsets'])

  const byClone = planNamespaces(config)
  expect(byClone.cloneFlags).toBe(0)
  expect(byClone.needsSecondClone).toBe(true)
  expect(byClone.unshareLater).toEqual(['pid', 'time'])
})

test('S12 with a user namespace the parent sets the clocks: their file is the host root’s', () => {
  const config = { namespaces: list('user', 'time'), ...maps, timeOffsets: { boottime: { secs: 5 } } }
  const plan = planNamespaces(config, { execEntersTime: true })
  expect(plan.offsetsByParent).toBe(true)
  expect(abouts(plan.late)).toEqual(['make new namespaces: time'])
  expect(planNamespaces({ namespaces: list('time'), timeOffsets: {} }).offsetsByParent).toBe(false)
})

test('S5 a joined pid namespace is entered by a second clone, which the first leaves the pid namespace to', () => {
  const plan = planNamespaces({ namespaces: list('pid=/proc/9/ns/pid', 'mnt', 'net=/run/net') })
  expect(plan.needsSecondClone).toBe(true)
  expect(plan.cloneFlags).toBe(flagsOf(['mnt']))
  expect(abouts(plan.enter)).toEqual([
    'open the net namespace /run/net',
    'open the pid namespace /proc/9/ns/pid',
    'join the namespaces net /run/net, pid /proc/9/ns/pid',
  ])
})

test('NS-07 all paths are opened first; then one step joins, which tries the user namespace between the others', () => {
  const namespaces = list('mnt=/n/mnt', 'net=/n/net', 'user=/n/user', 'ipc=/n/ipc', 'uts', 'pid')
  const plan = planNamespaces({ namespaces })
  expect(plan.cloneFlags).toBe(0)
  expect(plan.enter.map(step => step.op)).toEqual([...Array(4).fill('openNamespace'), 'joinNamespaces'])
  expect(plan.enter[4]!.about).toBe('join the namespaces ipc /n/ipc, net /n/net, mnt /n/mnt, user /n/user')
  const at = (kind: string) => slot(`namespace.${kind}`)
  // As native/join.c has them: user, cgroup, ipc, uts, net, time, pid, mnt.
  expect(plan.enter[4]!.args).toEqual([at('user'), -1, at('ipc'), -1, at('net'), -1, -1, at('mnt')])
  expect(plan.become.length).toBe(1)
  expect(plan.needsMaps).toBe(false)
  expect(abouts(plan.create)).toEqual(['make new namespaces: uts'])
  expect(abouts(plan.late)).toEqual(['make new namespaces: pid'])
  expect(plan.needsSecondClone).toBe(true)
})

test('NS-07 with a joined namespace a new user namespace is made after the join, or the join would be refused', () => {
  const plan = planNamespaces({ namespaces: list('user', 'net=/n/net', 'mnt', 'pid', 'uts'), ...maps })
  expect(plan.cloneFlags).toBe(0)
  expect(plan.clonesUser).toBe(false)
  expect(abouts(plan.enter)).toEqual([
    'open the net namespace /n/net',
    'join the net namespace /n/net',
    'make new namespaces: user',
  ])
  expect(plan.needsMaps).toBe(true)
  expect(abouts(plan.create)).toEqual(['make new namespaces: uts, mnt'])
  expect(plan.unshareLater).toEqual(['pid'])
  expect(plan.needsSecondClone).toBe(true)
})

test('NS-07 a path may hold commas and blanks', () => {
  const path = '/run/a,b c/net'
  expect(planNamespaces({ namespaces: [{ kind: 'net', path }] }).enter[0]).toMatchObject({
    path,
    args: [path, flagsOf(['net'])],
  })
})

test('NS-08 namespaces of a process are joined by one call, then its root', () => {
  const plan = planProcessJoin(slot('pidfd'), ['user', 'pid', 'mnt'])
  expect(plan.steps.map(step => step.op)).toEqual(['setProcessNamespaces', 'becomeRoot'])
  expect(plan.steps[0]!.args).toEqual([slot('pidfd'), flagsOf(['user', 'pid', 'mnt'])])
  expect(plan.needsSecondClone).toBe(true)
  expect(planProcessJoin(5, ['net'])).toMatchObject({
    needsSecondClone: false,
    steps: [{ args: [5, flagsOf(['net'])] }],
  })
  expect(planProcessJoin(5, []).steps).toEqual([])
})

/** Every way to configure the eight kinds: absent, new, or joined. */
const configs = fc.tuple(...namespaceKinds.map(() => fc.constantFrom('absent', 'new', 'joined'))).map(choices => {
  const namespaces = namespaceKinds.flatMap((kind, i): Namespace[] =>
    choices[i] === 'absent' ? [] : choices[i] === 'new' ? [{ kind }] : [{ kind, path: `/n/${kind}` }],
  )
  const fresh = choices[0] === 'new'
  return { namespaces, ...(fresh ? maps : {}) } as NamespacesConfig
})

/** Of the arguments of joinNamespaces: native/join.c. */
const order: readonly NamespaceKind[] = ['user', 'cgroup', 'ipc', 'uts', 'net', 'time', 'pid', 'mnt']

const all = (plan: NamespacePlan): Step[] => [...plan.enter, ...plan.become, ...plan.create, ...plan.late]

test('in every plan each namespace is made once or joined once, and what needs the user namespace comes after it', () => {
  fc.assert(
    fc.property(configs, fc.boolean(), fc.boolean(), (config, bornInCgroup, execEntersTime) => {
      const plan = planNamespaces(config, { bornInCgroup, execEntersTime })
      const steps = all(plan)
      encodePlan(steps)
      const made = steps.filter(step => step.op === 'unshareNamespaces').map(step => step.args[0] as number)
      const join = steps.filter(step => step.op === 'joinNamespaces')
      expect(join.length).toBe(config.namespaces.some(({ path }) => path !== undefined) ? 1 : 0)
      const joined = join.flatMap(({ args }) => order.flatMap((kind, i) => (args[i] === -1 ? [] : [flagsOf([kind])])))
      const ways = [plan.cloneFlags, ...made]
      for (const { kind, path } of config.namespaces) {
        const flag = flagsOf([kind])
        expect(ways.filter(flags => flags & flag).length).toBe(path === undefined ? 1 : 0)
        expect(joined.filter(flags => flags === flag).length).toBe(path === undefined ? 0 : 1)
      }
      const total = config.namespaces.reduce((sum, { kind }) => sum | flagsOf([kind]), 0)
      expect([...ways, ...joined].reduce((sum, flags) => sum | flags, 0)).toBe(total)

      expect(plan.cloneFlags & flagsOf(['time'])).toBe(0)
      if (plan.needsSecondClone) expect(plan.cloneFlags & flagsOf(['pid'])).toBe(0)
      const user = config.namespaces.find(({ kind }) => kind === 'user')
      // Nothing new may be owned by the user namespace that the container leaves.
      if (user !== undefined && !plan.clonesUser) expect(plan.cloneFlags).toBe(0)
      const opens = steps.map((step, i) => (step.op === 'openNamespace' ? i : -1))
      const firstJoin = steps.findIndex(step => step.op === 'joinNamespaces')
      if (firstJoin >= 0) expect(Math.max(...opens)).toBeLessThan(firstJoin)
    }),
  )
})

function refusal(config: NamespacesConfig): ConfigInvalid {
  try {
    planNamespaces(config)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid)
    return error as ConfigInvalid
  }
  throw new Error(`not refused: ${JSON.stringify(config)}`)
}

test('EV-030 an unknown kind is refused, and an OCI word is told what to write', () => {
  expect(refusal({ namespaces: list('foo') }).message).toMatch(/^namespaces\[0\]\.kind: must be one of user, ipc/)
  expect(refusal({ namespaces: list('ipc', 'network') })).toMatchObject({
    field: 'namespaces[1].kind',
    hint: "write 'net'",
  })
  for (const kind of ['', '__proto__', 'toString', null, 7]) {
    expect(refusal({ namespaces: [{ kind: kind as NamespaceKind }] }).field).toBe('namespaces[0].kind')
  }
  expect(refusal({ namespaces: [null as unknown as Namespace] }).field).toBe('namespaces[0]')
  expect(refusal({ namespaces: 'pid' as unknown as Namespace[] }).field).toBe('namespaces')
})

test('EV-031 a kind twice is refused', () => {
  expect(refusal({ namespaces: list('pid', 'net', 'pid=/proc/1/ns/pid') }).field).toBe('namespaces[2].kind')
})

test('EV-034 a relative path is refused; so are a NUL byte and a path without end', () => {
  expect(refusal({ namespaces: list('net=proc/1/ns/net') }).message).toMatch(/absolute/)
  expect(refusal({ namespaces: list('net=/a\0b') }).message).toMatch(/NUL/)
  expect(refusal({ namespaces: list(`net=/${'a'.repeat(70000)}`) }).message).toMatch(/longer/)
})

test('EV-036 maps without a user namespace are refused', () => {
  expect(refusal({ namespaces: list('pid'), ...maps }).field).toBe('uidMappings')
  expect(refusal({ namespaces: list('pid'), gidMappings: maps.gidMappings }).field).toBe('gidMappings')
  expect(() => validateNamespaces({ namespaces: list('pid'), uidMappings: [] })).not.toThrow()
})

test('EV-037 a new user namespace without maps is refused', () => {
  expect(refusal({ namespaces: list('user') })).toMatchObject({
    field: 'uidMappings',
    hint: expect.stringMatching(/path of a user/),
  })
  expect(refusal({ namespaces: list('user'), uidMappings: maps.uidMappings }).field).toBe('gidMappings')
})

test('EV-039 a user namespace without root is refused', () => {
  const map = [{ containerId: 1, hostId: 100000, size: 10 }]
  expect(refusal({ namespaces: list('user'), ...maps, gidMappings: map }).message).toMatch(
    /^gidMappings: the id 0 inside: is not mapped/,
  )
})

test('EV-042 time offsets without a new time namespace are refused', () => {
  const timeOffsets = { monotonic: { secs: 1 } }
  expect(refusal({ namespaces: list('pid'), timeOffsets }).field).toBe('timeOffsets')
  expect(refusal({ namespaces: list('time=/proc/1/ns/time'), timeOffsets }).message).toMatch(/joined/)
})

test('EV-043 another clock and numbers that the kernel cannot hold are refused', () => {
  const offsets = (timeOffsets: object): string => refusal({ namespaces: list('time'), timeOffsets }).field
  expect(offsets({ realtime: { secs: 1 } })).toBe('timeOffsets')
  expect(offsets({ monotonic: { nanosecs: 1_000_000_000 } })).toBe('timeOffsets.monotonic.nanosecs')
  expect(offsets({ monotonic: { nanosecs: -1 } })).toBe('timeOffsets.monotonic.nanosecs')
  expect(offsets({ boottime: { secs: 1.5 } })).toBe('timeOffsets.boottime.secs')
  expect(offsets({ boottime: { secs: 2n ** 63n } })).toBe('timeOffsets.boottime.secs')
})

test('NS-14 the text of time offsets', () => {
  expect(timeOffsetsText({ boottime: { secs: -5n, nanosecs: 7 }, monotonic: { secs: 100000 } })).toBe(
    'monotonic 100000 0\nboottime -5 7\n',
  )
})

test('NS-15 who enters hides its memory before it joins anything, and is born inside before it takes ids', () => {
  const joins = [joinNamespacesStep(new Map([['pid', 5]]))]
  const { steps } = planEnter({ kinds: ['pid', 'user'], handed: {}, joins }, undefined)
  expect(steps.map(({ op }) => op)).toEqual(['hideMemory', 'joinNamespaces', 'cloneAgain', 'takeGroups', 'becomeRoot'])
  const { steps: own } = planEnter({ kinds: [], handed: {}, joins: [] }, { uid: 5, gid: 6, groups: [7] })
  expect(own.map(({ about }) => about)).toEqual(['take the groups 7', 'become the user 5 and the group 6'])
})
