import { fstatSync, mkdirSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import {
  announceExec,
  ask,
  askWithFiles,
  bootstrap,
  type Child,
  createdSteps,
  execProgram,
  findProgram,
  InitDied,
  release,
} from '@libcontainer/init'
import { type Arg, listenUnix, type OwnedFd, openFile, type Step, signalPidfd, slot, waitExit } from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { requires, temporaryDirectory, until } from '../../../test/support/index.js'

const CLONE_NEWPID = 0x20000000
const CLONE_NEWUSER = 0x10000000

/** The last steps of a plan that runs a program of the host. */
const run = (args: readonly string[], more?: Arg): Step[] => [
  findProgram(args[0]!, '/bin:/usr/bin'),
  announceExec,
  execProgram(args, [], more),
]

async function nothing(): Promise<{ fd: OwnedFd; stdio: [number, number, number] }> {
  const fd = await openFile('/dev/null', 2)
  return { fd, stdio: [fd.fd, fd.fd, fd.fd] }
}

test('a plan runs a program, and its exit is seen', requires('root'), async () => {
  const { fd, stdio } = await nothing()
  const { pidfd, outcome, timings } = await bootstrap({ steps: run(['sh', '-c', 'exit 7']), stdio, timed: true })
  expect(outcome).toBe('executed')
  expect(timings.map(({ about }) => about)).toEqual(
    ['find sh', 'report that the program is next'].slice(0, timings.length),
  )
  for (const { startNs, endNs } of timings) expect(endNs).toBeGreaterThanOrEqual(startNs)
  expect(await waitExit(pidfd)).toEqual({ code: 7, signal: undefined })
  pidfd.close()
  fd.close()
})

test('NS-19 a failed step is an error with step, syscall, errno, path and hint', requires('root'), async () => {
  const { fd, stdio } = await nothing()
  await expect(bootstrap({ steps: run(['/no/such/program']), stdio })).rejects.toMatchObject({
    code: 'ENOENT',
    errno: -2,
    syscall: 'execve',
    step: 'step 1: find /no/such/program',
    path: '/no/such/program',
    hint: expect.any(String),
  })
  fd.close()
})

test('S18 UT-12 a program that cannot be executed is a failure, not a success', requires('root'), async () => {
  using directory = temporaryDirectory('bootstrap-')
  const script = `${directory.path}/script`
  await (await import('node:fs/promises')).writeFile(script, 'no interpreter line', { mode: 0o755 })
  const { fd, stdio } = await nothing()
  await expect(bootstrap({ steps: run([script]), stdio })).rejects.toMatchObject({ code: 'ENOEXEC', syscall: 'execve' })
  fd.close()
})

test('S18 an init that is killed is no success: InitDied with the signal', requires('root'), async () => {
  const { fd, stdio } = await nothing()
  const failure = bootstrap({
    steps: [ask('kill-me', 'wait'), ...run(['true'])],
    stdio,
    rendezvous: {
      'kill-me': ({ pidfd }) => {
        signalPidfd(pidfd, 9)
        return undefined
      },
    },
  })
  await expect(failure).rejects.toBeInstanceOf(InitDied)
  await expect(failure).rejects.toMatchObject({ status: { signal: 9 } })
  fd.close()
})

test('NS-19 S17 a rendezvous hands descriptors up; numbers, bytes, descriptors down', requires('root'), async () => {
  using directory = temporaryDirectory('bootstrap-')
  const out = await openFile(`${directory.path}/out`, 0o1102)
  const { fd } = await nothing()
  let seen = ''
  const { pidfd } = await bootstrap({
    steps: [
      { op: 'openRoot', args: [], about: 'open /', into: 'root' },
      ask('trade', 'trade', slot('root')),
      ...run(['sh', '-c', 'echo $WORD; umask'], slot('environment')).slice(0, 1),
      { op: 'setUmask', args: [slot('mask')], about: 'set the umask that came' },
      { op: 'closeFd', args: [slot('gift')], about: 'close the descriptor that came' },
      ...run(['sh', '-c', 'echo $WORD; umask'], slot('environment')).slice(1),
    ],
    slots: ['environment', 'mask', 'gift'],
    stdio: [fd.fd, out.fd, out.fd],
    rendezvous: {
      trade: ({ fds: [root] }) => {
        seen = readlinkSync(`/proc/self/fd/${root!.fd}`)
        root!.close()
        return { integers: { mask: 0o27 }, bytes: { environment: 'WORD=traded\0' }, fds: { gift: fd.fd } }
      },
    },
  })
  await waitExit(pidfd)
  pidfd.close()
  fd.close()
  out.close()
  expect(seen).toBe('/')
  expect(readFileSync(`${directory.path}/out`, 'utf8')).toBe('traded\n0027\n')
})

test('a rendezvous that throws ends init, and its error is the one that comes', requires('root'), async () => {
  const { fd, stdio } = await nothing()
  let pid = 0
  await expect(
    bootstrap({
      steps: [ask('no', 'ask'), ...run(['true'])],
      stdio,
      rendezvous: {
        no: request => {
          pid = request.pid
          throw new RangeError('not today')
        },
      },
    }),
  ).rejects.toThrow('not today')
  expect(() => readFileSync(`/proc/${pid}/stat`)).toThrow(/ENOENT|ESRCH/)
  fd.close()
})

test('an aborted bootstrap kills what it has made', requires('root'), async () => {
  const { fd, stdio } = await nothing()
  const abort = new AbortController()
  let pid = 0
  const failure = bootstrap({
    steps: [ask('forever', 'wait'), ...run(['true'])],
    stdio,
    signal: abort.signal,
    rendezvous: {
      forever: request => {
        pid = request.pid
        return new Promise<undefined>(resolve => setTimeout(resolve, 50, undefined)).then(
          () => abort.abort() as undefined,
        )
      },
    },
  })
  await expect(failure).rejects.toMatchObject({ name: 'AbortError' })
  expect(() => readFileSync(`/proc/${pid}/stat`)).toThrow(/ENOENT|ESRCH/)
  fd.close()
})

test(
  'S17 answers ahead come in the order of the questions, and to the process that will run',
  requires('root'),
  async () => {
    using directory = temporaryDirectory('bootstrap-')
    const out = await openFile(`${directory.path}/out`, 0o1102)
    const told: string[] = []
    let early = 0
    const { pid, pidfd } = await bootstrap({
      steps: [
        { op: 'unshareNamespaces', args: [CLONE_NEWPID], about: 'unshare pid' },
        { op: 'secondClone', args: [], about: 'clone' },
        ask('first', 'known ahead'),
        ask('second', 'asked for'),
        ask('third', 'known ahead'),
        ...run(['sh', '-c', 'echo $WORD'], slot('environment')),
      ],
      slots: ['environment'],
      stdio: [out.fd, out.fd, out.fd],
      ahead: {
        third: async child => {
          early = (await child).pid
          told.push('third')
          return { bytes: { environment: 'WORD=ahead\0' } }
        },
        first: async child => {
          await new Promise(resolve => setTimeout(resolve, 30))
          expect((await child).pid).toBe(early)
          told.push('first')
          return undefined
        },
      },
      rendezvous: { second: request => void told.push(`second ${request.pid === early}`) },
    })
    expect(pid).toBe(early)
    expect(told).toEqual(['third', 'first', 'second true'])
    expect(await waitExit(pidfd)).toEqual({ code: 0, signal: undefined })
    pidfd.close()
    out.close()
    expect(readFileSync(`${directory.path}/out`, 'utf8')).toBe('ahead\n')
  },
)

test(
  'S17 an answer ahead that fails ends the bootstrap with its error; a step that fails before it is told all the same',
  requires('root'),
  async () => {
    const { fd, stdio } = await nothing()
    let pid = 0
    await expect(
      bootstrap({
        steps: [ask('no', 'ask'), ...run(['true'])],
        stdio,
        ahead: {
          no: async child => {
            pid = (await child).pid
            throw new RangeError('not today')
          },
        },
      }),
    ).rejects.toThrow('not today')
    expect(() => readFileSync(`/proc/${pid}/stat`)).toThrow(/ENOENT|ESRCH/)
    // Of a clone that is refused nobody asks; else whoever is there by then is killed, also before the one that would run the program.
    const clone: Step = { op: 'secondClone', args: [], about: 'clone' }
    for (const [between, cgroup, message] of [
      [[], undefined, 'not at all'],
      [[clone], undefined, 'not at all'],
      [[], fd, 'clone3'],
    ] as const) {
      const heard: unknown[] = []
      const ahead = {
        no: async () => {
          throw new RangeError('not at all')
        },
        later: async (child: Promise<Child>) => {
          heard.push(await child.catch((error: unknown) => error))
          return undefined
        },
      }
      const steps = [ask('no', 'ask'), ...between, ask('later', 'ask'), ...run(['true'])]
      await expect(bootstrap({ steps, stdio, ahead, cgroup })).rejects.toThrow(message)
      const [child] = await until('who waits for the process hears of it', () => heard.length > 0 && heard)
      if (between.length > 0 || cgroup !== undefined) expect(child).toBeInstanceOf(Error)
      else expect(() => readFileSync(`/proc/${(child as Child).pid}/stat`)).toThrow(/ENOENT|ESRCH/)
    }
    for (let i = 0; i < 20; i++) {
      await expect(
        bootstrap({
          steps: [{ op: 'changeDirectory', args: ['/absent'], about: 'go away' }, ask('yes', 'ask'), ...run(['true'])],
          stdio,
          ahead: { yes: async () => undefined },
        }),
      ).rejects.toMatchObject({ code: 'ENOENT', syscall: 'chdir' })
    }
    fd.close()
  },
)

test('S5 a second clone is our child too, and pid 1 of the namespace', requires('root'), async () => {
  using directory = temporaryDirectory('bootstrap-')
  const out = await openFile(`${directory.path}/out`, 0o1102)
  const { pid, pidfd } = await bootstrap({
    steps: [
      { op: 'unshareNamespaces', args: [CLONE_NEWPID], about: 'unshare pid' },
      { op: 'secondClone', args: [], about: 'clone' },
      ...run(['sh', '-c', 'echo $$']),
    ],
    stdio: [out.fd, out.fd, out.fd],
  })
  expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(` ${process.pid} `)
  expect(await waitExit(pidfd)).toEqual({ code: 0, signal: undefined })
  pidfd.close()
  out.close()
  expect(readFileSync(`${directory.path}/out`, 'utf8')).toBe('1\n')
})

test(
  'S1 with a new user namespace the exec before the maps keeps the capabilities; without the help it loses them',
  requires('root', 'namespace:user'),
  async () => {
    const { fd, stdio } = await nothing()
    const attempt = (keepCapabilities: boolean): Promise<unknown> =>
      bootstrap({
        steps: [{ op: 'unshareNamespaces', args: [0x04000000], about: 'unshare uts' }, ...run(['true'])],
        cloneFlags: CLONE_NEWUSER,
        keepCapabilities,
        stdio,
      }).then(async ({ pidfd }) => {
        await waitExit(pidfd)
        pidfd.close()
      })
    await expect(attempt(true)).resolves.toBeUndefined()
    await expect(attempt(false)).rejects.toMatchObject({ code: 'EPERM' })
    fd.close()
  },
)

test('S2 the parent stays dumpable whatever its child does', requires('root'), async () => {
  const { fd, stdio } = await nothing()
  const dumpable = (): string => readlinkSync('/proc/self/exe')
  const owner = (): number => Number(/^Uid:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1])
  const before = [dumpable(), owner()]
  const { pidfd } = await bootstrap({ steps: run(['true']), stdio, cloneFlags: CLONE_NEWUSER, keepCapabilities: true })
  await waitExit(pidfd)
  pidfd.close()
  expect([dumpable(), owner()]).toEqual(before)
  fd.close()
})

test(
  'S20 LR-04 a created init waits on its socket: two starters, one wins; its exec failure comes to the starter',
  requires('root'),
  async () => {
    using directory = temporaryDirectory('bootstrap-')
    const { fd, stdio } = await nothing()
    const create = async (name: string, args: readonly string[]): Promise<{ pid: number; pidfd: OwnedFd }> => {
      const listener = listenUnix(`${directory.path}/${name}`)
      const [find, ...rest] = run(args)
      const created = await bootstrap({
        steps: [find!, ...createdSteps(slot('listener'), 0), ...rest],
        stdio,
        handed: { listener: listener.fd },
      })
      listener.close()
      expect(created.outcome).toBe('created')
      return created
    }

    const first = await create('one', ['sleep', '0.05'])
    const rss = /^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${first.pid}/smaps_rollup`, 'utf8'))![1]
    expect(Number(rss)).toBeLessThanOrEqual(128)
    const starts = await Promise.allSettled([release(`${directory.path}/one`), release(`${directory.path}/one`)])
    expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(starts.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: expect.stringMatching(/^(AlreadyStarted|ECONNREFUSED)$/) },
    })
    await waitExit(first.pidfd)
    first.pidfd.close()

    const second = await create('two', ['sleep', '1'])
    signalPidfd(second.pidfd, 9)
    await waitExit(second.pidfd)
    second.pidfd.close()
    await expect(release(`${directory.path}/two`)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    fd.close()
  },
)

test(
  'S24 IN-13 the program starts with standard dispositions, an empty mask and only its own descriptors',
  requires('root'),
  async () => {
    using directory = temporaryDirectory('bootstrap-')
    const out = await openFile(`${directory.path}/out`, 0o1102)
    const leaked = await openFile('/etc/passwd')
    const { pidfd } = await bootstrap({
      steps: run(['sh', '-c', 'cat /proc/self/status; ls /proc/self/fd | tr "\\n" " "; readlink /proc/self/fd/3']),
      stdio: [out.fd, out.fd, out.fd],
      extraFds: [leaked.fd],
    })
    await waitExit(pidfd)
    pidfd.close()
    out.close()
    leaked.close()
    const text = readFileSync(`${directory.path}/out`, 'utf8')
    for (const set of ['SigBlk', 'SigIgn', 'SigCgt']) expect(text).toMatch(new RegExp(`^${set}:\\t0{16}$`, 'm'))
    // The last descriptor is the one by which ls reads the directory.
    expect(text).toContain('\n0 1 2 3 4 /etc/passwd\n')
  },
)

test(
  'S6 S7 what runs in the container is no file of the host, and cannot be written or taken its execute permission',
  requires('root'),
  async () => {
    const { fd, stdio } = await nothing()
    let exe = ''
    let refusals: string[] = []
    const { pidfd } = await bootstrap({
      steps: [ask('look', 'look'), ...run(['true'])],
      stdio,
      rendezvous: {
        look: async ({ pid }) => {
          const { chmodSync, openSync, writeSync } = await import('node:fs')
          exe = readlinkSync(`/proc/${pid}/exe`)
          const path = `/proc/${pid}/exe`
          refusals = [() => writeSync(openSync(path, 'r+'), 'x'), () => chmodSync(path, 0)].map(act => {
            try {
              act()
              return 'allowed'
            } catch (error) {
              return (error as NodeJS.ErrnoException).code!
            }
          })
          return undefined
        },
      },
    })
    await waitExit(pidfd)
    pidfd.close()
    expect(exe).toBe('/memfd:init (deleted)')
    // The seal that keeps the execute permission came with Linux 6.3.
    const sealed = requires('kernel:6.3').skip ? 'allowed' : 'EPERM'
    expect(refusals).toEqual([expect.stringMatching(/EPERM|ETXTBSY|EACCES/), sealed])
    fd.close()
  },
)

test(
  'S12 nobody may trace init or read its descriptors while it sets up',
  requires('root', 'namespace:user'),
  async () => {
    const { fd, stdio } = await nothing()
    let owner = -1
    const { pidfd } = await bootstrap({
      steps: [ask('look', 'look'), ...run(['true'])],
      stdio,
      cloneFlags: CLONE_NEWUSER,
      keepCapabilities: true,
      rendezvous: {
        look: async ({ pid }) => {
          const { statSync, readdirSync } = await import('node:fs')
          owner = statSync(`/proc/${pid}/mem`).uid
          expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(8)
          return undefined
        },
      },
    })
    await waitExit(pidfd)
    pidfd.close()
    // Files of a process that is not dumpable are root's, whoever it runs as.
    expect(owner).toBe(0)
    fd.close()
  },
)

test('plans that lie are refused before a step is taken', requires('root'), async () => {
  const { fd, stdio } = await nothing()
  const bad: Step[][] = [
    [{ op: 'noSuchOp', args: [], about: 'nothing' }],
    [{ op: 'setUmask', args: [], about: 'too few' }],
    [{ op: 'setUmask', args: ['text'], about: 'a string for an integer' }],
    [{ op: 'setHostname', args: [1], about: 'an integer for a string' }],
  ]
  for (const steps of bad)
    await expect(bootstrap({ steps, stdio })).rejects.toMatchObject({ code: expect.stringMatching(/EINVAL|ENOSYS/) })
  await expect(bootstrap({ steps: [{ op: 'setUmask', args: [0o22], about: 'no exec' }], stdio })).rejects.toThrow(
    /without executing/,
  )
  fd.close()
})

test(
  'US-05 files that are asked with: a small one’s bytes, a larger one’s copy in memory, never the file itself',
  requires('root'),
  async () => {
    using directory = temporaryDirectory('asked-')
    const path = (name: string): string => `${directory.path}/${name}`
    const large = 'line\n'.repeat(10_000)
    writeFileSync(path('small'), 'root:x:0:0\n')
    writeFileSync(path('large'), large)
    writeFileSync(path('huge'), '')
    truncateSync(path('huge'), 2 ** 40)
    mkdirSync(path('directory'))
    const { fd, stdio } = await nothing()
    let seen: unknown[] = []
    const asked = async (names: readonly string[]): Promise<unknown[]> => {
      const steps = [askWithFiles('files', 'look', names.map(path)), ...run(['true'])]
      const { pidfd } = await bootstrap({
        steps,
        stdio,
        rendezvous: {
          files({ files }) {
            seen = files.map(file => {
              if (file === undefined || file instanceof Uint8Array) return file && new TextDecoder().decode(file)
              const link = `/proc/self/fd/${file.fd}`
              const [kind, { size }] = [readlinkSync(link), fstatSync(file.fd)]
              const text = size < 1e6 ? readFileSync(link, 'utf8') : size
              file.close()
              return [kind, text]
            })
            return undefined
          },
        },
      })
      expect((await waitExit(pidfd)).code).toBe(0)
      pidfd.close()
      return seen
    }
    expect(await asked(['small', 'large', 'none', 'directory'])).toEqual([
      'root:x:0:0\n',
      ['/memfd:file (deleted)', large],
      undefined,
      undefined,
    ])
    // As far as one who takes 16 MiB has to read to see that it is more.
    const [[kind, size]] = (await asked(['huge'])) as [[string, number]]
    expect(kind).toBe('/memfd:file (deleted)')
    expect(size).toBeGreaterThan(2 ** 24)
    expect(size).toBeLessThan(2 ** 24 + 2 ** 16)
    fd.close()
  },
)
