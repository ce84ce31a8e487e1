import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
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
/** A directory full of what somebody has planted; whoever runs any of it leaves a mark. */
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

test('hooks of the host are programs of the host, and those in the container have its rights', needs, async () => {
  using place = temporaryDirectory('hooks-')
  chmodSync(place.path, 0o777)
  const told = join(place.path, 'told')
  // What the image calls a shell tells on itself.
  jail.file('usr/bin/sh', `#!/bin/busybox sh\necho image > ${told}`, 0o755)
  jail.file('opt/hook', '#!/bin/sh\ngrep CapEff /proc/self/status > /tmp/told\n', 0o755)
  const factory = await Factory.open(join(place.path, 'state'))
  const script = `readlink /proc/self/exe >> ${told}; test -e ${jail.victim.file('file')} && echo host >> ${told}`
  const ofHost = { path: '/usr/bin/sh', args: ['sh', '-c', script] }
  const container = await factory.create(`hooks-${process.pid}`, {
    rootfs: jail.rootfs,
    capabilities: ['CAP_KILL'],
    hooks: {
      prestart: [ofHost],
      createRuntime: [ofHost],
      createContainer: [ofHost],
      startContainer: [{ path: '/opt/hook', args: ['hook'] }],
    },
  })
  try {
    const child = await container.run({ args: ['/bin/true'], env: ['PATH=/bin', 'HOME=/'] })
    await child.wait()
    expect(readFileSync(told, 'utf8')).toMatch(/^(\/usr\/bin\/\w+\nhost\n){3}$/)
    expect(readFileSync(join(jail.rootfs, 'tmp/told'), 'utf8')).toBe('CapEff:\t0000000000000020\n')
  } finally {
    await container.destroy({ force: true })
    for (const path of ['usr/bin/sh', 'opt/hook', 'tmp/told']) jail.remove(path)
  }
})

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
