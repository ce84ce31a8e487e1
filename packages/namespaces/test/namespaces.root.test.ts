import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  becomeRootStep,
  checkIdMap,
  checkNamespaces,
  cloneFlag,
  type IdMap,
  idMapSteps,
  inspect,
  inUserNamespace,
  isSupported,
  joinTarget,
  type NamespaceKind,
  type NamespacePlan,
  type NamespacesConfig,
  namespaceKinds,
  namespacePath,
  openNamespaceFd,
  openNamespaceStep,
  planNamespaces,
  planProcessJoin,
  readMaps,
  setNamespaceStep,
  timeOffsetsStep,
  unshareStep,
  writeIdMaps,
  writeTimeOffsets,
} from '@libcontainer/namespaces'
import { ConfigInvalid, type OwnedFd, type Step, slot } from '@libcontainer/sys'
import fc from 'fast-check'
import { afterAll, afterEach, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Driver, type DriverRun } from '../../sys/test/driver.js'

const needs = requires('root', 'program:gcc')
const driver = new Driver(['namespaces'])
const directory = mkdtempSync(join(tmpdir(), 'libcontainer-namespaces-'))
const children = new Set<ChildProcess>()
const fds = new Set<OwnedFd>()

afterEach(async () => {
  for (const fd of fds) fd.close()
  fds.clear()
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  }
  children.clear()
})
afterAll(() => {
  driver.close()
  rmSync(directory, { recursive: true, force: true })
})

const ask = (word: string): Step => ({ op: 'driverAsk', args: [word], about: `ask ${word}` })
const fork: Step = { op: 'driverFork', args: [], about: 'fork' }
const notDumpable: Step = { op: 'driverNotDumpable', args: [], about: 'become not dumpable' }
const rootMaps = {
  uid: [{ containerId: 0, hostId: 100000, size: 65536 }],
  gid: [{ containerId: 0, hostId: 200000, size: 65536 }],
}

/** A process that has applied steps and stands still, until `answer` lets it go on. */
interface Held {
  readonly child: ChildProcess
  readonly pid: number
  /** Waits for the next `ask`, and answers the pid as this process sees it. */
  asked(word: string): Promise<void>
  answer(): void
  output(): Promise<string>
}

function hold(steps: readonly Step[], run: DriverRun = {}): Held {
  const child = driver.start(steps, run)
  children.add(child)
  let seen = ''
  let errors = ''
  child.stdout!.setEncoding('utf8').on('data', text => {
    seen += text
  })
  child.stderr!.setEncoding('utf8').on('data', text => {
    errors += text
  })
  return {
    child,
    pid: child.pid!,
    async asked(word) {
      while (!seen.includes(`ask ${word}\n`)) {
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${errors}`)
        await Promise.race([once(child.stdout!, 'data'), once(child, 'close')])
      }
    },
    answer() {
      child.stdin!.write('\n')
    },
    async output() {
      if (child.exitCode === null) await once(child, 'close')
      if (child.exitCode !== 0) throw new Error(`ended with ${child.exitCode}: ${errors}`)
      return seen.replaceAll(/ask .*\n/g, '')
    },
  }
}

const own = (kind: NamespaceKind): string => readlinkSync(namespacePath(kind))
const of = (pid: number, kind: NamespaceKind): string => readlinkSync(namespacePath(kind, pid))

/** Prints `kind:[inode]` of every kind, as the program of a container sees them. */
const printAll = ['sh', '-c', `for k in ${namespaceKinds.join(' ')}; do readlink /proc/self/ns/$k; done; id -u; id -g`]

/** A process in new namespaces of every kind, with maps. */
async function container(offsets?: NamespacesConfig['timeOffsets']): Promise<Held> {
  const kinds = namespaceKinds.filter(kind => kind !== 'user' && kind !== 'time' && kind !== 'mnt')
  const time = offsets ? [timeOffsetsStep(offsets)] : []
  const held = hold([
    unshareStep(['time']),
    ...time,
    unshareStep(['user']),
    ask('maps'),
    becomeRootStep(),
    unshareStep([...kinds, 'mnt']),
    fork,
    ask('ready'),
  ])
  await held.asked('maps')
  await writeIdMaps(held.pid, rootMaps)
  held.answer()
  await held.asked('ready')
  return { ...held, pid: Number(readFileSync(`/proc/${held.pid}/task/${held.pid}/children`, 'utf8')) }
}

test('NS-03 the kinds that the kernel has are those under /proc/self/ns', needs, async () => {
  const files = readdirSync('/proc/self/ns')
  for (const kind of namespaceKinds) expect(await isSupported(kind)).toBe(files.includes(kind))
})

test('NS-22 inspect says of each namespace what /proc says, and who owns it', needs, async () => {
  const infos = await inspect()
  for (const [kind, { inode }] of infos) expect(`${kind}:[${inode}]`).toBe(own(kind))
  expect(infos.get('net')?.userNamespace).toBe(infos.get('user')?.inode)

  const held = await container()
  const theirs = await inspect(held.pid)
  expect([...theirs.keys()].sort()).toEqual([...namespaceKinds].sort())
  const user = theirs.get('user')!
  expect(user).toMatchObject({ kind: 'user', ownerUid: 0, parent: infos.get('user')!.inode })
  expect(theirs.get('net')).toMatchObject({ ownerUid: 0, userNamespace: user.inode, parent: undefined })
  expect(theirs.get('time')!.userNamespace).toBe(infos.get('user')!.inode)
  expect(theirs.get('pid')).toMatchObject({ parent: infos.get('pid')!.inode, userNamespace: user.inode })
})

test('NS-07 openNamespaceFd opens by pid and by path, and proves the kind', needs, async () => {
  for (const kind of namespaceKinds) {
    const fd = await openNamespaceFd(process.pid, kind)
    fds.add(fd)
    expect(readlinkSync(`/proc/self/fd/${fd.fd}`)).toBe(own(kind))
  }
  await expect(openNamespaceFd('/proc/self/ns/uts', 'net')).rejects.toThrow(
    /path: is a uts namespace, where a net namespace belongs/,
  )
  await expect(openNamespaceFd('/etc/passwd', 'net')).rejects.toThrow(/path: is no namespace/)
  await expect(openNamespaceFd('/proc/self/ns/absent', 'net')).rejects.toMatchObject({ code: 'ENOENT' })
})

test(
  'EV-032, EV-033 init refuses a path that is missing, no namespace, or of another kind, and says so',
  needs,
  async () => {
    const attempt = async (path: string): Promise<string> => {
      const { code, stderr } = await driver.run([openNamespaceStep('net', path, 'net')])
      expect(code).toBe(99)
      return stderr
    }
    expect(await attempt('/proc/self/ns/nothing')).toMatch(/^0 2 open/)
    expect(await attempt('/proc/self/ns/uts')).toMatch(/^0 22 ioctl\(NS_GET_NSTYPE\) it is a uts namespace/)
    expect(await attempt('/dev/null')).toMatch(/^0 22 fstatfs it is no namespace/)
    // By the kernel's word, not by a name: this one is called net.
    symlinkSync('/proc/self/ns/ipc', join(directory, 'net'))
    expect(await attempt(join(directory, 'net'))).toMatch(/it is an ipc namespace/)
    // A descriptor is checked again when it is joined.
    const steps = [openNamespaceStep('uts', '/proc/self/ns/uts', 'fd'), setNamespaceStep('net', slot('fd'))]
    expect((await driver.run(steps)).stderr).toMatch(/^1 22 ioctl/)
  },
)

test('EV-032, EV-033, EV-038 checkNamespaces refuses them before anything is made', needs, async () => {
  const check = (kind: NamespaceKind, path: string, more: object = {}): Promise<unknown> =>
    checkNamespaces({ namespaces: [{ kind, path }], ...more })
  await expect(check('ipc', '/proc/0/ns/ipc')).rejects.toThrow(/namespaces\[0\]\.path: does not exist/)
  await expect(check('ipc', '/proc/self/ns/uts')).rejects.toThrow(/namespaces\[0\]\.path: is a uts namespace/)
  await expect(check('ipc', '/dev/null')).rejects.toThrow(ConfigInvalid)

  const held = await container()
  const path = namespacePath('user', held.pid)
  const facts = (await check('user', path, { uidMappings: rootMaps.uid })) as Awaited<
    ReturnType<typeof checkNamespaces>
  >
  expect(facts.maps).toEqual(rootMaps)
  expect(facts.warnings).toEqual([expect.stringMatching(/^uidMappings is not needed/)])
  const other = [{ containerId: 0, hostId: 1, size: 65536 }]
  await expect(check('user', path, { uidMappings: other })).rejects.toThrow(/uidMappings: differs from the map/)
})

test('NS-07 a container joins namespaces by path, with commas and blanks in it', needs, async () => {
  const held = hold([unshareStep(['net', 'uts', 'ipc', 'mnt', 'cgroup']), ask('ready')])
  await held.asked('ready')
  const path = join(directory, 'a,b c')
  symlinkSync(`/proc/${held.pid}/ns/net`, path)
  const namespaces = [
    { kind: 'net' as const, path },
    ...(['uts', 'ipc', 'mnt', 'cgroup'] as const).map(kind => ({ kind, path: namespacePath(kind, held.pid) })),
  ]
  await checkNamespaces({ namespaces })
  const plan = planNamespaces({ namespaces })
  const { stdout, stderr } = await driver.run(plan.enter, { argv: printAll })
  expect(stderr).toBe('')
  for (const { kind } of namespaces) expect(stdout).toContain(of(held.pid, kind))
  expect(stdout).toContain(own('user'))
})

const phases = (plan: NamespacePlan): Step[] => [
  ...plan.enter,
  ...(plan.needsMaps ? [ask('maps')] : []),
  ...plan.become,
  ...plan.create,
  ...plan.late,
  ...(plan.offsetsByParent ? [ask('clocks')] : []),
  ...(plan.needsSecondClone ? [fork] : []),
]

test('NS-07 all eight namespaces of a container with a user namespace are joined by path', needs, async () => {
  const held = await container()
  const namespaces = namespaceKinds.map(kind => ({ kind, path: namespacePath(kind, held.pid) }))
  await checkNamespaces({ namespaces })
  const { stdout, stderr } = await driver.run(phases(planNamespaces({ namespaces })), {
    argv: ['sleep', '0.01'],
  })
  expect([stdout, stderr]).toEqual(['', ''])

  const joined = hold([...phases(planNamespaces({ namespaces })), ask('ready')])
  await joined.asked('ready')
  const pid = Number(readFileSync(`/proc/${joined.pid}/task/${joined.pid}/children`, 'utf8'))
  for (const kind of namespaceKinds) expect(of(pid, kind)).toBe(of(held.pid, kind))
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\t100000\t100000\t100000\t100000$/m)
})

test(
  'NS-07 a new user namespace beside a joined net namespace: the container may not touch the one, and owns the rest',
  needs,
  async () => {
    const other = hold([unshareStep(['net']), ask('ready')])
    await other.asked('ready')
    const config: NamespacesConfig = {
      namespaces: [
        { kind: 'user' },
        { kind: 'net', path: namespacePath('net', other.pid) },
        { kind: 'uts' },
        { kind: 'pid' },
      ],
      uidMappings: rootMaps.uid,
      gidMappings: rootMaps.gid,
    }
    await checkNamespaces(config)
    const plan = planNamespaces(config)
    expect(plan.cloneFlags).toBe(0)
    const held = hold([...phases(plan), ask('ready')])
    await held.asked('maps')
    await writeIdMaps(held.pid, rootMaps)
    held.answer()
    await held.asked('ready')
    const pid = Number(readFileSync(`/proc/${held.pid}/task/${held.pid}/children`, 'utf8'))
    const infos = await inspect(pid)
    expect(of(pid, 'net')).toBe(of(other.pid, 'net'))
    expect(infos.get('uts')!.userNamespace).toBe(infos.get('user')!.inode)
    expect(infos.get('pid')!.userNamespace).toBe(infos.get('user')!.inode)
  },
)

test('NS-08 the namespaces of a process are joined by its pidfd in one call', needs, async () => {
  const held = await container()
  const target = await joinTarget(held.pid)
  fds.add(target.pidfd)
  expect([...target.kinds].sort()).toEqual([...namespaceKinds].sort())
  const plan = planProcessJoin(slot('pidfd'), target.kinds)
  const joined = hold([...plan.steps, ...(plan.needsSecondClone ? [fork] : []), ask('ready')], {
    slots: { pidfd: 3 },
    stdio: ['pipe', 'pipe', 'pipe', target.pidfd.fd],
  })
  await joined.asked('ready')
  const pid = Number(readFileSync(`/proc/${joined.pid}/task/${joined.pid}/children`, 'utf8'))
  for (const kind of namespaceKinds) expect(of(pid, kind)).toBe(of(held.pid, kind))
})

test('NS-08 only what differs is joined: our own user namespace would be refused', needs, async () => {
  const held = hold([unshareStep(['uts']), ask('ready')])
  await held.asked('ready')
  const target = await joinTarget(held.pid)
  fds.add(target.pidfd)
  expect(target).toMatchObject({ kinds: ['uts'], mask: cloneFlag('uts') })
  const stdio: DriverRun['stdio'] = ['pipe', 'pipe', 'pipe', target.pidfd.fd]
  const run = { slots: { pidfd: 3 }, stdio, argv: printAll }
  expect((await driver.run(planProcessJoin(slot('pidfd'), target.kinds).steps, run)).stdout).toContain(
    of(held.pid, 'uts'),
  )
  const all = await driver.run(planProcessJoin(slot('pidfd'), ['user', 'uts']).steps, run)
  expect(all).toMatchObject({ code: 99, stderr: '0 22 setns \n' })
})

test(
  'EV-047 a pid that is no number, of no process, or of one that has exited is refused before anything is forked',
  needs,
  async () => {
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 31, '12' as unknown as number]) {
      await expect(joinTarget(pid)).rejects.toThrow(ConfigInvalid)
      await expect(inspect(pid)).rejects.toThrow(ConfigInvalid)
    }
    const child = spawn('true')
    await once(child, 'close')
    await expect(joinTarget(child.pid!)).rejects.toMatchObject({ code: 'ESRCH' })

    // A zombie: what has become of its parent, before it ended, does not wait.
    const parent = hold([ask('ready')], { argv: ['sh', '-c', 'sleep 0.1 & echo $!; exec sleep 100'] })
    await parent.asked('ready')
    parent.answer()
    const [pid] = (await once(parent.child.stdout!, 'data')) as string[]
    while (!/^State:\tZ/m.test(readFileSync(`/proc/${Number(pid)}/status`, 'utf8')))
      await new Promise(resolve => setTimeout(resolve, 5))
    await expect(joinTarget(Number(pid))).rejects.toMatchObject({
      code: 'ESRCH',
      hint: expect.stringMatching(/no process|has exited/),
    })
  },
)

test(
  'NS-10, S1 root writes maps of 340 lines, setgroups stays allowed, and the process becomes root without inheritable capabilities',
  needs,
  async () => {
    const map = Array.from({ length: 340 }, (_, i): IdMap => ({ containerId: 2 * i, hostId: 2 * i + 1, size: 1 }))
    const held = hold([unshareStep(['user']), ask('maps'), becomeRootStep()], {
      argv: ['cat', '/proc/self/status', '/proc/self/setgroups'],
    })
    await held.asked('maps')
    await writeIdMaps(held.pid, { uid: map, gid: map })
    expect(await readMaps(held.pid)).toEqual({ uid: map, gid: map })
    await expect(writeIdMaps(held.pid, { uid: map, gid: map })).rejects.toMatchObject({
      code: 'EPERM',
      syscall: 'write',
      path: `/proc/${held.pid}/gid_map`,
      message: expect.stringMatching(/^step 2: write the gid map of process/),
    })
    held.answer()
    const status = await held.output()
    expect(status).toMatch(/^Uid:\t0\t0\t0\t0$/m)
    expect(status).toMatch(/^Gid:\t0\t0\t0\t0$/m)
    expect(status).toMatch(/^CapInh:\t0+$/m)
    expect(status).toMatch(/^CapAmb:\t0+$/m)
    expect(status).toMatch(/^CapEff:\t0*1ff+$/m)
    expect(status).toMatch(/^allow$/m)
  },
)

test('EV-039 becoming root where the ids 0 are not mapped is an error of that step', needs, async () => {
  const held = hold([unshareStep(['user']), ask('maps'), becomeRootStep()])
  await held.asked('maps')
  const map = [{ containerId: 5, hostId: 100000, size: 1 }]
  await writeIdMaps(held.pid, { uid: map, gid: map })
  held.answer()
  await expect(held.output()).rejects.toThrow('ended with 99: 2 22 setresgid')
})

test('EV-040 the kernel takes the maps that we take and no others', needs, async () => {
  const id = fc.oneof(
    { weight: 3, arbitrary: fc.nat(30) },
    { weight: 1, arbitrary: fc.constantFrom(4294967290, 4294967294, 4294967295) },
  )
  const entry = fc.record({
    containerId: id,
    hostId: id,
    size: fc.oneof(fc.nat(12), fc.constantFrom(4294967295, 4294967290)),
  })
  const arbitrary = fc.array(entry, { minLength: 1, maxLength: 4 })
  const verdicts = { taken: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(arbitrary, async map => {
      let taken = true
      try {
        checkIdMap(map, 'm')
      } catch {
        taken = false
      }
      verdicts[taken ? 'taken' : 'refused']++
      const held = hold([unshareStep(['user']), ask('maps')])
      try {
        await held.asked('maps')
        const write = await driver.run(idMapSteps(held.pid, { uid: map, gid: map }, 'direct'))
        expect(write.stderr).toMatch(taken ? /^$/ : /^1 22 write/)
      } finally {
        held.answer()
        await held.output()
      }
    }),
    {
      numRuns: 60,
      examples: [[[{ containerId: 0, hostId: 0, size: 4294967295 }]], [[{ containerId: 0, hostId: 5, size: 3 }]]],
    },
  )
  expect(verdicts.taken).toBeGreaterThan(0)
  expect(verdicts.refused).toBeGreaterThan(0)
})

const ordinary = { uid: 4242, gid: 4343 }

test('NS-10 an ordinary user maps its own two ids once setgroups is denied, and nothing else', needs, async () => {
  const maps = { uid: [{ containerId: 0, hostId: 4242, size: 1 }], gid: [{ containerId: 0, hostId: 4343, size: 1 }] }
  const held = hold([unshareStep(['user']), ask('maps'), becomeRootStep()], {
    ...ordinary,
    argv: ['sh', '-c', 'id -u; cat /proc/self/setgroups'],
  })
  await held.asked('maps')
  const direct = await driver.run(idMapSteps(held.pid, maps, 'direct'), ordinary)
  expect(direct.stderr).toMatch(/^1 1 write/)
  const foreign = await driver.run(
    idMapSteps(held.pid, { ...maps, uid: [{ containerId: 0, hostId: 0, size: 1 }] }, 'single'),
    ordinary,
  )
  expect(foreign.stderr).toMatch(/^3 1 write/)
  const [open, , , uids] = idMapSteps(held.pid, maps, 'single')
  const single = await driver.run([open!, uids!], ordinary)
  expect(single).toMatchObject({ code: 0, stderr: '' })
  held.answer()
  expect(await held.output()).toBe('0\ndeny\n')
})

test('NS-12 the maps of a user namespace that nothing but a descriptor keeps alive', needs, async () => {
  const held = hold([unshareStep(['user']), ask('maps')])
  await held.asked('maps')
  await writeIdMaps(held.pid, rootMaps)
  const fd = await openNamespaceFd(held.pid, 'user')
  fds.add(fd)
  held.answer()
  await held.output()
  expect(await readMaps(`/proc/self/fd/${fd.fd}`)).toEqual(rootMaps)
  expect(await readMaps('/proc/self/ns/user')).toEqual(await readMaps())
  await expect(readMaps('/proc/self/ns/net')).rejects.toThrow(/is a net namespace/)
})

test('NS-13 this process is in a user namespace exactly if its uid map says so', needs, async () => {
  expect(await inUserNamespace()).toBe(!/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8')))
})

const uptime = (text: string): number => Number(text.split(' ')[0])

test(
  'NS-14, S3 clocks are set before anybody enters, seen after exec or a clone, and by whoever joins',
  needs,
  async () => {
    const offsets = { boottime: { secs: 1_000_000, nanosecs: 5 }, monotonic: { secs: 2_000_000 } }
    const steps = [unshareStep(['time']), timeOffsetsStep(offsets)]
    const before = uptime(readFileSync('/proc/uptime', 'utf8'))
    const run = await driver.run([...steps, fork], { argv: ['cat', '/proc/uptime', '/proc/self/timens_offsets'] })
    expect(run.stderr).toBe('')
    expect(uptime(run.stdout) - before).toBeGreaterThan(999_999)
    expect(run.stdout).toMatch(/monotonic +2000000 +0\nboottime +1000000 +5/)

    const held = await container(offsets)
    const target = await joinTarget(held.pid, ['time'])
    fds.add(target.pidfd)
    const stdio: DriverRun['stdio'] = ['pipe', 'pipe', 'pipe', target.pidfd.fd]
    const join = planProcessJoin(slot('pidfd'), target.kinds)
    expect(join.needsSecondClone).toBe(false)
    const joined = await driver.run(join.steps, { slots: { pidfd: 3 }, stdio, argv: ['cat', '/proc/uptime'] })
    expect(uptime(joined.stdout) - before).toBeGreaterThan(999_999)
  },
)

test('S3 whether exec enters a time namespace, the kernel says by /proc/<pid>/ns/time', needs, async () => {
  const { stdout } = await driver.run([unshareStep(['time'])], {
    argv: ['readlink', '/proc/self/ns/time', '/proc/self/ns/time_for_children'],
  })
  const [now, children] = stdout.trim().split('\n')
  expect(children).not.toBe(own('time'))
  const [major = 0, minor = 0] = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').map(Number)
  if (major > 6 || (major === 6 && minor >= 18)) expect(now).toBe(children)
})

test('NS-14 the parent sets the clocks for an init in a user namespace, which itself may not', needs, async () => {
  const offsets = { boottime: { secs: 1_000_000 } }
  const steps = [unshareStep(['user']), notDumpable, ask('maps'), becomeRootStep(), unshareStep(['time'])]
  const held = hold([...steps, ask('clocks'), fork], { argv: ['cat', '/proc/uptime'] })
  await held.asked('maps')
  await writeIdMaps(held.pid, rootMaps)
  held.answer()
  await held.asked('clocks')
  await writeTimeOffsets(held.pid, offsets)
  held.answer()
  expect(uptime(await held.output())).toBeGreaterThan(1_000_000)

  const alone = hold([...steps, timeOffsetsStep(offsets)])
  await alone.asked('maps')
  await writeIdMaps(alone.pid, rootMaps)
  alone.answer()
  await expect(alone.output()).rejects.toThrow(/ended with 99: 5 13 openat2 self\/timens_offsets/)
})

test('EV-043 a clock before 0 is the kernel’s ERANGE, with a hint', needs, async () => {
  const held = hold([unshareStep(['time']), ask('clocks')])
  await held.asked('clocks')
  await expect(writeTimeOffsets(held.pid, { boottime: { secs: -(10n ** 15n) } })).rejects.toMatchObject({
    code: 'ERANGE',
    hint: expect.stringMatching(/before 0/),
  })
})

test(
  'EV-035 a kind that the kernel lacks is refused by name (where /proc/self/ns does not list it)',
  needs,
  async () => {
    const program = `
    import { execFileSync } from 'node:child_process'
    import { checkNamespaces, inUserNamespace } from '@libcontainer/namespaces'
    await inUserNamespace()
    execFileSync('mount', ['-t', 'tmpfs', 'none', '/proc'])
    await checkNamespaces({ namespaces: [{ kind: 'cgroup' }] }).catch(error => console.log(error.message))`
    const path = join(new URL('.', import.meta.url).pathname, `.ev035-${process.pid}.mjs`)
    writeFileSync(path, program)
    try {
      const child = spawn('unshare', ['--mount', process.execPath, path], { stdio: ['ignore', 'pipe', 'inherit'] })
      let text = ''
      child.stdout.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      await once(child, 'close')
      expect(text).toMatch(/^namespaces: the kernel was built without namespaces of this kind \(got "cgroup"\)/)
    } finally {
      rmSync(path)
    }
  },
)

test('no call changed a namespace or the ids of a thread of this process', needs, async () => {
  const state = (): string[] =>
    readdirSync('/proc/self/task').map(task => {
      const ids = readFileSync(`/proc/self/task/${task}/status`, 'utf8').match(/^(Uid|Gid|CapEff|CapInh|CapAmb):.*$/gm)
      return JSON.stringify([...namespaceKinds.map(kind => readlinkSync(`/proc/self/task/${task}/ns/${kind}`)), ids])
    })
  const before = new Set(state())
  expect(before.size).toBe(1)
  const held = await container()
  const fd = await openNamespaceFd(held.pid, 'user')
  fds.add(fd)
  await Promise.all([
    inspect(held.pid),
    readMaps(`/proc/self/fd/${fd.fd}`),
    joinTarget(held.pid).then(({ pidfd }) => pidfd.close()),
  ])
  expect(new Set(state())).toEqual(before)
})
