import { spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getTermios, newConsole } from '@libcontainer/console'
import { decodeUtf8 } from '@libcontainer/sys'
import { afterEach, describe, expect, test } from 'vitest'
import { copyOfBusyboxRootfs, requires } from '../../../test/support/index.js'
import { compilePusher } from '../../../test/support/pusher.js'
import { Running } from '../../../test/support/running.js'
import { closeSeats, inShell, onTerminal, Seat } from '../../../test/support/seat.js'
import { Bench, hosts, type TestHost, until } from './hosts.js'

afterEach(closeSeats)

/** nsinit in the foreground of a terminal. */
const sit = async (bench: Bench, args: readonly string[], size?: { rows: number; columns: number }): Promise<Seat> =>
  await Seat.open(fd => bench.start(args, { before: onTerminal, stdio: [fd, fd, fd] }), size)

const needs = (host: TestHost): TestHost['needs'] => {
  const more = requires('program:setsid')
  return { ...host.needs, skip: host.needs.skip || more.skip }
}

const pushes = (host: TestHost): TestHost['needs'] => {
  const more = requires('program:setsid', 'program:gcc')
  return { ...host.needs, skip: host.needs.skip || more.skip }
}

/** A shell without a prompt of its own, so that what is shown is what programs write. */
const SHELL = ['exec', '--tty', 'sh']

describe.each(hosts)('on $name', host => {
  test('CL-26 --tty gives a terminal of the container’s own, with the size of ours', needs(host), async () => {
    using bench = new Bench(host)
    const before = [
      'sh',
      '-c',
      'tty; stty size; ls -l /dev/console | cut -c1; echo $TERM | wc -c; : > /dev/tty; echo end',
    ]
    const seat = await sit(bench, ['exec', '-t', ...before], { rows: 40, columns: 132 })
    await seat.shows('end')
    expect(await seat.running.ended()).toBe(0)
    await seat.shows('end\r\n')
    expect(seat.shown).toMatch(/^\/dev\/(console|pts\/0)\r\n40 132\r\nc\r\n\s*\d+\r\nend\r\n$/)
    expect(bench.left()).toEqual([])
  })

  test('a shell has job control: ^C, ^Z, bg and fg reach its jobs', needs(host), async () => {
    using bench = new Bench(host)
    const seat = await sit(bench, SHELL)
    await seat.shows(/[#$] /)
    expect(seat.shown).not.toMatch(/job control/)
    // The job tells that it runs: before that, the keys would be the shell's.
    await seat.type('sh -c "echo fi""rst; sleep 1000"\n')
    await seat.shows('first\r\n')
    await seat.type('\x03')
    await seat.type('echo interrupted-$?\n')
    await seat.shows('interrupted-130')
    await seat.type('sh -c "echo sec""ond; exec sleep 2000"\n')
    await seat.shows('second\r\n')
    await seat.type('\x1a')
    await seat.shows('Stopped')
    await seat.type('bg\n')
    // A shell that is asked at once may not have heard yet that the job goes on, and lists nothing.
    for (let i = 0; i < 100 && !seat.shown.includes('Running'); i++) {
      await seat.type('jobs\n')
      await sleep(50)
    }
    await seat.shows(/Running/)
    await seat.type('fg\n')
    // The shell says what it brings to the foreground before it does: so the key is pressed until it tells.
    for (let i = 0; i < 100 && !seat.shown.includes('over-1'); i++) {
      await seat.type('\x03')
      await sleep(50)
      await seat.type('echo over-$?\n')
      await sleep(50)
    }
    await seat.shows('over-130')
    await seat.type('exit 42\n')
    expect(await seat.running.ended()).toBe(42)
    expect(bench.left()).toEqual([])
  })

  test('a change of the window’s size arrives', needs(host), async () => {
    using bench = new Bench(host)
    const script = 'trap "stty size" WINCH; echo ready; while :; do sleep 0.05; done'
    const seat = await sit(bench, ['exec', '-t', 'sh', '-c', script])
    await seat.shows('ready')
    // Only once nsinit waits: what changes before is taken over then.
    await bench.running()
    seat.console.resize({ rows: 33, columns: 99 })
    await seat.shows('33 99')
    seat.console.resize({ rows: 50, columns: 200 })
    await seat.shows('50 200')
    const { init_process_pid: pid } = await bench.running()
    process.kill(pid as number, 'SIGKILL')
    expect(await seat.running.ended()).toBe(137)
  })

  test('our terminal is raw meanwhile, and as before at the end, however that comes', needs(host), async () => {
    for (const end of ['exit', 'kill'] as const) {
      using bench = new Bench(host)
      const seat = await sit(bench, SHELL)
      const before = getTermios(seat.console.slave.fd)
      await seat.shows(/[#$] /)
      await until('raw mode', () => ((getTermios(seat.console.slave.fd).lflag & 2) === 0 ? true : undefined))
      if (end === 'exit') await seat.type('exit\n')
      else process.kill((await bench.running()).init_process_pid as number, 'SIGKILL')
      expect(await seat.running.ended()).toBe(end === 'exit' ? 0 : 137)
      expect(getTermios(seat.console.slave.fd)).toEqual(before)
    }
  })

  test('a program that cannot be started leaves our terminal as it is', needs(host), async () => {
    using bench = new Bench(host)
    const seat = await sit(bench, ['exec', '-t', 'absent'])
    const before = getTermios(seat.console.slave.fd)
    expect(await seat.running.ended()).toBe(1)
    expect(getTermios(seat.console.slave.fd)).toEqual(before)
    expect(bench.left()).toEqual([])
  })

  test('all output is shown, also what was written just before the end', needs(host), async () => {
    using bench = new Bench(host)
    const seat = await sit(bench, ['exec', '-t', 'sh', '-c', 'seq 1 20000; echo the-end'])
    expect(await seat.running.ended()).toBe(0)
    await seat.shows('the-end\r\n')
    const lines = seat.shown.split('\r\n')
    expect(lines.slice(0, 20000)).toEqual(Array.from({ length: 20000 }, (_, i) => String(i + 1)))
  })

  test('CL-28 a second shell joins on a terminal of its own', needs(host), async () => {
    using bench = new Bench(host)
    const first = await sit(bench, SHELL)
    await first.shows(/[#$] /)
    const second = await sit(bench, SHELL, { rows: 10, columns: 20 })
    await second.shows(/[#$] /)
    await second.type('stty size; tty; cat /proc/1/comm\n')
    await second.shows(/10 20\r\n\/dev\/pts\/1\r\nsh\r\n/)
    expect(second.shown).not.toMatch(/job control/)
    await first.type('exit 3\n')
    expect(await first.running.ended()).toBe(3)
    expect(await second.running.ended()).toBe(137)
    expect(bench.left()).toEqual([])
  })

  test('the end of input that is no terminal reaches a program on one', needs(host), () => {
    using bench = new Bench(host)
    const { stdout, stderr, status } = bench.run(['exec', '--tty', 'sh', '-c', 'stty -echo; cat; echo ended'], {
      input: 'a\nb\n',
    })
    expect(stdout, `status ${status}: ${stderr}`).toMatch(/a\r\nb\r\nended\r\n$/)
    expect(status).toBe(0)
  })

  test('CL-26 without --tty a program never gets our terminal, but pipes', needs(host), async () => {
    using bench = new Bench(host)
    const script = 'readlink /proc/self/fd/0; for i in 0 1 2; do [ -t $i ] && echo terminal $i; done; cat; echo err >&2'
    const seat = await sit(bench, ['exec', 'sh', '-c', script])
    await seat.shows('pipe:')
    await seat.type('typed\n')
    await seat.shows('typed\r\ntyped\r\n')
    // The end of input at the beginning of a line.
    await seat.type('\x04')
    expect(await seat.running.ended()).toBe(0)
    await seat.shows('err\r\n')
    expect(seat.shown).not.toContain('terminal')
    expect(bench.left()).toEqual([])
  })

  test(
    'CN-17 CVE-2016-10124 CVE-2017-5226 what a program pushes into a terminal never reaches ours',
    pushes(host),
    async () => {
      using rootfs = copyOfBusyboxRootfs()
      const pusher = compilePusher(join(rootfs.path, 'bin'))
      // That the kernel lets it, and that it is noticed here.
      const open = await Seat.open(fd => {
        const [program, ...words] = [...inShell, pusher]
        return new Running(spawn(program!, words, { stdio: [fd, fd, fd] }))
      })
      await open.shows('ended 0')
      expect(await open.hasInput()).toBe(true)
      await open.running.killed()

      using bench = new Bench(host, { rootfs: rootfs.path })
      for (const [flags, pushed] of [
        [[], 'pushed 0 0 0 0'],
        [['--tty'], 'pushed 6 6 6 6'],
      ] as const) {
        const seat = await Seat.open(fd =>
          bench.start(['exec', ...flags, 'pusher'], { before: inShell, stdio: [fd, fd, fd] }),
        )
        await seat.shows('ended 0')
        expect(seat.shown).toContain(pushed)
        expect(await seat.hasInput()).toBe(false)
      }
      expect(bench.left()).toEqual([])
    },
  )

  test('^C and ^Z of our own terminal reach a program that has none', needs(host), async () => {
    using bench = new Bench(host)
    const script = 'trap "echo got-INT" INT; echo ready; while :; do sleep 0.05; done'
    const first = await sit(bench, ['exec', 'sh', '-c', script])
    await first.shows('ready')
    await first.type('\x03')
    await first.shows('got-INT')
    const { init_process_pid: pid } = await bench.running()
    process.kill(pid as number, 'SIGKILL')
    expect(await first.running.ended()).toBe(137)
  })

  test('CL-07 --console: the program runs on a terminal that somebody else has made', needs(host), async () => {
    using bench = new Bench(host)
    const console = await newConsole(0, 0, { size: { rows: 11, columns: 44 } })
    const path = readlinkSync(`/proc/self/fd/${console.slave.fd}`)
    const { status, stdout } = bench.run([
      '--console',
      path,
      'exec',
      'sh',
      '-c',
      'test -t 0 && test -t 2 && stty size; exit 4',
    ])
    expect({ status, stdout }).toEqual({ status: 4, stdout: '' })
    const buffer = new Uint8Array(100)
    expect(decodeUtf8(buffer.subarray(0, await console.read(buffer)))).toMatch(/^11 44\r?\n$/)
    console.close()
    expect(bench.run(['--console', '/absent', 'exec']).stderr).toMatch(/^nsinit: --console: cannot be opened: ENOENT/)
    expect(bench.run(['--console', '/dev/null', 'exec']).stderr).toMatch(/^nsinit: --console: must be a terminal/)
    expect(bench.left()).toEqual([])
  })
})
