import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { CheckpointOptions, Container } from '@libcontainer/container'
import { ensureBridge, type Network } from '@libcontainer/network'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'
import { CheckpointBench, Count, holding, leftBehind, quick, restored } from './checkpoint-support.js'
import { inside, sleeper } from './support.js'

const needs = { ...requires('root', 'criu', 'cgroup2', 'program:ip', 'program:gcc'), timeout: 120_000 }

const bridge = `c${process.pid}b`
const address = '10.231.8.2'
let at: CheckpointBench

beforeAll(async () => {
  if (needs.skip) return
  at = await CheckpointBench.open('checkpoint-net')
  at.held()
  await ensureBridge({ name: bridge, addresses: ['10.231.8.1/24'] })
})
afterAll(async () => {
  await at?.[Symbol.asyncDispose]()
  if (!needs.skip) execFileSync('ip', ['link', 'delete', bridge])
})

// biome-ignore lint/suspicious/noExplicitAny: what ip -j prints
const ip = (...args: string[]): any[] => JSON.parse(execFileSync('ip', ['-j', ...args], { encoding: 'utf8' }) || '[]')
const ends = (): string[] => ip('link', 'show', 'master', bridge).map(({ ifname }) => ifname)
const networks: Network[] = [{ type: 'veth', bridge, address: `${address}/24`, gateway: '10.231.8.1', mtu: 1400 }]

/** A connection to a program that sends each byte back. */
class Line implements Disposable {
  readonly #socket: Socket
  #text = ''
  #next = 0
  ended: string | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', text => {
      this.#text += text
    })
    socket.on('end', () => {
      this.ended ??= 'end'
    })
    socket.on('error', ({ message }) => {
      this.ended ??= message
    })
  }

  static async open(port: number, host: string): Promise<Line> {
    const socket = connect({ port, host })
    const line = new Line(socket)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return line
  }

  /** What was sent is answered, and nothing else. */
  async answers(): Promise<void> {
    const byte = String.fromCharCode(97 + (this.#next++ % 26))
    const before = this.#text
    this.#socket.write(byte)
    await until(
      'it is sent back',
      () => this.#text.length > before.length,
      () => `ended: ${this.ended}`,
    )
    expect(this.#text).toBe(before + byte)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

const shown = 'ip -o addr show dev eth0 | grep -w inet; ip route; ip link show eth0 | grep -o "mtu [0-9]*"'
/** How many connections a container has. */
const connections = async (container: Container): Promise<number> =>
  Number(await inside(container, 'netstat -tn | grep -c ESTABLISHED || true'))

test(
  'CO-22 CR-13 CR-16 CR-20 NW-22 a container at a bridge goes on with its address, a new end on the host and its connections; beside it, under another id',
  needs,
  async () => {
    const namespaces = [...quick, 'net'] as const
    const container = await at.lean({ namespaces, networks })
    const init = await container.run(holding('echo', '5000', 'queue', '5001'))
    const count = new Count(init)
    await count.goesOn()
    const before = await inside(container, shown)
    expect(before).toContain(`inet ${address}/24`)
    expect(before).toContain('mtu 1400')
    const [end] = ends()
    using line = await Line.open(5000, address)
    await line.answers()

    // What is refused changes nothing: neither the bridge, nor the connection.
    const imagesDir = at.imagesDir()
    const refused = async (options: Partial<CheckpointOptions>, message: RegExp, hint: RegExp): Promise<void> => {
      const error = await container.checkpoint({ imagesDir, ...options }).catch((error: Error) => error)
      expect(error).toMatchObject({ message: expect.stringMatching(message), hint: expect.stringMatching(hint) })
      expect(ends()).toEqual([end])
      await line.answers()
    }
    await refused({}, /Connected TCP socket/, /tcpEstablished/)
    using waiting = await Line.open(5001, address)
    await refused({ tcpEstablished: true }, /In-flight connection/, /tcpSkipInFlight/)
    await container.checkpoint({ imagesDir, tcpEstablished: true, tcpSkipInFlight: true })
    await init.wait()
    waiting[Symbol.dispose]()

    const again = await restored(container, { imagesDir, tcpEstablished: true })
    await again.count.goesOn()
    await line.answers()
    expect(await inside(container, shown)).toBe(before)
    expect(await connections(container)).toBe(1)
    const [anew, ...others] = ends()
    expect(others).toEqual([])
    const { interfaces } = await container.stats()
    expect(interfaces.map(({ name }) => name)).toEqual([anew])
    expect(Number(interfaces[0]!.txPackets)).toBeGreaterThan(0)
    expect((await container.state()).network_state).toMatchObject({ veth_host: anew })

    // Of the same image, while that one runs; it has no connection.
    const other = await at.lean({ namespaces, networks })
    const second = await restored(other, { imagesDir, tcpClose: true })
    await second.count.goesOn()
    expect(await connections(other)).toBe(0)
    expect(ends().length).toBe(2)
    await other.destroy({ force: true })
    expect(ends()).toEqual([anew])
    await container.destroy({ force: true })
    expect(ends()).toEqual([])
    expect(leftBehind()).toEqual([])
  },
)

test(
  'CR-08 CR-20 connections in the network of the host, and in one that is joined by its path; a joined pid and ipc namespace',
  needs,
  async () => {
    const name = `checkpoint-${process.pid}`
    const own = (...args: string[]): string =>
      execFileSync('ip', ['netns', 'exec', name, ...args], { encoding: 'utf8' })
    const [outside, within] = [`c${process.pid}o`, `c${process.pid}i`]
    execFileSync('ip', ['netns', 'add', name])
    try {
      execFileSync('ip', ['link', 'add', outside, 'type', 'veth', 'peer', 'name', within, 'netns', name])
      execFileSync('ip', ['address', 'add', '10.231.9.1/24', 'dev', outside])
      execFileSync('ip', ['link', 'set', outside, 'up'])
      own('ip', 'address', 'add', '10.231.9.2/24', 'dev', within)
      own('ip', 'link', 'set', within, 'up')
      const path = `/run/netns/${name}`
      // Who keeps a pid and an IPC namespace, in which the container is a guest.
      await using holder = await at.lean({ namespaces: ['mnt', 'pid', 'ipc'] })
      const { pid } = await holder.run(sleeper)
      const guest = (['pid', 'ipc'] as const).map(kind => ({ kind, path: `/proc/${pid}/ns/${kind}` }))
      for (const [namespaces, host] of [
        [quick, '127.0.0.1'],
        [['mnt', 'uts', 'cgroup', { kind: 'net', path }, ...guest], '10.231.9.2'],
      ] as const) {
        const container = await at.lean({ namespaces })
        const init = await container.run(holding('echo', '5000'))
        await new Count(init).goesOn()
        using line = await Line.open(5000, host)
        await line.answers()
        const options = { imagesDir: at.imagesDir(), tcpEstablished: true }
        // CRIU finds the lock by the pid of the host, which is another at the restore.
        await expect(container.checkpoint({ ...options, networkLock: 'nftables' })).rejects.toMatchObject({
          cause: expect.objectContaining({ code: 'CriuTooOld' }),
          message: expect.stringMatching(/networkLock: 'nftables'.*4\.1/),
        })
        await container.checkpoint(options)
        await init.wait()
        const again = await restored(container, options)
        await again.count.goesOn()
        await line.answers()
        if (namespaces !== quick)
          for (const [kind, joined] of [
            ['net', path],
            ...guest.map(({ kind, path }) => [kind, path] as const),
          ] as const)
            expect(statSync(`/proc/${again.init.pid}/ns/${kind}`).ino, kind).toBe(statSync(joined).ino)
        await container.destroy({ force: true })
      }
      expect(own('iptables-save')).not.toContain('CRIU')
    } finally {
      execFileSync('ip', ['netns', 'delete', name])
    }
  },
)
