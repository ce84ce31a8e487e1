import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Bundle, hosts, specOf, until } from './hosts.js'

/* Two processes that act on one container at the same time, or one after the other where the second finds what it did not expect. */

const host = hosts.find(({ name }) => name === 'the executable')!
const needs = { ...host.needs, timeout: 120_000 }
const quiet: { stdio: ['ignore', 'ignore', 'ignore'] } = { stdio: ['ignore', 'ignore', 'ignore'] }
const sleeping = specOf(['/bin/sleep', '1000'])

/** What may be said when somebody else was faster. */
const LATE =
  /runs already|has stopped|has ended|has exited|does not exist|not running|is paused|not paused|is not stopped|cannot delete|killed|init ended|somebody else is starting it|already exists|is being created|is (creating|created|running|paused|stopped)/

/** Whoever comes too late is told what has become of the container, and not how lcrun was surprised by it. */
const SURPRISED =
  /TypeError|undefined|somebody has changed|nothing that it says is believed|EBADF|EFAULT|EINVAL|ENOENT|ENOTEMPTY/

interface Outcome {
  readonly args: readonly string[]
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

let count = 0

/** Runs commands at once. */
async function together(bundle: Bundle, ...commands: readonly (readonly string[])[]): Promise<Outcome[]> {
  return await Promise.all(
    commands.map(async args => {
      // A file takes what a container that lives on would keep a pipe open for.
      const files = ['stdout', 'stderr'].map(name => join(bundle.path, `${name}-${++count}`))
      const [out, err] = files.map(file => openSync(file, 'w'))
      const child = spawn(host.command[0], ['--root', bundle.stateRoot, ...args], {
        cwd: bundle.path,
        stdio: ['ignore', out!, err!],
      })
      closeSync(out!)
      closeSync(err!)
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const status = await new Promise<number | null>(resolve => child.once('exit', resolve))
      clearTimeout(late)
      const [stdout, stderr] = files.map(file => readFileSync(file, 'utf8'))
      return { args, status, stdout: stdout!, stderr: stderr! }
    }),
  )
}

function definite(outcomes: readonly Outcome[]): void {
  for (const { args, status, stderr } of outcomes) {
    const said = `${args.join(' ')}: ${status} ${stderr}`
    // What is run in a container may be killed with it, as it would be by hand.
    const killed = args[0] === 'exec' && status === 128 + 9
    expect(killed ? [status] : [0, 1, 255], said).toContain(status)
    if (status === 0 || killed) continue
    expect(stderr, said).toMatch(LATE)
    expect(stderr, said).not.toMatch(SURPRISED)
  }
}

const statuses = ['creating', 'created', 'running', 'paused', 'stopped']

/** What `state` and `list` print is whole, and theirs. */
function parsed(bundle: Bundle, [state, list]: readonly Outcome[]): void {
  if (state!.status === 0)
    expect(JSON.parse(state!.stdout)).toMatchObject({
      id: bundle.id,
      status: expect.stringMatching(statuses.join('|')),
    })
  else expect(state!.stdout).toBe('')
  expect(list).toMatchObject({ status: 0, stderr: '' })
  const found = (JSON.parse(list!.stdout) ?? []) as { readonly id: string; readonly status: string }[]
  expect(found.map(({ id }) => id).filter(id => id !== bundle.id)).toEqual([])
  for (const { status } of found) expect(statuses).toContain(status)
}

function gone(bundle: Bundle): void {
  expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0, stderr: '' })
  expect(bundle.left()).toEqual([])
}

describe('LR-02 two at once', () => {
  const created = (bundle: Bundle): void =>
    expect(bundle.run(['create', bundle.id], quiet)).toMatchObject({ status: 0 }) as never
  const running = (bundle: Bundle): void => bundle.sleeping()

  type Check = (done: Outcome[], bundle: Bundle) => void
  test.each<[string, (bundle: Bundle) => void, (id: string) => string[][], Check?]>([
    [
      'LR-04 start and start: exactly one wins',
      created,
      id => [
        ['start', id],
        ['start', id],
      ],
      done => expect(done.map(({ status }) => status).sort()).toEqual([0, 1]),
    ],
    [
      'start and delete --force',
      created,
      id => [
        ['start', id],
        ['delete', '--force', id],
      ],
    ],
    [
      'start and delete',
      created,
      id => [
        ['start', id],
        ['delete', id],
      ],
    ],
    [
      'start and kill',
      created,
      id => [
        ['start', id],
        ['kill', id, 'KILL'],
      ],
    ],
    [
      'create and create: exactly one wins',
      () => {},
      id => [
        ['create', id],
        ['create', id],
      ],
      done => expect(done.map(({ status }) => status).sort()).toEqual([0, 1]),
    ],
    [
      'create and delete --force',
      () => {},
      id => [
        ['create', id],
        ['delete', '--force', id],
      ],
    ],
    [
      'create and delete',
      () => {},
      id => [
        ['create', id],
        ['delete', id],
      ],
    ],
    [
      'exec and delete --force',
      running,
      id => [
        ['exec', id, '/bin/true'],
        ['delete', '--force', id],
      ],
    ],
    [
      'exec and kill',
      running,
      id => [
        ['exec', id, '/bin/true'],
        ['kill', id, 'KILL'],
      ],
    ],
    [
      'pause and kill',
      running,
      id => [
        ['pause', id],
        ['kill', id, 'KILL'],
      ],
    ],
    [
      'pause and resume',
      running,
      id => [
        ['pause', id],
        ['resume', id],
      ],
    ],
    [
      'pause and delete --force',
      running,
      id => [
        ['pause', id],
        ['delete', '--force', id],
      ],
    ],
    [
      'update and kill',
      running,
      id => [
        ['update', '--pids-limit', '20', id],
        ['kill', id, 'KILL'],
      ],
    ],
    [
      'delete --force and delete --force: both are content',
      running,
      id => [
        ['delete', '--force', id],
        ['delete', '--force', id],
      ],
      done => expect(done.map(({ status }) => status)).toEqual([0, 0]),
    ],
    [
      'state and list while it goes: never half of anything',
      running,
      id => [
        ['state', id],
        ['list', '--format', 'json'],
        ['delete', '--force', id],
      ],
      (done, bundle) => parsed(bundle, done),
    ],
  ])('%s', needs, async (name, prepare, commands, more) => {
    using bundle = new Bundle(host, sleeping)
    const rounds = name.includes('exactly one') ? 12 : 4
    for (let i = 0; i < rounds; i++) {
      prepare(bundle)
      const done = await together(bundle, ...commands(bundle.id))
      definite(done)
      more?.(done, bundle)
      const state = bundle.state()
      if (state !== undefined) expect(['created', 'running', 'paused', 'stopped']).toContain(state.status)
      gone(bundle)
    }
  })
})

test(
  'LR-01 ST-03 the number of its dead first process belongs to another now: it is neither joined nor signalled',
  needs,
  async () => {
    using bundle = new Bundle(host, sleeping)
    bundle.sleeping()
    const pid = bundle.state()!.pid as number
    bundle.run(['kill', bundle.id, 'KILL'])
    await bundle.stopped()
    const other = spawn('/bin/sleep', ['1000'])
    try {
      const file = join(bundle.stateRoot, bundle.id, 'state.json')
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(String(pid), String(other.pid)))
      expect(bundle.state()).toMatchObject({ status: 'stopped', pid: 0 })
      for (const args of [
        ['kill', bundle.id, 'KILL'],
        ['exec', bundle.id, '/bin/true'],
        ['start', bundle.id],
        ['pause', bundle.id],
      ]) {
        const { status, stderr } = bundle.run(args)
        expect([1, 255], `${args[0]}: ${stderr}`).toContain(status)
      }
      expect(bundle.run(['delete', bundle.id])).toMatchObject({ status: 0 })
      expect(other.exitCode ?? other.signalCode).toBeNull()
      expect(existsSync(`/proc/${other.pid}/exe`)).toBe(true)
    } finally {
      other.kill('SIGKILL')
    }
  },
)

test(
  'CO-13 ER-04 ST-06 a paused container: TERM waits for its resume, KILL does not, delete is refused but by force',
  needs,
  async () => {
    using bundle = new Bundle(host, sleeping)
    for (const end of ['KILL', 'force', 'TERM'] as const) {
      bundle.write(specOf(['/bin/sh', '-c', 'trap "exit 3" TERM; while :; do sleep 0.05; done']))
      bundle.run(['run', '--detach', bundle.id], quiet)
      expect(bundle.run(['pause', bundle.id])).toMatchObject({ status: 0 })
      expect(bundle.run(['delete', bundle.id])).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('it is paused'),
      })
      expect(bundle.state()).toMatchObject({ status: 'paused' })
      if (end === 'KILL') {
        expect(bundle.run(['kill', bundle.id, 'KILL'])).toMatchObject({ status: 0 })
        await bundle.stopped()
      }
      if (end === 'TERM') {
        expect(bundle.run(['kill', bundle.id, 'TERM'])).toMatchObject({ status: 0 })
        expect(bundle.state()).toMatchObject({ status: 'paused' })
        expect(bundle.run(['resume', bundle.id])).toMatchObject({ status: 0 })
        await bundle.stopped()
      }
      gone(bundle)
    }
  },
)

describe('an init that ends early', () => {
  test('CO-25 while it is being created: create tells, and leaves nothing', needs, async () => {
    using bundle = new Bundle(host)
    const hang = bundle.file('hang')
    const path = '/bin/sh'
    bundle.write(
      specOf(['/bin/true'], {
        hooks: {
          createContainer: [
            { path, args: ['sh', '-c', `echo > ${hang}; exec sleep 1000`], env: ['PATH=/usr/bin:/bin'] },
          ],
        },
      }),
    )
    const creating = together(bundle, ['create', bundle.id])
    await until('the hook', () => (existsSync(hang) ? true : undefined))
    // It is told of by whoever has cloned it, who may have been kept from its processor meanwhile.
    const state = await until('its state', () => bundle.state())
    expect(state).toMatchObject({ status: 'creating' })
    process.kill(state.pid as number, 'SIGKILL')
    const [outcome] = await creating
    expect(outcome).toMatchObject({ status: 1, stderr: expect.stringContaining('init ended during set-up (signal 9)') })
    expect(bundle.left()).toEqual([])
  })

  test('LR-05 ER-06 once it is created: start fails at once, and so does kill; delete removes it', needs, async () => {
    using bundle = new Bundle(host, sleeping)
    bundle.run(['create', bundle.id], quiet)
    process.kill(bundle.state()!.pid as number, 'SIGKILL')
    await bundle.stopped()
    const before = performance.now()
    expect(bundle.run(['start', bundle.id])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('it has stopped'),
    })
    expect(performance.now() - before).toBeLessThan(5000)
    expect(bundle.run(['kill', bundle.id])).toMatchObject({ status: 1, stderr: expect.stringContaining('not running') })
    expect(bundle.run(['delete', bundle.id])).toMatchObject({ status: 0 })
    expect(bundle.left()).toEqual([])
  })

  test(
    'ST-04 LR-04 a created container: killed, signalled, paused, run into and removed by others',
    needs,
    async () => {
      using bundle = new Bundle(host, sleeping)
      const create = (): void => void bundle.run(['create', bundle.id], quiet)
      create()
      expect(bundle.run(['exec', bundle.id, '/bin/echo', 'in'])).toMatchObject({ status: 0, stdout: 'in\n' })
      expect(bundle.run(['pause', bundle.id])).toMatchObject({ status: 0 })
      expect(bundle.state()).toMatchObject({ status: 'paused' })
      expect(bundle.run(['resume', bundle.id])).toMatchObject({ status: 0 })
      expect(bundle.state()).toMatchObject({ status: 'created' })
      expect(bundle.run(['kill', bundle.id, 'KILL'])).toMatchObject({ status: 0 })
      await bundle.stopped()
      expect(bundle.run(['delete', bundle.id])).toMatchObject({ status: 0 })
      create()
      expect(bundle.run(['delete', bundle.id])).toEqual({ status: 0, stdout: '', stderr: '' })
      expect(bundle.left()).toEqual([])
    },
  )
})

test(
  'HK-02 LR-02 a create that hangs in a hook: the others are refused at once, delete --force ends it',
  needs,
  async () => {
    using bundle = new Bundle(host)
    const hang = bundle.file('hang')
    const args = ['sh', '-c', `echo > ${hang}; exec sleep 1000`]
    bundle.write(specOf(['/bin/true'], { hooks: { createRuntime: [{ path: '/bin/sh', args, env: ['PATH=/bin'] }] } }))
    const creating = together(bundle, ['create', bundle.id])
    await until('the hook', () => existsSync(hang))
    for (const args of [
      ['exec', bundle.id, '/bin/true'],
      ['pause', bundle.id],
      ['delete', bundle.id],
    ])
      expect(bundle.run(args), args[0]).toMatchObject({
        status: args[0] === 'exec' ? 255 : 1,
        stderr: expect.stringMatching(/is being created|it is creating/),
      })
    expect(bundle.state()).toMatchObject({ status: 'creating' })
    expect(bundle.run(['delete', '--force', bundle.id])).toEqual({ status: 0, stdout: '', stderr: '' })
    const [outcome] = await creating
    expect(outcome).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('does not exist any more: it was removed meanwhile'),
    })
    expect(bundle.left()).toEqual([])
  },
)

test('CO-18 LR-02 what cleans up after a run leaves another container of its id alone', needs, async () => {
  using bundle = new Bundle(host, sleeping)
  bundle.sleeping()
  bundle.run(['kill', bundle.id, 'KILL'])
  await bundle.stopped()
  expect(bundle.run(['finish', '--', bundle.id, 'of-another', '7'])).toEqual({ status: 7, stdout: '', stderr: '' })
  expect(bundle.state()).toMatchObject({ status: 'stopped' })
  const { token } = JSON.parse(readFileSync(join(bundle.stateRoot, bundle.id, 'lcrun.json'), 'utf8'))
  expect(bundle.run(['finish', '--', bundle.id, token, '7'])).toEqual({ status: 7, stdout: '', stderr: '' })
  expect(bundle.left()).toEqual([])
})

test('LR-10 closed standard streams: what they are to the program is nothing of the container’s own', needs, () => {
  using bundle = new Bundle(host)
  const script = 'ls -l /proc/self/fd > /tmp/fds; sed "s/.* \\([0-9]* -> .*\\)/\\1/" /tmp/fds > /tmp/out/fds; exit 5'
  const out = { destination: '/tmp/out', type: 'bind', source: bundle.path, options: ['bind', 'rw'] }
  const spec = specOf(['/bin/sh', '-c', script])
  bundle.write({ ...spec, mounts: [...spec.mounts, out] })
  const [program] = host.command
  const words = `exec ${program} --root ${bundle.stateRoot} run --bundle ${bundle.path} ${bundle.id} <&- >&- 2>&-`
  const { status } = spawnSync('/bin/sh', ['-c', words], { timeout: 20_000 })
  expect(status).toBe(5)
  const lines = readFileSync(bundle.file('fds'), 'utf8')
    .split('\n')
    .filter(line => line.includes('->'))
  expect(lines.sort()).toEqual(['0 -> /dev/null', '1 -> /tmp/fds', '2 -> /dev/null'])
  expect(bundle.left()).toEqual([])
})
