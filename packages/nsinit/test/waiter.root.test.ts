import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Bench, hosts, type TestHost, until } from './hosts.js'

/** In kB. */
const rss = (pid: number): number =>
  Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? Number.NaN)

const waits = (pid: number): true | undefined =>
  readlinkSync(`/proc/${pid}/exe`).startsWith('/memfd:init') ? true : undefined

const traced = (host: TestHost): TestHost['needs'] => {
  const more = requires('program:strace')
  return { ...host.needs, skip: host.needs.skip || more.skip }
}

/** How often a process becomes another program by descriptor; its children are not followed. */
function becomes(command: readonly string[], cwd: string): number {
  const { stderr, status } = spawnSync('strace', ['-e', 'trace=execveat', ...command], {
    encoding: 'utf8',
    cwd,
  })
  expect({ status, stderr }).toMatchObject({ status: 0 })
  return stderr.match(/^execveat\(/gm)?.length ?? 0
}

describe.each(hosts.filter(({ name }) => name === 'the executable'))('S23 $name', host => {
  test('holds less than a megabyte while it waits, as the same process', host.needs, async () => {
    using bench = new Bench(host)
    const running = bench.start(['exec', 'sh', '-c', 'echo ready; read line; exit 8'])
    await running.wrote('ready')
    await until('the waiter', () => waits(running.pid))
    const held = rss(running.pid)
    expect(held).toBeGreaterThan(0)
    expect(held).toBeLessThanOrEqual(160)
    const words = readFileSync(`/proc/${running.pid}/cmdline`, 'utf8').split('\0')
    expect(words.slice(2, 4)).toEqual(['nsinit', '--root'])
    expect(readFileSync(`/proc/${running.pid}/comm`, 'utf8')).toBe('nsinit\n')
    running.child.stdin?.end('\n')
    expect(await running.ended()).toBe(8)
    expect(bench.left()).toEqual([])
  })

  test('also for a program that has joined, which it reaps itself', host.needs, async () => {
    using bench = new Bench(host)
    const first = bench.start(['exec', 'sh', '-c', 'echo ready; read line'])
    await first.wrote('ready')
    const second = bench.start(['exec', 'sh', '-c', 'echo joined; read line; exit 9'])
    await second.wrote('joined')
    await until('the waiter', () => waits(second.pid))
    expect(rss(second.pid)).toBeLessThanOrEqual(160)
    second.child.stdin?.end('\n')
    expect(await second.ended()).toBe(9)
    expect(bench.left().length).toBeGreaterThan(0)
    first.child.stdin?.end('\n')
    expect(await first.ended()).toBe(0)
    expect(bench.left()).toEqual([])
  })

  test('becomes the waiter only for what lives longer than a moment', traced(host), () => {
    using bench = new Bench(host)
    expect(becomes(bench.command(['exec', 'true']), bench.path)).toBe(0)
    // The waiter, and the executable again.
    expect(becomes(bench.command(['exec', 'sleep', '0.3']), bench.path)).toBe(2)
  })

  test('a signal that comes while it changes is not lost', host.needs, async () => {
    using bench = new Bench(host)
    const script =
      'n=0; trap "n=\\$((n + 1)); echo \\$n" USR1; trap "exit 5" TERM; echo ready; while :; do sleep 0.02; done'
    const running = bench.start(['exec', 'sh', '-c', script])
    await running.wrote('ready')
    for (let sent = 1; sent <= 20; sent++) {
      running.child.kill('SIGUSR1')
      await running.wrote(new RegExp(`^${sent}$`, 'm'))
    }
    running.child.kill('SIGTERM')
    expect(await running.ended()).toBe(5)
  })

  test('killed, it takes the container along', host.needs, async () => {
    using bench = new Bench(host)
    const running = bench.start(['exec', 'sh', '-c', 'echo ready; sleep 1000'])
    await running.wrote('ready')
    await until('the waiter', () => waits(running.pid))
    await running.killed()
    expect(bench.run(['exec', 'cat', '/proc/1/comm']).stdout).toBe('cat\n')
    expect(bench.left()).toEqual([])
  })

  test(
    'a caller that reads no more hangs the program’s terminal up, and the end is still told',
    host.needs,
    async () => {
      using bench = new Bench(host)
      const running = bench.start(['exec', '--tty', 'sh', '-c', 'while echo more; do sleep 0.02; done; exit 7'])
      await running.wrote('more')
      running.child.stdout?.destroy()
      // A terminal that has hung up takes nothing more.
      expect(await running.ended()).toBe(7)
      expect(bench.left()).toEqual([])
    },
  )

  test('streams that are sockets are carried, too', host.needs, async () => {
    using bench = new Bench(host)
    // Node.js gives its children sockets for pipes: those cannot be opened anew.
    const running = bench.start(['exec', '--tty', 'sh', '-c', 'stty -echo; echo ready; cat'])
    await running.wrote('ready')
    expect(readlinkSync(`/proc/${running.pid}/fd/1`)).toMatch(/^socket:/)
    const text = 'x'.repeat(2000)
    running.child.stdin?.write(`${text}\n`)
    await running.wrote(`${text}\r\n`)
    running.child.stdin?.end()
    expect(await running.ended()).toBe(0)
  })
})
