import { ConfigInvalid, parseNotices } from '@libcontainer/sys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { killsIn } from '../src/events/oom-events.js'
import { type PressureKind, type PressureResource, pressureTrigger } from '../src/events/pressure.js'
import { EventStream, type Sink } from '../src/events/stream.js'

/** As the kernel writes it: names are filled up with NUL. */
function noticeBytes({ number, mask, name }: { number: number; mask: number; name: string }): Uint8Array {
  const text = new TextEncoder().encode(name)
  const length = text.length === 0 ? 0 : Math.ceil((text.length + 1) / 16) * 16
  const bytes = new Uint8Array(16 + length)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, number, true)
  view.setUint32(4, mask, true)
  view.setUint32(12, length, true)
  bytes.set(text, 16)
  return bytes
}

describe('CG-101', () => {
  test('CG-101 notices of inotify, one after another, with names and without', () => {
    const notice = fc.record({
      number: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
      mask: fc.nat(2 ** 31),
      name: fc.string({ unit: fc.constantFrom('a', 'é', '.', '-'), maxLength: 40 }),
    })
    fc.assert(
      fc.property(fc.array(notice), notices => {
        const bytes = notices.flatMap(one => [...noticeBytes(one)])
        expect(parseNotices(Uint8Array.from(bytes))).toEqual(notices)
      }),
    )
  })

  test('CG-101 CG-102 kills are counted, not attempts; rootless without the file they are 0', () => {
    expect(killsIn('low 0\nhigh 1\nmax 20\noom 30\noom_kill 4\noom_group_kill 2\n')).toEqual({
      kills: 4,
      groupKills: 2,
    })
    expect(killsIn('oom_kill_disable 0\nunder_oom 1\noom_kill 3\n')).toEqual({ kills: 3 })
    expect(killsIn('oom_kill_disable 0\nunder_oom 0\n')).toEqual({ kills: 0 })
  })
})

describe('a stream of events', () => {
  const begin = (): { stream: EventStream<string>; sink: Sink<string>; stopped: () => number } => {
    let sink: Sink<string> | undefined
    let stops = 0
    const stream = new EventStream<string>(given => {
      sink = given
      return () => void stops++
    })
    return { stream, sink: sink!, stopped: () => stops }
  }

  test('CO-19 what was told before anybody asked is there: the newest of each kind', async () => {
    const { stream, sink, stopped } = begin()
    sink.tell('oom', '1')
    sink.tell('frozen', 'yes')
    sink.tell('oom', '2')
    sink.end()
    const all: string[] = []
    for await (const news of stream) all.push(news)
    expect(all).toEqual(['yes', '2'])
    expect(stopped()).toBe(1)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  test('CO-19 who gives up while the next is awaited is let go', async () => {
    const { stream, sink, stopped } = begin()
    const next = stream.next()
    await stream.return()
    expect(await next).toEqual({ done: true, value: undefined })
    sink.tell('oom', 'late')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(stopped()).toBe(1)
  })

  test('CO-19 a failure is told once, behind what came before it', async () => {
    const { stream, sink } = begin()
    sink.tell('oom', '1')
    sink.fail(new Error('no more'))
    expect(await stream.next()).toEqual({ done: false, value: '1' })
    await expect(stream.next()).rejects.toThrow('no more')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  test('CO-19 an abort ends all that wait, at once or before the first', async () => {
    const stop = new AbortController()
    let stops = 0
    const stream = new EventStream<string>(() => () => void stops++, { signal: stop.signal })
    const [first, second] = [stream.next(), stream.next()]
    stop.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    expect(await second).toEqual({ done: true, value: undefined })
    expect(stops).toBe(1)
    const never = new EventStream<string>(
      () => {
        throw new Error('began')
      },
      { signal: stop.signal },
    )
    await expect(never.next()).rejects.toThrow('enough')
  })
})

describe('CG-103', () => {
  test('CG-103 a trigger as the kernel reads it', () => {
    expect(pressureTrigger('memory', 'some', 150_000, 2_000_000)).toBe('some 150000 2000000')
    expect(pressureTrigger('irq', 'full', 1, 10_000_000)).toBe('full 1 10000000')
  })

  test.each<[unknown, unknown, unknown, unknown, string]>([
    ['disk', 'some', 1, 2_000_000, 'resource'],
    ['__proto__', 'some', 1, 2_000_000, 'resource'],
    ['cpu', 'all', 1, 2_000_000, 'kind'],
    ['irq', 'some', 1, 2_000_000, 'kind'],
    ['cpu', 'some', 0, 2_000_000, 'stallUs'],
    ['cpu', 'some', 1.5, 2_000_000, 'stallUs'],
    ['cpu', 'some', 2_000_001, 2_000_000, 'stallUs'],
    ['cpu', 'some', 1, 0, 'windowUs'],
    ['cpu', 'some', 1, 10_000_001, 'windowUs'],
    ['cpu', 'some', 1, Number.NaN, 'windowUs'],
    ['cpu', 'some', '1', 2_000_000, 'stallUs'],
  ])('CG-103 %s %s %s %s is refused', (resource, kind, stallUs, windowUs, field) => {
    const act = () =>
      pressureTrigger(resource as PressureResource, kind as PressureKind, stallUs as number, windowUs as number)
    expect(act).toThrow(ConfigInvalid)
    expect(act).toThrow(expect.objectContaining({ field }))
  })
})
