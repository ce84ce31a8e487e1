import { rmSync } from 'node:fs'
import { Factory, type StatusChange } from '@libcontainer/container'
import { describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, elsewhere, sleeper } from './support.js'

const needs = requires('root', 'rootfs', 'cgroup')

describe('BY-07 wait and monitor', () => {
  test('BY-07 a life that other processes see to is told state by state, and waited for', {
    ...needs,
    timeout: 60_000,
  }, async () => {
    await using bench = await Bench.open('monitor')
    const { factory } = bench
    const id = bench.id()
    const changes = await factory.monitor()
    const act = async (what: string): Promise<void> => {
      const program = `
          const factory = await Factory.open(args[0])
          const spec = { args: ['/bin/sleep', '1000'], env: ['PATH=/bin'] }
          const container = args[2] === 'start' ? undefined : await factory.load(args[1])
          if (args[2] === 'start') await (await factory.create(args[1], { rootfs: args[3] })).start(spec)
          if (args[2] === 'life') { await container.exec(); await container.pause() }
          if (args[2] === 'end') { await container.resume(); await container.signal('KILL') }
          if (args[2] === 'remove') await container.destroy()
        `
      expect(await elsewhere(program, factory.root, id, what, rootfs)).toBeNull()
    }
    const { rootfs } = (await bench.create()).config()
    const seen: StatusChange[] = []
    const next = async (): Promise<string> => {
      const { value } = await changes.next()
      seen.push(value)
      return value.status
    }
    // Not there yet.
    expect(await factory.waitFor(id, 'removed')).toEqual({ id, status: 'removed', pid: 0 })
    const created = factory.waitFor(id, 'created')
    await act('start')
    const { pid } = await created
    expect(pid).toBeGreaterThan(1)
    while ((await next()) !== 'created');
    const paused = factory.waitFor(id, ['paused', 'removed'])
    const life = act('life')
    expect(await paused).toEqual({ id, status: 'paused', pid })
    await life
    while ((await next()) !== 'paused');
    const stopped = factory.waitFor(id, 'stopped')
    await act('end')
    expect(await stopped).toEqual({ id, status: 'stopped', pid: 0 })
    while ((await next()) !== 'stopped');
    await act('remove')
    expect(await next()).toBe('removed')
    expect(await factory.waitFor(id, 'removed')).toMatchObject({ status: 'removed' })
    // Whatever went by too fast is missing, and nothing is told twice in a row.
    const told = seen.map(({ status }) => status)
    expect(new Set(seen.map(change => change.id))).toEqual(new Set([id]))
    expect(told.filter((status, i) => status === told[i - 1])).toEqual([])
    expect(told).toEqual(expect.arrayContaining(['created', 'paused', 'stopped', 'removed']))
    await changes.return!()
    expect(await changes.next()).toEqual({ done: true, value: undefined })
  })

  test(
    'BY-07 of many the ones that are asked for, from what they do now; a second life is told, too',
    needs,
    async () => {
      await using bench = await Bench.open('monitor')
      const { container } = await bench.running()
      const { container: other } = await bench.running()
      const changes = await bench.factory.monitor({ ids: [container.id], initial: true })
      const next = async (): Promise<string> => (await changes.next()).value.status
      expect(await next()).toBe('running')
      await other.terminate()
      await container.terminate()
      expect(await next()).toBe('stopped')
      await container.run(sleeper)
      while ((await next()) !== 'running');
      await container.pause()
      while ((await next()) !== 'paused');
      await container.resume()
      expect(await next()).toBe('running')
      await container.destroy({ force: true })
      while ((await next()) !== 'removed');
    },
  )

  test('BY-07 who gives up is let go and leaves nothing; a wish that cannot be is refused', needs, async () => {
    await using bench = await Bench.open('monitor')
    const { factory } = bench
    const { container } = await bench.running()
    const stop = new AbortController()
    const waiting = factory.waitFor(container.id, 'stopped', { signal: stop.signal })
    const changes = await factory.monitor({ signal: stop.signal })
    const next = changes.next()
    const given = Promise.all([waiting, next].map(each => expect(each).rejects.toThrow('enough')))
    stop.abort(new Error('enough'))
    await given
    await expect(factory.waitFor(container.id, 'gone' as 'stopped')).rejects.toMatchObject({ field: 'status' })
    await expect(factory.waitFor(container.id, [])).rejects.toMatchObject({ code: 'ConfigInvalid' })
    await expect(factory.waitFor('a/b', 'stopped')).rejects.toMatchObject({ code: 'InvalidIdFormat' })
    await expect(factory.monitor({ ids: ['../x'] })).rejects.toMatchObject({ code: 'InvalidIdFormat' })
  })

  test('BY-07 a state root that is removed ends it', requires('root'), async () => {
    using place = temporaryDirectory('monitor-')
    const factory = await Factory.open(`${place.path}/state`)
    const changes = await factory.monitor()
    const refused = expect(factory.waitFor('x', 'running')).rejects.toMatchObject({ code: 'SystemError' })
    // Both listen.
    await changes.return!()
    const others = await factory.monitor()
    rmSync(factory.root, { recursive: true })
    expect(await others.next()).toEqual({ done: true, value: undefined })
    await refused
  })
})
