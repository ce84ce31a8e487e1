import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Factory, type Process } from '@libcontainer/container'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { requires, type TemporaryDirectory, temporaryDirectory } from '../support/index.js'
import { Jail } from './jail.js'

const needs = requires('root', 'rootfs')

let jail: Jail
/** A directory full of what somebody has planted; whoever loads any of it leaves a mark. */
let planted: TemporaryDirectory
let mark: string

beforeAll(async () => {
  jail = await Jail.open()
  planted = temporaryDirectory('planted-')
  mark = join(planted.path, 'mark')
})
afterAll(async () => {
  planted[Symbol.dispose]()
  await jail[Symbol.asyncDispose]()
})
beforeEach(() => jail.victim.restore())

test('NODE-1 an options object that answers differently the second time', needs, async () => {
  using place = temporaryDirectory('getters-')
  const factory = await Factory.open(join(place.path, 'state'))
  const safe: Record<string, unknown> = {
    rootfs: jail.rootfs,
    capabilities: [],
    mounts: undefined,
    maskedPaths: undefined,
  }
  const evil: Record<string, unknown> = {
    ...safe,
    capabilities: null,
    seccomp: null,
    mounts: [{ destination: '/mnt', type: 'bind', source: jail.victim.path }],
    maskedPaths: [],
  }
  const reads = new Map<PropertyKey, number>()
  /** Answers the first time with what is safe. */
  const changes = (first: Record<string, unknown>, then: Record<string, unknown>) => {
    reads.clear()
    return new Proxy(first, {
      get: (_, key) => {
        reads.set(key, (reads.get(key) ?? 0) + 1)
        return (reads.get(key) === 1 ? first : then)[key as string]
      },
      ownKeys: () => Object.keys(then),
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    }) as never
  }
  // Whoever looks twice has checked one thing and does another.
  const twice = changes(safe, evil) as { capabilities: unknown }
  expect([twice.capabilities, twice.capabilities]).toEqual([[], null])
  const container = await factory.create(`getters-${process.pid}`, changes(safe, evil))
  try {
    expect([...reads.values()].filter(count => count > 1)).toEqual([])
    const args = ['/bin/sh', '-c', 'grep -q "CapBnd:.0*$" /proc/self/status && ! cat /mnt/file && exit 7']
    const process = await container.run({ args, env: ['PATH=/bin', 'HOME=/'] })
    expect(await process.wait()).toMatchObject({ code: 7 })
  } finally {
    await container.destroy({ force: true })
  }
  // A field from a prototype is nobody's wish.
  const inherited = Object.create({ readonlyRootfs: true, capabilities: null })
  inherited.rootfs = jail.rootfs
  const second = await factory.create(`getters-${process.pid}`, inherited)
  expect((second.config as { readonlyRootfs?: boolean }).readonlyRootfs ?? false).toBe(false)
  // So with what a process is asked for: the first, and a further one.
  const script = 'id -u; grep -E "CapEff|NoNewPrivs" /proc/self/status'
  const safeSpec: Record<string, unknown> = {
    args: ['/bin/sh', '-c', script],
    env: ['PATH=/bin', 'HOME=/'],
    user: { uid: 1000, gid: 1000 },
    capabilities: [],
    noNewPrivileges: true,
    stdio: ['null', 'pipe', 'pipe'],
  }
  const evilSpec = { ...safeSpec, user: { uid: 0, gid: 0 }, capabilities: null, noNewPrivileges: false }
  const printed = async (child: Process): Promise<string> => {
    let text = ''
    for await (const chunk of child.stdout!) text += chunk
    await child.wait()
    return text
  }
  const wanted = '1000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n'
  try {
    const { user: _, capabilities: __, noNewPrivileges: ___, ...own } = evilSpec
    const polluted = Object.assign(Object.create(evilSpec), own, { capabilities: [], noNewPrivileges: true })
    expect(polluted.user).toEqual({ uid: 0, gid: 0 })
    expect(await printed(await second.run(changes(safeSpec, evilSpec)))).toBe(wanted)
    expect(await printed(await second.run(polluted))).toBe(wanted.replace('1000', '0'))
    await second.destroy({ force: true })
    const third = await factory.create(`getters-${process.pid}`, { rootfs: jail.rootfs })
    await third.run({ args: ['/bin/sleep', '100'], env: ['PATH=/bin', 'HOME=/'] })
    expect(await printed(await third.exec(changes(safeSpec, evilSpec)))).toBe(wanted)
    await third.destroy({ force: true })
  } finally {
    await factory.remove(`getters-${process.pid}`)
  }
})

/** A shared object that leaves a mark as soon as anybody loads it. */
function compileMarking(path: string): void {
  const source = `#include <stdio.h>\n__attribute__((constructor)) static void loaded(void) { FILE *f = fopen("${mark}", "a"); if (f) { fputs("loaded\\n", f); fclose(f); } }`
  execFileSync('gcc', ['-shared', '-fPIC', '-x', 'c', '-o', path, '-'], { input: source })
}

test(
  'NODE-2 NODE-3 an addon or a helper in the working directory, and an environment that loads something, reach neither init nor the program',
  requires('root', 'rootfs', 'program:gcc'),
  async () => {
    const evil = join(planted.path, 'evil.so')
    compileMarking(evil)
    const packages = fileURLToPath(new URL('../../packages/', import.meta.url))
    for (const name of ['sys', 'mount', 'init', 'container']) {
      const folders = [
        `node_modules/@libcontainer/${name}`,
        `build/Release`,
        `prebuilds/linux-${process.arch}`,
        `dist`,
        `packages/${name}`,
      ]
      for (const folder of folders) mkdirSync(join(planted.path, folder), { recursive: true })
      for (const path of [`build/Release/${name}.node`, `prebuilds/linux-${process.arch}/${name}.node`, `${name}.node`])
        execFileSync('cp', [evil, join(planted.path, path)])
      const module = `require('fs').appendFileSync(${JSON.stringify(mark)}, 'loaded')`
      writeFileSync(join(planted.path, `node_modules/@libcontainer/${name}/index.js`), module)
    }
    writeFileSync(join(planted.path, 'evil.cjs'), `require('fs').appendFileSync(${JSON.stringify(mark)}, 'loaded')`)
    const had = { ...process.env }
    const directory = process.cwd()
    try {
      const poison = {
        LD_PRELOAD: evil,
        LD_LIBRARY_PATH: planted.path,
        NODE_OPTIONS: `--require ${planted.path}/evil.cjs`,
      }
      spawnSync('/bin/true', { env: { ...had, LD_PRELOAD: evil } })
      expect(readFileSync(mark, 'utf8')).toBe('loaded\n')
      execFileSync('/bin/rm', [mark])
      Object.assign(process.env, poison)
      process.chdir(planted.path)
      let helper = ''
      const real = await jail.run('env', {
        spec: { env: ['PATH=/bin', 'HOME=/'] },
        answers: {
          ready: ({ pid }) => {
            helper = readFileSync(`/proc/${pid}/environ`, 'utf8')
            return undefined
          },
        },
      })
      expect(helper).toBe('')
      expect(real.stdout.split('\n').filter(line => !/^(PWD|SHLVL|OLDPWD)=/.test(line))).toEqual([
        'HOME=/',
        'PATH=/bin',
        '',
      ])
      expect(existsSync(mark)).toBe(false)
    } finally {
      for (const name of ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'NODE_OPTIONS']) delete process.env[name]
      Object.assign(process.env, had)
      process.chdir(directory)
    }
    // An engine that starts in that directory.
    const main = `
      const { Factory } = await import(${JSON.stringify(join(packages, 'container/dist/index.js'))})
      const factory = await Factory.open(process.argv[1])
      const container = await factory.create('planted-${process.pid}', { rootfs: process.argv[2] })
      const child = await container.run({ args: ['/bin/true'], env: ['PATH=/bin', 'HOME=/'] })
      process.exitCode = (await child.wait()).code + 3
      await container.destroy({ force: true })`
    const run = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', main, join(jail.victim.place, 'state'), jail.rootfs],
      {
        cwd: planted.path,
        encoding: 'utf8',
      },
    )
    expect([run.status, run.stderr]).toEqual([3, ''])
    expect(existsSync(mark)).toBe(false)
  },
)

/** What of its threads a call could have changed: ids, rights, masks, filters, namespaces, directory, root. */
function threads(): string[] {
  const fields = /^(Umask|Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp|SigBlk|SigIgn|Speculation\w+|Cpus_allowed|NSpid)\b/
  const read = (of: () => string): string => {
    try {
      return of()
    } catch {
      return 'gone'
    }
  }
  return [
    ...new Set(
      readdirSync('/proc/self/task').map(task => {
        const path = `/proc/self/task/${task}`
        const status = read(() => readFileSync(`${path}/status`, 'utf8')).split('\n')
        // The number of each thread is its own.
        const kept = status.filter(line => fields.test(line) && !/^NSpid/.test(line))
        const links = ['cwd', 'root', ...readdirSync(`${path}/ns`).map(name => `ns/${name}`)]
        return [...kept, ...links.map(name => read(() => readlinkSync(`${path}/${name}`)))].join('\n')
      }),
    ),
  ]
}

test('NODE-4 no thread of this process changes its rights or namespaces, whatever is called', needs, async () => {
  const mask = process.umask()
  using place = temporaryDirectory('threads-')
  const factory = await Factory.open(join(place.path, 'state'))
  const id = `threads-${process.pid}`
  const script = ['/bin/sh', '-c', 'exit 0']
  const spec = { args: script, env: ['PATH=/bin', 'HOME=/'], user: { uid: 5, gid: 5 } }
  const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
  const kinds = ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'] as const
  await jail.run('true')
  const before = threads()
  // The comparison sees what a call does to this process.
  process.umask(0o777 & ~mask)
  expect(threads()).not.toEqual(before)
  process.umask(mask)
  expect(threads()).toEqual(before)
  const same = async (what: string, call: () => Promise<unknown>): Promise<void> => {
    await call().catch(() => {})
    expect(threads(), what).toEqual(before)
  }
  const container = await factory.create(id, { rootfs: jail.rootfs, hostname: 'threads' })
  try {
    await same('start', () => container.start({ args: ['/bin/sleep', '100'], env: ['PATH=/bin', 'HOME=/'] }))
    await same('go', () => container.exec())
    await same('exec', async () => await (await container.exec({ ...spec, cwd: '/tmp', umask: 0o027 })).wait())
    await same('addMounts', () => container.addMounts([{ destination: '/mnt', type: 'tmpfs' }]))
    await same('removeMounts', () => container.removeMounts(['/mnt']))
    await same('set', () => container.set({ cgroups: { pids: { max: 50 } } }))
    for (const name of ['status', 'state', 'ociState', 'processes', 'stats', 'pause', 'resume'] as const)
      await same(name, () => container[name]())
    await same('load', () => factory.load(id))
    await same('list', () => factory.list())
    await same('signal', () => container.signal('TERM'))
    await same('a start that fails', () => jail.run('', { spec: { args: ['/no/such'] } }))
    await same('a user namespace', () =>
      jail.run('true', { config: { namespaces: kinds, uidMappings: map, gidMappings: map } }),
    )
  } finally {
    await same('destroy', () => container.destroy({ force: true }))
  }
})
