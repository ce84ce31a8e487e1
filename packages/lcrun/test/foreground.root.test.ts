import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeSync } from 'node:fs'
import { newConsole } from '@libcontainer/console'
import { pipe, readFd, sleep } from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { Running, requires } from '../../../test/support/index.js'
import { onTerminal } from '../../../test/support/seat.js'
import { Bundle, hosts, specOf, until } from './hosts.js'

/** A container that shares the pid namespace of its caller: what its program leaves behind has no pid 1 of its own. */
const shared = { linux: { namespaces: ['network', 'ipc', 'uts', 'mount'].map(type => ({ type })) } }

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1])

/** Its parent may take its time to reap it. */
const gone = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return true
  }
}

/** A program that ends with all but its first line unread, and leaves behind what ends before that is read. */
const chatty = (last: number, terminal = false): object =>
  specOf(['/bin/sh', '-c', `(sleep 1 &); echo first; sleep 0.4; seq 1 ${last}; exit 7`], {
    ...shared,
    process: { terminal },
  })

/** What a pipe holds, written at once. */
const pipeSize = 65536

const counted = (last: number, newline: string): string =>
  `first${newline}${Array.from({ length: last }, (_, i) => `${i + 1}${newline}`).join('')}`

/** Reads all that comes, once the program has ended. */
async function readLate(bundle: Bundle, read: (buffer: Uint8Array) => Promise<number>, size: number): Promise<string> {
  await bundle.stopped()
  // Whoever has adopted something is told of its end.
  await sleep(900)
  const buffer = new Uint8Array(65536)
  let text = ''
  while (text.length < size) {
    const got = await read(buffer)
    if (got === 0) break
    text += Buffer.from(buffer.subarray(0, got)).toString('latin1')
  }
  return text
}

describe.each(hosts)('$name', host => {
  test(
    'PP-25 what a terminal’s program wrote before its end arrives whole, however late it is read',
    host.needs,
    async () => {
      // lcrun waits with the first line before a pipe that is full, and the program's terminal has room for the rest.
      const last = 700
      using bundle = new Bundle(host, chatty(last, true))
      const { read, write } = pipe()
      const before = ' '.repeat(pipeSize)
      writeSync(write.fd, before)
      const run = bundle.start(['run', bundle.id], { stdio: ['ignore', write.fd, 'pipe'] })
      write.close()
      const whole = before + counted(last, '\n')
      expect(await readLate(bundle, buffer => readFd(read.fd, buffer), whole.length)).toBe(whole)
      expect(await run.ended()).toBe(7)
      expect(run.stderr).toBe('')
      read.close()
      expect(bundle.left()).toEqual([])
    },
  )

  test('PP-25 and so does what came by a pipe for a terminal of ours', {
    ...host.needs,
    skip: host.needs.skip || requires('program:setsid').skip,
  }, async () => {
    // What a pipe holds.
    const last = 12_000
    using bundle = new Bundle(host, chatty(last))
    using ours = await newConsole(0, 0)
    const [program, ...words] = [...onTerminal, ...host.command, '--root', bundle.stateRoot, 'run', bundle.id]
    const { fd } = ours.slave
    const run = new Running(spawn(program!, words, { cwd: bundle.path, stdio: [fd, fd, fd] }))
    const whole = counted(last, '\r\n')
    expect(await readLate(bundle, buffer => ours.read(buffer), whole.length)).toBe(whole)
    expect(await run.ended()).toBe(7)
    expect(bundle.left()).toEqual([])
  })

  test('PP-25 in the foreground lcrun adopts what its program leaves behind, and reaps it', host.needs, async () => {
    using bundle = new Bundle(
      host,
      specOf(['/bin/sh', '-c', '(sleep 0.2 & exec sleep 1001 & echo $!) ; exec sleep 1000'], shared),
    )
    const run = bundle.start(['run', bundle.id], { stdio: ['ignore', 'pipe', 'pipe'] })
    await run.wrote(/\d+\n/)
    const orphan = Number(run.stdout)
    await until('the adoption', () => (parentOf(orphan) === run.pid ? true : undefined))
    // The other one has ended meanwhile, and the first does so now: nothing of them stays.
    process.kill(orphan, 'SIGKILL')
    await until('its end', () => (existsSync(`/proc/${orphan}`) ? undefined : true))
    bundle.run(['kill', bundle.id, 'KILL'])
    expect(await run.ended()).toBe(137)
    expect(bundle.left()).toEqual([])
  })

  test('PP-25 unless it is told not to', host.needs, async () => {
    using bundle = new Bundle(host, specOf(['/bin/sh', '-c', '(exec sleep 1001 & echo $!); exec sleep 1000'], shared))
    const run = bundle.start(['run', '--no-subreaper', bundle.id], { stdio: ['ignore', 'pipe', 'pipe'] })
    await run.wrote(/\d+\n/)
    const orphan = Number(run.stdout)
    await until('its new parent', () => {
      const parent = parentOf(orphan)
      return parent !== Number(bundle.state()?.pid) && parent !== run.pid ? true : undefined
    })
    bundle.run(['kill', bundle.id, 'KILL'])
    expect(await run.ended()).toBe(137)
    await until('its end', () => (gone(orphan) ? true : undefined))
  })

  test('PP-26 signals are forwarded, but for those of children and of the terminal', host.needs, async () => {
    const names = 'HUP INT QUIT USR1 USR2 ALRM TERM CONT PWR CHLD WINCH'.split(' ')
    const script = `${names.map(name => `trap 'echo ${name}' ${name}`).join('; ')}; echo ready; while :; do sleep 0.05; done`
    using bundle = new Bundle(host, specOf(['/bin/sh', '-c', script]))
    const run = bundle.start(['run', bundle.id], { stdio: ['ignore', 'pipe', 'pipe'] })
    await run.wrote('ready')
    const sent = names.filter(name => name !== 'CHLD' && name !== 'WINCH')
    for (const name of ['CHLD', 'WINCH', ...sent]) {
      run.child.kill(`SIG${name}` as NodeJS.Signals)
      if (sent.includes(name)) await run.wrote(new RegExp(`^${name}$`, 'm'))
    }
    expect(run.stdout).not.toMatch(/^(WINCH)$/m)
    bundle.run(['kill', bundle.id, 'KILL'])
    expect(await run.ended()).toBe(137)
  })
})
