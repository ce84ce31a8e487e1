import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { ask, execDescriptor, InitProgram, initProgram, openRoot, setDumpable } from '@libcontainer/init'
import { slot, socketPair } from '@libcontainer/sys'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { busyboxRootfs, hostsOf, requires, until } from '../support/index.js'
import { Jail, type Weaken } from './jail.js'
import { devpts, withoutDev } from './mounts.js'
import { compileSurvey, Surveyed } from './survey.js'
import { SECRET } from './victim.js'
import { all, inFront, without, withoutNull } from './weaken.js'

const needs = requires('root', 'rootfs')

let jail: Jail

beforeAll(async () => {
  jail = await Jail.open()
})
afterAll(async () => await jail[Symbol.asyncDispose]())
beforeEach(() => {
  for (const name of ['dev', 'srv', 'mnt']) jail.directory(name)
  jail.victim.restore()
})

/** Runs with descriptors of the test's own, closed at the end. */
async function using<T>(fds: readonly number[], work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    for (const fd of fds) closeSync(fd)
  }
}

test(
  'CVE-2015-3627 the null device and standard streams of an image, as links to a file of the host',
  needs,
  async () => {
    for (const [i, way] of jail.victim.ways('file').entries()) {
      for (const name of ['null', 'stdout', 'stderr']) jail.link(way, `dev/${name}`)
      const config = { mounts: withoutDev }
      // As it was: opened by whoever starts the container, before it has its root.
      const opened = openSync(join(jail.rootfs, 'dev/null'), 'r+')
      await using([opened], () =>
        jail.run('echo written', { config, weaken: withoutNull, stdio: [opened, opened, opened] }),
      )
      expect(readFileSync(jail.victim.file('file'), 'utf8'), `way ${i}`).toContain('written')
      jail.victim.restore()
      const null_ = openSync('/dev/null', 'r+')
      await using([null_], async () => {
        const real = await jail.run('echo written; echo written > /dev/stdout', {
          config,
          stdio: [null_, null_, null_],
        })
        expect(real.refused).toMatchObject({ path: '/dev/null' })
        const inside = await jail.run('echo written; echo written > /dev/null', { stdio: [null_, null_, null_] })
        expect(inside.refused).toBeUndefined()
      })
      expect(jail.victim.changes()).toEqual([])
    }
  },
)

test(
  'CVE-2026-88265 /dev/null as a link to a file that is bound from the host: no stream becomes it, nobody owns it',
  needs,
  async () => {
    const file = jail.victim.file('file')
    const mounts = [...withoutDev, devpts, { destination: '/mnt/bound', source: file, type: 'bind' }]
    const trial = { config: { mounts }, spec: { user: { uid: 1000, gid: 1000 } } }
    jail.file('mnt/bound', '')
    jail.link('/mnt/bound', 'dev/null')
    const opened = openSync(file, 'r+')
    await using([opened], () =>
      jail.run('echo written', {
        ...trial,
        weaken: all(withoutNull, without('openNull', 'maskPaths')),
        stdio: [opened, opened, opened],
      }),
    )
    expect(statSync(file).uid).toBe(1000)
    expect(readFileSync(file, 'utf8')).toContain('written')
    jail.victim.restore()
    const [one, other] = socketPair()
    const null_ = openSync('/dev/null', 'r+')
    for (const stdio of [null_, one.fd]) {
      const streams = [stdio, stdio, stdio] as const
      expect((await jail.run('echo written', { ...trial, stdio: streams })).refused).toMatchObject({
        path: '/dev/null',
      })
      // Also where no null device is to be made: what is found there is not taken for one, neither for a stream nor for a mask.
      const found = await jail.run('echo written', { ...trial, stdio: streams, weaken: withoutNull })
      expect(found.refused).toMatchObject({ code: 'ENODEV', path: '/dev/null' })
      expect(jail.victim.changes()).toEqual([])
    }
    closeSync(null_)
    one.close()
    other.close()
  },
)

describe('CVE-2024-21626 a descriptor of the host', () => {
  /** It goes there, and does not mind where it is then. */
  const stay: Weaken = steps =>
    steps
      .filter(({ op }) => op !== 'makeWorkingDirectory')
      .map(step => (step.op === 'changeDirectory' ? { ...step, onError: { EPERM: 'skip', EACCES: 'skip' } } : step))

  test('CVE-2024-21626 as the working directory', needs, async () => {
    const leaked = openSync(jail.victim.path, 'r')
    const trial = { extraFds: [leaked], spec: { cwd: '/proc/self/fd/3' } }
    await using([leaked], async () => {
      const weak = await jail.run('cat file', { ...trial, weaken: stay })
      expect(weak.stdout).toBe(SECRET)
      for (let fd = 3; fd <= 40; fd++)
        for (const user of [{ uid: 0 }, { uid: 1000 }]) {
          const real = await jail.run('cat file', { ...trial, spec: { user, cwd: `/proc/self/fd/${fd}` } })
          expect(real.refused?.code, `${fd}`).toMatch(/^(EPERM|ENOENT|ENOTDIR|EACCES|ELOOP|EEXIST)$/)
          expect(real.stdout).toBe('')
        }
      // By a link of the image, and from a directory that the descriptor leads to.
      for (const cwd of ['/srv/link', '/proc/self/fd/3/sub', '/proc/1/fd/3', '/proc/thread-self/fd/3']) {
        jail.link('/proc/self/fd/3', 'srv/link')
        expect((await jail.run('cat file', { ...trial, spec: { cwd } })).refused?.code).toMatch(/^E/)
      }
    })
  })

  test('CVE-2024-21626 as the program', needs, async () => {
    const program = jail.victim.file('program')
    const beneath = (fd: number): string => `/proc/self/fd/${fd}${program}`
    const attempt = async (fd: number, weaken?: Weaken) => {
      copyFileSync(join(busyboxRootfs(), 'bin/busybox'), program)
      chmodSync(program, 0o755)
      return await jail.run('', { spec: { args: [beneath(fd), 'echo'], env: ['PATH=/', 'HOME=/'] }, weaken })
    }
    const leak = inFront('pivotRoot', { ...openRoot, into: 'leak' })
    const ran: number[] = []
    for (let fd = 3; fd <= 20; fd++) {
      if ((await attempt(fd, leak)).refused === undefined) ran.push(fd)
      expect((await attempt(fd)).refused?.code, `${fd}`).toMatch(/^(ENOENT|ENOTDIR|EACCES|ELOOP)$/)
    }
    expect(ran.length).toBeGreaterThan(0)
  })

  test('CVE-2024-21626 none reaches the program', needs, async () => {
    const leaked = openSync(jail.victim.path, 'r')
    await using([leaked], async () => {
      const script = 'ls /proc/self/fd; ls -l /proc/1/fd | grep -v " /dev/null\\|pipe:\\|/proc/" | wc -l'
      const weak = await jail.run(script, { extraFds: [leaked] })
      expect(weak.stdout).toMatch(/^0\n1\n2\n3\n4\n/)
      expect((await jail.run(script)).stdout).toMatch(/^0\n1\n2\n3\n\d+\n$/)
    })
  })
})

test('CVE-2024-21626 descriptors that the caller has forgotten to close do not come along', {
  ...requires('root', 'rootfs', 'program:gcc', 'program:script', 'program:taskset'),
  timeout: 60_000,
}, () => {
  const leaking = ['/bin/sh', '-c', 'exec 7</etc; exec "$@"', 'sh']
  // Whatever is executed has it.
  const child = execFileSync('/bin/sh', ['-c', 'exec 7</etc; exec ls -l /proc/self/fd'], { encoding: 'utf8' })
  expect(child).toMatch(/7 -> \/etc\n/)
  using bundle = new Surveyed('docker', compileSurvey(jail.victim.place))
  const facts = bundle.under([...leaking, ...hostsOf('lcrun').either[0]!.command])
  expect([...facts.keys()].filter(key => key.startsWith('descriptors '))).toEqual(
    ['0', '1', '2'].map(fd => `descriptors ${fd}`),
  )
})

/** The payload in place of the program: what a runtime executes of its own in a container. */
const payload =
  (script: string): Weaken =>
  steps => [
    ...steps.filter(({ op }) => op !== 'findProgram').slice(0, -1),
    execDescriptor(slot('payload'), ['sh', '-c', script], ['PATH=/bin']),
  ]

test(
  'CVE-2019-5736 a program of the host that runs in a container is not overwritten through /proc/self/exe',
  needs,
  async () => {
    const original = readFileSync(join(busyboxRootfs(), 'bin/busybox'))
    const onDisk = jail.victim.file('runtime')
    copyFileSync(join(busyboxRootfs(), 'bin/busybox'), onDisk)
    chmodSync(onDisk, 0o755)
    // It keeps a descriptor of what it executes and goes on as another program: nobody executes the file any more.
    const script = 'exec 9</proc/self/exe; exec /bin/sh -c "echo overwritten > /proc/self/fd/9"'
    const file = openSync(onDisk, 'r')
    await using([file], () => jail.run('', { weaken: payload(script), handed: { payload: file } }))
    expect(readFileSync(onDisk, 'utf8')).toBe('overwritten\n')

    const program = new InitProgram(() => original, [], 'runtime').open()
    const real = await jail.run('', { weaken: payload(script), handed: { payload: program.program.fd } })
    expect(real.refused).toBeUndefined()
    expect(real.stderr).toMatch(/denied|busy|not permitted/i)
    expect(readFileSync(`/proc/self/fd/${program.program.fd}`).equals(original)).toBe(true)
    program.done()
    // Nor can root of the host itself.
    const own = initProgram()
    const before = readFileSync(`/proc/self/fd/${own.program.fd}`)
    expect(() => {
      const fd = openSync(`/proc/self/fd/${own.program.fd}`, 'r+')
      try {
        writeSync(fd, 'overwritten')
      } finally {
        closeSync(fd)
      }
    }).toThrow(/EPERM|ETXTBSY|EACCES/)
    expect(readFileSync(`/proc/self/fd/${own.program.fd}`).equals(before)).toBe(true)
    own.done()
    // An image whose entry point is whatever executes it.
    jail.file('entry', '#!/proc/self/exe\n', 0o755)
    const entry = await jail.run('', { spec: { args: ['/entry'] } })
    expect(entry.refused?.code ?? 'ran').toMatch(/^(ran|E[A-Z]+)$/)
    expect((await jail.run('echo next')).stdout).toBe('next\n')
  },
)

test('CVE-2022-0847 what is executed from memory is no page of a file of the host', needs, async () => {
  const onDisk = join(busyboxRootfs(), 'bin/busybox')
  const inode = async (fd: number) => {
    let found = ''
    const during = (pid: number): void => {
      const { dev, ino } = statSync(`/proc/${pid}/exe`)
      found = `${dev}:${ino}`
    }
    const tried = await jail.run('', { weaken: payload('exec sleep 100'), handed: { payload: fd }, during })
    expect(tried.refused).toBeUndefined()
    return found
  }
  const of = ({ dev, ino }: { dev: number; ino: number }): string => `${dev}:${ino}`
  const file = openSync(onDisk, 'r')
  await using([file], async () => expect(await inode(file)).toBe(of(fstatSync(file))))
  const { program, done } = new InitProgram(() => readFileSync(onDisk), [], 'runtime').open()
  const copy = await inode(program.fd)
  expect(copy).not.toBe(of(statSync(onDisk)))
  expect(copy).toBe(of(fstatSync(program.fd)))
  done()
  // And init, while it waits: nothing of the host's files is mapped into it.
  await jail.run('true', {
    answers: {
      ready: ({ pid }) => {
        expect(readlinkSync(`/proc/${pid}/exe`)).toBe('/memfd:init (deleted)')
        const files = readFileSync(`/proc/${pid}/maps`, 'utf8').match(/\/.*$/gm) ?? []
        expect(new Set(files.map(name => name.replace(/^\/memfd:(init|plan) \(deleted\)$/, 'memfd')))).toEqual(
          new Set(['memfd']),
        )
        return undefined
      },
    },
  })
})

describe('CVE-2016-8649 CVE-2016-9962 root of a container looks into a process that joins it', () => {
  const hostIds = [{ containerId: 0, hostId: 100000, size: 65536 }]
  /** It holds the host's root, and anybody of its rights may look: as it was when it had not yet dropped what it came with. */
  const open: Weaken = steps => [
    { ...openRoot, into: 'leak' },
    ...inFront('announceExec', setDumpable(true), ask('pause', 'stand still'))(steps, ''),
  ]
  /** The real plan, which only waits: as soon as it is in the container's namespaces, and when all is done but the exec. */
  const still: Weaken = steps =>
    ['setSession', 'announceExec'].reduce(
      (plan, op) => [...inFront(op, ask('pause', 'stand still'))(plan, '')],
      [...steps],
    )

  const beside = (pid: number) => ['mnt', 'ipc', 'uts', 'net', { kind: 'pid', path: `/proc/${pid}/ns/pid` }] as const

  test.each([
    ['its default rights', { seccomp: null }],
    [
      'all rights in a user namespace',
      {
        seccomp: null,
        capabilities: null,
        namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
        uidMappings: hostIds,
        gidMappings: hostIds,
      },
    ],
  ] as const)(
    'CVE-2016-8649 CVE-2016-9962 with %s',
    requires('root', 'rootfs', 'program:gcc', 'namespace:user'),
    async (_, config) => {
      execFileSync('gcc', [
        '-static',
        '-O1',
        '-D_GNU_SOURCE',
        '-o',
        join(jail.rootfs, 'intruder'),
        join(import.meta.dirname, 'intruder.c'),
      ])
      const said = join(jail.victim.place, 'said')
      const output = openSync(said, 'w')
      const null_ = openSync('/dev/null', 'r+')
      /** Whole lines. */
      const seen = (): string[] => readFileSync(said, 'utf8').split('\n').slice(0, -1)
      const passes = (): number => seen().filter(line => line.startsWith('pass')).length
      /** What the intruder got from a process that joined while it looked around twice, at every step that waits. */
      const tried = async (pid: number, weaken: Weaken, container = false) => {
        const looks = async (): Promise<undefined> => {
          const from = passes()
          await until('two looks around', () => passes() > from + 2)
          return undefined
        }
        // What it tells of whoever was there before has been told then.
        await looks()
        const before = seen().length
        let end = before
        const watched = async (): Promise<undefined> => {
          await looks()
          end = seen().length
          return undefined
        }
        const trial = { weaken, answers: { pause: watched, ready: watched }, stdio: [null_, null_, null_] as const }
        const joined = await (container
          ? jail.run('true', { ...trial, config: { ...config, namespaces: beside(pid) } })
          : jail.exec(pid, 'true', { ...trial, config }))
        expect(joined.refused).toBeUndefined()
        // Then it executes the program of the container, whose every right is the container's own.
        return seen()
          .slice(before, end)
          .filter(line => line.startsWith('got'))
      }
      let [weak, real] = [[''], ['']]
      await using([output, null_], async () => {
        const spec = { args: ['/intruder', jail.victim.file('file').slice(1)] }
        const intruder = await jail.run('', {
          config,
          spec,
          stdio: [null_, output, output],
          during: async pid => {
            await until('a look around', () => passes() > 0)
            weak = await tried(pid, open)
            real = await tried(pid, still)
            // Another container that shares its processes with this one, from its first step in there.
            if (!('uidMappings' in config)) real = [...real, ...(await tried(pid, still, true))]
          },
        })
        expect(intruder.refused).toBeUndefined()
      })
      expect(weak.join('\n')).toMatch(/got descriptor/)
      expect(weak.join('\n')).toMatch(/got control/)
      expect(real).toEqual([])
    },
  )
})
