import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  connectUnix,
  decodeUtf8,
  encodeUtf8,
  listenUnix,
  lockFile,
  type Message,
  type OwnedFd,
  openDirectory,
  POLLIN,
  poll,
  receiveMessage,
  SOCK_DGRAM,
  sendMessage,
} from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { copyOfBusyboxRootfs } from '../../../test/support/index.js'
import { Bundle, either, hosts, specOf, type TestHost, until } from './hosts.js'

/** A service manager that waits to be told, as systemd does. */
class Manager implements Disposable {
  readonly #socket: OwnedFd
  readonly env: Record<string, string>

  constructor(path: string) {
    this.#socket = listenUnix(path, SOCK_DGRAM)
    this.env = { NOTIFY_SOCKET: path }
  }

  async told(): Promise<Message> {
    await poll(this.#socket.fd, POLLIN, { signal: AbortSignal.timeout(30_000) })
    return receiveMessage(this.#socket)!
  }

  /** What the next message says; the barrier is let go. */
  async text(): Promise<string> {
    const { bytes, fds } = await this.told()
    for (const fd of fds) fd.close()
    return decodeUtf8(bytes)
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}

/** A container that lives holds its streams open. */
const quiet: 'ignore'[] = ['ignore', 'ignore', 'ignore']

const INSIDE = 'run/notify/notify.sock'

/** Sends as the program of a container would: to the socket that it sees. */
async function say(pid: number, ...texts: string[]): Promise<void> {
  const directory = await openDirectory(`/proc/${pid}/root/run/notify`, { handle: true })
  const socket = await connectUnix('notify.sock', SOCK_DGRAM, { directory })
  for (const text of texts) sendMessage(socket, encodeUtf8(text))
  socket.close()
  directory.close()
}

const spec = (more: object = {}): object =>
  specOf(['/bin/sleep', '1000'], {
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
      { destination: '/run', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
    ],
    ...more,
  })

const sleeping = (host: TestHost): Bundle => new Bundle(host, spec())

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

async function listening(bundle: Bundle): Promise<number> {
  return await until('the socket', () => {
    const pid = Number(bundle.state()?.pid ?? 0)
    return pid > 0 && existsSync(`/proc/${pid}/root/${INSIDE}`) ? pid : undefined
  })
}

describe.each(hosts)('$name', host => {
  test('PP-23 start passes on that the program is ready, its number, and a barrier', host.needs, async () => {
    using bundle = sleeping(host)
    using manager = new Manager(bundle.file('manager'))
    expect(bundle.run(['create', bundle.id], { env: manager.env, stdio: quiet })).toMatchObject({ status: 0 })
    const start = bundle.start(['start', bundle.id], { env: manager.env, stdio: ['ignore', 'pipe', 'pipe'] })
    const pid = await listening(bundle)
    expect(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')).toMatch(/ \/run\/notify ro,nosuid,nodev,noexec/)
    await until('the program', () => (commandOf(pid).startsWith('/bin/sleep') ? true : undefined))
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).toContain(`NOTIFY_SOCKET=/${INSIDE}`)
    // What a program could also say is not passed on: who it is, and what the manager is to keep for it.
    await say(pid, 'STATUS=soon', 'MAINPID=1', 'X-READY=1', 'STATUS=now\nREADY=1\nMAINPID=1')
    expect(await manager.text()).toBe('READY=1\n')
    expect(await manager.text()).toBe(`MAINPID=${pid}\n`)
    const barrier = await manager.told()
    expect(decodeUtf8(barrier.bytes)).toBe('BARRIER=1')
    expect(barrier.fds).toHaveLength(1)
    // It waits until the manager has seen all that.
    expect(start.child.exitCode).toBeNull()
    barrier.fds[0]!.close()
    expect([await start.ended(), start.stderr]).toEqual([0, ''])
    expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
    expect(bundle.left()).toEqual([])
  })

  test('PP-23 in the foreground lcrun stays the process to watch', host.needs, async () => {
    using bundle = sleeping(host)
    using manager = new Manager(bundle.file('manager'))
    const run = bundle.start(['run', bundle.id], { env: manager.env, stdio: ['ignore', 'pipe', 'pipe'] })
    const pid = await listening(bundle)
    await say(pid, 'READY=1')
    expect([await manager.text(), await manager.text()]).toEqual(['READY=1\n', 'BARRIER=1'])
    bundle.run(['kill', bundle.id, 'TERM'])
    bundle.run(['kill', bundle.id, 'KILL'])
    expect(await run.ended()).toBe(137)
    expect(bundle.left()).toEqual([])
  })
})

describe.each(either)('$name', host => {
  test('PP-23 run --detach waits for it, and for a program that ends before it', host.needs, async () => {
    using bundle = sleeping(host)
    using manager = new Manager(bundle.file('manager'))
    const options = { env: manager.env, stdio: quiet }
    const first = bundle.start(['run', '--detach', bundle.id], options)
    const pid = await listening(bundle)
    await say(pid, 'READY=1')
    expect([await manager.text(), await manager.text(), await manager.text()]).toEqual([
      'READY=1\n',
      `MAINPID=${pid}\n`,
      'BARRIER=1',
    ])
    expect(await first.ended()).toBe(0)
    bundle.run(['delete', '--force', bundle.id])
    const second = bundle.start(['run', '--detach', bundle.id], options)
    await listening(bundle)
    bundle.run(['kill', bundle.id, 'KILL'])
    expect(await second.ended()).toBe(0)
  })

  test('PP-23 who loses a race of starts leaves the socket of the other alone', host.needs, async () => {
    using rootfs = copyOfBusyboxRootfs()
    mkdirSync(join(rootfs.path, 'shared'))
    const hook = { path: '/bin/sh', args: ['sh', '-c', 'while ! [ -e /shared/go ]; do sleep 0.05; done'] }
    using bundle = new Bundle(host, spec({ root: { path: rootfs.path }, hooks: { startContainer: [hook] } }))
    using manager = new Manager(bundle.file('manager'))
    const options = { env: manager.env, stdio: quiet }
    expect(bundle.run(['create', bundle.id], options)).toMatchObject({ status: 0 })
    const faster = bundle.start(['start', bundle.id], options)
    const pid = await listening(bundle)
    const lost = { status: 1, stderr: expect.stringMatching(/cannot start container .*: somebody else is starting it/) }
    expect(bundle.run(['start', bundle.id], { env: manager.env })).toMatchObject(lost)
    writeFileSync(join(rootfs.path, 'shared/go'), '')
    await until('the program', () => (commandOf(pid).startsWith('/bin/sleep') ? true : undefined))
    // It is waited for still.
    const late = { status: 1, stderr: expect.stringMatching(/cannot start container .*: it runs already/) }
    expect(bundle.run(['start', bundle.id], { env: manager.env })).toMatchObject(late)
    await say(pid, 'READY=1')
    expect([await manager.text(), await manager.text(), await manager.text()]).toEqual([
      'READY=1\n',
      `MAINPID=${pid}\n`,
      'BARRIER=1',
    ])
    expect(await faster.ended()).toBe(0)
  })

  test('PP-23 a start that was killed while it listened is in nobody’s way', host.needs, async () => {
    using bundle = sleeping(host)
    using manager = new Manager(bundle.file('manager'))
    const options = { env: manager.env, stdio: quiet }
    expect(bundle.run(['create', bundle.id], options)).toMatchObject({ status: 0 })
    const place = join(bundle.stateRoot, bundle.id)
    // As it leaves them: while it lives, and then.
    const lock = await lockFile(join(place, 'notify.lock'))
    listenUnix(join(place, 'notify/notify.sock'), SOCK_DGRAM).close()
    expect(bundle.run(['start', bundle.id], options)).toMatchObject({ status: 1 })
    expect(bundle.state()).toMatchObject({ status: 'created' })
    lock.close()
    const start = bundle.start(['start', bundle.id], options)
    const pid = await listening(bundle)
    await until('the program', () => (commandOf(pid).startsWith('/bin/sleep') ? true : undefined))
    await say(pid, 'READY=1')
    expect([await manager.text(), await manager.text(), await manager.text()].at(0)).toBe('READY=1\n')
    expect(await start.ended()).toBe(0)
  })

  test('PP-23 what fails once the program runs is a warning', host.needs, async () => {
    using bundle = new Bundle(host)
    const state = join(bundle.stateRoot, bundle.id, 'state.json')
    // Nobody knows its pid any more.
    const lose = { path: '/bin/mv', args: ['mv', state, bundle.file('state.json')] }
    const log = bundle.file('log')
    for (const words of [['run', '--detach'], ['start']]) {
      bundle.write(spec({ hooks: { poststart: [lose] } }))
      const options = { env: { NOTIFY_SOCKET: bundle.file('absent') }, stdio: quiet }
      if (words[0] === 'start') expect(bundle.run(['create', bundle.id], options).status).toBe(0)
      expect(bundle.run(['--log', log, ...words, bundle.id], options).status).toBe(0)
      expect(readFileSync(log, 'utf8')).toMatch(/level=warning.*NOTIFY_SOCKET: /)
      renameSync(bundle.file('state.json'), state)
      expect(bundle.run(['delete', '--force', bundle.id]).status).toBe(0)
    }
  })

  test('PP-23 without a manager there is nothing of it, and one that has gone is a warning', host.needs, async () => {
    using bundle = sleeping(host)
    expect(bundle.run(['create', bundle.id], { stdio: quiet })).toMatchObject({ status: 0 })
    // Made without: who starts it cannot add it any more.
    expect(bundle.run(['start', bundle.id], { env: { NOTIFY_SOCKET: '/absent' } })).toMatchObject({ status: 0 })
    const pid = Number(bundle.state()!.pid)
    expect(existsSync(`/proc/${pid}/root/run/notify`)).toBe(false)
    bundle.run(['delete', '--force', bundle.id])
    const run = bundle.start(['--log', bundle.file('log'), 'run', '--detach', bundle.id], {
      env: { NOTIFY_SOCKET: bundle.file('absent') },
      stdio: quiet,
    })
    await say(await listening(bundle), 'READY=1')
    expect(await run.ended()).toBe(0)
    expect(readFileSync(bundle.file('log'), 'utf8')).toMatch(/NOTIFY_SOCKET: ENOENT/)
  })
})
