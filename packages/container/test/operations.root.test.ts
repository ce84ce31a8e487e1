import type { Container, ContainerConfig, Status } from '@libcontainer/container'
import { Factory } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { describe, expect, test } from 'vitest'
import { alive, requires } from '../../../test/support/index.js'
import { Bench, elsewhere, inside, sleeper } from './support.js'

const needs = requires('root')

/** All but pid: the container's processes are the host's, too. */
const sharedPids = { namespaces: ['mnt', 'ipc', 'uts', 'net'] } satisfies Partial<ContainerConfig>

/** The limit as the kernel has it, by whichever version. */
const limit = async (container: Container): Promise<unknown> => (await container.stats()).cgroups.memory?.max

/** So many mounts take a while, in which the state is there and the program is not. */
const slowToMake = {
  mounts: [
    ...defaultMounts,
    ...Array.from({ length: 600 }, (_, i) => ({ type: 'tmpfs', source: 'tmpfs', destination: `/dev/shm/${i % 10}` })),
  ],
} satisfies Partial<ContainerConfig>

describe('status', () => {
  test(
    'CO-02 a container that is being set up is creating; KILL as soon as it runs ends its program',
    needs,
    async () => {
      await using bench = await Bench.open('creating')
      const seen = new Set<Status>()
      for (let round = 0; round < 10; round++) {
        const container = await bench.create(slowToMake)
        const running = container.run(sleeper)
        running.catch(() => {})
        const order: Status[] = []
        do {
          const status = await container.status()
          if (status !== order.at(-1)) order.push(status)
        } while (order.at(-1) !== 'running')
        for (const status of order) seen.add(status)
        // Whoever asks too seldom misses one of them, but none comes again.
        expect(['stopped,creating,running', 'stopped,running', 'creating,running', 'running']).toContain(order.join())
        process.kill((await container.state()).init_process_pid, 'SIGKILL')
        const child = await running
        expect(await child.wait()).toEqual({ code: undefined, signal: 'SIGKILL', oom: false })
        await container.destroy()
      }
      expect([...seen].sort()).toEqual(['creating', 'running', 'stopped'])
    },
  )

  test(
    'CO-02 whoever kills a container that is being created makes its start fail, and nothing is left',
    needs,
    async () => {
      await using bench = await Bench.open('killed')
      const start = async (): Promise<void> => {
        const container = await bench.create(slowToMake)
        const running = container.run(sleeper)
        running.catch(() => {})
        let status = await container.status()
        while (status === 'stopped') status = await container.status()
        const { init_process_pid: pid } = await container.state()
        process.kill(pid, 'SIGSTOP')
        // It may have been faster than we.
        if ((await container.status()) === 'creating') {
          await container.signal('KILL')
          await expect(running).rejects.toMatchObject({
            code: 'SystemError',
            cause: { name: 'InitDied', status: { signal: 9 } },
          })
          expect(await container.status()).toBe('stopped')
          expect(await container.processes()).toEqual([])
          return
        }
        await container.destroy({ force: true })
        await start()
      }
      await start()
    },
  )
})

describe('signals', () => {
  test('CO-13 CO-14 a signal to all reaches every process, also when the first has ended', needs, async () => {
    await using bench = await Bench.open('all')
    const container = await bench.create(sharedPids)
    const first = await container.run({
      args: ['/bin/sh', '-c', 'trap "exit 3" TERM; sleep 1000 & wait'],
    })
    const other = await container.exec(sleeper)
    await container.signal('TERM', { all: true })
    expect(await other.wait()).toMatchObject({ signal: 'SIGTERM' })
    expect(await first.wait()).toMatchObject({ code: 3 })
    await expect(container.signal('TERM')).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await expect.poll(async () => await container.processes()).toEqual([])
  })

  test('CO-14 KILL to all ends those whom the death of the first has left', needs, async () => {
    await using bench = await Bench.open('rest')
    const container = await bench.create(sharedPids)
    const first = await container.run({ args: ['/bin/sh', '-c', 'sleep 1000 & exit 0'] })
    await first.wait()
    expect(await container.processes()).toHaveLength(1)
    const [pid] = await container.processes()
    await container.signal('KILL', { all: true })
    await expect.poll(() => alive(pid!)).toBe(false)
    await container.destroy()
    await expect(container.signal('KILL', { all: true })).rejects.toMatchObject({ code: 'CgroupNotExist' })
  })

  test('CO-14 a paused container stays paused after a signal to all, and has it when it goes on', needs, async () => {
    await using bench = await Bench.open('paused')
    const { container, init: first } = await bench.running(sharedPids)
    await container.pause()
    await container.signal('TERM', { all: true })
    expect(await container.status()).toBe('paused')
    await container.resume()
    expect(await first.wait()).toMatchObject({ signal: 'SIGTERM' })
  })

  test('CO-14 LR-06 nobody escapes a signal to all by forking', needs, async () => {
    await using bench = await Bench.open('forks')
    const container = await bench.create({ ...sharedPids, cgroups: { pids: { max: 200 } } })
    await container.run({ args: ['/bin/sh', '-c', 'f() { sleep 1000 & f & wait; }; f'], stdio: 'null' })
    await expect.poll(async () => (await container.processes()).length).toBeGreaterThan(50)
    await container.signal('KILL', { all: true })
    await expect.poll(async () => await container.processes(), { timeout: 10_000 }).toEqual([])
  })
})

describe('handles', () => {
  test(
    'FA-14 a loaded handle signals the first process, but neither waits for it nor terminates it',
    needs,
    async () => {
      await using bench = await Bench.open('loaded')
      const { container, init: process } = await bench.running()
      const other = await (await Factory.open(bench.factory.root)).load(container.id)
      for (const act of [other.wait(), other.terminate()]) {
        await expect(act).rejects.toMatchObject({
          code: 'ProcessNotExecuted',
          message: /not started here/,
          hint: /ended\(\)/,
        })
      }
      const ended = other.ended()
      await other.signal('KILL')
      await ended
      expect(await process.wait()).toMatchObject({ signal: 'SIGKILL' })
      expect(await container.wait()).toEqual(await process.wait())
    },
  )

  test('FA-14 CO-13 another process may signal it, and the status follows', needs, async () => {
    await using bench = await Bench.open('elsewhere')
    const { container } = await bench.running()
    const answer = await elsewhere(
      `const container = await (await Factory.open(args[0])).load(args[1])
       const before = await container.status()
       const waited = await container.wait().catch(error => error.code)
       await container.signal('KILL')
       await container.ended()
       return [before, waited, await container.status()]`,
      bench.factory.root,
      container.id,
    )
    expect(answer).toEqual(['running', 'ProcessNotExecuted', 'stopped'])
  })

  test('CO-28 wait can kill what a shared pid namespace leaves; destroy always does', needs, async () => {
    await using bench = await Bench.open('shared')
    const leaving = { args: ['/bin/sh', '-c', 'sleep 1000 & exit 4'] }
    for (const killRest of [true, false]) {
      const container = await bench.create(sharedPids)
      const first = await container.run(leaving)
      const [, rest = 0] = await container.processes()
      expect(await container.wait({ killRest })).toMatchObject({ code: 4 })
      if (killRest) await expect.poll(async () => await container.processes()).toEqual([])
      else expect(await container.processes()).toHaveLength(1)
      const left = await container.processes()
      await container.destroy()
      for (const pid of [first.pid, rest, ...left]) if (pid > 0) await expect.poll(() => !alive(pid)).toBe(true)
    }
  })

  test('CO-27 with a pid namespace of its own the kernel ends all with the first', needs, async () => {
    await using bench = await Bench.open('own')
    const { container } = await bench.running()
    const beside = await container.exec(sleeper)
    expect(await container.terminate()).toMatchObject({ signal: 'SIGKILL' })
    expect(await beside.wait()).toMatchObject({ signal: 'SIGKILL' })
    expect(await container.status()).toBe('stopped')
    expect(await container.processes()).toEqual([])
  })

  test('CO-16 terminate ends a paused container, too', needs, async () => {
    await using bench = await Bench.open('frozen')
    const { container } = await bench.running()
    await container.pause()
    expect(await container.terminate()).toMatchObject({ signal: 'SIGKILL' })
  })
})

describe('set', () => {
  test('CO-08 changes what is given, in the kernel, in the config and in the state', needs, async () => {
    await using bench = await Bench.open('set')
    const container = await bench.create({ cgroups: { memory: { max: 64 << 20 }, pids: { max: 50 } } })
    await expect(container.set({ cgroups: { pids: { max: 10 } } })).rejects.toMatchObject({
      code: 'ContainerNotRunning',
    })
    await container.run(sleeper)
    await container.set({ cgroups: { memory: { max: 32 << 20 } } })
    expect(await limit(container)).toBe(32 << 20)
    const wanted = { memory: { max: 32 << 20 }, pids: { max: 50 } }
    expect(container.config().cgroups).toMatchObject(wanted)
    expect((await container.state()).config.cgroups).toMatchObject(wanted)
    const loaded = await bench.factory.load(container.id)
    await loaded.set({ cgroups: { pids: { max: 60 } } })
    expect((await container.stats()).cgroups.pids?.max).toBe(60)
    await container.set({ cgroups: { memory: { max: 48 << 20 } } })
    expect(container.config().cgroups).toMatchObject({ memory: { max: 48 << 20 }, pids: { max: 60 } })
  })

  test('CO-08 what the kernel refuses leaves the limits, the config and the state as they were', needs, async () => {
    await using bench = await Bench.open('refused')
    const { container } = await bench.running({ cgroups: { memory: { max: 64 << 20 } } })
    const before = [await limit(container), container.config(), await container.state()]
    // More processes than there are numbers: on v1 and v2 alike written after the memory, and EINVAL.
    const impossible = { memory: { max: 32 << 20 }, pids: { max: 5_000_000 } }
    await expect(container.set({ cgroups: impossible })).rejects.toMatchObject({ code: 'SystemError', errno: -22 })
    expect([await limit(container), container.config(), await container.state()]).toEqual(before)
    expect(await container.status()).toBe('running')
  })

  test('CO-08 limits that cannot be, and another path, are refused before anything is touched', needs, async () => {
    await using bench = await Bench.open('wrong')
    const { container } = await bench.running({ cgroups: { memory: { max: 64 << 20 } } })
    for (const [cgroups, field] of [
      [{ memory: { max: -2 } }, 'cgroups.memory.max'],
      [{ path: '/elsewhere' }, 'cgroups.path'],
      [{ pids: { most: 3 } }, 'cgroups.pids.most'],
    ] as const) {
      await expect(container.set({ cgroups } as never)).rejects.toMatchObject({ name: 'ConfigInvalid', field })
    }
    expect(await limit(container)).toBe(64 << 20)
  })

  test('CO-08 CO-23 two that set at once: both changes hold', needs, async () => {
    await using bench = await Bench.open('both')
    const { container } = await bench.running()
    const other = await bench.factory.load(container.id)
    await Promise.all([
      container.set({ cgroups: { memory: { max: 40 << 20 } } }),
      other.set({ cgroups: { pids: { max: 33 } } }),
    ])
    const { cgroups } = (await container.state()).config
    expect(cgroups).toMatchObject({ memory: { max: 40 << 20 }, pids: { max: 33 } })
    expect(await inside(container, 'echo fine')).toBe('fine')
  })
})
