import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Systemd } from '@libcontainer/cgroups/systemd'
import { expect, onTestFinished, test } from 'vitest'
import { DBusConnection } from '../../src/dbus/connection.js'
import { watchJobs } from '../../src/systemd/jobs.js'
import { FakeBus, type FakeBusOptions } from '../dbus/fake-bus.js'

async function asked(options: FakeBusOptions = {}): Promise<{ bus: FakeBus; systemd: Systemd }> {
  const bus = await FakeBus.listen({
    answer: ({ member }, answer) => {
      if (member === 'Get') answer.return('v', [{ type: 's', value: '252' }])
      else answer.error('org.freedesktop.systemd1.NoSuchUnit', 'Unit x.scope not loaded.')
    },
    ...options,
  })
  const systemd = new Systemd({ sockets: [{ path: bus.path, bus: true }], timeoutMs: 5000 })
  onTestFinished(() => systemd.close())
  return { bus, systemd }
}

const ask = (systemd: Systemd, count: number) =>
  Promise.all(Array.from({ length: count }, () => systemd.property('Version')))

test('CG-71 calls that come at once share a connection: the first one, and that after a loss', async () => {
  const { bus, systemd } = await asked()
  expect(await ask(systemd, 3)).toEqual(['252', '252', '252'])
  expect(bus.connections).toHaveLength(1)
  const [first] = bus.connections
  first!.destroy()
  await once(first!, 'close')
  await sleep(50)
  expect(await ask(systemd, 3)).toEqual(['252', '252', '252'])
  expect(bus.connections).toHaveLength(2)
  const [, second] = bus.connections
  await systemd.close()
  await once(second!, 'close')
})

test('CG-71 who gives up while it connects leaves that to the next', async () => {
  const stop = new AbortController()
  const { bus, systemd } = await asked({
    welcome: () => {
      stop.abort(new Error('enough'))
      return 'OK 00'
    },
  })
  const gone = systemd.property('Version', { signal: stop.signal })
  const other = systemd.property('Version')
  await expect(gone).rejects.toThrow('enough')
  expect(await other).toBe('252')
  expect(bus.connections).toHaveLength(2)
})

test('CG-71 who waits for what another does may give up before that', async () => {
  const { bus, systemd } = await asked()
  // Listens, and says nothing to anybody.
  bus.pause()
  const first = systemd.property('Version', { timeoutMs: 2000 })
  first.catch(() => {})
  const started = performance.now()
  await expect(systemd.property('Version', { timeoutMs: 50 })).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  expect(performance.now() - started).toBeLessThan(1500)
  bus.resume()
  expect(await first).toBe('252')
})

test('CG-71 who gives up while it subscribes ends the job of nobody else', async () => {
  const { bus, systemd } = await asked()
  await systemd.property('Version')
  const stop = new AbortController()
  const { answer } = bus
  bus.answer = (call, reply) => {
    if (call.member !== 'Subscribe') answer(call, reply)
    else if (stop.signal.aborted) reply.return()
    else stop.abort(new Error('enough'))
  }
  const gone = systemd.stop('a.scope', { signal: stop.signal })
  const other = systemd.stop('b.scope')
  await expect(gone).rejects.toThrow('enough')
  await other
  expect(bus.calls.filter(({ member }) => member === 'StopUnit').map(({ body }) => body[0])).toEqual(['b.scope'])
})

test('LR-12 no answer in time', async () => {
  const { systemd } = await asked({ answer: () => {} })
  await expect(systemd.property('Version', { timeoutMs: 50 })).rejects.toMatchObject({
    code: 'ETIMEDOUT',
    message: 'Get: systemd has not answered within 50 ms',
    hint: /list-jobs/,
  })
})

test('LR-12 a job is not waited for by whom has given up already', async () => {
  const bus = await FakeBus.listen()
  const connection = await DBusConnection.open(bus.path)
  onTestFinished(() => connection.close())
  const jobs = watchJobs(connection, async () => true)
  await expect(jobs.result('/job/1', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  jobs.stop()
})
