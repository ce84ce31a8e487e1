import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { Factory } from '@libcontainer/container'
import { readMounts } from '@libcontainer/criu'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busyboxRootfs, requires, standstill, temporaryDirectory, until } from '../../../test/support/index.js'
import { CheckpointBench, Count, counter, leftBehind, quick, restored } from './checkpoint-support.js'
import { hostIds, inside, ownRootfs } from './support.js'

const needs = { ...requires('root', 'criu', 'cgroup2'), timeout: 120_000 }

let at: CheckpointBench

beforeAll(async () => {
  if (!needs.skip) at = await CheckpointBench.open('checkpoint')
})
afterAll(async () => await at?.[Symbol.asyncDispose]())

const imagesDir = (): string => at.imagesDir()

const mountsOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .trim()
    .split('\n')
    .map(line => line.split(' '))
    .map(fields => `${fields[4]} ${fields[5]} ${fields[fields.indexOf('-') + 1]}`)
    .sort()

/** Who traces a process; 0 for nobody. */
const tracerOf = (pid: number): number =>
  Number(/TracerPid:\t(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

test(
  'CO-21 CO-22 CR-07 CR-09 CR-16 CR-17 CR-18 ST-15 a container goes on, again and again: memory, open files, tmpfs, pipes, mounts, limits',
  needs,
  async () => {
    const source = `${at.place.path}/source`
    mkdirSync(source)
    const bind = { destination: '/data', type: 'bind', source, options: ['rbind', 'ro'] }
    const container = await at.create({ mounts: [bind], cgroups: { memory: { max: 64 << 20 } } })
    const hooks: string[] = []
    for (const point of ['prestart', 'createRuntime', 'poststart'] as const)
      container.hook(point, ({ status, pid }) => void hooks.push(`${point} ${status} ${typeof pid}`))
    const first = await container.run(counter)
    const count = new Count(first)
    await count.goesOn()
    const mounts = mountsOf(first.pid)
    hooks.length = 0

    // It is saved, and goes on.
    const kept = await container.checkpoint({ imagesDir: imagesDir(), leaveRunning: true })
    expect(kept.imageSize).toBeGreaterThan(10_000)
    expect(await container.status2015()).toBe('Running')
    await count.goesOn()

    // It is saved, and ends.
    const saved = imagesDir()
    await container.checkpoint({ imagesDir: saved })
    expect(await first.wait()).toMatchObject({ signal: 'SIGKILL' })
    expect(await container.status()).toBe('stopped')
    expect(await container.status2015()).toBe('Checkpointed')
    const { external_descriptors: streams } = await container.state()
    expect(JSON.parse(readFileSync(`${saved}/descriptors.json`, 'utf8'))).toEqual(streams)
    expect(statSync(saved).mode & 0o777).toBe(0o700)
    const masked = (await readMounts(saved)).find(({ mountPoint }) => mountPoint === '/proc/acpi')
    expect(masked?.key).toBe('mask-/proc/acpi/')
    const last = count.numbers.at(-1)!

    // It goes on, under its id.
    const again = await restored(container, { imagesDir: saved })
    await again.count.goesOn()
    expect(again.count.numbers[0]).toBe(last + 1)
    expect(hooks).toEqual(['prestart creating number', 'createRuntime creating number', 'poststart running number'])
    expect(await container.status2015()).toBe('Running')
    expect(mountsOf(again.init.pid)).toEqual(mounts)
    expect((await container.state()).init_process_pid).toBe(again.init.pid)
    expect(await inside(container, 'head -1 /tmp/count; touch /data/x 2>&1 || true')).toMatch(
      /^1\n.*Read-only file system/,
    )
    await container.pause()
    expect(await container.status()).toBe('paused')

    // One that is paused is saved as well; what is brought back runs.
    const paused = imagesDir()
    await container.checkpoint({ imagesDir: paused })
    await again.init.wait()
    const third = await restored(container, { imagesDir: paused })
    await third.count.goesOn()
    expect((await container.stats()).cgroups.memory).toBeDefined()
    expect(await inside(container, 'cat /sys/fs/cgroup/memory.max')).toBe(String(64 << 20))
    expect(leftBehind()).toEqual([])
    await container.destroy({ force: true })
  },
)

test('CR-21 twenty times, each from where it was: every tenth time it ends, and is brought back', needs, async () => {
  const container = await at.lean({ namespaces: ['mnt', 'pid'] })
  let init = await container.run(counter)
  let count = new Count(init)
  for (let i = 1; i <= 20; i++) {
    await count.goesOn()
    const options = { imagesDir: imagesDir() }
    const ends = i % 10 === 0
    await container.checkpoint({ ...options, leaveRunning: !ends })
    if (ends) {
      await init.wait()
      const last = count.numbers.at(-1)!
      ;({ init, count } = await restored(container, options))
      await count.goesOn()
      expect(count.numbers[0]).toBe(last + 1)
    }
    rmSync(options.imagesDir, { recursive: true })
  }
  expect(leftBehind()).toEqual([])
  await container.destroy({ force: true })
})

test(
  'CR-07 CR-10 CR-13 CO-22 user namespace, a chain of memory dumps; under a new id, below another root',
  needs,
  async () => {
    const maps = { uidMappings: hostIds, gidMappings: hostIds }
    using other = ownRootfs()
    // Without a network namespace of its own it would show the host's /sys, with all that is mounted there.
    const namespaces = [...quick, 'net', 'user'] as const
    const container = await at.create({ ...maps, namespaces })
    const init = await container.run(counter)
    const add = ['ip', 'address', 'add', '10.231.7.1/32', 'dev', 'lo']
    execFileSync('nsenter', [`--net=/proc/${init.pid}/ns/net`, ...add])
    const count = new Count(init)
    await count.goesOn()
    const chain = imagesDir()
    for (const name of ['', '/1', '/2', '/3']) mkdirSync(`${chain}${name}`)
    await container.checkpoint({ imagesDir: `${chain}/1`, preDump: true })
    const { stats } = await container.checkpoint({ imagesDir: `${chain}/2`, preDump: true, parentImg: '../1' })
    expect(stats!.pagesSkippedParent).toBeGreaterThan(0)
    await count.goesOn()
    // With what is in its network, of which we have made nothing.
    await container.checkpoint({ imagesDir: `${chain}/3`, parentImg: '../2', emptyNs: [] })
    await init.wait()
    const last = count.numbers.at(-1)!
    await container.destroy({ force: true })

    const moved = await at.create({ ...maps, namespaces, rootfs: other.path })
    const { init: goneOn, count: further } = await restored(moved, { imagesDir: `${chain}/3`, emptyNs: [] })
    await further.goesOn()
    expect(further.numbers[0]).toBe(last + 1)
    expect(readFileSync(`/proc/${goneOn.pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual(['0', '100000', '65536'])
    expect(await inside(moved, 'cat /proc/self/uid_map | wc -l; echo x > /dev/null; echo ok')).toBe('1\nok')
    expect(await inside(moved, 'ip -o address show dev lo')).toContain('inet 10.231.7.1/32')
    await moved.destroy({ force: true })
  },
)

test('EV-186 ER-06 what does not run is not saved; what runs is not brought back', needs, async () => {
  const container = await at.lean()
  const options = { imagesDir: imagesDir() }
  await expect(container.checkpoint(options)).rejects.toMatchObject({ code: 'ContainerNotRunning' })
  const init = await container.start(counter)
  await expect(container.checkpoint(options)).rejects.toMatchObject({
    code: 'ContainerNotRunning',
    message: expect.stringMatching(/it is created/),
  })
  await container.exec()
  await expect(container.restore({}, options)).rejects.toMatchObject({ code: 'ConfigInvalid', field: 'imagesDir' })
  expect(existsSync(options.imagesDir)).toBe(false)
  mkdirSync(options.imagesDir)
  for (const name of ['inventory.img', 'pstree.img']) writeFileSync(`${options.imagesDir}/${name}`, '')
  await expect(container.restore({}, options)).rejects.toMatchObject({ code: 'ContainerNotStopped' })
  await expect(container.checkpoint(options)).rejects.toMatchObject({ code: 'ConfigInvalid' })
  await expect(container.checkpoint({ ...options, parentImg: '/abs' })).rejects.toMatchObject({ code: 'ConfigInvalid' })
  expect(await container.status()).toBe('running')
  expect(await container.status2015()).toBe('Running')
  init.signal('KILL')
  await init.wait()
  await expect(container.checkpoint(options)).rejects.toMatchObject({ code: 'ContainerNotRunning' })
  await container.destroy()
})

test(
  'CR-17 CVE-2026-115520 a restore mounts over no link, takes no key of an image for a path, and leaves nothing',
  needs,
  async () => {
    const own = ownRootfs()
    const source = `${at.place.path}/shown`
    mkdirSync(source, { recursive: true })
    const mounts = [{ destination: '/var/shown', type: 'bind', source, options: ['ro'] }]
    const container = await at.lean({ rootfs: own.path, mounts })
    const init = await container.run(counter)
    await new Count(init).goesOn()
    const options = { imagesDir: imagesDir() }
    await container.checkpoint(options)
    await init.wait()
    await container.destroy({ force: true })

    // The mount point is a link now, to the host's as CRIU would follow it.
    const outside = `${at.place.path}/outside`
    mkdirSync(outside, { recursive: true })
    rmSync(`${own.path}/var/shown`, { recursive: true, force: true })
    symlinkSync(outside, `${own.path}/var/shown`)
    const linked = await at.lean({ rootfs: own.path, mounts })
    await expect(linked.restore({}, options)).rejects.toMatchObject({ code: 'SystemError' })
    expect(await linked.status()).toBe('stopped')
    expect(leftBehind()).toEqual([])
    await linked.destroy({ force: true })
    rmSync(`${own.path}/var/shown`)

    // The config has no such mount any more.
    const without = await at.lean({ rootfs: own.path })
    await expect(without.restore({}, options)).rejects.toThrow(
      /asks for "mount-\/var\/shown", which is no mount of the config/,
    )
    await without.destroy({ force: true })

    // Corrupt: cut off, and no image at all.
    const [name] = readdirSync(options.imagesDir).filter(each => each.startsWith('mountpoints-'))
    const bytes = readFileSync(`${options.imagesDir}/${name}`)
    const broken = await at.lean({ rootfs: own.path, mounts })
    writeFileSync(`${options.imagesDir}/${name}`, bytes.subarray(0, 50))
    await expect(broken.restore({}, options)).rejects.toThrow(/cut off/)
    await expect(broken.restore({}, { imagesDir: outside })).rejects.toThrow()
    const outwards = Buffer.from(bytes)
    outwards.write('/../../etc', bytes.indexOf('/var/shown'))
    writeFileSync(`${options.imagesDir}/${name}`, outwards)
    await expect(broken.restore({}, options)).rejects.toThrow(/has a mount on "\/..\/..\/etc", which is no plain path/)
    writeFileSync(`${options.imagesDir}/${name}`, bytes)
    expect(await broken.status()).toBe('stopped')
    expect(leftBehind()).toEqual([])

    // As it was, it goes on.
    const { count } = await restored(broken, options)
    await count.goesOn()
    await broken.destroy({ force: true })
    own[Symbol.dispose]()
  },
)

test(
  'CR-16 a restore that is given up, and one whose hook fails, leave nothing; a checkpoint that is given up, and one whose CRIU is killed, leave it running',
  needs,
  async () => {
    const container = await at.lean()
    const init = await container.run(counter)
    const count = new Count(init)
    await count.goesOn()
    for (const how of ['given up', 'killed'] as const) {
      const given = new AbortController()
      using pageServer = await standstill()
      const saving = container.checkpoint(
        { imagesDir: imagesDir(), leaveRunning: how === 'given up', pageServer },
        given,
      )
      saving.catch(() => {})
      await pageServer.reached
      // In the middle of it: CRIU holds its processes by then.
      const tracer = await until('it is traced', () => tracerOf(init.pid) || undefined)
      if (how === 'killed') process.kill(tracer, 'SIGKILL')
      else given.abort(new Error(how))
      await expect(saving).rejects.toThrow(how === 'killed' ? /signal 9 ended it/ : /given up/)
      expect(tracerOf(init.pid)).toBe(0)
      expect(await container.status()).toBe('running')
      expect(await container.status2015()).toBe('Running')
      await count.goesOn()
    }
    const options = { imagesDir: imagesDir() }
    await container.checkpoint(options)
    await init.wait()
    await container.destroy({ force: true })

    const broken = await at.lean()
    broken.hook('createRuntime', () => Promise.reject(new Error('the hook says no')))
    await expect(broken.restore({}, options)).rejects.toThrow(/createRuntime\[0\] failed: the hook says no/)
    expect(await broken.status()).toBe('stopped')
    expect(leftBehind()).toEqual([])
    await broken.destroy({ force: true })

    const given = new AbortController()
    const late = await at.lean()
    late.hook('createRuntime', async () => {
      given.abort(new Error('given up'))
      await new Promise(resolve => setTimeout(resolve, 100))
    })
    await expect(late.restore({ signal: given.signal }, options)).rejects.toThrow()
    expect(await late.status()).toBe('stopped')
    expect(existsSync(`/sys/fs/cgroup/libcontainer-${late.id}`)).toBe(false)
    expect(leftBehind()).toEqual([])
    await late.destroy({ force: true })
  },
)

test('CR-22 without CRIU the call says what is missing', requires('root'), async () => {
  using directory = temporaryDirectory('criu-')
  const factory = await Factory.open(`${directory.path}/state`, { criuPath: `${directory.path}/criu` })
  const container = await factory.create(at?.bench.id() ?? `checkpoint-${process.pid}`, { rootfs: busyboxRootfs() })
  try {
    await container.run(counter)
    await expect(container.checkpoint({ imagesDir: `${directory.path}/images` })).rejects.toMatchObject({
      code: 'SystemError',
      hint: expect.stringMatching(/install the package criu/),
    })
    expect(await container.status()).toBe('running')
  } finally {
    await container.destroy({ force: true })
  }
})
