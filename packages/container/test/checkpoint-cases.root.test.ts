import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Console, newConsole } from '@libcontainer/console'
import { Factory } from '@libcontainer/container'
import { startLazyPages, startPageServer } from '@libcontainer/criu'
import { decodeUtf8, type OwnedFd, POLLIN, pipe, poll } from '@libcontainer/sys'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { CheckpointBench, Count, counter, hearing, holding, leftBehind, restored } from './checkpoint-support.js'
import { inside } from './support.js'

const needs = { ...requires('root', 'criu', 'cgroup2', 'program:gcc'), timeout: 120_000 }

let at: CheckpointBench
let held: string

beforeAll(async () => {
  if (needs.skip) return
  at = await CheckpointBench.open('checkpoint-cases')
  held = at.held()
})
afterAll(async () => await at?.[Symbol.asyncDispose]())

const images = (directory: string): string[] => readdirSync(directory).filter(name => name.endsWith('.img'))

test(
  'CR-05 CO-21 images on a disk that is full or read-only: the container is as it was, running or paused, and nothing is left',
  needs,
  async () => {
    const small = at.imagesDir()
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'small', small])
    try {
      const container = await at.lean()
      const count = new Count(await container.run(counter))
      await count.goesOn()
      const full = { imagesDir: `${small}/images` }
      const fails = async (): Promise<void> => {
        await expect(container.checkpoint(full)).rejects.toMatchObject({
          code: 'SystemError',
          hint: expect.stringContaining('the disk of the images is full'),
        })
        expect(images(full.imagesDir)).toEqual([])
      }
      await fails()
      expect(await container.status()).toBe('running')
      await count.goesOn()
      await container.pause()
      await fails()
      expect(await container.status()).toBe('paused')
      await container.checkpoint({ imagesDir: at.imagesDir(), leaveRunning: true })
      expect(await container.status()).toBe('paused')
      execFileSync('mount', ['-o', 'remount,ro', small])
      for (const imagesDir of [full.imagesDir, `${small}/new`])
        await expect(container.checkpoint({ imagesDir })).rejects.toMatchObject({
          code: 'SystemError',
          message: expect.stringContaining('EROFS'),
        })
      await container.resume()
      await count.goesOn()
      expect(await container.status2015()).toBe('Running')
      expect(leftBehind()).toEqual([])
      await container.destroy({ force: true })
    } finally {
      execFileSync('umount', [small])
    }
  },
)

test(
  'CR-01 CR-14 CR-21 locks, files without their name, sockets of the host: what has to be said is; cgroup modes; again after a restore',
  needs,
  async () => {
    const shared = at.imagesDir()
    mkdirSync(shared)
    using heard = hearing(held, `${shared}/socket`)
    // CRIU connects again by the path that the other side is bound to.
    const container = await at.lean({ mounts: [{ destination: shared, type: 'bind', source: shared }] })
    const directory = `${at.rootfs.path}/linked`
    mkdirSync(directory)
    const acts = ['lock', '/linked/locked', 'links', '/linked/file', 'tell', `${shared}/socket`, 'memory', '4']
    const first = await container.run(holding(...acts))
    const count = new Count(first)
    await count.goesOn()
    await heard.count.goesOn()
    const chain = at.imagesDir()
    mkdirSync(chain)
    for (const [options, message, hint] of [
      [{}, /link remap for \/linked\/file/, /linkRemap/],
      [{ linkRemap: true, fileLocks: true }, /External socket is used/, /extUnixSk/],
    ] as const) {
      const error = await container.checkpoint({ imagesDir: `${chain}/1`, ...options }).catch((error: Error) => error)
      expect(error).toMatchObject({ message: expect.stringMatching(message), hint: expect.stringMatching(hint) })
      await count.goesOn()
      expect(readdirSync(directory).sort()).toEqual(['file.other', 'locked'])
    }

    const all = { linkRemap: true, fileLocks: true, extUnixSk: true }
    const blocks = (): number =>
      images(`${chain}/1`)
        .filter(name => name.startsWith('pages'))
        .reduce((sum, name) => sum + statSync(`${chain}/1/${name}`).blocks, 0)
    await container.checkpoint({ ...all, imagesDir: `${chain}/1`, preDump: true })
    const before = blocks()
    await container.checkpoint({ ...all, imagesDir: `${chain}/2`, parentImg: '../1', autoDedup: true })
    // The pages that have changed since are no longer in the first image.
    expect(blocks()).toBeLessThan(before)
    await first.wait()
    const saved = { ...all, imagesDir: `${chain}/2` }
    await expect(container.restore({}, { ...saved, manageCgroupsMode: 'strict' })).rejects.toMatchObject({
      hint: expect.stringMatching(/soft, or full/),
    })
    expect(await container.status()).toBe('stopped')
    const second = await restored(container, { ...saved, manageCgroupsMode: 'full' })
    await second.count.goesOn()
    await heard.count.goesOn()
    expect(readdirSync(directory).sort()).toEqual(['file.other', 'locked'])

    // Again, and by nobody who looks at cgroups: it lives in its own all the same.
    const again = { ...all, imagesDir: at.imagesDir(), manageCgroupsMode: 'ignore' } as const
    await container.checkpoint(again)
    await second.init.wait()
    const third = await restored(container, again)
    await third.count.goesOn()
    await heard.count.goesOn()
    expect(readFileSync(`/proc/${third.init.pid}/cgroup`, 'utf8')).toContain(container.id)
    expect((await container.processes()).length).toBe(1)
    await container.pause()
    await container.resume()
    expect(await inside(container, 'echo here')).toBe('here')
    await container.destroy({ force: true })
    expect(leftBehind()).toEqual([])
  },
)

test(
  'CR-11 CR-12 pages of a container over a page server, and lazily while it runs elsewhere already',
  needs,
  async () => {
    const address = '127.0.0.1'
    const [container, other] = [await at.lean(), await at.lean()]
    const init = await container.run(holding('memory', '4'))
    await new Count(init).goesOn()
    const [imagesDir, pagesDir, lazyDir] = [at.imagesDir(), at.imagesDir(), at.imagesDir()]
    const server = await startPageServer({ imagesDir: pagesDir, address, port: 27_124 })
    await container.checkpoint({ imagesDir, pageServer: { address, port: 27_124 } })
    await server.wait()
    await server[Symbol.asyncDispose]()
    await init.wait()
    expect(images(imagesDir).filter(name => name.startsWith('pages'))).toEqual([])
    // The rest of the images belongs to the pages.
    cpSync(imagesDir, pagesDir, { recursive: true })
    const again = await restored(container, { imagesDir: pagesDir })
    await again.count.goesOn()

    const pageServer = { address, port: 27_125 }
    const status = pipe()
    const saving = container.checkpoint({ imagesDir: lazyDir, lazyPages: true, statusFd: status.write, pageServer })
    saving.catch(() => {})
    try {
      await poll(status.read.fd, POLLIN)
    } finally {
      status.read.close()
    }
    const lazy = await startLazyPages({ imagesDir: lazyDir, pageServer })
    const moved = await restored(other, { imagesDir: lazyDir, lazyPages: true })
    await moved.count.goesOn()
    await lazy.wait()
    await lazy[Symbol.asyncDispose]()
    await saving
    // Each page is looked at in each round.
    await moved.count.goesOn()
    expect(await container.status2015()).toBe('Checkpointed')
    await other.destroy({ force: true })
    await container.destroy({ force: true })
  },
)

test(
  'CVE-2026-119101 files of an image that are links by now, and paths that lead out of the root, lead to nothing of the host',
  needs,
  async () => {
    const outside = at.imagesDir()
    mkdirSync(outside)
    const script = 'exec 3>>/kept/file; i=0; while :; do i=$((i+1)); echo $i; echo $i >&3; sleep 0.05; done'
    mkdirSync(`${at.rootfs.path}/kept`)
    const container = await at.lean()
    const init = await container.run({ ...counter, args: ['/bin/sh', '-c', script] })
    await new Count(init).goesOn()
    const options = { imagesDir: at.imagesDir() }
    await container.checkpoint(options)
    await init.wait()
    const text = readFileSync(`${at.rootfs.path}/kept/file`)
    rmSync(`${at.rootfs.path}/kept`, { recursive: true })
    writeFileSync(`${outside}/file`, text)
    // A directory on the way, and the file itself.
    for (const trap of ['kept', 'kept/file']) {
      if (trap === 'kept/file') mkdirSync(`${at.rootfs.path}/kept`)
      symlinkSync(trap === 'kept' ? outside : `${outside}/file`, `${at.rootfs.path}/${trap}`)
      const error = await container.restore({}, options).catch((error: Error) => error)
      expect(error).toMatchObject({ code: 'SystemError', message: expect.stringContaining('kept/file') })
      expect(await container.status()).toBe('stopped')
      rmSync(`${at.rootfs.path}/${trap}`)
    }
    // And an image whose path leads out of the root, where there is such a file.
    const name = `f${String(process.pid).slice(-5).padStart(5, '0')}`
    const decoy = join(dirname(at.rootfs.path), name)
    writeFileSync(decoy, text)
    onTestFinished(() => rmSync(decoy))
    const [files, bytes] = [`${options.imagesDir}/files.img`, readFileSync(`${options.imagesDir}/files.img`)]
    const outwards = Buffer.from(bytes)
    outwards.write(`/../${name}`, bytes.indexOf('/kept/file'))
    writeFileSync(files, outwards)
    await expect(container.restore({}, options)).rejects.toThrow(`../${name}`)
    writeFileSync(files, bytes)
    expect(readFileSync(decoy)).toEqual(text)
    expect(readFileSync(`${outside}/file`)).toEqual(text)
    expect(leftBehind()).toEqual([])
    writeFileSync(`${at.rootfs.path}/kept/file`, text)
    const again = await restored(container, options)
    await again.count.goesOn()
    await container.destroy({ force: true })
  },
)

test('CR-01 CR-09 shell job: a program on a terminal of the host goes on at another one', needs, async () => {
  const container = await at.lean()
  const seats = [await newConsole(0, 0), await newConsole(0, 0)] as const
  try {
    const on = (console: Console) => ({
      stdio: [console.slave, console.slave, console.slave] as [OwnedFd, OwnedFd, OwnedFd],
    })
    const shows = async (console: Console): Promise<void> => {
      const buffer = new Uint8Array(64)
      let text = ''
      while (!/\d+\r?\n\d+\r?\n$/.test(text)) text += decodeUtf8(buffer.subarray(0, await console.read(buffer)))
    }
    const init = await container.run({ ...counter, ...on(seats[0]) })
    await shows(seats[0])
    const options = { imagesDir: at.imagesDir(), shellJob: true }
    await container.checkpoint(options)
    await init.wait()
    expect(JSON.parse(readFileSync(`${options.imagesDir}/streams.json`, 'utf8'))[0]).toMatch(/^tty\[/)
    await container.restore(on(seats[1]), options)
    await shows(seats[1])
  } finally {
    for (const seat of seats) seat.close()
    await container.destroy({ force: true })
  }
})

test('CR-03 a CRIU that does not bring noNewPrivileges back is warned of, once each time', needs, async () => {
  const warnings: string[] = []
  const state = `${at.imagesDir()}/state`
  mkdirSync(state, { recursive: true })
  const factory = await Factory.open(state, { warn: warning => void warnings.push(warning) })
  const container = await factory.create(at.bench.id(), {
    rootfs: at.rootfs.path,
    namespaces: ['mnt', 'pid'],
    mounts: [{ destination: '/proc', type: 'proc' }],
    maskedPaths: [],
    noNewPrivileges: true,
  })
  try {
    const init = await container.run(counter)
    await new Count(init).goesOn()
    const flag = (pid: number): string | undefined =>
      /NoNewPrivs:\t(\d)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    expect(flag(init.pid)).toBe('1')
    const options = { imagesDir: at.imagesDir() }
    await container.checkpoint(options)
    await init.wait()
    const told = [...warnings]
    warnings.length = 0
    const again = await restored(container, options)
    await again.count.goesOn()
    const kept = flag(again.init.pid) === '1'
    const expected = kept
      ? []
      : [expect.stringMatching(/^noNewPrivileges: CRIU [\d.]+ does not bring it back, 3\.19 does/)]
    expect([told, warnings]).toEqual([expected, expected])
  } finally {
    await container.destroy({ force: true })
  }
})
