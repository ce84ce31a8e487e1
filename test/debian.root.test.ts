import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Container, type ContainerConfig, Factory, type Process, type ProcessSpec } from '@libcontainer/container'
import { encodeUtf8, type OwnedFd, POLLIN, poll, readFd, sleep, writeFd } from '@libcontainer/sys'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory } from './support/index.js'

/*
 * A system of the size that people run: Debian, with its shell, its package manager and Node.js, instead of one static program.
 */

const rootfs = fileURLToPath(new URL('../test-rootfs/debian', import.meta.url))
const needs = requires('root', `file:${rootfs}`)
const env = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'HOME=/root',
  'TERM=xterm',
  'LC_ALL=C',
]

describe('Debian', needs, () => {
  let directory: TemporaryDirectory
  let factory: Factory
  let container: Container | undefined

  beforeAll(async () => {
    directory = temporaryDirectory('debian-')
    factory = await Factory.open(`${directory.path}/state`)
  })
  afterEach(async () => {
    await container?.destroy({ force: true })
    container = undefined
  })
  afterAll(() => directory[Symbol.dispose]())

  /** The files are shared by all tests: read-only, with a tmpfs where programs write. */
  async function create(config: Partial<ContainerConfig> = {}): Promise<Container> {
    container = await factory.create(`debian-${process.pid}`, {
      rootfs,
      readonlyRootfs: true,
      hostname: 'debian',
      cgroups: { memory: { max: 512 * 1024 * 1024 }, pids: { max: 200 } },
      ...config,
    })
    return container
  }

  async function output(run: Promise<Process>): Promise<string> {
    const program = await run
    const [stdout, stderr, { code, signal }] = await Promise.all([
      text(program.stdout),
      text(program.stderr),
      program.wait(),
    ])
    expect({ code, signal, stderr }, stdout).toEqual({ code: 0, signal: undefined, stderr: '' })
    return stdout
  }

  const command = (...args: string[]): ProcessSpec => ({ args, env, stdio: ['null', 'pipe', 'pipe'] })

  test('apt and dpkg', async () => {
    const debian = await create()
    expect(await output(debian.run(command('apt-get', '--version')))).toMatch(/^apt \d+\.\d+.* \(/)
    await debian.destroy()
    const list = await output((await create()).run(command('dpkg', '-l')))
    expect(list).toMatch(/^ii {2}bash .* GNU Bourne Again SHell$/m)
    expect(list.split('\n').filter(line => line.startsWith('ii ')).length).toBeGreaterThan(80)
  })

  test('Node.js, in its own limits', async () => {
    const source = `
      const { totalmem, hostname, availableParallelism } = require('os')
      const { readFileSync } = require('fs')
      console.log(JSON.stringify({ hostname: hostname(), pid: process.pid, constrained: process.constrainedMemory?.() ?? null,
        threads: availableParallelism?.() ?? 1, sum: Array.from({ length: 1e5 }, (_, i) => i).reduce((a, b) => a + b) }))
      new (require('worker_threads').Worker)('0', { eval: true }).on('exit', code => process.exit(code))
    `
    const told = JSON.parse(await output((await create()).run(command('node', '-e', source))))
    expect(told).toMatchObject({ hostname: 'debian', pid: 1, constrained: 512 * 1024 * 1024, sum: 4999950000 })
  })

  test('a shell script with job control at a terminal', async () => {
    const spec = {
      args: ['/bin/bash', '--norc', '-i'],
      env: [...env, 'PS1=ready> '],
      terminal: { rows: 40, columns: 120 },
    }
    const shell = await (await create()).run(spec)
    const screen = new Screen(shell.terminal!)
    try {
      await screen.until('ready> ')
      await screen.type('stty size; set -o | grep monitor\n')
      expect(await screen.until('ready> ')).toMatch(/40 120\r\n.*monitor\s+on/)
      await screen.type('sleep 1000 &\n')
      expect(await screen.until('ready> ')).toMatch(/\[1\] \d+/)
      await screen.type('sleep 2000\n')
      await foreground(container!, 'sleep 2000')
      // Control-Z stops what is in the foreground, and the shell goes on.
      await screen.type('\x1a')
      expect(await screen.until('ready> ')).toMatch(/\[2\]\+\s+Stopped\s+sleep 2000/)
      await screen.type('jobs -r; kill %1 %2; kill -CONT %2; wait; jobs; echo done=$((6*7))\n')
      const rest = await screen.until('done=42')
      expect(rest).toMatch(/\[1\]-?\s+Running\s+sleep 1000/)
      await screen.type('exit 5\n')
      expect(await shell.wait()).toMatchObject({ code: 5, signal: undefined })
    } finally {
      shell.terminal?.close()
    }
  })

  test('a program that forks children: all are counted, and all end with the first', async () => {
    const debian = await create()
    const script = 'for i in $(seq 20); do sleep 1000 & done; echo forked; wait'
    const parent = await debian.run(command('bash', '-c', script))
    for await (const chunk of parent.stdout!) if (String(chunk).includes('forked')) break
    const processes = await debian.processes()
    expect(processes).toHaveLength(21)
    expect((await debian.stats()).cgroups.pids?.current).toBe(21)
    // Each is a bash up to its exec.
    await expect
      .poll(async () => await output(debian.exec(command('pgrep', '-c', 'sleep'))), { timeout: 10_000 })
      .toBe('20\n')
    await debian.signal('SIGKILL')
    expect(await parent.wait()).toMatchObject({ signal: 'SIGKILL' })
    expect(await debian.processes()).toEqual([])
  })

  test('a web server that answers on lo, and on no other interface', async () => {
    const server = `
      const http = require('http')
      http.createServer((request, response) => response.end('hello ' + request.url)).listen(8080, '127.0.0.1', () => console.log('listening'))
    `
    const client = `
      const { networkInterfaces } = require('os')
      require('http').get('http://127.0.0.1:8080/there', response => {
        let text = ''
        response.on('data', data => (text += data)).on('end', () => console.log(JSON.stringify({ text, interfaces: Object.keys(networkInterfaces()) })))
      })
    `
    const debian = await create()
    const running = await debian.run(command('node', '-e', server))
    for await (const chunk of running.stdout!) if (String(chunk).includes('listening')) break
    const answer = JSON.parse(await output(debian.exec(command('node', '-e', client))))
    expect(answer).toEqual({ text: 'hello /there', interfaces: ['lo'] })
  })
})

async function text(stream: AsyncIterable<unknown> | undefined): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream ?? []) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks).toString()
}

/** Waits until a program has the terminal: before that its keys are the shell's. */
async function foreground(container: Container, command: string): Promise<void> {
  for (;;) {
    for (const pid of await container.processes()) {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
      const [, , , group, , , terminalGroup] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\)/, '').split(' ')
      if (words === command && group === terminalGroup) return
    }
    await sleep(10)
  }
}

/** What a person at the terminal sees, and types. */
class Screen {
  readonly #terminal: OwnedFd
  #seen = ''

  constructor(terminal: OwnedFd) {
    this.#terminal = terminal
  }

  async type(keys: string): Promise<void> {
    await writeFd(this.#terminal.fd, encodeUtf8(keys))
  }

  /** Waits for a text; answers with all up to it, which is then gone. */
  async until(wanted: string): Promise<string> {
    const buffer = new Uint8Array(4096)
    for (;;) {
      const at = this.#seen.indexOf(wanted)
      if (at >= 0) {
        const before = this.#seen.slice(0, at + wanted.length)
        this.#seen = this.#seen.slice(at + wanted.length)
        return before
      }
      await poll(this.#terminal.fd, POLLIN)
      const got = await readFd(this.#terminal.fd, buffer)
      this.#seen += Buffer.from(buffer.subarray(0, got)).toString()
    }
  }
}
