import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import {
  exitCode,
  ids,
  initialFileLimit,
  memoryFile,
  openPidfd,
  POLLIN,
  parseFileLimit,
  parseProcessStat,
  pipe,
  poll,
  processStat,
  programFd,
  setResourceLimitOf,
  signalPidfd,
  sleep,
  spawn,
  waitExit,
  writeFd,
} from '@libcontainer/sys'
import { expect, test } from 'vitest'
import { requires, until } from '../../../test/support/index.js'
import { native } from '../src/native.js'

/** A static program that needs nothing: what `argv[0]` means nothing to, so it is run through its own copy. */
const busybox = (): ReturnType<typeof programFd> => programFd(readFileSync('/bin/busybox'))

/** A process of ours: busybox with these arguments; without any it is called `init`, which it will not be, and complains and ends. */
async function child(...args: string[]): Promise<Awaited<ReturnType<typeof spawn>>> {
  const { fd: program } = busybox()
  const output = memoryFile('output', new Uint8Array(0))
  try {
    return await spawn({ program, args, fds: [-1, output.fd, output.fd], own: 3 })
  } finally {
    program.close()
    output.close()
  }
}

test(
  'S8 BY-21 the exit of a child is seen by its pidfd, once for every waiter, and the child is reaped',
  requires('root', 'file:/bin/busybox'),
  async () => {
    const { pid, pidfd } = await child()
    const status = await waitExit(pidfd)
    expect(status.signal).toBeUndefined()
    expect(exitCode(status)).toBeGreaterThan(0)
    expect(await processStat(pid)).toBeUndefined()
    pidfd.close()
  },
)

test(
  'S8 a child that is traced when it ends is waited for until its tracer lets go',
  requires('root', 'program:perl'),
  async () => {
    const { spawn: run } = await import('node:child_process')
    const child = run('sleep', ['100'])
    const pidfd = openPidfd(child.pid!)
    // PTRACE_SEIZE, and never wait(2).
    const hold = '$| = 1; syscall($ARGV[0], 0x4206, int($ARGV[1]), 0, 0) == 0 or die $!; print "held"; sleep 1000'
    const ptrace = process.arch === 'x64' ? 101 : 117
    const tracer = run('perl', ['-e', hold, String(ptrace), String(child.pid)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      expect(String(await new Promise(resolve => tracer.stdout.once('data', resolve)))).toBe('held')
      signalPidfd(pidfd, 9)
      const end = waitExit(pidfd)
      expect(await Promise.race([end, sleep(300)])).toBeUndefined()
      expect((await processStat(child.pid!))?.state).toBe('Z')
      tracer.kill('SIGKILL')
      expect((await end).code).toBeUndefined()
      expect(await processStat(child.pid!)).toBeUndefined()
    } finally {
      tracer.kill('SIGKILL')
      child.kill('SIGKILL')
      pidfd.close()
    }
  },
)

test(
  'S9 the status of a process that is not our child comes from the kernel, or is not made up',
  requires('root'),
  async () => {
    // Ours would be waited for by us: a grandchild, whose parent reaps it.
    const text = execFileSync('/bin/sh', ['-c', 'sleep 0.3 & echo $!; wait $!'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
      timeout: 5000,
    })
    expect(Number(text)).toBeGreaterThan(1)
    const { spawn: run } = await import('node:child_process')
    const shell = run('/bin/sh', ['-c', '(sleep 1; exit 9) & echo $!; wait $!; exit 0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const pid = await new Promise<number>(resolve => shell.stdout.once('data', (data: Buffer) => resolve(Number(data))))
    const pidfd = openPidfd(pid)
    await new Promise(resolve => shell.once('exit', resolve))
    const status = await waitExit(pidfd)
    pidfd.close()
    // Since Linux 6.15 the kernel keeps it.
    const [major = 0, minor = 0] = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').map(Number)
    if (major > 6 || (major === 6 && minor >= 15)) expect(status).toEqual({ code: 9, signal: undefined })
    else expect([undefined, 9]).toContain(status.code)
  },
)

test(
  'S26 the child has the descriptors that were asked for and no others, whatever stood in their places',
  requires('root', 'file:/bin/busybox'),
  async () => {
    const { pid, pidfd } = await child('sleep', '100')
    try {
      const open = (): number[] =>
        readdirSync(`/proc/${pid}/fd`)
          .map(Number)
          .filter(fd => fd > 2)
      // What it opens itself while it begins, it closes again; what is close-on-exec is closed when whoever cloned it has been let go already.
      await until(
        'it has no others',
        () => open().length === 0,
        () => String(open()),
      )
    } finally {
      signalPidfd(pidfd, 9)
      await waitExit(pidfd)
      pidfd.close()
    }
  },
)

test(
  'S10 S25 one thread clones for the whole process and never ends; no thread is made for a child',
  requires('root', 'file:/bin/busybox'),
  async () => {
    const names = (): string[] =>
      readdirSync('/proc/self/task').map(task => readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim())
    const first = await child()
    await waitExit(first.pidfd)
    first.pidfd.close()
    const before = names()
      .filter(name => name.startsWith('lc-') && name !== 'lc-pool')
      .sort()
    expect(before).toEqual(['lc-spawner', 'lc-watcher'])
    const children = await Promise.all(Array.from({ length: 20 }, () => child()))
    await Promise.all(children.map(async ({ pidfd }) => await waitExit(pidfd)))
    for (const { pidfd } of children) pidfd.close()
    expect(
      names()
        .filter(name => name.startsWith('lc-') && name !== 'lc-pool')
        .sort(),
    ).toEqual(before)
  },
)

test('S11 a binding that a worker loaded first outlives the worker', requires('root'), () => {
  const program = `
    import { Worker } from 'node:worker_threads'
    const source = "import('@libcontainer/sys').then(async sys => { const { read } = sys.pipe(); await sys.readText('/proc/self/stat'); sys.poll(read.fd, 1, { weak: true }) })"
    const worker = new Worker(source, { eval: true })
    await new Promise(resolve => worker.once('exit', resolve))
    const sys = await import('@libcontainer/sys')
    await sys.sleep(50)
    console.log((await sys.readText('/proc/self/comm')).trim())`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    timeout: 10_000,
  })
  expect(run.stderr).toBe('')
  expect(run.status).toBe(0)
  expect(run.stdout.trim()).not.toBe('')
})

test('a worker that ends while its call is under way harms nobody', requires('root'), async () => {
  const source =
    "import('@libcontainer/sys').then(sys => { const { read } = sys.pipe(); sys.readFd(read.fd, new Uint8Array(8)); require('worker_threads').parentPort.postMessage(1) })"
  for (let i = 0; i < 3; i++) {
    const worker = new Worker(source, { eval: true })
    await new Promise(resolve => worker.once('message', resolve))
    await worker.terminate()
  }
  expect((await processStat(ids().pid))?.pid).toBe(process.pid)
})

test('a worker that is ended in the middle of its calls harms nobody', { timeout: 60_000 }, () => {
  // Each round meets another moment; what fails ends the process.
  const program = `
    import { Worker } from 'node:worker_threads'
    const source = \`import('@libcontainer/sys').then(async sys => {
      const { parentPort } = await import('node:worker_threads')
      const { write } = sys.pipe()
      parentPort.postMessage('ready')
      for (;;) await Promise.all([sys.poll(write.fd, 4), sys.readText('/proc/self/comm')])
    })\`
    for (let round = 0; round < 15; round++) {
      const worker = new Worker(source, { eval: true })
      await new Promise(resolve => worker.once('message', resolve))
      await new Promise(resolve => setTimeout(resolve, Math.random() * 5))
      await worker.terminate()
    }
    console.log('whole')`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    timeout: 50_000,
  })
  expect({ stdout, stderr, status }).toEqual({ stdout: 'whole\n', stderr: '', status: 0 })
})

test('a descriptor that was closed while it was watched takes no other’s watch along', async () => {
  const first = pipe()
  // Its file stays open by another number, and so does its registration.
  const copy = native.sync.dup(first.read.fd, 3)
  const number = first.read.fd
  const stale = poll(number, POLLIN)
  first.read.close()
  const second = pipe()
  expect(second.read.fd).toBe(number)
  const watched = poll(number, POLLIN, { signal: AbortSignal.timeout(5000) })
  await writeFd(first.write.fd, Uint8Array.of(1))
  expect(await stale).toBe(POLLIN)
  await writeFd(second.write.fd, Uint8Array.of(1))
  expect(await watched).toBe(POLLIN)
  native.sync.close(copy)
  for (const end of [first.write, second.read, second.write]) end.close()
})

test('a weak wait lets the program end, and holding keeps it', () => {
  const run = (...lines: string[]): string => {
    const program = ["import * as sys from '@libcontainer/sys'", 'const { read, write } = sys.pipe()', ...lines].join(
      '\n',
    )
    const options = { cwd: import.meta.dirname, encoding: 'utf8', timeout: 5000 } as const
    return spawnSync(process.execPath, ['--input-type=module', '-e', program], options).stdout
  }
  const later = 'setTimeout(() => write.close(), 20).unref()'
  expect(run("sys.poll(read.fd, 1, { weak: true }).then(() => console.log('ready'))", later)).toBe('')
  expect(run("sys.holding(sys.poll(read.fd, 1, { weak: true })).then(() => console.log('ready'))", later)).toBe(
    'ready\n',
  )
  expect(run("sys.poll(read.fd, 1).then(() => console.log('ready'))", later)).toBe('ready\n')
})

test('UT-09 process names with spaces and parentheses, and start times', () => {
  const text = `42 (a (b) c) S 1 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 ${2n ** 60n} 0 0`
  expect(parseProcessStat(text)).toEqual({ pid: 42, comm: 'a (b) c', state: 'S', parent: 1, startTime: 2n ** 60n })
})

test('S24 the soft limit of open files from before Node.js raised it', async () => {
  expect(parseFileLimit('Max open files            256                  20000                files')).toEqual({
    soft: 256n,
    hard: 20000n,
  })
  const own = parseFileLimit(readFileSync(`/proc/${process.ppid}/limits`, 'utf8'))
  expect(await initialFileLimit()).toBe(own?.soft)
})

test(
  'LR-17 raising a hard limit without CAP_SYS_RESOURCE is refused by its name',
  requires('root', 'file:/bin/busybox'),
  async () => {
    const { spawn: run } = await import('node:child_process')
    const sleep = run('sleep', ['5'])
    try {
      setResourceLimitOf(sleep.pid!, 7, { name: 'RLIMIT_NOFILE', soft: 64n, hard: 128n })
      expect(parseFileLimit(readFileSync(`/proc/${sleep.pid}/limits`, 'utf8'))).toEqual({ soft: 64n, hard: 128n })
      const capable = (BigInt(`0x${/CapEff:\t(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`) >> 24n) & 1n
      const raise = (): void => setResourceLimitOf(sleep.pid!, 7, { name: 'RLIMIT_NOFILE', soft: 64n, hard: 256n })
      if (capable) expect(raise).not.toThrow()
      else
        expect(raise).toThrow(
          expect.objectContaining({
            code: 'EPERM',
            path: 'RLIMIT_NOFILE',
            hint: expect.stringContaining('CAP_SYS_RESOURCE'),
          }),
        )
    } finally {
      sleep.kill('SIGKILL')
    }
  },
)
