import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { probe } from '@libcontainer/cgroups'
import { Factory, isUnprivileged } from '@libcontainer/container'
import { expect, test } from 'vitest'
import { busyboxRootfs, requires, together } from '../../../test/support/index.js'

/** As whoever runs the tests: root's containers are proved elsewhere. */
const unprivileged = await isUnprivileged()
const { memory, pids } = await probe()
if (!unprivileged) process.stderr.write('skipped, for want of an ordinary user: CAP_SYS_ADMIN is in force\n')
const needs = together(requires('rootfs', 'reachable'), { skip: !unprivileged, tags: [] })
if (unprivileged && !memory.available)
  process.stderr.write(`skipped, for want of a delegated cgroup: ${memory.reason}\n`)
const limited = together(needs, { skip: !memory.available || !pids.available, tags: [] })

async function withFactory(act: (factory: Factory) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ordinary-'))
  try {
    await act(await Factory.open(join(directory, 'state')))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function text(stream: AsyncIterable<Uint8Array | string> | null | undefined): Promise<string> {
  let all = ''
  for await (const part of stream!) all += Buffer.from(part as Uint8Array).toString()
  return all
}

test('EV-159 a delegated cgroup holds the limits of an ordinary user’s container', limited, async () => {
  await withFactory(async factory => {
    const cgroups = { memory: { max: 48 << 20 }, pids: { max: 8 } }
    const container = await factory.create(`ordinary-${process.pid}`, { rootfs: busyboxRootfs(), cgroups })
    try {
      const script = 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 100 > /dev/null & done; echo all'
      const forking = await container.run({ args: ['/bin/sh', '-c', script], stdio: ['null', 'pipe', 'pipe'] })
      const [, err] = await Promise.all([text(forking.stdout), text(forking.stderr)])
      expect((await forking.wait()).code).not.toBe(0)
      expect(err).toMatch(/fork/)
      const eating = await container.run({
        args: ['/bin/sh', '-c', 'dd if=/dev/zero of=/dev/shm/x bs=1048576 count=60; echo $?'],
        stdio: ['null', 'pipe', 'null'],
      })
      expect(await text(eating.stdout)).toBe('137\n')
      await eating.wait()
    } finally {
      await container.destroy({ force: true })
    }
  })
})

test('an ordinary user’s container with a delegated cgroup is paused, counted and killed', limited, async () => {
  await withFactory(async factory => {
    const container = await factory.create(`ordinary-${process.pid}`, { rootfs: busyboxRootfs() })
    try {
      await container.start({ args: ['/bin/sleep', '100'] })
      await container.exec()
      await container.pause()
      expect(await container.status()).toBe('paused')
      await container.resume()
      expect((await container.stats()).cgroups.pids?.current).toBe(1)
      await container.signal('KILL', { all: true })
      await container.ended()
    } finally {
      await container.destroy({ force: true })
    }
  })
})

test('an ordinary user is root of its container', needs, async () => {
  await withFactory(async factory => {
    const container = await factory.create(`ordinary-${process.pid}`, { rootfs: busyboxRootfs() })
    try {
      const run = await container.run({ args: ['/bin/sh', '-c', 'id -u'], stdio: ['null', 'pipe', 'inherit'] })
      expect(await text(run.stdout)).toBe('0\n')
      expect((await run.wait()).code).toBe(0)
    } finally {
      await container.destroy({ force: true })
    }
  })
})
