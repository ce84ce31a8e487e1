import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dump, restore } from '@libcontainer/criu'
import { startProgram, waitExit } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory, until } from '../../../test/support/index.js'

/** What a tree has in common with others: its session, locks of files, pipes. */
const needs = requires('root', 'criu', 'program:flock', 'program:mkfifo')
let place: TemporaryDirectory
const started: number[] = []
beforeAll(() => {
  if (!needs.skip) place = temporaryDirectory('criu-outside-')
})
afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {}
  }
})
afterAll(() => place?.[Symbol.dispose]())

function start(argv: readonly string[], detached: boolean): ChildProcess & { pid: number } {
  const child = spawn(argv[0]!, argv.slice(1), { detached, stdio: 'ignore' })
  started.push(child.pid!)
  return child as ChildProcess & { pid: number }
}

async function goesOn({ pid, pidfd }: Awaited<ReturnType<typeof restore>>): Promise<void> {
  started.push(pid)
  void waitExit(pidfd, { weak: true }).finally(() => pidfd.close())
  expect(readlinkSync(`/proc/${pid}/exe`)).toMatch(/\w/)
}

test('CR-01 a job of a session outside is dumped when that is said, and its hint says so', needs, async () => {
  const [imagesDir, file] = [join(place.path, 'job'), join(place.path, 'pid')]
  start(['sh', '-c', `sleep 1000 & echo $! > ${file}; wait`], true)
  const pid = await until(
    'it is there',
    () => existsSync(file) && Number(readFileSync(file, 'utf8')) > 0 && Number(readFileSync(file, 'utf8')),
  )
  started.push(pid)
  await until('it sleeps', () => readlinkSync(`/proc/${pid}/exe`).endsWith('sleep'))
  const refused = (await dump({ pid, imagesDir }).catch(error => error)) as Error & { hint?: string }
  expect(`${refused.message}: ${refused.hint}`).toContain('shellJob')
  await dump({ pid, imagesDir, shellJob: true, leaveRunning: true })
  expect(readlinkSync(`/proc/${pid}/exe`)).toMatch(/sleep$/)
})

test('CR-01 locks of files are held again when that is said, and its hint says so', needs, async () => {
  const [imagesDir, file] = [join(place.path, 'lock'), join(place.path, 'file')]
  writeFileSync(file, '')
  const { pid } = start(['flock', '--no-fork', file, 'sleep', '1000'], true)
  const isFree = (): boolean => spawnSync('flock', ['-n', file, 'true']).status === 0
  await until('it holds the lock', () => readlinkSync(`/proc/${pid}/exe`).endsWith('sleep'))
  await expect(dump({ pid, imagesDir })).rejects.toMatchObject({ hint: expect.stringContaining('fileLocks') })
  await dump({ pid, imagesDir, fileLocks: true })
  expect(isFree()).toBe(true)
  await goesOn(await restore({ imagesDir, fileLocks: true }))
  expect(isFree()).toBe(false)
})

test('CR-01 CR-09 a pipe that leads outside is another one after the restore', needs, async () => {
  const [imagesDir, fifo] = [join(place.path, 'pipe'), join(place.path, 'fifo')]
  spawnSync('mkfifo', [fifo])
  const other = openSync(fifo, 'r+')
  const program = await startProgram({ steps: [] }, ['setsid', 'sh', '-c', 'while :; do echo tick; sleep 0.05; done'], {
    stdio: ['null', 'pipe', 'null'],
    cwd: '/',
  })
  const { pid } = program
  started.push(pid)
  await until(
    'it has a session of its own',
    () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[3] === String(pid),
  )
  try {
    const key = readlinkSync(`/proc/${pid}/fd/1`)
    expect(key).toMatch(/^pipe:\[\d+\]$/)
    await dump({ pid, imagesDir })
    await program.wait()
    program.stdout?.close()
    await goesOn(await restore({ imagesDir }, { inheritFds: [{ key, fd: other }] }))
    const bytes = Buffer.alloc(5)
    readSync(other, bytes)
    expect(bytes.toString()).toBe('tick\n')
  } finally {
    closeSync(other)
  }
})
