import { closeSync, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import {
  applyInChild,
  askStep,
  cloneAgainStep,
  openLabelsStep,
  type Program,
  type ProgramOptions,
  type Step,
  startProgram,
  writeLabelStep,
} from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/support/index.js'

const start = async (steps: readonly Step[], script: string, options: ProgramOptions = {}): Promise<Program> =>
  await startProgram({ steps }, ['/bin/sh', '-c', script], { stdio: ['null', 'pipe', 'pipe'], ...options })
const said = async (...given: Parameters<typeof start>) => await (await start(...given)).output()
const open = (): string[] => readdirSync('/proc/self/fd')
/** A file that no kernel has: what there is to write to labels nobody. */
const absent = writeLabelStep('absent', 'x', { about: 'write what is not there', hints: { ENOENT: 'as it should be' } })

test('a program has its words, environment, directory, streams and descriptors, and nothing else', async () => {
  using directory = temporaryDirectory('start-')
  const path = realpathSync(directory.path)
  const file = openSync('/dev/null', 'r')
  try {
    const { status, stdout, stderr } = await said(
      [],
      'echo $0 $*; env | grep OWN; pwd; readlink /proc/$$/fd/*; echo end >&2; exit 7',
      {
        env: { OWN: 'yes', PATH: '/usr/bin:/bin' },
        cwd: path,
        extraFds: [file],
      },
    )
    expect(status.code).toBe(7)
    expect(stderr).toBe('end\n')
    const [name, own, cwd, ...fds] = stdout.trim().split('\n')
    expect([name, own, cwd]).toEqual(['/bin/sh', 'OWN=yes', path])
    expect(fds.map(fd => fd.replace(/\[.*/, ''))).toEqual(['/dev/null', 'pipe:', 'pipe:', '/dev/null'])
  } finally {
    closeSync(file)
  }
})

test('a program has no signal ignored or blocked, whatever this process has', async () => {
  expect(readFileSync('/proc/self/status', 'utf8')).not.toMatch(/^SigIgn:\t0+$/m)
  const { stdout } = await said([], 'grep -E "Sig(Blk|Ign)" /proc/self/status')
  expect(stdout).toMatch(/^SigBlk:\t0+\nSigIgn:\t0+\n$/)
})

test('what cannot be executed, or entered, is told by its call and path; nothing is left', async () => {
  const before = open()
  for (const [argv, options, wanted] of [
    [['/absent/program'], {}, { code: 'ENOENT', syscall: 'execve', path: '/absent/program' }],
    [['/etc/passwd'], {}, { code: 'EACCES', syscall: 'execve' }],
    [['true'], { cwd: '/absent' }, { code: 'ENOENT', syscall: 'chdir', path: '/absent' }],
  ] as const)
    await expect(startProgram({ steps: [] }, argv, { stdio: 'pipe', ...options })).rejects.toMatchObject(wanted)
  expect(open()).toEqual(before)
})

test('steps come before the program: one that fails is told by its number, and nothing is executed', async () => {
  const before = open()
  await expect(said([openLabelsStep, absent], 'exit 0')).rejects.toMatchObject({
    code: 'ENOENT',
    path: '/proc/thread-self/attr/absent',
    step: 'step 2: write what is not there',
    hint: 'as it should be',
  })
  const long = writeLabelStep('a'.repeat(64), 'x', { about: 'write' })
  await expect(said([openLabelsStep, long], 'exit 0')).rejects.toMatchObject({ code: 'ENAMETOOLONG' })
  expect((await said([openLabelsStep, { ...absent, onError: { ENOENT: 'skip' } }], 'exit 3')).status.code).toBe(3)
  // Of no table of these steps: refused before there is a child.
  await expect(said([{ op: 'noSuchOp', args: [], about: 'nothing' }], 'exit 0')).rejects.toThrow()
  expect(open()).toEqual(before)
})

test('a child that asks waits for its answer, and a failed answer is its end', async () => {
  const order: string[] = []
  const answer = async (pid: number): Promise<void> => {
    order.push(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^(\d+).*/s, '$1'))
  }
  const preparation = { steps: [askStep(0, 'ask'), askStep(0, 'ask again')], answers: [answer] }
  const program = await startProgram(preparation, ['/bin/true'], { stdio: 'null' })
  expect(order).toEqual([`${program.pid}`, `${program.pid}`])
  expect((await program.wait()).code).toBe(0)

  let asked = 0
  const failing = async (pid: number): Promise<void> => {
    asked = pid
    throw new Error('not today')
  }
  await expect(
    startProgram({ steps: [askStep(0, 'ask')], answers: [failing] }, ['/bin/true'], { stdio: 'null' }),
  ).rejects.toThrow('not today')
  expect(() => readFileSync(`/proc/${asked}/stat`)).toThrow()
})

test('one that goes on in a sibling is the one that is told of, and its first self is gone', async () => {
  const pids: number[] = []
  const answers = [async (pid: number) => void pids.push(pid)]
  const steps = [askStep(0, 'first'), cloneAgainStep(), askStep(0, 'second')]
  const program = await startProgram({ steps, answers }, ['/bin/sh', '-c', 'echo $$'], {
    stdio: ['null', 'pipe', 'null'],
  })
  expect(pids[1]).toBe(program.pid)
  expect(pids[0]).not.toBe(program.pid)
  expect((await program.output()).stdout).toBe(`${program.pid}\n`)
  expect(() => readFileSync(`/proc/${pids[0]}/stat`)).toThrow()
})

test('a signal to give up ends it, before it runs and while it does', async () => {
  await expect(start([], 'exit 0', { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late')
  const before = new AbortController()
  const preparation = { steps: [askStep(0, 'ask')], answers: [async () => before.abort(new Error('enough'))] }
  const never = startProgram(preparation, ['/bin/true'], { stdio: 'null', signal: before.signal })
  await expect(never).rejects.toThrow('enough')
  const during = new AbortController()
  const program = await start([], 'exec sleep 1000', { signal: during.signal, stdio: 'null' })
  during.abort(new Error('stop'))
  await expect(program.wait()).rejects.toThrow('stop')
  expect(() => readFileSync(`/proc/${program.pid}/stat`)).toThrow()
})

test('steps alone: a child applies them and ends', async () => {
  await applyInChild({ steps: [openLabelsStep] })
  await expect(applyInChild({ steps: [openLabelsStep, absent] })).rejects.toMatchObject({ code: 'ENOENT' })
})

test('several at once do not hold each other’s descriptors', async () => {
  const before = open()
  const outputs = await Promise.all(Array.from({ length: 10 }, () => said([], 'exec ls /proc/self/fd')))
  // Its streams, and the directory that it reads.
  for (const { stdout } of outputs) expect(stdout).toBe('0\n1\n2\n3\n')
  expect(open()).toEqual(before)
})
