import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newConsole } from '@libcontainer/console'
import { Factory } from '@libcontainer/container'
import { writeIdMaps } from '@libcontainer/namespaces'
import { systemdProperties } from '@libcontainer/oci'
import { POLLIN, poll, slot } from '@libcontainer/sys'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { unitPropertiesOf } from '../../packages/lcrun/dist/unit-properties.js'
import { requires, type TemporaryDirectory, temporaryDirectory, until } from '../support/index.js'
import { compilePusher } from '../support/pusher.js'
import { Jail } from './jail.js'
import { inFront } from './weaken.js'

const needs = requires('root', 'rootfs')

let jail: Jail
/** A directory full of what somebody has planted; whoever runs or loads any of it leaves a mark. */
let planted: TemporaryDirectory
let mark: string

beforeAll(async () => {
  jail = await Jail.open()
  planted = temporaryDirectory('planted-')
  chmodSync(planted.path, 0o755)
  mark = join(planted.path, 'mark')
})
afterAll(async () => {
  planted[Symbol.dispose]()
  await jail[Symbol.asyncDispose]()
})
beforeEach(() => jail.victim.restore())

/** Those of its sockets that have a name in the abstract namespace, which any process of the same network namespace reaches. */
function abstractSockets(pid: number): string[] {
  const own = readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
    } catch {
      return []
    }
  })
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(fields => own.includes(fields[6] ?? '') && fields[7]?.startsWith('@'))
    .map(fields => fields[7]!)
}

test('CVE-2020-15257 no abstract socket, which a container on the host’s network would reach', needs, async () => {
  const config = { namespaces: ['mnt', 'pid', 'ipc', 'uts'] as const }
  const name = `escape-${process.pid}`
  const server = createServer().listen(`\0${name}`)
  await once(server, 'listening')
  const seen = await jail.run(`grep -c @${name} /proc/net/unix`, { config })
  expect(seen.stdout).toBe('1\n')
  expect(abstractSockets(process.pid)).toEqual([expect.stringMatching(`^@${name}@*$`)])
  server.close()
  await once(server, 'close')

  using place = temporaryDirectory('sockets-')
  const root = join(place.path, 'state')
  const factory = await Factory.open(root)
  const container = await factory.create(name, { rootfs: jail.rootfs, ...config })
  try {
    const init = await container.start({ args: ['/bin/sleep', '100'], env: ['PATH=/bin', 'HOME=/'] })
    expect(abstractSockets(process.pid)).toEqual([])
    expect(abstractSockets(init.pid)).toEqual([])
    // It waits on a socket with a path, behind a directory of the host's root alone.
    expect(statSync(root).mode & 0o077).toBe(0)
    await container.exec()
    const further = await container.exec({ args: ['/bin/sleep', '100'], env: ['PATH=/bin', 'HOME=/'] })
    for (const pid of [process.pid, init.pid, further.pid]) expect(abstractSockets(pid)).toEqual([])
  } finally {
    await container.destroy({ force: true })
  }
})

test('CVE-2024-3154 properties of the unit, by annotations', () => {
  const prefix = 'org.systemd.property.'
  const dangerous = ['SuccessAction', 'FailureAction', 'JobTimeoutAction', 'StartLimitAction', 'OnFailure', 'OnSuccess']
  const running = ['ExecStart', 'ExecStartPre', 'ExecStop', 'ExecStopPost', 'ExecReload', 'ExecCondition']
  const more = [
    'DeviceAllow',
    'DevicePolicy',
    'Delegate',
    'Conflicts',
    'Requires',
    'BindsTo',
    'PropagatesStopTo',
    'User',
  ]
  for (const name of [...dangerous, ...running, ...more]) {
    const annotations = { [`${prefix}${name}`]: "'poweroff-force'" }
    // Whoever hands on all that annotations ask for hands this on.
    expect(systemdProperties(annotations)).toMatchObject([{ name, value: 'poweroff-force' }])
    expect(() => unitPropertiesOf(annotations), name).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
  }
  expect(unitPropertiesOf({ [`${prefix}TimeoutStopUSec`]: 'uint64 5' })).toHaveLength(1)
})

test(
  'CVE-2026-84042 programs of the image, or of PATH, under the names of helpers',
  requires('root', 'rootfs', 'namespace:user'),
  async () => {
    const script = `#!/bin/sh\necho run >> ${mark}\n`
    const names = [
      'newuidmap',
      'newgidmap',
      'criu',
      'apparmor_parser',
      'slirp4netns',
      'pasta',
      'init',
      'sh',
      'mount',
      'ip',
      'nsenter',
    ]
    for (const name of names) {
      for (const folder of ['bin', 'usr/bin', 'sbin', 'usr/local/bin'])
        if (name !== 'sh' && name !== 'mount') jail.file(`${folder}/${name}`, script, 0o755)
      writeFileSync(join(planted.path, name), script, { mode: 0o755 })
    }
    const { PATH, SHELL } = process.env
    process.env.PATH = `${planted.path}:${join(jail.rootfs, 'bin')}`
    const [directory] = [process.cwd()]
    process.chdir(planted.path)
    const sleeper = spawn('/usr/bin/unshare', ['--user', '/bin/sleep', '100'], { stdio: 'ignore' })
    try {
      spawnSync('newuidmap', ['1', '0', '0', '1'])
      expect(readFileSync(mark, 'utf8')).toBe('run\n')
      execFileSync('/bin/rm', [mark])
      const map = [{ containerId: 0, hostId: 100000, size: 65536 }]
      const kinds = ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'] as const
      const spec = { env: [`PATH=${planted.path}:/usr/local/bin:/bin`] }
      for (const config of [{}, { namespaces: kinds, uidMappings: map, gidMappings: map }])
        expect((await jail.run('true', { config, spec })).refused).toBeUndefined()
      // As who has no right to write them itself: by the programs of package uidmap, if at all.
      await until(
        'its own user namespace',
        () => readlinkSync(`/proc/${sleeper.pid}/ns/user`) !== readlinkSync('/proc/self/ns/user'),
      )
      await writeIdMaps(sleeper.pid!, { uid: map, gid: map }).catch(() => {})
      expect(existsSync(mark)).toBe(false)
    } finally {
      sleeper.kill('SIGKILL')
      process.chdir(directory)
      process.env.PATH = PATH
      process.env.SHELL = SHELL
      for (const name of names) if (!['sh', 'mount'].includes(name)) jail.remove(`usr/local/bin/${name}`)
    }
  },
)

test(
  'CVE-2021-43784 lengths beyond 16 bits: there is no message whose fields they could fill (a weakened twin cannot be)',
  needs,
  async () => {
    const long = 'x'.repeat(70_000)
    const bad = [
      { mounts: [{ destination: '/mnt', source: `/${long}`, type: 'bind' }] },
      { mounts: [{ destination: `/${long}`, type: 'tmpfs' }] },
      { namespaces: ['mnt', { kind: 'net', path: `/${long}` }] as const },
      { hostname: long },
      { maskedPaths: [`/${long}`] },
    ]
    for (const config of bad) {
      const refusal = await jail.run('true', { config }).then(
        ({ refused }) => refused,
        error => error,
      )
      expect(refusal, Object.keys(config)[0]).toMatchObject({
        code: expect.stringMatching(/^(ConfigInvalid|ENAMETOOLONG|ENOENT)$/),
      })
    }
    // What may be so long arrives as it is: the plan has lengths of 32 bits, and all of them are checked.
    const text = `${'A'.repeat(65_536)}\u0001\u0004CAP_SYS_ADMIN`
    const env = [`TEXT=${text}`, 'PATH=/bin', 'HOME=/']
    const real = await jail.run('printf %s "$TEXT" | wc -c; grep CapEff /proc/self/status', {
      spec: { env, capabilities: [] },
    })
    expect(real.stdout).toBe(`${text.length}\nCapEff:\t0000000000000000\n`)
  },
)

test(
  'CVE-2016-10124 CVE-2017-5226 nothing is pushed into the terminal of whoever has started it',
  requires('root', 'rootfs', 'program:gcc'),
  async () => {
    execFileSync('cp', [compilePusher(jail.victim.place), join(jail.rootfs, 'bin/pusher')])
    const console = await newConsole(0, 0)
    try {
      const slave = console.slave.fd
      const stdio = [slave, slave, slave] as const
      /** What a shell there would read as typed. */
      const typed = async (): Promise<string> => {
        let text = ''
        while ((await poll(slave, POLLIN, { signal: AbortSignal.timeout(50) }).catch(() => 0)) !== 0)
          text += execFileSync('head', ['-c', '6'], { stdio: [slave, 'pipe', 'pipe'], encoding: 'utf8' })
        return text
      }
      // Without a session of its own the caller's terminal is its own, too.
      const weak = await jail.run('exec pusher', {
        stdio,
        handed: { tty: slave },
        spec: { capabilities: ['CAP_SYS_ADMIN'] },
        weaken: inFront('announceExec', {
          op: 'useTerminal',
          args: [slot('tty')],
          about: 'take the terminal of the caller',
        }),
      })
      expect(weak.refused).toBeUndefined()
      expect(await typed()).toMatch(/^(push!\n)+$/)
      for (const spec of [{}, { terminal: true }]) {
        const real = await jail.run('exec pusher', { stdio, spec })
        expect(real.refused).toBeUndefined()
        expect(await typed()).toBe('')
      }
    } finally {
      console.slave.close()
      console.master.close()
    }
  },
)

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
  const changing = () =>
    new Proxy(safe, {
      get: (_, key) => {
        reads.set(key, (reads.get(key) ?? 0) + 1)
        return (reads.get(key) === 1 ? safe : evil)[key as string]
      },
      ownKeys: () => Object.keys(evil),
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    })
  // Whoever looks twice has checked one thing and does another.
  const twice = changing() as { capabilities: unknown }
  expect([twice.capabilities, twice.capabilities]).toEqual([[], null])
  reads.clear()
  const container = await factory.create(`getters-${process.pid}`, changing() as never)
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
  await second.destroy({ force: true })
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
