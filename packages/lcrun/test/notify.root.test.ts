import { existsSync, readFileSync } from 'node:fs'
import {
  connectUnix,
  decodeUtf8,
  encodeUtf8,
  listenUnix,
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
import { Bundle, either, hosts, specOf, until } from './hosts.js'

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

const sleeping = (host: (typeof hosts)[number]): Bundle =>
  new Bundle(
    host,
    specOf(['/bin/sleep', '1000'], {
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
        { destination: '/run', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
      ],
    }),
  )

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
    await until('the program', () =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/bin/sleep') ? true : undefined,
    )
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
