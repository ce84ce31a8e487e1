import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Container, ContainerConfig, Process, RestoreOptions } from '@libcontainer/container'
import { Factory } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  busyboxRootfs,
  requires,
  type TemporaryDirectory,
  temporaryDirectory,
  until,
} from '../../../test/support/index.js'
import { Bench, hostIds, inside, ownRootfs, sh } from './support.js'

const needs = { ...requires('root', 'criu', 'cgroup2'), timeout: 120_000 }

let bench: Bench
let place: TemporaryDirectory
let rootfs: TemporaryDirectory
let images = 0

beforeAll(async () => {
  if (needs.skip) return
  bench = await Bench.open('checkpoint')
  place = temporaryDirectory('images-')
  rootfs = ownRootfs()
})
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]()
  for (const directory of [place, rootfs]) directory?.[Symbol.dispose]()
})

const imagesDir = (): string => `${place.path}/${++images}`

/** Those of a network take CRIU some seconds in an emulator. */
const quick = ['mnt', 'pid', 'ipc', 'uts', 'cgroup'] as const
const tmp = { destination: '/tmp', type: 'tmpfs' }
const config = (more: Partial<ContainerConfig> = {}): Partial<ContainerConfig> => ({
  rootfs: rootfs.path,
  namespaces: quick,
  ...more,
  mounts: [...defaultMounts.filter(({ type }) => type !== 'mqueue'), tmp, ...(more.mounts ?? [])],
})

/** Counts in memory, to its output and to a file that it has open. */
const counter = sh('exec 3>/tmp/count; i=0; while :; do i=$((i+1)); echo $i; echo $i >&3; sleep 0.05; done', {
  stdio: ['null', 'pipe', 'null'],
})

/** What a counter has said. */
class Count {
  readonly numbers: number[] = []
  #rest = ''

  constructor({ stdout }: Process) {
    void (async () => {
      for await (const chunk of stdout as AsyncIterable<Uint8Array>) {
        const lines = (this.#rest + Buffer.from(chunk).toString()).split('\n')
        this.#rest = lines.pop()!
        this.numbers.push(...lines.map(Number))
      }
    })()
  }

  /** Waits until it has gone on; what it says has no gap. */
  async goesOn(): Promise<void> {
    const seen = this.numbers.length
    await until('the counter goes on', () => this.numbers.length > seen + 2)
    const [first] = this.numbers
    expect(this.numbers).toEqual(this.numbers.map((_, i) => first! + i))
  }
}

async function restored(container: Container, options: RestoreOptions): Promise<{ init: Process; count: Count }> {
  const init = await container.restore({ stdio: ['null', 'pipe', 'null'] }, options)
  return { init, count: new Count(init) }
}

const mountsOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .trim()
    .split('\n')
    .map(line => line.split(' '))
    .map(fields => `${fields[4]} ${fields[5]} ${fields[fields.indexOf('-') + 1]}`)
    .sort()

const leftBehind = (): string[] => [
  ...readdirSync('/run').filter(name => name.startsWith('libcontainer-criu-')),
  ...readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.includes('libcontainer-criu-') || line.includes('.criu.')),
]

test(
  'CO-21 CO-22 CR-07 CR-09 CR-16 CR-17 CR-18 ST-15 a container goes on, again and again: memory, open files, tmpfs, pipes, mounts, limits',
  needs,
  async () => {
    const source = `${place.path}/source`
    mkdirSync(source)
    const bind = { destination: '/data', type: 'bind', source, options: ['rbind', 'ro'] }
    const container = await bench.create(config({ mounts: [bind], cgroups: { memory: { max: 64 << 20 } } }))
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

test('CR-21 again and again, each time from where it was', needs, async () => {
  const container = await bench.create(config({ namespaces: ['mnt', 'pid'] }))
  let init = await container.run(counter)
  let count = new Count(init)
  for (let i = 0; i < 3; i++) {
    await count.goesOn()
    const options = { imagesDir: imagesDir() }
    await container.checkpoint(options)
    await init.wait()
    const last = count.numbers.at(-1)!
    ;({ init, count } = await restored(container, options))
    await count.goesOn()
    expect(count.numbers[0]).toBe(last + 1)
    rmSync(options.imagesDir, { recursive: true })
  }
  await container.destroy({ force: true })
})

test(
  'CR-07 CR-10 CO-22 user namespace, a chain of memory dumps; under a new id, below another root',
  needs,
  async () => {
    const maps = { uidMappings: hostIds, gidMappings: hostIds }
    using other = ownRootfs()
    // Without a network namespace of its own it would show the host's /sys, with all that is mounted there.
    const namespaces = [...quick, 'net', 'user'] as const
    const container = await bench.create(config({ ...maps, namespaces }))
    const init = await container.run(counter)
    const count = new Count(init)
    await count.goesOn()
    const chain = imagesDir()
    for (const name of ['', '/1', '/2', '/3']) mkdirSync(`${chain}${name}`)
    await container.checkpoint({ imagesDir: `${chain}/1`, preDump: true })
    const { stats } = await container.checkpoint({ imagesDir: `${chain}/2`, preDump: true, parentImg: '../1' })
    expect(stats!.pagesSkippedParent).toBeGreaterThan(0)
    await count.goesOn()
    await container.checkpoint({ imagesDir: `${chain}/3`, parentImg: '../2' })
    await init.wait()
    const last = count.numbers.at(-1)!
    await container.destroy({ force: true })

    const moved = await bench.create(config({ ...maps, namespaces, rootfs: other.path }))
    const { init: goneOn, count: further } = await restored(moved, { imagesDir: `${chain}/3` })
    await further.goesOn()
    expect(further.numbers[0]).toBe(last + 1)
    expect(readFileSync(`/proc/${goneOn.pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual(['0', '100000', '65536'])
    expect(await inside(moved, 'cat /proc/self/uid_map | wc -l; echo x > /dev/null; echo ok')).toBe('1\nok')
    await moved.destroy({ force: true })
  },
)

test('EV-186 ER-06 what does not run is not saved; what runs is not brought back', needs, async () => {
  const container = await bench.create(config())
  const options = { imagesDir: imagesDir() }
  await expect(container.checkpoint(options)).rejects.toMatchObject({ code: 'ContainerNotRunning' })
  const init = await container.start(counter)
  await expect(container.checkpoint(options)).rejects.toMatchObject({
    code: 'ContainerNotRunning',
    message: expect.stringMatching(/it is created/),
  })
  await container.exec()
  await expect(container.restore({}, options)).rejects.toMatchObject({ code: 'ContainerNotStopped' })
  expect(existsSync(options.imagesDir)).toBe(false)
  mkdirSync(options.imagesDir)
  writeFileSync(`${options.imagesDir}/x.img`, '')
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
    const source = `${place.path}/shown`
    mkdirSync(source, { recursive: true })
    const mounts = [{ destination: '/var/shown', type: 'bind', source, options: ['ro'] }]
    const container = await bench.create(config({ rootfs: own.path, mounts }))
    const init = await container.run(counter)
    await new Count(init).goesOn()
    const options = { imagesDir: imagesDir() }
    await container.checkpoint(options)
    await init.wait()
    await container.destroy({ force: true })

    // The mount point is a link now, to the host's as CRIU would follow it.
    const outside = `${place.path}/outside`
    mkdirSync(outside, { recursive: true })
    rmSync(`${own.path}/var/shown`, { recursive: true, force: true })
    symlinkSync(outside, `${own.path}/var/shown`)
    const linked = await bench.create(config({ rootfs: own.path, mounts }))
    await expect(linked.restore({}, options)).rejects.toMatchObject({ code: 'SystemError' })
    expect(await linked.status()).toBe('stopped')
    expect(leftBehind()).toEqual([])
    await linked.destroy({ force: true })
    rmSync(`${own.path}/var/shown`)

    // The config has no such mount any more.
    const without = await bench.create(config({ rootfs: own.path }))
    await expect(without.restore({}, options)).rejects.toThrow(
      /asks for "mount-\/var\/shown", which is no mount of the config/,
    )
    await without.destroy({ force: true })

    // Corrupt: cut off, and no image at all.
    const [name] = readdirSync(options.imagesDir).filter(each => each.startsWith('mountpoints-'))
    const bytes = readFileSync(`${options.imagesDir}/${name}`)
    const broken = await bench.create(config({ rootfs: own.path, mounts }))
    writeFileSync(`${options.imagesDir}/${name}`, bytes.subarray(0, 50))
    await expect(broken.restore({}, options)).rejects.toThrow(/cut off/)
    await expect(broken.restore({}, { imagesDir: outside })).rejects.toThrow()
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
  'CR-16 a restore that is given up, and one whose hook fails, leave nothing; a checkpoint that is given up leaves it running',
  needs,
  async () => {
    const container = await bench.create(config())
    const init = await container.run(counter)
    const count = new Count(init)
    await count.goesOn()
    // In the middle of it: its processes stand still by then.
    for (const leaveRunning of [true, false]) {
      const given = new AbortController()
      const freeze = `/sys/fs/cgroup/libcontainer-${container.id}/cgroup.freeze`
      const saving = container.checkpoint({ imagesDir: imagesDir(), leaveRunning }, given)
      await until('the dump is under way', () => readFileSync(freeze, 'utf8').trim() === '1')
      given.abort(new Error('given up'))
      await expect(saving).rejects.toThrow(/given up/)
      expect(await container.status()).toBe('running')
      expect(await container.status2015()).toBe('Running')
      await count.goesOn()
    }
    const options = { imagesDir: imagesDir() }
    await container.checkpoint(options)
    await init.wait()
    await container.destroy({ force: true })

    const broken = await bench.create(config())
    broken.hook('createRuntime', () => Promise.reject(new Error('the hook says no')))
    await expect(broken.restore({}, options)).rejects.toThrow(/createRuntime\[0\] failed: the hook says no/)
    expect(await broken.status()).toBe('stopped')
    expect(leftBehind()).toEqual([])
    await broken.destroy({ force: true })

    const given = new AbortController()
    const late = await bench.create(config())
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

test('CR-08 a network namespace that the container has joined is joined again', needs, async () => {
  const name = `checkpoint-${process.pid}`
  execFileSync('ip', ['netns', 'add', name])
  try {
    const path = `/run/netns/${name}`
    const container = await bench.create(config({ namespaces: [...quick, { kind: 'net', path }] }))
    const init = await container.run(counter)
    await new Count(init).goesOn()
    const options = { imagesDir: imagesDir() }
    await container.checkpoint(options)
    await init.wait()
    const again = await restored(container, options)
    await again.count.goesOn()
    expect(statSync(`/proc/${again.init.pid}/ns/net`).ino).toBe(statSync(path).ino)
    await container.destroy({ force: true })
  } finally {
    execFileSync('ip', ['netns', 'delete', name])
  }
})

test('CR-22 without CRIU the call says what is missing', requires('root'), async () => {
  using directory = temporaryDirectory('criu-')
  const factory = await Factory.open(`${directory.path}/state`, { criuPath: `${directory.path}/criu` })
  const container = await factory.create(bench?.id() ?? `checkpoint-${process.pid}`, { rootfs: busyboxRootfs() })
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
