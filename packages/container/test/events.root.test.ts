import type { ContainerEvent } from '@libcontainer/container'
import { containerEvents } from '@libcontainer/container/node'
import { describe, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Bench, inside, sleeper } from './support.js'

const needs = requires('root')

async function all(events: AsyncIterable<ContainerEvent>): Promise<ContainerEvent[]> {
  const list: ContainerEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

const fill = { args: ['/bin/sh', '-c', 'a=x; while :; do a=$a$a$a; done'] }
const small = { cgroups: { memory: { max: 16 << 20 } } }

describe('events', () => {
  test('CO-24 a whole life: start, paused, resumed, exit, destroyed', needs, async () => {
    await using bench = await Bench.open('life')
    const container = await bench.create()
    const events = all(container.events())
    const { pid } = await container.run(sleeper)
    await container.pause()
    await container.pause()
    await container.resume()
    await container.signal('KILL')
    const result = await container.wait()
    await container.destroy()
    expect(await events).toEqual([
      { type: 'start', pid },
      { type: 'paused' },
      { type: 'resumed' },
      { type: 'exit', result },
      { type: 'destroyed' },
    ])
  })

  test('CO-24 a created container starts when it is let go; who listens late hears what follows', needs, async () => {
    await using bench = await Bench.open('late')
    const container = await bench.create()
    const early = all(container.events())
    await container.start(sleeper)
    const late = all(container.events())
    await container.exec()
    const last = all(container.events())
    await container.destroy({ force: true })
    const types = async (list: Promise<ContainerEvent[]>) => (await list).map(({ type }) => type)
    expect(await types(early)).toEqual(['start', 'exit', 'destroyed'])
    expect(await types(late)).toEqual(['start', 'exit', 'destroyed'])
    expect(await types(last)).toEqual(['exit', 'destroyed'])
  })

  test('CO-24 want of memory is told before the end that it leads to', needs, async () => {
    await using bench = await Bench.open('oom')
    const container = await bench.create(small)
    const events: ContainerEvent[] = []
    const heard = container.events()
    await container.run(fill)
    for await (const event of heard) {
      events.push(event)
      if (event.type === 'exit') break
    }
    expect(events[0]).toMatchObject({ type: 'start' })
    expect(events.at(-1)).toMatchObject({ type: 'exit', result: { signal: 'SIGKILL', oom: true } })
    expect(events.slice(1, -1).length).toBeGreaterThan(0)
    expect(new Set(events.slice(1, -1).map(({ type }) => type))).toEqual(new Set(['oom']))
  })

  test('CO-24 a loaded handle hears of the end, whoever sees to it, but not how', needs, async () => {
    await using bench = await Bench.open('loaded')
    const { container } = await bench.running()
    const other = await bench.factory.load(container.id)
    const events = other.events()
    await container.terminate()
    expect(await events.next()).toEqual({ done: false, value: { type: 'exit', result: undefined } })
    await events.return!()
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  test(
    'CO-24 a loaded handle hears of the removal by another, and a new first process is watched, too',
    needs,
    async () => {
      await using bench = await Bench.open('removal')
      const container = await bench.create()
      const own = all(container.events())
      await (await container.run({ args: ['/bin/true'] })).wait()
      const other = await bench.factory.load(container.id)
      const heard = all(other.events())
      await container.run(sleeper)
      await container.terminate()
      await container.destroy()
      expect((await heard).at(-1)).toEqual({ type: 'destroyed' })
      expect((await own).map(({ type }) => type)).toEqual(['start', 'exit', 'start', 'exit', 'destroyed'])
    },
  )

  test('CO-24 an aborted listener ends with the reason; others go on', needs, async () => {
    await using bench = await Bench.open('abort')
    const container = await bench.create()
    const stop = new AbortController()
    const aborted = container.events({ signal: stop.signal })
    const other = all(container.events())
    const next = aborted.next()
    stop.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
    await container.run(sleeper)
    await container.destroy({ force: true })
    expect((await other).map(({ type }) => type)).toContain('start')
  })

  test('CO-24 as an EventEmitter in Node.js', needs, async () => {
    await using bench = await Bench.open('emitter')
    const container = await bench.create()
    const heard: string[] = []
    const emitter = containerEvents(container)
    for (const type of ['start', 'paused', 'resumed', 'exit', 'destroyed'] as const)
      emitter.on(type, () => heard.push(type))
    const destroyed = new Promise(resolve => emitter.once('destroyed', resolve))
    await container.run(sleeper)
    await container.pause()
    await container.resume()
    await container.terminate()
    await container.destroy()
    await destroyed
    expect(heard).toEqual(['start', 'paused', 'resumed', 'exit', 'destroyed'])
  })
})

describe('memory', () => {
  test('CO-19 notifyOOM tells of each, and ends with the container', needs, async () => {
    await using bench = await Bench.open('notify')
    const container = await bench.create(small)
    await expect(container.notifyOOM()).rejects.toMatchObject({ code: 'ContainerNotRunning' })
    await container.run(sleeper)
    const events = await container.notifyOOM()
    const first = events.next()
    const filling = await container.exec(fill)
    expect(await filling.wait()).toEqual({ code: undefined, signal: 'SIGKILL', oom: true })
    expect(await first).toMatchObject({ done: false })
    expect(await inside(container, 'echo lives')).toBe('lives')
    const rest = (async () => {
      let more = 0
      while (!(await events.next()).done) more++
      return more
    })()
    await container.destroy({ force: true })
    expect(await rest).toBeGreaterThanOrEqual(0)
  })

  test('CO-20 notifyMemoryPressure knows three levels', needs, async () => {
    await using bench = await Bench.open('pressure')
    const { container } = await bench.running(small)
    await expect(container.notifyMemoryPressure('none' as never)).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'level',
    })
    const levels = await Promise.all(
      (['low', 'medium', 'critical'] as const).map(level => container.notifyMemoryPressure(level)),
    )
    const ends = levels.map(async each => {
      for await (const level of each) expect(['low', 'medium', 'critical']).toContain(level)
    })
    await container.destroy({ force: true })
    await Promise.all(ends)
  })
})
