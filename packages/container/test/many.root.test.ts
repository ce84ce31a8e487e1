import { readdirSync, readFileSync } from 'node:fs'
import { type Container, Factory } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { everything } from './everything.js'

const names = /^libcontainer-(many|one)/

const threads = (): number => readdirSync('/proc/self/task').length

/** Threads of the pool end when they have been idle for two seconds. */
async function settled(most: number): Promise<void> {
  for (const end = Date.now() + 8000; threads() > most && Date.now() < end; )
    await new Promise(resolve => setTimeout(resolve, 100))
}

test('LR-09 S25 200 containers run at once from one process, and all are gone afterwards', {
  ...requires('root', 'rootfs'),
  timeout: 90_000,
}, async () => {
  using root = temporaryDirectory('many-')
  const rootfs = busyboxRootfs()
  const factory = await Factory.open(`${root.path}/state`)
  const one = await factory.create('one', { rootfs })
  await (await one.run({ args: ['/bin/true'] })).wait()
  await one.destroy()
  const before = everything(names)
  const threadsBefore = threads()

  const spec = { args: ['/bin/sleep', '1000'], env: ['PATH=/bin', 'HOME=/'], user: { uid: 0 } }
  const containers: Container[] = []
  // Eight at a time: what is tested is that they are, not that a kernel of two processors makes them all at once.
  const ids = Array.from({ length: 200 }, (_, i) => `many-${i}`)
  const queue = [...ids]
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
        const container = await factory.create(id, { rootfs })
        await container.run(spec)
        containers.push(container)
      }
    }),
  )
  try {
    expect((await factory.list()).length).toBe(200)
    const statuses = await Promise.all(containers.map(container => container.status()))
    expect(statuses).toEqual(ids.map(() => 'running'))
    // No thread for a container: a watcher, a spawner and what the pool has just used.
    expect(threads() - threadsBefore).toBeLessThan(128)
    const inits = await Promise.all(containers.map(container => container.processes()))
    expect(new Set(inits.flat()).size).toBe(200)
    expect(readFileSync(`/proc/${inits[0]![0]}/comm`, 'utf8')).toBe('sleep\n')
  } finally {
    await Promise.all(containers.map(container => container.destroy({ force: true })))
  }
  expect(await factory.list()).toEqual([])
  expect(everything(names)).toEqual(before)
  await settled(threadsBefore)
  expect(threads()).toBeLessThanOrEqual(threadsBefore)
})
