import { createReadStream, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupHost } from '@libcontainer/cgroups'
import { ConsoleSocket, newConsole, relay } from '@libcontainer/console'
import { type Container, initializeIO } from '@libcontainer/container'
import {
  acceptUnix,
  decodeUtf8,
  exitCode,
  listenUnix,
  type OwnedFd,
  POLLIN,
  pipe,
  poll,
  receiveMessage,
  SOCK_STREAM,
  signalPidfd,
} from '@libcontainer/sys'
import { describe, expect, test } from 'vitest'
import { requires, temporaryDirectory } from '../../../test/support/index.js'
import { Bench, hostIds, inside, read, sh, sleeper } from './support.js'

const needs = requires('root')

/** All that comes out of a terminal until its last user has gone. */
async function output(master: OwnedFd): Promise<string> {
  const { read: from, write } = pipe()
  const copied = relay(master, { output: write.fd }).finally(() => write.close())
  const text = await read(createReadStream('', { fd: from.release() }))
  await copied
  return text
}

describe('terminals', () => {
  test(
    'PR-06 CN-01 CN-16 a pty of the host as the terminal of a first and of a further process, for its owner',
    needs,
    async () => {
      await using bench = await Bench.open('host-pty')
      for (const first of [true, false]) {
        const container = await bench.create()
        if (!first) await container.run(sleeper)
        using console = await newConsole(1000, 1000, { size: { rows: 12, columns: 34 } })
        const script =
          'stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo three; ps -o tty,args | grep -c "136,"; echo > /dev/tty && echo own'
        const child = await container.run(sh(script, { terminal: console, user: { uid: 1000, gid: 1000 } }))
        console.slave.close()
        expect(child.terminal).toBeUndefined()
        const text = await output(console.master)
        expect(await child.wait()).toMatchObject({ code: 0 })
        expect(text.split(/\r?\n/)).toEqual(expect.arrayContaining(['12 34', 'three', 'own']))
        await container.destroy({ force: true })
      }
    },
  )

  test(
    'PR-07 CN-07 CN-16 the master goes over the console socket, with the name of its slave and the size',
    needs,
    async () => {
      await using bench = await Bench.open('console-socket')
      using dir = temporaryDirectory('console-')
      for (const first of [true, false]) {
        const container = await bench.create()
        if (!first) await container.run(sleeper)
        const path = join(dir.path, `socket-${first}`)
        await using socket = await ConsoleSocket.listen(path)
        const received = socket.receive()
        const terminal = { rows: 33, columns: 99 }
        const child = await container.run(sh('stty size; tty', { terminal, consoleSocket: path }))
        expect(child.terminal).toBeUndefined()
        const { master, name } = await received
        expect(name).toBe('/dev/pts/0')
        expect((await output(master)).split(/\r?\n/).slice(0, 2)).toEqual(['33 99', '/dev/pts/0'])
        master.close()
        expect(await child.wait()).toMatchObject({ code: 0 })
        await container.destroy({ force: true })
      }
    },
  )

  test(
    'PR-07 EV-122 a console socket that is not there, or without a terminal: refused, and nothing is started',
    needs,
    async () => {
      await using bench = await Bench.open('no-socket')
      const container = await bench.create()
      await expect(container.run(sh('true', { terminal: true, consoleSocket: '/no/socket' }))).rejects.toMatchObject({
        code: 'SystemError',
        cause: { code: 'ENOENT' },
      })
      await expect(container.run(sh('true', { consoleSocket: '/s' }))).rejects.toMatchObject({
        code: 'ConfigInvalid',
        field: 'process.consoleSocket',
      })
      expect([await container.status(), await container.processes()]).toEqual(['stopped', []])
    },
  )

  test(
    'PR-07 IN-15 CN-13 the terminal belongs to the user of the process, and he may open it by its names',
    needs,
    async () => {
      await using bench = await Bench.open('owner')
      const script =
        'stat -c "%u %F" /proc/self/fd/0 /dev/pts/0 2>/dev/null || ls -ln /dev/pts/0; echo a > /dev/pts/0 && echo b > /dev/tty && echo c > /dev/console && id -u'
      const userns = {
        namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'] as const,
        uidMappings: hostIds,
        gidMappings: hostIds,
      }
      for (const config of [{}, userns]) {
        for (const user of [{ uid: 1000, gid: 1000 }, 'user', undefined]) {
          const container = await bench.create(config as never)
          const child = await container.run(sh(script, { terminal: true, user }))
          const text = await output(child.terminal!)
          child.terminal!.close()
          expect(await child.wait(), text).toMatchObject({ code: 0 })
          const id = user === undefined ? '0' : '1000'
          expect(text.split(/\r?\n/), text).toEqual(expect.arrayContaining(['a', 'b', 'c', id]))
          expect(text).toMatch(new RegExp(`(^|\\s)${id}\\s`))
          await container.destroy({ force: true })
        }
      }
    },
  )
})

describe('handing over', () => {
  test(
    'PR-08 BY-21 EV-124 a pidfd is sent before the program runs: standard for a first process, setns for a further one',
    needs,
    async () => {
      await using bench = await Bench.open('pidfd')
      using dir = temporaryDirectory('pidfd-')
      const container = await bench.create()
      for (const payload of ['standard', 'setns']) {
        const path = join(dir.path, payload)
        const listener = listenUnix(path, SOCK_STREAM)
        const child = await container.run({ ...sleeper, pidfdSocket: path })
        await poll(listener.fd, POLLIN)
        const { connection } = acceptUnix(listener)
        await poll(connection.fd, POLLIN)
        const message = receiveMessage(connection)!
        expect(decodeUtf8(message.bytes)).toBe(payload)
        expect(message.fds).toHaveLength(1)
        expect(readFileSync(`/proc/self/fdinfo/${message.fds[0]!.fd}`, 'utf8')).toContain(`Pid:\t${child.pid}\n`)
        if (payload === 'setns') {
          signalPidfd(message.fds[0]!, 9)
          expect(await child.wait()).toMatchObject({ signal: 'SIGKILL' })
        }
        for (const fd of [...message.fds, connection, listener]) fd.close()
      }
      await expect(container.run({ ...sleeper, pidfdSocket: '/no/socket' })).rejects.toMatchObject({
        code: 'SystemError',
        cause: { code: 'ENOENT' },
      })
    },
  )

  test('PR-17 three pipes that belong to the mapped root, which may open them by name', needs, async () => {
    await using bench = await Bench.open('io')
    const maps = [{ containerId: 0, hostId: 100000, size: 1000 }]
    const container = await bench.create({
      namespaces: ['mnt', 'pid', 'ipc', 'uts', 'net', 'user'],
      uidMappings: maps,
      gidMappings: maps,
    } as never)
    const io = initializeIO(100000, 100000)
    const child = await container.run(
      sh('cat; echo by name > /dev/stdout; echo problem > /dev/stderr', { stdio: io.stdio }),
    )
    io.closeTheirs()
    io.stdin.end('given\n')
    const [out, err] = await Promise.all([read(io.stdout), read(io.stderr)])
    expect(await child.wait()).toMatchObject({ code: 0 })
    expect([out, err]).toEqual(['given\nby name\n', 'problem\n'])
  })

  test('PR-18 the exit status rule: 128 and the signal, else the code', needs, async () => {
    await using bench = await Bench.open('status')
    for (const [script, status] of [
      ['exit 0', 0],
      ['exit 255', 255],
    ] as const) {
      const { code, signal } = await bench.run(script)
      expect(exitCode({ code, signal: signal === undefined ? undefined : 0 })).toBe(status)
    }
    expect(exitCode({ code: undefined, signal: 9 })).toBe(137)
    expect(exitCode({ code: undefined, signal: 15 })).toBe(143)
    expect(exitCode({ code: undefined, signal: undefined })).toBe(255)
    const { init: child } = await bench.running()
    child.signal('KILL')
    expect(await child.wait()).toMatchObject({ code: undefined, signal: 'SIGKILL' })
  })

  test(
    'PR-20 the defaults of the specification of 2015: root, no groups, /, a HOME, no terminal, a writable root',
    needs,
    async () => {
      await using bench = await Bench.open('defaults')
      const text = await bench.text(
        'id -u; id -g; grep ^Groups /proc/self/status; pwd; echo $HOME; [ -t 0 ] || echo no tty; touch /x-default && rm /x-default && echo writable',
      )
      expect(text.split('\n').map(line => line.trim())).toEqual([
        '0',
        '0',
        'Groups:',
        '/',
        '/root',
        'no tty',
        'writable',
      ])
    },
  )
})

describe('shares of the machine', () => {
  const container = async (bench: Bench, config = {}): Promise<Container> => await bench.create(config)

  test('PR-10 PP-09 a scheduler of its own, or the container’s', needs, async () => {
    await using bench = await Bench.open('scheduler')
    const policy = (pid: number): string => /^policy\s*:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/sched`, 'utf8'))![1]!
    const nice = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[16]!
    const one = await container(bench, { scheduler: { policy: 'SCHED_BATCH', nice: 5 } })
    const first = await one.run(sleeper)
    const further = await one.exec(sleeper)
    const own = await one.exec({ ...sleeper, scheduler: { policy: 'SCHED_IDLE', flags: ['SCHED_FLAG_RESET_ON_FORK'] } })
    const other = await one.exec({ ...sleeper, scheduler: { policy: 'SCHED_OTHER', nice: -3 } })
    expect([first, further, own, other].map(({ pid }) => [policy(pid), nice(pid)])).toEqual([
      ['3', '5'],
      ['3', '5'],
      // The kernel takes no nice value for it.
      ['5', expect.any(String)],
      ['0', '-3'],
    ])
  })

  test('EV-107 PP-09 a deadline that the kernel takes for none is refused with the reason', needs, async () => {
    await using bench = await Bench.open('deadline')
    const ns = 10_000_000
    const scheduler = { policy: 'SCHED_DEADLINE', runtimeNs: ns, deadlineNs: 2n * BigInt(ns), periodNs: 1 } as const
    await expect(bench.run({ ...sh('true'), scheduler })).rejects.toMatchObject({
      code: 'SystemError',
      syscall: 'sched_setattr',
      hint: expect.stringContaining('runtime'),
    })
  })

  test('PR-10 PP-10 an io priority, inherited or its own', needs, async () => {
    await using bench = await Bench.open('ioprio')
    const one = await container(bench, { ioPriority: { class: 'IOPRIO_CLASS_BE', level: 6 } })
    await one.run(sleeper)
    expect(await inside(one, 'ionice -p $$')).toMatch(/best-effort: prio 6/)
    expect(await inside(one, 'ionice -p $$', { ioPriority: { class: 'IOPRIO_CLASS_IDLE' } })).toMatch(/idle/)
  })

  test('PR-10 PP-11 a personality', needs, async () => {
    await using bench = await Bench.open('personality')
    expect(await bench.text('uname -m', { personality: 'LINUX32' })).toMatch(/^(i686|armv8l|armv7l)$/)
    expect(await bench.text('uname -m', { personality: 'LINUX32' }, { personality: 'LINUX' })).toMatch(
      /^(x86_64|aarch64)$/,
    )
  })

  test('PR-10 PP-12 IN-05 the processors it is to run on; without a word all of them', needs, async () => {
    await using bench = await Bench.open('affinity')
    const allowed = 'grep Cpus_allowed_list /proc/self/status | cut -f2'
    const all = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim()
    expect(await bench.text(allowed)).toBe(all)
    expect(await bench.text(allowed, {}, { cpuAffinity: { initial: '0', final: '0, ,' } })).toBe('0')
    expect(await bench.text(allowed, { cpuAffinity: { initial: '0' } })).toBe(all)
    expect(await bench.text(allowed, { cpuAffinity: { final: '0' } }, { cpuAffinity: {} })).toBe(all)
    await expect(bench.run({ ...sh('true'), cpuAffinity: { final: '60000' } })).rejects.toMatchObject({
      syscall: 'sched_setaffinity',
      errno: -22,
    })
  })
})

describe('sub-cgroups', () => {
  test('PR-11 EV-157 a further process lives below the container’s cgroup', needs, async () => {
    await using bench = await Bench.open('sub')
    const { mode } = await cgroupHost()
    const { container: one, init: first } = await bench.running()
    const { cgroup_paths: paths } = await one.state()
    const controller = mode === 'v2' ? '' : 'pids'
    mkdirSync(`${paths[controller]}/sub/deep`, { recursive: true })
    const cgroupOf = (pid: number): string[] => readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
    const child = await one.exec({ ...sleeper, subCgroupPaths: { [controller]: 'sub/deep' } })
    const line = cgroupOf(child.pid).find(each =>
      controller === '' ? each.startsWith('0::') : each.includes(`:${controller}:`),
    )
    expect(line).toMatch(/\/sub\/deep$/)
    const others = (pid: number): string[] =>
      cgroupOf(pid).filter(each => !each.endsWith('/sub/deep') && !each.includes(`:${controller}:`))
    if (mode !== 'v2') expect(others(child.pid)).toEqual(others(first.pid))
    expect(await one.processes()).toContain(child.pid)
    for (const [subCgroupPaths, problem] of [
      [{ [controller]: '../../other' }, /must not climb/],
      [{ [controller]: 'absent' }, /does not exist/],
      [{ nothing: 'sub' }, /names no hierarchy/],
      [{ [controller]: 3 }, /must be a path/],
      [3, /must be an object/],
    ] as const) {
      await expect(one.exec({ ...sleeper, subCgroupPaths: subCgroupPaths as never })).rejects.toMatchObject({
        code: 'ConfigInvalid',
        message: problem,
      })
    }
    const two = await bench.create()
    await expect(two.run({ ...sleeper, subCgroupPaths: { [controller]: 'sub' } })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'process.subCgroupPaths',
    })
    await one.destroy({ force: true })
  })
})
