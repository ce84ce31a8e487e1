import { spawn as plainSpawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { getTermios } from '@libcontainer/console'
import { afterEach, describe, expect, test } from 'vitest'
import { cgroupsNamed, OrdinaryUser, Running, requires, together, until } from '../../../test/support/index.js'
import { closeSeats, onTerminal, Seat } from '../../../test/support/seat.js'
import { freshCgroup, freshPath, run as runShell } from './support.js'

const main = fileURLToPath(new URL('../dist/node/main.js', import.meta.url))

const cgroups = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 60_000 })
  return { status, stdout, stderr }
}

describe('cgroups', () => {
  test.each([['help'], ['--help'], ['help', 'run'], ['run', '--help'], ['top', '-h']])('%s %s', (...args) => {
    const { status, stdout, stderr } = cgroups(...args)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^NAME\n {4}cgroups/)
  })

  test('its version', () => {
    expect(cgroups('--version').stdout).toMatch(/^\d+\.\d+\.\d+/)
  })

  test.each([
    [[], /there is no command/],
    [['walk'], /no command 'walk'/],
    [['run'], /no command to run/],
    [['run', '--nothing', 'x'], /--nothing/],
    [['run', '--memory', 'much', 'true'], /--memory.*must be a size/],
    [['run', '--timeout', '0', 'true'], /--timeout/],
    [['run', '--kill-signal', 'NONE', 'true'], /--kill-signal/],
    [['top', '/no/such/cgroup'], /ENOENT/],
    [['top', 'relative'], /must be absolute/],
  ])('%j is refused with 125', (args, problem) => {
    const { status, stdout, stderr } = cgroups(...args)
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' })
    expect(stderr).toMatch(problem)
    expect(stderr).not.toContain('    at ')
  })
})

describe('cgroups run', () => {
  afterEach(() => {
    expect(cgroupsNamed(/\/limit-\d+-[0-9a-f]+$/)).toEqual([])
  })

  test('17 the exit code is that of the command', requires('cgroup'), () => {
    expect(cgroups('run', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    })
    expect(cgroups('run', 'sh', '-c', 'kill -USR1 $$').status).toBe(128 + 10)
    expect(cgroups('run', 'no-such-program')).toMatchObject({
      status: 127,
      stderr: expect.stringContaining('no-such-program'),
    })
    expect(cgroups('run', '/etc/passwd').status).toBe(126)
  })

  test('want 10: OOM is told', requires('cgroup:memory'), () => {
    const { status, stderr } = cgroups('run', '--memory', '16M', '--swap', '0', '--', 'tail', '/dev/zero')
    expect(status).toBe(137)
    expect(stderr).toMatch(/^cgroups: out of memory: the kernel has killed a process at the limit of 16M/)
  })

  test('--json tells all that is known', requires('cgroup:pids'), () => {
    const { status, stderr } = cgroups('run', '--json', '--pids', '1', '--', 'sh', '-c', 'true | true; true')
    const line = stderr.trim().split('\n').at(-1)!
    expect(JSON.parse(line)).toMatchObject({
      code: status,
      signal: null,
      timedOut: false,
      oom: false,
      refusedForks: expect.any(Number),
      cpuMs: expect.any(Number),
      wallMs: expect.any(Number),
    })
  })

  test('--timeout ends it by 124, --quiet says nothing of it', requires('cgroup'), () => {
    const { status, stderr } = cgroups('run', '--timeout', '200ms', 'sleep', '60')
    expect({ status, stderr }).toEqual({ status: 124, stderr: 'cgroups: it was ended after 200 ms\n' })
    expect(cgroups('run', '-q', '--timeout', '200ms', 'sleep', '60')).toEqual({ status: 124, stdout: '', stderr: '' })
  })

  test('--path names it, and one that is there is refused', requires('cgroup'), async () => {
    const path = freshPath()
    expect(cgroups('run', '--path', path, 'cat', '/proc/self/cgroup').stdout).toContain(`${path}\n`)
    const group = await freshCgroup()
    expect(cgroups('run', '--path', group.path, 'true')).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('EEXIST'),
    })
  })

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s is handed on', requires('cgroup'), async signal => {
    const script = `trap 'echo got it; exit 3' ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`
    const child = plainSpawn(process.execPath, [main, 'run', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const output = text(child.stdout)
    await once(child.stdout, 'readable')
    child.kill(signal)
    expect((await once(child, 'exit'))[0]).toBe(3)
    expect(await output).toBe('ready\ngot it\n')
  })

  test('want 4: an ordinary user without delegation is told what helps', requires('root', 'rootfs'), () => {
    using user = new OrdinaryUser()
    const bin = user.module('@libcontainer/cgroups', 'dist/node/main.js')
    const run = (...args: string[]) => user.run([process.execPath, bin, 'run', ...args])
    const { status, stderr } = run('--pids', '5', '--', 'true')
    expect({ status, stderr }).toEqual({
      status: 125,
      stderr: expect.stringContaining('systemd-run --user --scope -p Delegate=yes'),
    })
    expect(run('--optional', '--pids', '5', '--', 'sh', '-c', 'exit 4')).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/^cgroups: it runs without limits: /),
    })
  })
})

describe('cgroups top', () => {
  test('--once: the cgroup with its process is in the table, without colours', requires('cgroup'), async () => {
    const group = await freshCgroup()
    const sleeper = runShell('exec sleep 60')
    await group.add(sleeper.pid)
    const { status, stdout, stderr } = cgroups('top', '--once', '--all', '--sort', 'path', group.path)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const [heading, row, ...more] = stdout.trimEnd().split('\n')
    expect(heading).toMatch(/^CGROUP +CPU% MEMORY +PIDS/)
    expect(row).toContain(group.path.slice(-16))
    expect(more).toEqual([])
    expect(stdout).not.toContain('\x1b')
  })

  test('--json, of a directory, with those below it as deep as is asked', requires('cgroup:pids'), async () => {
    const parent = await freshCgroup({ pids: { max: 9 } })
    const group = await freshCgroup({}, {})
    const sleeper = runShell('exec sleep 60')
    await parent.add(sleeper.pid)
    expect(group.path).not.toBe(parent.path)
    const directory = parent.places.find(({ hierarchy }) => hierarchy.controllers.includes('pids'))!.directory
    const { stdout } = cgroups('top', '--once', '--json', '--depth', '0', directory)
    const { time, cgroups: rows } = JSON.parse(stdout) as { time: string; cgroups: object[] }
    expect(Date.parse(time)).toBeGreaterThan(0)
    expect(rows).toEqual([expect.objectContaining({ pids: 1, pidsMax: 9 })])
  })

  // Of a machine with a thousand cgroups, beside other work.
  test('all that there is, looked at again and again until the reader has enough', { timeout: 120_000 }, async () => {
    const child = plainSpawn(process.execPath, [main, 'top', '--json', '-i', '200ms'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const errors = text(child.stderr)
    const ended = once(child, 'exit')
    let seen = ''
    for await (const chunk of child.stdout) {
      seen += chunk
      if (seen.split('\n').length > 2) break
    }
    const [first] = seen.split('\n')
    expect((JSON.parse(first!) as { cgroups: { path: string }[] }).cgroups.map(({ path }) => path)).toContain('/')
    const [code] = await ended
    expect({ code, stderr: await errors }).toEqual({ code: 0, stderr: '' })
  })
})

/** The other screen and no cursor; a cursor and the first screen. */
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'

const literally = (text: string): RegExp => new RegExp(text.replace(/[[?]/g, '\\$&'))

describe('cgroups top on a terminal', () => {
  afterEach(closeSeats)
  const needs = together(requires('root', 'program:setsid'))

  const sit = async (...args: string[]): Promise<Seat> =>
    await Seat.open(
      fd => {
        const [program, ...words] = [...onTerminal, process.execPath, main, 'top', '-i', '200ms', ...args]
        const env = { ...process.env, TERM: 'xterm', NO_COLOR: '' }
        return new Running(plainSpawn(program!, words, { stdio: [fd, fd, fd], env }))
      },
      { rows: 20, columns: 100 },
    )
  const isRaw = (seat: Seat): boolean => (getTermios(seat.console.slave.fd).lflag & 2) === 0

  test('draws, sorts by keys, fits, and leaves the terminal as it was', needs, async () => {
    const seat = await sit()
    const before = getTermios(seat.console.slave.fd)
    await seat.shows(/CGROUP.*CPU%/)
    expect(isRaw(seat)).toBe(true)
    expect(seat.shown).toContain(ENTER)
    expect(seat.shown).toContain('\x1b[36m  CPU%\x1b[0m')
    await seat.type('m')
    await seat.shows(literally('\x1b[36mMEMORY'))
    for (const picture of seat.shown.split('\x1b[H').slice(1, -1)) {
      expect(picture.split('\r\n').length).toBeLessThanOrEqual(20)
    }
    await seat.type('q')
    expect(await seat.running.ended()).toBe(0)
    await seat.shows(literally(LEAVE))
    expect(seat.shown.endsWith(LEAVE)).toBe(true)
    expect(getTermios(seat.console.slave.fd)).toEqual(before)
  })

  test.each([
    ['Ctrl-C', 0],
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)('the terminal is as it was after %s', needs, async (how, status) => {
    const seat = await sit('--sort', 'memory')
    const before = getTermios(seat.console.slave.fd)
    await seat.shows(/CGROUP/)
    if (how === 'Ctrl-C') await seat.type('\x03')
    else seat.running.child.kill(how)
    await seat.shows(literally(LEAVE))
    expect(getTermios(seat.console.slave.fd)).toEqual(before)
    expect(await seat.running.ended()).toBe(status)
  })

  test('stopped, it gives the terminal back; going on, it draws again', needs, async () => {
    const seat = await sit()
    const before = getTermios(seat.console.slave.fd)
    await seat.shows(/CGROUP/)
    await seat.type('\x1a')
    await seat.shows(literally(LEAVE))
    await until('stopped', () => readFileSync(`/proc/${seat.running.pid}/stat`, 'utf8').includes(') T '))
    expect(getTermios(seat.console.slave.fd)).toEqual(before)
    const length = seat.shown.length
    seat.running.child.kill('SIGCONT')
    await until('drawn again', () => seat.shown.slice(length).includes(`${ENTER}\x1b[H`))
    expect(isRaw(seat)).toBe(true)
    await seat.type('q')
    expect(await seat.running.ended()).toBe(0)
    expect(getTermios(seat.console.slave.fd)).toEqual(before)
  })
})
