import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cgroupsNamed, requires } from '../../../test/support/index.js'
import { Bundle, hosts, specOf, until } from './hosts.js'

/*
 * Whoever acts on a container may be killed between any two of its steps: here at the beginning of each system call that changes anything, one
 * after another. Another process then finds the container in a state that it can name, and removes it wholly.
 */

const host = hosts.find(({ name }) => name === 'the executable')!
const needs = {
  ...requires('root', 'rootfs', 'program:strace', `file:${host.command[0]}`),
  timeout: 240_000,
}

/** What changes something that another process can see, and where it is waited for somebody. */
const CALLS = [
  ...['mkdirat', 'fchmod', 'fchmodat', 'write', 'pwrite64', 'renameat2', 'unlinkat', 'clone3'],
  ...['bind', 'listen', 'connect', 'sendmsg', 'ppoll', 'pidfd_send_signal'],
]

interface Attempt {
  /** False: it had come to its end before. */
  readonly killed: boolean
  /** Everybody who got its streams has ended. */
  readonly gone: Promise<unknown>
}

/** Runs lcrun under strace. */
async function traced(bundle: Bundle, options: readonly string[], args: readonly string[]): Promise<Attempt> {
  const child: ChildProcess = spawn('strace', ['-qq', ...options, ...bundle.command(args)], {
    cwd: bundle.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) stream!.resume()
  const gone = new Promise(resolve => child.once('close', resolve))
  const [code, signal] = await new Promise<[number | null, string | null]>(resolve =>
    child.once('exit', (...end) => resolve(end)),
  )
  if (signal !== 'SIGKILL') expect(code, `${args.join(' ')} under ${options.join(' ')}`).toBe(0)
  return { killed: signal === 'SIGKILL', gone }
}

/**
 * Does a command once to its end, and then once for each of its moments: up to the nth call of a name, where it is killed.
 *
 * @param after - what is seen and done then; it leaves things as `before` wants them
 * @returns how many moments there were
 */
async function everyMoment(
  bundle: Bundle,
  args: readonly string[],
  before: () => void,
  after: (attempt: Attempt) => Promise<void>,
): Promise<number> {
  const trace = bundle.file('trace')
  before()
  await after(await traced(bundle, ['-o', trace, '-e', `trace=${CALLS.join()}`], args))
  const calls = [...readFileSync(trace, 'utf8').matchAll(/^(\w+)\(/gm)].map(([, name]) => name!)
  let moments = 0
  for (const name of new Set(calls)) {
    for (let nth = 1; nth <= calls.filter(call => call === name).length; nth++) {
      before()
      const inject = ['-e', `trace=${name}`, '-e', `inject=${name}:signal=KILL:when=${nth}`]
      const attempt = await traced(bundle, ['-o', '/dev/null', ...inject], args)
      if (attempt.killed) moments++
      await after(attempt)
    }
  }
  return moments
}

/** Makes a container that has none of this process's streams. */
function created(bundle: Bundle): void {
  expect(bundle.run(['create', bundle.id], { stdio: ['ignore', 'ignore', 'ignore'] }).status).toBe(0)
}

/** Removes it, and sees that nothing is left of it, whatever it was. */
async function removed(bundle: Bundle, ...attempts: readonly Attempt[]): Promise<void> {
  // A list of a root that is not there yet is an error.
  mkdirSync(bundle.stateRoot, { recursive: true, mode: 0o700 })
  expect(bundle.run(['list'])).toMatchObject({ status: 0, stderr: '' })
  expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0, stderr: '' })
  const over = AbortSignal.timeout(10_000)
  await Promise.race([
    Promise.all(attempts.map(({ gone }) => gone)),
    new Promise((_, reject) => over.addEventListener('abort', () => reject(new Error('somebody lives on')))),
  ])
  expect(bundle.left()).toEqual([])
  expect(cgroupsNamed(new RegExp(bundle.id))).toEqual([])
}

const stageOf = (bundle: Bundle): string =>
  String(bundle.state()?.status ?? (bundle.left().length > 0 ? 'directory' : 'nothing'))

const nothing = (): void => {}

test(
  'LR-03 ST-16 IN-11 create is killed at any moment: what it leaves is named, started where it is created, and removed',
  needs,
  async () => {
    using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
    const stages = new Set<string>()
    const moments = await everyMoment(bundle, ['create', bundle.id], nothing, async attempt => {
      // An init without its creator ends by itself at its next word with it; with its memory gone and not yet reaped it looks like a program.
      const stage = await until('the end of init, or its being created', () => {
        const now = stageOf(bundle)
        return now !== 'creating' && now !== 'running' && now
      })
      expect(['nothing', 'directory', 'stopped', 'created']).toContain(stage)
      stages.add(stage)
      if (stage === 'created') {
        expect(bundle.run(['start', bundle.id])).toMatchObject({ status: 0 })
        expect(bundle.state()).toMatchObject({ status: 'running' })
      }
      await removed(bundle, attempt)
    })
    expect(moments).toBeGreaterThan(25)
    expect([...stages]).toEqual(expect.arrayContaining(['nothing', 'directory', 'stopped', 'created']))
  },
)

test('LR-03 CO-12 start is killed at any moment: the container waits still, runs, or has ended', needs, async () => {
  using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
  const stages = new Set<string>()
  const before = (): void => created(bundle)
  const moments = await everyMoment(bundle, ['start', bundle.id], before, async attempt => {
    const stage = stageOf(bundle)
    expect(['created', 'running', 'stopped']).toContain(stage)
    stages.add(stage)
    const again = bundle.run(['start', bundle.id])
    // The word of the one that was killed may have reached init, which was not its program yet.
    if (stage !== 'created' || again.status !== 0)
      expect(again).toMatchObject({ status: 1, stderr: expect.stringMatching(/runs already|has stopped|has ended/) })
    await removed(bundle, attempt)
  })
  expect(moments).toBeGreaterThan(5)
  expect([...stages]).toEqual(expect.arrayContaining(['created', 'running']))
})

test('LR-03 CO-10 exec is killed at any moment: the container runs on, and others run in it', needs, async () => {
  using bundle = new Bundle(host)
  bundle.sleeping()
  const attempts: Attempt[] = []
  const args = ['exec', '--detach', bundle.id, '/bin/sleep', '1000']
  const moments = await everyMoment(bundle, args, nothing, async attempt => {
    attempts.push(attempt)
    expect(bundle.state()).toMatchObject({ status: 'running' })
  })
  expect(moments).toBeGreaterThan(10)
  expect(bundle.run(['exec', bundle.id, '/bin/echo', 'in']).stdout).toBe('in\n')
  await removed(bundle, ...attempts)
})

test.each([
  ['delete --force of a running container', (bundle: Bundle) => bundle.sleeping(), ['delete', '--force']],
  ['delete of a created container', created, ['delete']],
] as const)('LR-03 CO-18 %s is killed at any moment: once more removes the rest', needs, async (_, prepare, args) => {
  using bundle = new Bundle(host, specOf(['/bin/sleep', '1000']))
  const before = (): void => prepare(bundle)
  const moments = await everyMoment(bundle, [...args, bundle.id], before, async attempt => {
    const stages = attempt.killed ? ['running', 'created', 'stopped', 'directory', 'nothing'] : ['nothing']
    expect(stages).toContain(stageOf(bundle))
    await removed(bundle, attempt)
  })
  expect(moments).toBeGreaterThan(5)
})
