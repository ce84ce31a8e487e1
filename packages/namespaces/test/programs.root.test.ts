import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  enter,
  execIn,
  inspect,
  joinTarget,
  makeNamespaces,
  mappedUserNamespace,
  namespaceKinds,
  namespacePath,
  type Program,
  type ProgramOptions,
  readMaps,
  type UnshareConfig,
  unshare,
} from '@libcontainer/namespaces'
import { getProcessStartTime, type OwnedFd, openFile, openPidfd } from '@libcontainer/sys'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'

const needs = requires('root', 'namespace:user', 'namespace:time')
const fds = new Set<OwnedFd>()
const programs = new Set<Program>()

afterEach(async () => {
  for (const program of programs) await program[Symbol.asyncDispose]()
  programs.clear()
  for (const fd of fds) fd.close()
  fds.clear()
})

const maps = {
  uidMappings: [{ containerId: 0, hostId: 100000, size: 65536 }],
  gidMappings: [{ containerId: 0, hostId: 200000, size: 65536 }],
}

/** What a shell prints in new namespaces, line by line. */
async function printed(config: UnshareConfig, script: string, options: ProgramOptions = {}): Promise<string[]> {
  const program = await unshare(config, ['sh', '-c', script], { stdio: 'pipe', ...options })
  programs.add(program)
  const { status, stdout, stderr } = await program.output()
  expect([stderr, status.code]).toEqual(['', 0])
  return stdout.trimEnd().split('\n')
}

async function printedInside(
  target: Parameters<typeof enter>[0],
  script: string,
  options: ProgramOptions = {},
): Promise<string[]> {
  const program = await enter(target, ['sh', '-c', script], { stdio: 'pipe', ...options })
  programs.add(program)
  const { status, stdout, stderr } = await program.output()
  expect([stderr, status.code]).toEqual(['', 0])
  return stdout.trimEnd().split('\n')
}

/** A program that stays in namespaces of all kinds. */
async function inhabitant(config: Partial<UnshareConfig> = {}): Promise<Program> {
  const all = { namespaces: namespaceKinds, ...maps, proc: '/proc', ...config }
  const program = await unshare(all, ['sleep', '1000'], { stdio: 'null' })
  programs.add(program)
  return program
}

const own = (kind: string): string => readlinkSync(`/proc/self/ns/${kind}`)
const links = `for k in ${namespaceKinds.join(' ')}; do readlink /proc/self/ns/$k; done`

test(
  'NS-09 a program in new namespaces of all kinds: it is the first process, and root of the user namespace',
  needs,
  async () => {
    const offset = { boottime: { secs: 1_000_000 } }
    const config = { namespaces: namespaceKinds, ...maps, proc: '/proc', timeOffsets: offset }
    const [pid, ids, uptime, shown, map, ...kinds] = await printed(
      config,
      `echo $$; echo $(id -u) $(id -g) $(id -G); cat /proc/uptime; ls /proc | grep -c '^[0-9]'; cat /proc/self/uid_map; ${links}`,
    )
    expect([pid, ids, map!.trim().split(/\s+/)]).toEqual(['1', '0 0 0', ['0', '100000', '65536']])
    expect(Number(uptime!.split(' ')[0])).toBeGreaterThan(1_000_000)
    // The shell, ls and grep.
    expect(Number(shown)).toBeLessThanOrEqual(3)
    expect(kinds.length).toBe(8)
    for (const [i, kind] of namespaceKinds.entries()) {
      expect(kinds[i]).toMatch(new RegExp(`^${kind}:`))
      expect(kinds[i]).not.toBe(own(kind))
    }
  },
)

test('NS-09 what is not asked for is shared, and this process stays where it is', needs, async () => {
  const before = namespaceKinds.map(own)
  const [uts, net, name] = await printed(
    { namespaces: ['uts'] },
    'readlink /proc/self/ns/uts /proc/self/ns/net; hostname inside; hostname',
  )
  expect(uts).not.toBe(own('uts'))
  expect([net, name]).toEqual([own('net'), 'inside'])
  expect(namespaceKinds.map(own)).toEqual(before)
})

test('NS-09 mounts of a new mount namespace are not seen outside, unless that is asked for', needs, async () => {
  const propagation = "sed -n 's/^.* \\/ \\/ [^ ]* \\(.*\\) - .*/\\1/p' /proc/self/mountinfo; echo end"
  expect(await printed({ namespaces: ['mnt'] }, propagation)).toEqual(['end'])
  expect((await printed({ namespaces: ['mnt'], propagation: 'shared' }, propagation))[0]).toMatch(/^shared:/)
  expect((await printed({ namespaces: ['mnt'], propagation: 'unchanged' }, links))[5]).not.toBe(own('mnt'))
})

test('NS-09 a new namespace beside one that is joined', needs, async () => {
  const other = await inhabitant({ namespaces: ['net'], proc: undefined, uidMappings: [], gidMappings: [] })
  const path = namespacePath('net', other.pid)
  const [net, uts, ids] = await printed(
    { namespaces: ['user', 'uts', { kind: 'net', path }], ...maps },
    'readlink /proc/self/ns/net /proc/self/ns/uts; id -u',
  )
  expect(net).toBe(readlinkSync(path))
  expect([uts === own('uts'), ids]).toEqual([false, '0'])
})

test('NS-08 NS-15 a program in the namespaces of a process, by its number and by a pidfd', needs, async () => {
  const { pid } = await inhabitant()
  const pidfd = openPidfd(pid)
  fds.add(pidfd)
  const inside = namespaceKinds.map(kind => readlinkSync(namespacePath(kind, pid)))
  for (const target of [pid, { pid: pidfd }]) {
    const [ids, first, ...kinds] = await printedInside(target, `id -u; tr '\\0' ' ' < /proc/1/cmdline; echo; ${links}`)
    expect([ids, first]).toEqual(['0', 'sleep 1000 '])
    expect(kinds).toEqual(inside)
  }
  const [net, uts, ids] = await printedInside(
    { pid, kinds: ['user', 'net'] },
    'readlink /proc/self/ns/net /proc/self/ns/uts; id -u',
  )
  expect([net, uts, ids]).toEqual([inside[3], own('uts'), '0'])
})

test('NS-07 NS-15 a program in namespaces of paths; the pid of the program is the one that runs', needs, async () => {
  const { pid } = await inhabitant()
  const paths = Object.fromEntries(namespaceKinds.map(kind => [kind, namespacePath(kind, pid)]))
  const program = await enter({ paths }, ['cat'], { stdio: 'pipe' })
  programs.add(program)
  const infos = await inspect(program.pid)
  for (const kind of namespaceKinds) expect(infos.get(kind)!.inode).toBe((await inspect(pid)).get(kind)!.inode)
  expect(readFileSync(`/proc/${program.pid}/cmdline`, 'utf8')).toBe('cat\0')
  expect(await program.output()).toEqual({ status: { code: 0, signal: undefined }, stdout: '', stderr: '' })
  // Our own user namespace is passed over, which nobody can join.
  const [ipc] = await printedInside(
    { paths: { user: '/proc/self/ns/user', ipc: paths.ipc! } },
    'readlink /proc/self/ns/ipc',
  )
  expect(ipc).toBe(readlinkSync(paths.ipc!))
})

test(
  'NS-15 streams, environment, working directory, ids and descriptors are those that were asked for',
  needs,
  async () => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'libcontainer-programs-')))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    chmodSync(directory, 0o755)
    writeFileSync(join(directory, 'three'), 'third')
    const extra = await openFile(join(directory, 'three'))
    fds.add(extra)
    const options = {
      env: { PATH: '/usr/bin:/bin', A: 'b=c' },
      cwd: directory,
      user: { uid: 7, gid: 8, groups: [9, 10] },
      extraFds: [extra],
    }
    const script = 'echo "$A"; pwd; echo $(id -u) $(id -g) $(id -G); cat <&3; echo; echo $(ls /proc/self/fd)'
    const asked = await printed({ namespaces: ['uts'] }, script, options)
    // 4 is that of ls itself.
    expect(asked).toEqual(['b=c', directory, '7 8 8 9 10', 'third', '0 1 2 3 4'])
    const { pid } = await inhabitant()
    const [where, ids] = await printedInside(pid, 'pwd; echo $(id -u) $(id -g) $(id -G)', { user: { uid: 5 } })
    expect([where, ids]).toEqual(['/', '5 5 5'])
    const status = await printed({ namespaces: ['uts'] }, 'grep -E "Sig(Blk|Ign)" /proc/self/status')
    expect(status.map(line => Number.parseInt(line.split(/\s+/)[1]!, 16))).toEqual([0, 0])
  },
)

test('NS-15 what a program is told of its input, and how it ended', needs, async () => {
  const killed = await unshare({ namespaces: ['ipc'] }, ['sleep', '1000'], { stdio: 'null' })
  programs.add(killed)
  expect(killed.signal('TERM')).toBe(true)
  expect(await killed.wait()).toEqual({ code: undefined, signal: 15 })
  expect(killed.signal('TERM')).toBe(false)
  const failed = await unshare({ namespaces: ['ipc'] }, ['sh', '-c', 'exit 42'])
  expect(await failed.wait()).toEqual({ code: 42, signal: undefined })
  await failed[Symbol.asyncDispose]()
})

test('NS-15 a program is killed when its signal is aborted, and none is started by one that was', needs, async () => {
  const controller = new AbortController()
  const program = await unshare({ namespaces: ['uts', 'pid'] }, ['sleep', '1000'], {
    stdio: 'null',
    signal: controller.signal,
  })
  programs.add(program)
  controller.abort(new Error('enough'))
  await expect(program.wait()).rejects.toThrow('enough')
  expect(() => readlinkSync(`/proc/${program.pid}/exe`)).toThrow()
  await expect(unshare({ namespaces: ['uts'] }, ['true'], { signal: controller.signal })).rejects.toThrow('enough')
})

/** Children of this process, which is all that a failure could leave. */
const children = (): string[] =>
  readdirSync('/proc/self/task').flatMap(task =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  )

test('NS-15 a program that is not there, and a step that is refused, are errors; nothing is left', needs, async () => {
  const before = children()
  const open = readdirSync('/proc/self/fd').length
  await expect(unshare({ namespaces: ['uts', 'pid', 'mnt'] }, ['no-such-program'])).rejects.toMatchObject({
    code: 'ENOENT',
    syscall: 'execve',
    path: 'no-such-program',
  })
  await expect(unshare({ namespaces: ['uts'] }, ['/etc/passwd'])).rejects.toMatchObject({ code: 'EACCES' })
  await expect(unshare({ namespaces: ['uts'] }, ['true'], { cwd: '/no/such' })).rejects.toMatchObject({
    syscall: 'chdir',
    path: '/no/such',
  })
  const clocks = { namespaces: ['time'], timeOffsets: { boottime: { secs: -(2 ** 40) } } } as const
  await expect(unshare(clocks, ['true'])).rejects.toMatchObject({
    code: 'ERANGE',
    hint: expect.stringMatching(/before 0/),
  })
  const proc = { namespaces: ['mnt', 'pid'], proc: '/no/such' } as const
  await expect(unshare(proc, ['true'])).rejects.toMatchObject({
    code: 'ENOENT',
    step: expect.stringMatching(/mount proc/),
  })
  const foreign = { namespaces: ['user'], ...maps, uidMappings: [{ containerId: 5, hostId: 100000, size: 1 }] } as const
  await expect(unshare(foreign, ['true'])).rejects.toMatchObject({ field: 'uidMappings: the id 0 inside' })
  await expect(unshare({ namespaces: ['user'], ...maps }, ['true'], { user: { uid: 70000 } })).rejects.toMatchObject({
    code: 'EINVAL',
    hint: expect.stringMatching(/does not map/),
  })
  expect(children()).toEqual(before)
  await until('all descriptors are closed', () => readdirSync('/proc/self/fd').length <= open)
})

test('NS-15 a start that is given up at any moment leaves nothing', needs, async () => {
  const before = children()
  const config = {
    namespaces: ['user', 'pid', 'time', 'mnt'],
    ...maps,
    timeOffsets: { boottime: { secs: 5 } },
  } as const
  const outcomes = new Set<string>()
  for (let turns = 0; turns < 40; turns++) {
    const controller = new AbortController()
    const started = unshare(config, ['sleep', '1000'], { stdio: 'null', signal: controller.signal })
    // A later moment each time, counted in turns of the event loop.
    const giveUp = async (): Promise<void> => {
      for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve))
      controller.abort(new Error('given up'))
    }
    const outcome = started.then(
      async program => await program.wait().catch((error: Error) => `running: ${error.message}`),
      (error: Error) => `starting: ${error.message}`,
    )
    await giveUp()
    outcomes.add(String(await outcome))
  }
  expect([...outcomes].filter(each => !/^(starting|running): given up$/.test(each))).toEqual([])
  expect(outcomes).toContain('starting: given up')
  expect(children()).toEqual(before)
})

test('NS-15 many at once, each with maps of its own', needs, async () => {
  const line = (hostId: number) => [{ containerId: 0, hostId, size: 1 }]
  const ids = Array.from({ length: 24 }, (_, i) => 100_000 + i)
  const all = await Promise.all(
    ids.map(async id => {
      const config = { namespaces: ['user', 'pid'], uidMappings: line(id), gidMappings: line(id) } as const
      return await (await unshare(config, ['cat', '/proc/self/uid_map'], { stdio: 'pipe' })).output()
    }),
  )
  expect(all.map(({ stdout }) => Number(stdout.trim().split(/\s+/)[1]))).toEqual(ids)
})

test(
  'EV-047 NS-15 a process that is none, and one that has ended, are refused before anything is forked',
  needs,
  async () => {
    const before = children()
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 31])
      await expect(enter(pid, ['true'])).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'pid' })
    await expect(enter('7' as unknown as number, ['true'])).rejects.toMatchObject({ field: 'target' })
    await expect(enter(2 ** 30, ['true'])).rejects.toMatchObject({ code: 'ESRCH' })
    const ended = await unshare({ namespaces: ['uts'] }, ['true'])
    const pidfd = openPidfd(ended.pid)
    fds.add(pidfd)
    await ended.wait()
    await expect(enter(ended.pid, ['true'])).rejects.toMatchObject({ code: 'ESRCH' })
    await expect(enter({ pid: pidfd }, ['true'])).rejects.toMatchObject({ code: 'ESRCH' })
    const none = await openFile('/dev/null')
    fds.add(none)
    await expect(enter({ pid: none }, ['true'])).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'pid' })
    await expect(joinTarget(ended.pid)).rejects.toMatchObject({ code: 'ESRCH' })
    expect(children()).toEqual(before)
  },
)

test(
  'EV-032 EV-033 EV-034 paths to enter that are missing, of another kind, none or relative are refused by name',
  needs,
  async () => {
    const into = (paths: object) => enter({ paths }, ['true'])
    await expect(into({ net: '/no/such' })).rejects.toMatchObject({ field: 'paths.net', message: /does not exist/ })
    await expect(into({ net: '/proc/self/ns/uts' })).rejects.toMatchObject({
      field: 'paths.net',
      message: /is a uts namespace/,
    })
    await expect(into({ net: '/dev/null' })).rejects.toMatchObject({ field: 'paths.net', message: /is no namespace/ })
    await expect(into({ net: 'proc/self/ns/net' })).rejects.toMatchObject({ field: 'paths.net' })
    await expect(into({ network: '/proc/self/ns/net' })).rejects.toMatchObject({ field: 'paths', hint: "write 'net'" })
  },
)

test('NS-16 execIn runs a program in a container of 2014, and answers its exit code', needs, async () => {
  const { pid } = await inhabitant({ namespaces: ['uts', 'net'], proc: undefined, uidMappings: [], gidMappings: [] })
  const startTime = await getProcessStartTime(pid)
  const config = { namespaces: { NEWUTS: true, NEWNET: false }, environment: ['PATH=/usr/bin:/bin', 'A=b=c'] }
  const test = `[ "$A" = b=c ] && [ $(readlink /proc/self/ns/uts) = ${readlinkSync(namespacePath('uts', pid))} ] && [ $(readlink /proc/self/ns/net) = ${own('net')} ] && exit 7`
  expect(await execIn(config, { init_pid: pid, init_start_time: startTime }, ['sh', '-c', test])).toBe(7)
  expect(await execIn(config, { init_pid: pid }, ['sh', '-c', 'kill -9 $$'])).toBe(137)
  await expect(execIn(config, { init_pid: pid, init_start_time: '1' }, ['true'])).rejects.toMatchObject({
    code: 'ESRCH',
  })
  await expect(execIn({ ...config, environment: ['=x'] }, { init_pid: pid }, ['true'])).rejects.toMatchObject({
    field: 'environment[0]',
  })
})

test('NS-09 namespaces without a process live as long as their descriptors', needs, async () => {
  const before = children()
  const made = await makeNamespaces({
    namespaces: ['user', 'net', 'uts', 'time'],
    ...maps,
    timeOffsets: { boottime: { secs: 1e6 } },
  })
  for (const fd of made.values()) fds.add(fd)
  expect([...made.keys()].sort()).toEqual(['net', 'time', 'user', 'uts'])
  expect(children()).toEqual(before)
  const paths = Object.fromEntries([...made].map(([kind, fd]) => [kind, `/proc/self/fd/${fd.fd}`]))
  const [net, uptime, id] = await printedInside({ paths }, 'readlink /proc/self/ns/net; cat /proc/uptime; id -u')
  expect(net).not.toBe(own('net'))
  expect([Number.parseFloat(uptime!) > 1e6, id]).toEqual([true, '0'])
  await expect(makeNamespaces({ namespaces: ['pid'] })).rejects.toMatchObject({ field: 'namespaces', hint: /unshare/ })
})

test(
  'NS-20 equal maps have one user namespace, however they are split; it ends when all have released it',
  needs,
  async () => {
    const line = (containerId: number, hostId: number, size: number) => ({ containerId, hostId, size })
    const whole = { uid: [line(0, 100000, 10)], gid: [line(0, 5, 1)] }
    const split = { uid: [line(4, 100004, 6), line(0, 100000, 4)], gid: whole.gid }
    const other = { ...whole, gid: [line(0, 6, 1)] }
    const before = children()
    const [a, b, c] = await Promise.all([whole, split, other].map(mappedUserNamespace))
    expect(children()).toEqual(before)
    expect(a!.fd).toBe(b!.fd)
    expect(await readMaps(`/proc/self/fd/${a!.fd.fd}`)).toEqual(whole)
    expect(await readMaps(`/proc/self/fd/${c!.fd.fd}`)).toEqual(other)
    a!.release()
    a!.release()
    expect(b!.fd.closed).toBe(false)
    b!.release()
    expect([b!.fd.closed, c!.fd.closed]).toEqual([true, false])
    using again = await mappedUserNamespace(whole)
    expect(again.fd).not.toBe(a!.fd)
    c!.release()
    await expect(mappedUserNamespace({ ...whole, uid: [line(0, 0, 0)] })).rejects.toMatchObject({
      field: 'uid[0].size',
    })
  },
)

test('NS-10 a map of more than 340 lines that continue one another is written', needs, async () => {
  const long = Array.from({ length: 500 }, (_, i) => ({ containerId: i, hostId: 100000 + i, size: 1 }))
  const config = { namespaces: ['user'], uidMappings: long, gidMappings: long } as const
  const [line] = await printed(config, 'cat /proc/self/uid_map')
  expect(line!.trim().split(/\s+/)).toEqual(['0', '100000', '500'])
})

const line = (containerId: number, hostId: number, size: number) => ({ containerId, hostId, size })
const ids = { uidMappings: [line(0, 100000, 1)], gidMappings: [line(0, 100000, 1)] }

test.each([
  ['EV-030', { namespaces: ['network'] }, 'namespaces[0].kind', /must be one of/],
  ['EV-030', { namespaces: 'net' }, 'namespaces', /list/],
  ['EV-031', { namespaces: ['net', { kind: 'net' }] }, 'namespaces[1].kind', /twice/],
  ['EV-032', { namespaces: [{ kind: 'net', path: '/no/such' }] }, 'namespaces[0].path', /does not exist/],
  ['EV-033', { namespaces: [{ kind: 'net', path: '/proc/self/ns/ipc' }] }, 'namespaces[0].path', /is a ipc|is an? ipc/],
  ['EV-034', { namespaces: [{ kind: 'net', path: 'run/net' }] }, 'namespaces[0].path', /absolute/],
  ['EV-036', { namespaces: ['net'], ...ids }, 'uidMappings', /kind 'user'/],
  ['EV-037', { namespaces: ['user'] }, 'uidMappings', /needed/],
  ['EV-038', { namespaces: [{ kind: 'user', path: '/proc/self/ns/user' }], ...ids }, 'uidMappings', /differs/],
  [
    'EV-039',
    { namespaces: ['user'], ...ids, gidMappings: [line(1, 1, 1)] },
    'gidMappings: the id 0 inside',
    /not mapped/,
  ],
  ['EV-040', { namespaces: ['user'], ...ids, uidMappings: [line(0, 5, 0)] }, 'uidMappings[0].size', /from 1/],
  ['EV-042', { namespaces: ['uts'], timeOffsets: { boottime: { secs: 1 } } }, 'timeOffsets', /kind 'time'/],
  ['EV-043', { namespaces: ['time'], timeOffsets: { realtime: { secs: 1 } } }, 'timeOffsets', /only the clocks/],
  [
    'EV-043',
    { namespaces: ['time'], timeOffsets: { boottime: { nanosecs: 1e9 } } },
    'timeOffsets.boottime.nanosecs',
    /999999999/,
  ],
  ['NS-09', { namespaces: ['mnt'], propagation: 'rslave' }, 'propagation', /must be one of/],
  ['NS-09', { namespaces: ['mnt'], proc: '/proc' }, 'proc', /kind 'pid'/],
  ['NS-09', { namespaces: ['pid', 'mnt'], proc: 'proc' }, 'proc', /absolute/],
])('%s %j is refused by unshare before anything is made', needs, async (_, config, field, problem) => {
  const before = children()
  const refused = unshare(config as unknown as UnshareConfig, ['true'])
  await expect(refused).rejects.toMatchObject({ code: 'ConfigInvalid', field, message: expect.stringMatching(problem) })
  expect(children()).toEqual(before)
})
