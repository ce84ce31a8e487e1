import { readlinkSync } from 'node:fs'
import { attach, reaper } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'
import { Bench, inside, sh, sleeper } from './support.js'

const needs = requires('root', 'rootfs', 'cgroup')

/** Says when its handler is there. */
const handling = (signal: string, code: number) =>
  sh(`trap 'exit ${code}' ${signal}; echo ready; while :; do sleep 1000 & wait $!; done`, {
    stdio: ['null', 'pipe', 'inherit'],
  })

async function ready(stdout: AsyncIterable<unknown> | null | undefined): Promise<void> {
  for await (const _ of stdout!) return
}

describe('BY-09 graceful stop', () => {
  test(
    'BY-09 a program that ends when it is asked is not killed, by its own signal, paused or not',
    needs,
    async () => {
      await using bench = await Bench.open('stop')
      const container = await bench.create({ stopSignal: 'SIGRTMIN+3' })
      const init = await container.run(handling('37', 7))
      await ready(init.stdout)
      await container.pause()
      expect(await container.stop({ timeoutMs: 60_000 })).toBe(false)
      expect(await init.wait()).toMatchObject({ code: 7 })
      expect(await container.status()).toBe('stopped')
      // Once more is fine.
      expect(await container.stop()).toBe(false)
    },
  )

  test(
    'BY-09 one that does not, and one that waits to be started, are killed; by whom it was started makes no difference',
    needs,
    async () => {
      await using bench = await Bench.open('stop')
      // The first of a pid namespace hears no signal that it does not handle.
      const { container, init } = await bench.running()
      const other = await bench.factory.load(container.id)
      expect(await other.stop({ timeoutMs: 50 })).toBe(true)
      expect(await init.wait()).toMatchObject({ signal: 'SIGKILL' })
      const created = await bench.create()
      await created.start(sleeper)
      expect(await created.stop({ timeoutMs: 600_000 })).toBe(true)
      const shared = await bench.create({ namespaces: ['mnt', 'uts', 'ipc', 'net'] })
      const first = await shared.run(sh('sleep 1000 & exec sleep 1000'))
      expect(await shared.stop({ timeoutMs: 600_000 })).toBe(false)
      expect(await first.wait()).toMatchObject({ signal: 'SIGTERM' })
      await until('the end of the rest', async () => (await shared.processes()).length === 0)
    },
  )

  test('BY-09 waiting can be given up, and what cannot be is refused before anything is sent', needs, async () => {
    await using bench = await Bench.open('stop')
    const { container } = await bench.running()
    const over = new AbortController()
    const given = expect(container.stop({ timeoutMs: 600_000, signal: over.signal })).rejects.toThrow('enough')
    over.abort(new Error('enough'))
    await given
    expect(await container.status()).toBe('running')
    await expect(container.stop({ timeoutMs: -1 })).rejects.toMatchObject({ field: 'timeoutMs' })
    await expect(container.stop({ stopSignal: 'NONE' })).rejects.toMatchObject({ field: 'stopSignal' })
    await expect(bench.create({ stopSignal: 0 })).rejects.toMatchObject({ field: 'stopSignal' })
  })
})

describe('BY-09 a PID 1 that reaps', () => {
  test('BY-09 it passes signals and the status on, reaps orphans, and is no way around anything', needs, async () => {
    await using bench = await Bench.open('reaper', { executor: reaper })
    const container = await bench.create()
    const init = await container.run(handling('TERM', 9))
    await ready(init.stdout)
    expect(await container.status()).toBe('running')
    // A further program is not PID 1, and has none of its own.
    expect(await inside(container, 'cat /proc/1/comm /proc/$$/comm; :')).toBe('reaper\nsh')
    // The parent has ended: its child is left to PID 1.
    await inside(container, '( sleep 0 & ) ; :')
    await until('that no zombie is left', async () => !/\bZ\b/.test(await inside(container, 'cat /proc/[0-9]*/stat')))
    expect(await inside(container, 'ls -l /proc/1/exe 2>&1 || true')).not.toMatch(/memfd:init/)
    expect(await inside(container, 'grep -E "^(Seccomp|CapEff):" /proc/1/status')).toBe(
      await inside(container, 'grep -E "^(Seccomp|CapEff):" /proc/self/status'),
    )
    expect(await container.stop({ timeoutMs: 60_000 })).toBe(false)
    expect(await init.wait()).toMatchObject({ code: 9 })
  })

  test('BY-09 what kills the program, what it leaves, and a program that is not there', needs, async () => {
    await using bench = await Bench.open('reaper', { executor: reaper })
    expect(await bench.run('kill -KILL $$')).toMatchObject({ code: 128 + 9 })
    expect(await bench.run('sleep 1000 & exit 3')).toMatchObject({ code: 3 })
    expect(await bench.run({ args: ['/nowhere'] })).toMatchObject({ code: 127 })
    expect(await bench.run({ args: ['/etc'] })).toMatchObject({ code: 126 })
    // Looked up in PATH; without a handler of its own TERM ends it, which it would not as PID 1.
    const container = await bench.create()
    const init = await container.run({ args: ['sleep', '1000'], env: ['PATH=/nowhere:/bin'] })
    // Before that PID 1 hears nothing yet, as any.
    await until('the program', async () => (await container.processes()).length === 2)
    expect(await container.stop({ timeoutMs: 60_000 })).toBe(false)
    expect(await init.wait()).toMatchObject({ code: 128 + 15 })
  })
})

describe('BY-10 attach', () => {
  test('BY-10 a program of the host in chosen namespaces alone, as whom it is asked for', needs, async () => {
    await using bench = await Bench.open('attach')
    const { container, init } = await bench.running()
    const own = (kind: string): string => readlinkSync(`/proc/self/ns/${kind}`)
    const theirs = (kind: string): string => readlinkSync(`/proc/${init.pid}/ns/${kind}`)
    const script = 'readlink /proc/self/ns/net /proc/self/ns/mnt /proc/self/ns/uts; id -u; cat /proc/self/cgroup'
    const attached = async (kinds: Parameters<typeof attach>[1], uid?: number): Promise<string[]> => {
      const program = await attach(container, kinds, ['/bin/sh', '-c', script], {
        stdio: 'pipe',
        user: uid === undefined ? undefined : { uid },
      })
      const { status, stdout, stderr } = await program.output()
      expect({ status, stderr }).toMatchObject({ status: { code: 0 }, stderr: '' })
      return stdout.trim().split('\n')
    }
    const net = await attached(['net'])
    expect(net.slice(0, 4)).toEqual([theirs('net'), own('mnt'), own('uts'), '0'])
    expect(net.join()).not.toContain(container.id)
    expect((await attached(['uts', 'net'], 65534)).slice(0, 4)).toEqual([
      theirs('net'),
      own('mnt'),
      theirs('uts'),
      '65534',
    ])
    // With its mounts the container's own programs are found, and its /proc is that of its pid namespace.
    const inside = await attach(container, ['mnt', 'pid'], ['/bin/busybox', 'ps'], { stdio: 'pipe' })
    expect((await inside.output()).stdout).toMatch(/^\s*1 .*sleep/m)
    await expect(attach(container, [], ['true'])).rejects.toMatchObject({ field: 'kinds' })
    await expect(attach(container, ['nets' as 'net'], ['true'])).rejects.toMatchObject({ field: 'kinds[0]' })
    await container.terminate()
    await expect(attach(container, ['net'], ['true'])).rejects.toMatchObject({ code: 'ContainerNotRunning' })
  })
})
