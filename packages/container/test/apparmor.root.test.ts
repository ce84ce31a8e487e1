import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import {
  defaultProfile,
  getLabel,
  isLoaded,
  loadPrivateProfile,
  loadProfile,
  type ProfileRules,
  privateProfileName,
  removeProfile,
} from '@libcontainer/apparmor'
import type { ContainerConfig } from '@libcontainer/container'
import { defaultMounts } from '@libcontainer/mount'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  alive,
  requires,
  shellCommand,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../test/support/index.js'
import { fakeProc, mountingOverProc, written } from './fake-proc.js'
import { Bench, finished, hostIds, inside, ownRootfs, sh, sleeper } from './support.js'

const needs = requires('root', 'rootfs', 'lsm:apparmor', 'program:apparmor_parser')
const [box, other, absent] = ['box', 'other', 'absent'].map(name => `lc-${process.pid}-${name}`) as [
  string,
  string,
  string,
]
let cache: TemporaryDirectory
let outsider: ChildProcess

beforeAll(async () => {
  if (needs.skip) return
  outsider = spawn('sleep', ['1000'], { stdio: 'ignore' })
  cache = temporaryDirectory('container-apparmor-')
  const load = (profile: ProfileRules) => loadProfile(profile, { cache: cache.path })
  await load(defaultProfile(box))
  await load({ ...defaultProfile(other), deniedFiles: [{ path: '/etc/passwd', permissions: 'r' }] })
})
afterAll(async () => {
  if (needs.skip) return
  outsider.kill('SIGKILL')
  for (const name of [box, other]) await removeProfile(name)
  cache[Symbol.dispose]()
})

/** Nothing but a profile keeps root from anything. */
const open: Partial<ContainerConfig> = {
  capabilities: null,
  seccomp: null,
  maskedPaths: [],
  readonlyPaths: [],
  readonlyRootfs: false,
  namespaces: ['mnt', 'ipc', 'uts', 'net'],
}
const labelOf = async (pid: number): Promise<string | undefined> => (await getLabel(pid))?.text

test('AA-04 the default profile: no mounts, no sysrq, nobody outside; and it can do its work', needs, async () => {
  await using bench = await Bench.open('apparmor')
  using rootfs = ownRootfs()
  const script = `exec 2>&1
    echo h > /proc/sysrq-trigger && echo triggered
    mount -t tmpfs none /mnt && echo mounted
    cat /proc/${outsider.pid}/environ > /dev/null && echo looked
    kill -CONT ${outsider.pid} && echo signalled
    echo work > /tmp/file && chown 1:1 /tmp/file && cat /tmp/file && rm /tmp/file
    sleep 1000 & kill $! && cat /proc/$!/environ > /dev/null && echo own
    ifconfig lo 127.0.0.1 up && ping -c 1 -w 5 127.0.0.1 > /dev/null && echo network; true`
  mkdirSync(`${rootfs.path}/mnt`, { recursive: true })
  const config = { ...open, rootfs: rootfs.path }
  const free = await bench.text(script, config)
  for (const word of ['triggered', 'mounted', 'looked', 'signalled', 'work', 'network']) expect(free).toContain(word)
  const held = await bench.text(script, { ...config, apparmorProfile: box })
  for (const word of ['triggered', 'mounted', 'looked', 'signalled']) expect(held).not.toContain(word)
  expect(held.match(/denied/gi)?.length, held).toBe(4)
  for (const word of ['work', 'network']) expect(held).toContain(word)
  expect(alive(outsider.pid!)).toBe(true)
})

test(
  'AA-02 AA-08 first and further processes are under it, seen from outside; a further one has its own word',
  needs,
  async () => {
    await using bench = await Bench.open('apparmor-exec')
    for (const more of [{}, { noNewPrivileges: true }, { seccomp: undefined, capabilities: [] }]) {
      const { container, init } = await bench.running({ apparmorProfile: box, ...more })
      expect(await labelOf(init.pid)).toBe(box)
      const further = async (apparmorProfile?: string): Promise<string | undefined> => {
        const process = await container.exec({ ...sleeper, apparmorProfile })
        const label = await labelOf(process.pid)
        process.signal('SIGKILL')
        await process.wait()
        return label
      }
      expect([await further(), await further(''), await further(other), await further('unconfined')]).toEqual([
        box,
        box,
        other,
        'unconfined',
      ])
      expect(await inside(container, 'cat /proc/self/attr/current')).toBe(`${box} (enforce)`)
      await container.destroy({ force: true })
    }
    expect(await labelOf(process.pid)).toBe('unconfined')
  },
)

test(
  'CVE-2025-65105 EV-114 a profile that is not loaded ends the start, with the remedy, and nothing is left',
  needs,
  async () => {
    await using bench = await Bench.open('apparmor-absent')
    const refusal = {
      message: expect.stringContaining(absent),
      hint: expect.stringContaining('apparmor_parser --replace'),
    }
    const container = await bench.create({ apparmorProfile: absent })
    await expect(container.run(sleeper)).rejects.toMatchObject(refusal)
    expect((await container.status()) === 'stopped').toBe(true)
    const { container: running, init } = await bench.running({ apparmorProfile: box })
    await expect(running.exec({ ...sleeper, apparmorProfile: absent })).rejects.toMatchObject(refusal)
    expect([await labelOf(init.pid), await running.processes()]).toEqual([box, [init.pid]])
  },
)

test(
  'BY-14 a profile of each container’s own: no signals between them, mounts where they may nest, and gone with it',
  needs,
  async () => {
    await using bench = await Bench.open('apparmor-private')
    const ids = ['one', 'two'].map(name => `${process.pid}.${name}`)
    const profiles = await Promise.all(
      ids.map((id, i) => loadPrivateProfile(id, { cache: cache.path, nesting: i === 1 })),
    )
    try {
      expect(readdirSync(cache.path).filter(name => name.startsWith('libcontainer-'))).toEqual([])
      const start = async (i: number) => {
        const { name, profile } = profiles[i]!
        expect([name, profile, await isLoaded(name)]).toEqual([privateProfileName(ids[i]!), name, true])
        const running = await bench.running({ ...open, apparmorProfile: profile })
        expect(await labelOf(running.init.pid)).toBe(name)
        return running
      }
      const [one, two] = [await start(0), await start(1)]
      const script = (pid: number): string =>
        `kill -CONT ${pid} && echo signalled; mount -t tmpfs none /dev/shm && echo mounted; sleep 1000 & kill $! && echo own; true`
      const says = async ({ container }: typeof one, pid: number): Promise<string> =>
        (await finished(await container.exec(sh(script(pid), { stdio: ['null', 'pipe', 'pipe'] })))).stdout
      expect(await says(one, two.init.pid)).toBe('own\n')
      expect(await says(two, one.init.pid)).toBe('mounted\nown\n')
      expect(await says(two, two.init.pid)).toContain('signalled')
      for (const { container } of [one, two]) await container.destroy({ force: true })
    } finally {
      for (const profile of profiles) await profile.remove()
    }
    for (const { name } of profiles) expect(await isLoaded(name)).toBe(false)
  },
)

test('HK-04 a hook in the container is under it as well', needs, async () => {
  await using bench = await Bench.open('apparmor-hook')
  using rootfs = ownRootfs()
  writeFileSync(`${rootfs.path}/told`, '')
  const hooks = {
    startContainer: [
      shellCommand('cat /proc/self/attr/current > /told; cat /etc/passwd >> /told || true', { env: ['PATH=/bin'] }),
    ],
  }
  const { init } = await bench.running({
    rootfs: rootfs.path,
    readonlyRootfs: false,
    apparmorProfile: other,
    hooks,
  })
  expect(readFileSync(`${rootfs.path}/told`, 'utf8')).toBe(`${other} (enforce)\n`)
  expect(await labelOf(init.pid)).toBe(other)
})

test('AA-09 stacked, and in a user namespace', needs, async () => {
  await using bench = await Bench.open('apparmor-user')
  using rootfs = ownRootfs()
  const { init } = await bench.running({ apparmorProfile: `&${box}` })
  expect((await getLabel(init.pid))?.profiles.map(({ name }) => name)).toContain(box)
  const { container, init: lent } = await bench.running({
    rootfs: rootfs.path,
    namespaces: ['user', 'mnt', 'pid', 'ipc', 'uts', 'net'],
    uidMappings: hostIds,
    gidMappings: hostIds,
    apparmorProfile: box,
  })
  expect(await labelOf(lent.pid)).toBe(box)
  const exec = await container.exec(sleeper)
  expect(await labelOf(exec.pid)).toBe(box)
})

test('AA-03 CVE-2019-16884 CVE-2023-28642 fake files of an image or a hook take no label', needs, async () => {
  await using bench = await Bench.open('apparmor-fake')
  using rootfs = ownRootfs()
  using volume = temporaryDirectory('apparmor-volume-')
  const fakes = [`${rootfs.path}/proc`, volume.path]
  fakes.forEach(fakeProc)
  const mounts = defaultMounts.filter(({ destination }) => !destination.startsWith('/proc'))
  const config = { ...open, rootfs: rootfs.path, mounts, apparmorProfile: box } as const
  const over = shellCommand(`mount --bind ${volume.path} ${rootfs.path}/proc`, {
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
  })
  for (const hooks of [{}, { createContainer: [over] }]) {
    const { container, init } = await bench.running({ ...config, hooks })
    expect(await labelOf(init.pid)).toBe(box)
    const exec = await finished(
      await container.exec({ args: ['/bin/sh', '-c', 'mount -t tmpfs none /mnt'], stdio: ['null', 'pipe', 'pipe'] }),
    )
    expect([exec.code, exec.stderr]).toEqual([expect.any(Number), expect.stringMatching(/denied/)])
    const further = await container.exec(sleeper)
    expect(await labelOf(further.pid)).toBe(box)
    await container.destroy({ force: true })
  }
  expect(fakes.flatMap(written)).toEqual([])
  // A volume over the files themselves is refused before anything is made.
  for (const task of ['self', 'thread-self']) {
    const volumes = [...defaultMounts, { destination: `/proc/${task}/attr`, type: 'bind', source: volume.path }]
    await expect(bench.create({ ...config, mounts: volumes })).rejects.toMatchObject({ code: 'ConfigInvalid' })
  }
})

test(
  'CVE-2025-52881 CVE-2025-62596 whoever mounts over /proc meanwhile: the profile is in force, or it is an error',
  needs,
  async () => {
    await using bench = await Bench.open('apparmor-race')
    using rootfs = ownRootfs()
    fakeProc(`${rootfs.path}/fake`)
    const { container, init } = await bench.running({ ...open, rootfs: rootfs.path, apparmorProfile: box })
    await using _ = await mountingOverProc(init.pid, '/fake')
    for (let i = 0; i < 10; i++) {
      const process = await container.exec({ ...sleeper, apparmorProfile: other }).catch(() => undefined)
      if (process === undefined) continue
      expect(await labelOf(process.pid)).toBe(other)
      process.signal('SIGKILL')
      await process.wait()
    }
    expect(written(`${rootfs.path}/fake`)).toEqual([])
  },
)
