import { type ChildProcess, spawn as plainSpawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Cgroup, cgroupHost, limit, usageOf } from '@libcontainer/cgroups'
import { fork, spawn } from '@libcontainer/cgroups/node'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { cgroupsNamed, OrdinaryUser, requires, slowness, temporaryDirectory } from '../../../test/support/index.js'
import { startInside } from '../dist/node/inside.js'
import { openEntrance } from '../dist/processes/start.js'
import { cgroupsOf, directoriesOf, freshCgroup, freshPath, removedAtEnd, takesBackHandedOn } from './support.js'

const MiB = 1024 * 1024

/** Whatever was made by default is gone: the name has our pid. */
const ours = new RegExp(`/limit-${process.pid}-[0-9a-f]+$`)
afterEach(() => {
  expect(cgroupsNamed(ours)).toEqual([])
})

/** The files that thaw a cgroup, of v2 and of v1; one that there is not takes what is written all the same. */
const freezersOf = (group: Cgroup): string[] => [
  group.paths.has('') ? `${group.paths.get('')}/cgroup.freeze` : '/dev/null',
  group.paths.has('freezer') ? `${group.paths.get('freezer')}/freezer.state` : '/dev/null',
]

/** Where /proc says that a process is, in the hierarchies that a cgroup has a place in, against where the cgroup is. */
function expectInside(proc: string, group: Cgroup): void {
  for (const { hierarchy, path } of group.places) {
    const key = hierarchy.version === 2 ? '' : hierarchy.controllers.join(',')
    const line = proc.split('\n').find(one => one.split(':')[1] === key)
    expect(line).toMatch(new RegExp(`:/(.*/)?${path}$`))
  }
}

const isGone = (pid: number): boolean =>
  !existsSync(`/proc/${pid}/stat`) || /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))

describe('spawn, a child_process with limits', () => {
  test(
    'is in its cgroup before its first instruction, in every hierarchy, and gone with it',
    requires('cgroup'),
    async () => {
      const child = await spawn('cat', ['/proc/self/cgroup'], { cgroup: {} })
      const [proc, { code, signal, oom, timedOut, wallMs }] = await Promise.all([text(child.stdout), child.result])
      expectInside(proc, child.cgroup!)
      expect({ code, signal, oom, timedOut }).toEqual({ code: 0, signal: null, oom: false, timedOut: false })
      expect(wallMs).toBeGreaterThan(0)
      expect(await child.cgroup!.exists()).toBe(false)
      expect(child.exitCode).toBe(0)
      expect(child.unlimited).toBeUndefined()
    },
  )

  test('where clone3(2) is refused it moves itself, before it is executed', requires('cgroup'), async () => {
    const group = await freshCgroup()
    const entrance = openEntrance(group)
    try {
      const [child] = startInside({ ...entrance, directory: undefined }, () => plainSpawn('cat', ['/proc/self/cgroup']))
      expectInside(await text(child.stdout!), group)
    } finally {
      entrance.close()
    }
  })

  test(
    'want 10 CG-102: over memory.max it is killed, and the record says oom and the peak',
    requires('cgroup:memory'),
    async () => {
      const child = await spawn('tail', ['/dev/zero'], {
        cgroup: { memory: { max: 16 * MiB, swapMax: 0 } },
        stdio: 'ignore',
      })
      const result = await child.result
      expect(result).toMatchObject({ code: null, signal: 'SIGKILL', oom: true, oomKills: 1, timedOut: false })
      expect(result.peakMemory).toBeGreaterThan(15 * MiB)
      expect(result.peakMemory).toBeLessThanOrEqual(16 * MiB)
    },
  )

  test('a child of its child that is killed for want of memory is told too', requires('cgroup:memory'), async () => {
    const child = await spawn('sh', ['-c', 'tail /dev/zero; exit 3'], {
      cgroup: { memory: { max: 16 * MiB, swapMax: 0 } },
      stdio: 'ignore',
    })
    expect(await child.result).toMatchObject({ code: 3, signal: null, oom: true })
  })

  test('CG-39 over pids.max it cannot fork, and the record counts', requires('cgroup:pids'), async () => {
    const child = await spawn('sh', ['-c', 'true | true | true'], { cgroup: { pids: { max: 2 } } })
    const [stderr, result] = await Promise.all([text(child.stderr), child.result])
    expect(stderr).toMatch(/fork/i)
    expect(result.refusedForks).toBeGreaterThan(0)
    if (result.peakPids !== undefined) expect(result.peakPids).toBe(2)
  })

  test('the time that all of it took on processors', requires('cgroup'), async () => {
    const loop = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'
    const child = await spawn('sh', ['-c', `(${loop}) & ${loop}; wait`], { cgroup: {}, stdio: 'ignore' })
    const { cpuMs, userMs, systemMs, wallMs } = await child.result
    expect(cpuMs).toBeGreaterThan(10)
    expect(cpuMs).toBeLessThan(wallMs * 64)
    if (userMs !== undefined) expect(userMs + systemMs!).toBeGreaterThan(0)
  })

  test(
    'after its time it is told to end, and then made to, with all that it has started',
    requires('cgroup'),
    async () => {
      const script = "trap '' TERM; sleep 60 & echo $!; wait; while :; do sleep 1; done"
      const child = await spawn('sh', ['-c', script], {
        cgroup: {},
        timeout: 500 * slowness,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [first] = (await once(child.stdout!, 'data')) as [Buffer]
      expect(await child.result).toMatchObject({ code: null, signal: 'SIGKILL', timedOut: true })
      expect(isGone(Number(first))).toBe(true)
    },
  )

  test('within its time it is not; a signal of choice is enough for who listens', requires('cgroup'), async () => {
    const quick = await spawn('true', [], { cgroup: {}, timeout: 30_000 })
    expect(await quick.result).toMatchObject({ code: 0, timedOut: false })
    const late = await spawn('sleep', ['60'], { cgroup: {}, timeout: 100, killSignal: 'SIGINT' })
    expect(await late.result).toMatchObject({ signal: 'SIGINT', timedOut: true })
  })

  test('what it leaves running ends with it', requires('cgroup'), async () => {
    const child = await spawn('sh', ['-c', 'setsid sleep 60 > /dev/null 2>&1 & echo $!'], { cgroup: {} })
    const pid = Number(await text(child.stdout))
    expect(await child.result).toMatchObject({ code: 0 })
    expect(isGone(pid)).toBe(true)
  })

  test('into a cgroup that is there, which stays', requires('cgroup:pids'), async () => {
    const group = await freshCgroup({ pids: { max: 10 } })
    const first = await spawn('cat', [], { cgroup: group })
    const second = await spawn('cat', ['/proc/self/cgroup'], { cgroup: group })
    expectInside(await text(second.stdout), group)
    expect(await second.result).toMatchObject({ code: 0 })
    expect(await group.processes()).toEqual([first.pid])
    first.stdin.end()
    expect(await first.result).toMatchObject({ code: 0 })
    expect(await group.exists()).toBe(true)
    expect((await usageOf(group)).oom).toBe(false)
  })

  test('EV-140 at a path of choice', requires('cgroup'), async () => {
    const cgroupPath = freshPath()
    removedAtEnd(cgroupPath)
    const child = await spawn('cat', [], { cgroup: {}, cgroupPath })
    expect(await directoriesOf(cgroupPath)).not.toEqual([])
    await expect(spawn('true', [], { cgroup: {}, cgroupPath })).rejects.toMatchObject({ code: 'EEXIST' })
    child.stdin.end()
    await child.result
    expect(await directoriesOf(cgroupPath)).toEqual([])
  })

  test('as another user, who may not touch the cgroup', requires('root'), async () => {
    const child = await spawn('sh', ['-c', 'id -u; id -g; id -G; cat /proc/self/cgroup'], {
      cgroup: { pids: { max: 5 } },
      uid: 61234,
      gid: 61235,
    })
    const shown = await text(child.stdout)
    expect(shown.split('\n').slice(0, 3)).toEqual(['61234', '61235', '61235'])
    expectInside(shown, child.cgroup!)
    expect(await child.result).toMatchObject({ code: 0 })
  })

  test('limits can be changed, and what it uses be asked, while it runs', requires('cgroup:pids'), async () => {
    const child = await spawn('cat', [], { cgroup: { pids: { max: 5 } } })
    await child.cgroup!.set({ pids: { max: 7 } })
    expect((await child.cgroup!.stats(['pids'])).pids).toMatchObject({ current: 1, max: 7 })
    child.kill('SIGTERM')
    expect(await child.result).toMatchObject({ signal: 'SIGTERM', timedOut: false })
  })

  test('what cannot be started rejects, and leaves no cgroup', requires('cgroup'), async () => {
    await expect(spawn('/nowhere/x', [], { cgroup: {} })).rejects.toMatchObject({
      name: 'SyscallError',
      code: 'ENOENT',
      path: '/nowhere/x',
    })
    await expect(spawn('sh', [], { cgroup: {}, cwd: '/nowhere' })).rejects.toMatchObject({ syscall: 'chdir' })
    await expect(spawn('sh', [], { cgroup: {}, stdio: 'x' as 'pipe' })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
    await expect(spawn('sh', [], { cgroup: {}, signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  test('CG-39 where pids.max lets nobody in that is said', requires('cgroup2:pids'), async () => {
    await expect(spawn('true', [], { cgroup: { pids: { max: 0 } } })).rejects.toMatchObject({
      code: 'EAGAIN',
      hint: expect.stringContaining('pids.max'),
    })
  })

  test('CG-39 pids.max of v1 lets in, and nobody in it forks: that is counted', requires('cgroup1:pids'), async () => {
    const child = await spawn('sh', ['-c', 'true | true'], { cgroup: { pids: { max: 0 } }, stdio: 'ignore' })
    const { code, refusedForks } = await child.result
    expect(code).not.toBe(0)
    expect(refusedForks).toBeGreaterThan(0)
  })

  test('into a frozen cgroup nothing is started, which would stop us too', requires('cgroup'), async () => {
    const group = await freshCgroup()
    await group.setFreezer('FROZEN')
    await expect(spawn('true', [], { cgroup: group })).rejects.toMatchObject({ code: 'Frozen' })
    await group.thaw()
    expect(await (await spawn('true', [], { cgroup: group })).result).toMatchObject({ code: 0 })
  })

  test('nor into one below it, ours or that of the child', requires('cgroup'), async () => {
    const above = await freshCgroup()
    const below = await Cgroup.create(`${above.path}/below`)
    await above.setFreezer('FROZEN')
    // We would stand until it is thawed: not for ever.
    const thaw = plainSpawn('sh', ['-c', 'sleep 20; echo 0 >"$1"; echo THAWED >"$2"', 'sh', ...freezersOf(above)])
    onTestFinished(() => void thaw.kill('SIGKILL'))
    const refused = { code: 'Frozen', hint: expect.stringContaining('above') }
    await expect(spawn('true', [], { cgroup: below })).rejects.toMatchObject(refused)
    const cgroupPath = `${above.path}/own`
    await expect(spawn('true', [], { cgroup: {}, cgroupPath })).rejects.toMatchObject(refused)
    expect(await directoriesOf(cgroupPath)).toEqual([])
    await above.thaw()
    expect(await (await spawn('true', [], { cgroup: below })).result).toMatchObject({ code: 0 })
  })

  test('why it could not be started is told, although its cgroup cannot be removed', requires('cgroup'), async () => {
    const cgroupPath = freshPath()
    removedAtEnd(cgroupPath)
    const other = plainSpawn('sleep', ['60'])
    onTestFinished(() => void other.kill('SIGKILL'))
    // Read when the cgroup is there already.
    const args: string[] = Object.defineProperty([''], 0, {
      get() {
        const { mountpoint } = group.places[0]!.hierarchy
        writeFileSync(`${mountpoint}${cgroupPath}/cgroup.procs`, String(other.pid))
        return ''
      },
    })
    const group = await freshCgroup()
    await expect(spawn('/nowhere/x', args, { cgroup: {}, cgroupPath })).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await directoriesOf(cgroupPath)).not.toEqual([])
  })

  test(
    'want 4: a limit that this host cannot set is an error, or said where the caller does not mind',
    requires('cgroup'),
    async () => {
      const limits = { unified: { 'nothing.max': '1' } }
      await expect(spawn('true', [], { cgroup: limits })).rejects.toMatchObject({ code: expect.any(String) })
      const child = await spawn('sh', ['-c', 'exit 6'], { cgroup: { misc: { nothing: 1 } }, optional: true })
      expect(child.unlimited?.message).toMatch(/misc|nothing/)
      expect(child.cgroup).toBeUndefined()
      const result = await child.result
      expect(result).toMatchObject({ code: 6, oom: false })
      expect(result).not.toHaveProperty('peakMemory')
      await expect(spawn('true', [], { cgroup: { pids: { max: -1 } }, optional: true })).rejects.toMatchObject({
        code: 'ConfigInvalid',
      })
    },
  )

  test('forty at a time leave nothing', requires('cgroup:pids'), async () => {
    const children = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        spawn('sh', ['-c', `exit ${i}`], { cgroup: { pids: { max: 4 } }, stdio: 'ignore' }),
      ),
    )
    const results = await Promise.all(children.map(({ result }) => result))
    expect(results.map(({ code }) => code)).toEqual(Array.from({ length: 40 }, (_, i) => i))
  })
})

test(
  'fork: a module with messages, and with a limit of memory that counts what is not on the heap',
  requires('cgroup:memory'),
  async () => {
    using dir = temporaryDirectory('fork-')
    const module = join(dir.path, 'job.cjs')
    writeFileSync(
      module,
      `const held = []
    process.on('message', () => {
      process.send('working')
      setInterval(() => held.push(Buffer.alloc(16 << 20, 1)), 1)
    })`,
    )
    const child = await fork(module, [], { cgroup: { memory: { max: 160 * MiB, swapMax: 0 } } })
    child.send('begin')
    expect((await once(child, 'message'))[0]).toBe('working')
    expect(await child.result).toMatchObject({ code: null, signal: 'SIGKILL', oom: true })
  },
)

describe('limit, for a process that runs already', () => {
  const ended = async (child: ChildProcess) => (await once(child, 'exit')) as [number | null, string | null]

  test(
    'CG-102 a child: the limit holds from then on, and its exit status is still its parent own',
    requires('cgroup:memory'),
    async () => {
      const child = plainSpawn('sh', ['-c', 'read go; tail /dev/zero; exit 9'], { stdio: ['pipe', 'ignore', 'ignore'] })
      const { cgroup, result } = await limit(child, { memory: { max: 16 * MiB, swapMax: 0 } })
      expectInside(readFileSync(`/proc/${child.pid}/cgroup`, 'utf8'), cgroup)
      const exit = ended(child)
      child.stdin!.end('go\n')
      expect(await exit).toEqual([9, null])
      expect(await result).toMatchObject({ oom: true, oomKills: 1 })
      expect(await cgroup.exists()).toBe(false)
    },
  )

  test('a pid; what it starts from then on ends with it', requires('cgroup:pids'), async () => {
    const child = plainSpawn('sh', ['-c', 'read go; setsid sleep 60 & echo $!; read end'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const { cgroup, result } = await limit(child.pid!, { pids: { max: 5 } })
    child.stdin!.write('go\n')
    const pid = Number(((await once(child.stdout!, 'data')) as [Buffer])[0])
    expect(await cgroup.processes()).toContain(pid)
    child.stdin!.end()
    expect(await result).toMatchObject({ oom: false })
    expect(isGone(pid)).toBe(true)
  })

  test(
    'whoever asks for its end is there for it; whoever does not may end before',
    requires('cgroup:pids'),
    async () => {
      const target = plainSpawn('sleep', ['60'], { stdio: 'ignore' })
      const program = (...lines: string[]) =>
        plainSpawn(
          process.execPath,
          ['--input-type=module', '-e', [`import { limit } from '@libcontainer/cgroups'`, ...lines].join('\n')],
          { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
        )
      const limited = `await limit(${target.pid}, { pids: { max: 5 } })`
      try {
        const asks = program(`const { result } = ${limited}`, `console.log('asked')`, 'console.log((await result).oom)')
        const told: string[] = []
        asks.stdout!.setEncoding('utf8').on('data', text => told.push(text))
        await once(asks.stdout!, 'data')
        const over = once(asks, 'close')
        const careless = program(
          `const { cgroup } = ${limited}`,
          'console.log(JSON.stringify(Object.fromEntries(cgroup.paths)))',
        )
        const [[paths], [status]] = await Promise.all([once(careless.stdout!, 'data'), once(careless, 'close')])
        const left = await Cgroup.at(JSON.parse(String(paths)))
        onTestFinished(async () => await left.destroy())
        expect({ status, processes: await left.processes() }).toEqual({ status: 0, processes: [target.pid] })
        target.kill('SIGKILL')
        expect({ end: await over, told: told.join('') }).toEqual({ end: [0, null], told: 'asked\nfalse\n' })
      } finally {
        target.kill('SIGKILL')
      }
    },
  )

  test('why it was refused is told, although its cgroup cannot be removed', requires('cgroup'), async () => {
    const path = freshPath()
    removedAtEnd(path)
    const { add, destroy } = Cgroup.prototype
    onTestFinished(() => void Object.assign(Cgroup.prototype, { add, destroy }))
    let kept = 0
    Cgroup.prototype.add = async () => {
      throw new Error('refused')
    }
    Cgroup.prototype.destroy = async () => {
      kept++
      throw new Error('kept')
    }
    await expect(limit(process.pid, {}, { path })).rejects.toThrow('refused')
    expect(kept).toBe(1)
  })

  test('what is no process, and one that has ended', requires('cgroup'), async () => {
    for (const target of [0, -1, 1.5, Number.NaN, {}]) {
      await expect(limit(target, {})).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'childOrPid' })
    }
    const child = plainSpawn('true')
    const pid = child.pid!
    await ended(child)
    await expect(limit(pid, {})).rejects.toMatchObject({ code: 'ESRCH' })
    await expect(limit(process.pid, { pids: { max: -1 } })).rejects.toMatchObject({ code: 'ConfigInvalid' })
  })

  test('a process that is killed takes its cgroup with it', requires('cgroup'), async () => {
    const child = plainSpawn('sleep', ['60'], { stdio: 'ignore' })
    const before = cgroupsOf(child.pid!)
    const { cgroup, result } = await limit(child, {})
    expect(cgroupsOf(child.pid!)).not.toEqual(before)
    child.kill('SIGKILL')
    await result
    expect(await cgroup.exists()).toBe(false)
  })
})

describe('an ordinary user', () => {
  const needs = requires('root', 'rootfs')
  const delegating = requires('root', 'rootfs', 'cgroup2')

  test('want 4 EV-159: who was given no cgroup is told so, with the line that helps', needs, () => {
    using user = new OrdinaryUser()
    const program = `
      import { limit } from '${user.module('@libcontainer/cgroups')}'
      import { spawn } from '${user.module('@libcontainer/cgroups', 'dist/node/index.js')}'
      const told = async promise => promise.then(() => 'done', ({ code, hint }) => ({ code, hint }))
      const free = await spawn('true', [], { cgroup: { pids: { max: 5 } }, optional: true })
      console.log(JSON.stringify({
        spawn: await told(spawn('true', [], { cgroup: { pids: { max: 5 } } })),
        limit: await told(limit(process.pid, {})),
        why: free.unlimited.code,
        result: (await free.result).code,
      }))`
    const said = { code: 'NotDelegated', hint: expect.stringContaining('systemd-run --user --scope -p Delegate=yes') }
    expect(user.evaluate(program)).toEqual({ spawn: said, limit: said, why: 'NotDelegated', result: 0 })
  })

  test(
    'want 5: who was given the cgroup that it runs in gets its controllers by `leaf`, and is told so',
    delegating,
    async () => {
      using user = new OrdinaryUser()
      const host = await cgroupHost()
      const [controller, limits] =
        host.mode === 'v2' ? ['pids', { pids: { max: 5 } }] : ['hugetlb', { hugetlb: { '2MB': { max: 0 } } }]
      await takesBackHandedOn(controller)
      const group = await freshCgroup()
      const directory = group.paths.get('')!
      writeFileSync(join(dirname(directory), 'cgroup.subtree_control'), `+${controller}`)
      await group.delegate(user.uid, user.uid)
      const program = `
      import { text } from 'node:stream/consumers'
      import { spawn } from '${user.module('@libcontainer/cgroups', 'dist/node/index.js')}'
      const cgroup = ${JSON.stringify(limits)}
      const refused = await spawn('true', [], { cgroup }).catch(({ code, message, hint }) => ({ code, message, hint }))
      const places = []
      for (const leaf of [true, false]) {
        const child = await spawn('cat', ['/proc/self/cgroup'], { cgroup, leaf })
        const [seen, { code }] = await Promise.all([text(child.stdout), child.result])
        places.push([code, seen.includes(child.cgroup.path.split('/').at(-1))])
      }
      console.log(JSON.stringify({ refused, places }))`
      expect(user.evaluate(program, { cgroup: directory })).toEqual({
        refused: {
          code: 'LimitUnsupported',
          message: expect.stringContaining('hands none on while it holds processes'),
          hint: expect.stringContaining('--leaf'),
        },
        places: [
          [0, true],
          [0, true],
        ],
      })
    },
  )
})
