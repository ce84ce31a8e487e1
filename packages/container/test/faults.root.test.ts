import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Factory, plan } from '@libcontainer/container'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busyboxRootfs, requires, temporaryDirectory } from '../../../test/support/index.js'
import { everything } from './everything.js'

const names = /^lc-faults/

const config = {
  rootfs: '',
  hostname: 'faults',
  cgroups: { path: '/lc-faults', memory: { max: 64 << 20 }, pids: { max: 32 } },
}
const spec = { args: ['/bin/true'], env: ['PATH=/bin'], user: 'root' }

describe('a failure at any step leaves nothing behind', () => {
  const root = temporaryDirectory('faults-')
  let factory: Factory

  beforeAll(async () => {
    config.rootfs = busyboxRootfs()
    factory = await Factory.open(`${root.path}/state`)
    // Once for what is made at first use and stays: threads, the carrier of init, caches.
    const first = await factory.create('first', config)
    await (await first.run(spec)).wait()
    await first.destroy()
  })
  afterAll(() => root[Symbol.dispose]())

  test('CO-25 ER-15 every step of the plan, once, in a run', requires('root', 'rootfs'), async () => {
    const { steps } = await plan('faulty', config, spec)
    expect(steps.length).toBeGreaterThan(40)
    const before = everything(names)
    for (const [i, step] of steps.entries()) {
      const container = await factory.create('faulty', config)
      const failure = container.run({ ...spec, failAt: i })
      await expect(failure, step.about).rejects.toMatchObject({
        code: 'SystemError',
        syscall: 'failure on purpose',
        step: `step ${i + 1}: ${step.about}`,
      })
      expect(await container.status()).toBe('stopped')
      expect(await container.processes()).toEqual([])
      await container.destroy()
      expect(everything(names), step.about).toEqual(before)
    }
    expect(readdirSync(`${root.path}/state`)).toEqual([])
  })

  test(
    'CO-25 every step that comes before the created state, once, in a start',
    requires('root', 'rootfs'),
    async () => {
      const { steps } = await plan('faulty', config, spec)
      const ready = steps.findIndex(step => step.args[0] === 'ready')
      const before = everything(names)
      for (let i = 0; i <= ready; i += 7) {
        const container = await factory.create('faulty', config)
        await expect(container.start({ ...spec, failAt: i })).rejects.toMatchObject({ code: 'SystemError' })
        await container.destroy()
        expect(everything(names), steps[i]!.about).toEqual(before)
      }
    },
  )

  test('CO-10 every step of a further process, once; the container lives on', requires('root', 'rootfs'), async () => {
    const container = await factory.create('lives', config)
    try {
      const init = await container.run({ args: ['/bin/sleep', '100'], env: ['PATH=/bin', 'HOME=/'], user: { uid: 0 } })
      await (await container.exec(spec)).wait()
      const before = everything(names)
      for (let i = 0; ; i++) {
        let process: Awaited<ReturnType<typeof container.exec>>
        try {
          process = await container.exec({ ...spec, failAt: i })
        } catch (error) {
          expect(error).toMatchObject({ code: 'SystemError', syscall: 'failure on purpose' })
          expect(await container.processes()).toEqual([init.pid])
          expect(everything(names), `step ${i + 1}`).toEqual(before)
          continue
        }
        // The number was behind the last step: nothing failed.
        expect(i).toBeGreaterThan(15)
        expect(await process.wait()).toMatchObject({ code: 0 })
        break
      }
      expect(await container.status()).toBe('running')
    } finally {
      await container.destroy({ force: true })
    }
  })

  test(
    'a program that does not exist is told before the container is created (IN-12)',
    requires('root', 'rootfs'),
    async () => {
      const before = everything(names)
      const container = await factory.create('absent', config)
      await expect(container.start({ args: ['/no/such'] })).rejects.toMatchObject({
        code: 'SystemError',
        syscall: 'execve',
        path: '/no/such',
        message: expect.stringContaining('ENOENT'),
        hint: expect.stringContaining('rootfs'),
      })
      await container.destroy()
      expect(everything(names)).toEqual(before)
    },
  )

  test('a refused id map is an error with its step, and init is gone', requires('root', 'rootfs'), async () => {
    const before = everything(names)
    const map = [{ containerId: 5, hostId: 1000, size: 1 }]
    const userns = { ...config, namespaces: ['mnt', 'pid', 'user'] as const, uidMappings: map, gidMappings: map }
    await expect(
      (async () => {
        const container = await factory.create('unmapped', { ...userns, hostname: undefined })
        try {
          await container.run(spec)
        } finally {
          await container.destroy({ force: true })
        }
      })(),
    ).rejects.toThrow(/map|uid|user/i)
    expect(everything(names)).toEqual(before)
  })

  test(
    'the state directory is read-only: an error that names it, and no cgroup stays',
    requires('root', 'rootfs'),
    async () => {
      const before = everything(names)
      await expect(Factory.open('/proc/sys/libcontainer-test')).rejects.toMatchObject({
        code: 'SystemError',
        path: expect.stringContaining('/proc/sys'),
      })
      expect(everything(names)).toEqual(before)
    },
  )

  test(
    'the disk of the state directory is full: an error that says so, and nothing stays',
    requires('root', 'rootfs'),
    async () => {
      const full = `${root.path}/full`
      mkdirSync(full)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k,nr_inodes=5', 'lc-faults', full])
      try {
        const small = await Factory.open(full)
        writeFileSync(`${full}/filler`, new Uint8Array(4096))
        const before = everything(names)
        await expect(
          (async () => {
            const container = await small.create('full', config)
            try {
              await container.run(spec)
            } finally {
              await container.destroy({ force: true })
            }
          })(),
        ).rejects.toMatchObject({
          code: 'SystemError',
          message: expect.stringContaining('ENOSPC'),
          path: expect.stringContaining(full),
        })
        expect(everything(names)).toEqual(before)
        expect(readdirSync(full)).toEqual(['filler'])
      } finally {
        execFileSync('umount', [full])
      }
    },
  )

  test('init does not outlive a rendezvous that fails', requires('root', 'rootfs'), async () => {
    const before = everything(names)
    const container = await factory.create('nobody', config)
    await expect(container.run({ ...spec, user: 'no-such-user' })).rejects.toThrow(/no-such-user/)
    await container.destroy()
    expect(everything(names)).toEqual(before)
  })
})

test('everything() sees what is there', () => {
  expect(everything(names).mounts).toBe(readFileSync('/proc/self/mountinfo', 'utf8'))
  expect(everything(names).fds.length).toBeGreaterThan(3)
})
