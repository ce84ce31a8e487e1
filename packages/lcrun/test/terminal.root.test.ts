import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConsoleSocket, getTermios, type ReceivedTerminal } from '@libcontainer/console'
import { TerminalStream } from '@libcontainer/console/node'
import { afterEach, describe, expect, test } from 'vitest'
import { busyboxRootfs, copyOfBusyboxRootfs, Running, requires, until } from '../../../test/support/index.js'
import { compilePusher } from '../../../test/support/pusher.js'
import { closeSeats, inShell, onTerminal, Seat } from '../../../test/support/seat.js'
import { Bundle, either, hosts, specOf, type TestHost } from './hosts.js'

afterEach(closeSeats)

const needs = (host: TestHost, ...more: Parameters<typeof requires>): TestHost['needs'] => ({
  ...host.needs,
  skip: host.needs.skip || requires('program:setsid', ...more).skip,
})

const sh = (script: string, terminal: boolean, rootfs = busyboxRootfs()) =>
  specOf(['/bin/sh', '-c', script], { process: { terminal }, root: { path: rootfs } })

/** lcrun in the foreground of a terminal, by a program that leads its session. */
async function sit(bundle: Bundle, args: readonly string[], before: readonly string[] = onTerminal): Promise<Seat> {
  return await Seat.open(
    fd => {
      const [program, ...words] = [...before, ...bundle.host.command, '--root', bundle.stateRoot, ...args]
      return new Running(spawn(program!, words, { cwd: bundle.path, stdio: [fd, fd, fd] }))
    },
    { rows: 31, columns: 97 },
  )
}

/** All that comes out of a terminal. */
async function shown({ master }: ReceivedTerminal): Promise<string> {
  let text = ''
  for await (const chunk of new TerminalStream(master)) text += chunk
  return text
}

describe.each(hosts)('on $name', host => {
  test(
    'CN-12 in the foreground a new terminal is relayed, ours raw meanwhile and as before at the end',
    needs(host),
    async () => {
      using bundle = new Bundle(host, sh('tty; stty size; read line; echo "got $line"; exit 7', true))
      const seat = await sit(bundle, ['run', bundle.id])
      const before = getTermios(seat.console.slave.fd)
      await seat.shows(/\/dev\/pts\/0\r\n31 97\r\n/)
      await until('raw mode', () => ((getTermios(seat.console.slave.fd).lflag & 2) === 0 ? true : undefined))
      await seat.type('a word\n')
      expect(await seat.running.ended()).toBe(7)
      await seat.shows('got a word\r\n')
      expect(getTermios(seat.console.slave.fd)).toEqual(before)
      expect(bundle.left()).toEqual([])
    },
  )

  test(
    'CN-11 CN-14 what is written on a terminal in the foreground arrives whole, with plain newlines',
    needs(host),
    () => {
      using bundle = new Bundle(host, sh('stty -g; seq 1 20000; echo end', true))
      const { status, stdout } = bundle.run(['run', bundle.id])
      expect(status).toBe(0)
      // OPOST without ONLCR.
      expect(stdout).toMatch(/^[0-9a-f]+:1:[^\n]*\n1\n2\n/)
      expect(stdout.endsWith('20000\nend\n')).toBe(true)
      expect(stdout).not.toContain('\r')
    },
  )

  test(
    'CN-12 CN-07 CN-16 detached, the master of a first and of a further process goes over the socket',
    needs(host),
    async () => {
      using bundle = new Bundle(host, sh('tty; stty -g; read line; echo "$line"; exec sleep 1000', true))
      // Longer than sun_path.
      const long = bundle.file('d'.repeat(120))
      mkdirSync(long)
      const socket = join(long, 'console')
      const receive = async (args: readonly string[]): Promise<ReceivedTerminal> => {
        await using listening = await ConsoleSocket.listen(socket)
        const received = listening.receive()
        const running = bundle.start(args, { stdio: ['ignore', 'ignore', 'pipe'] })
        const [terminal, status] = await Promise.all([received, running.ended()])
        expect({ status, stderr: running.stderr }).toEqual({ status: 0, stderr: '' })
        return terminal
      }
      const first = await receive(['create', '--console-socket', socket, bundle.id])
      expect(first.name).toBe('/dev/pts/0')
      expect(bundle.run(['start', bundle.id])).toMatchObject({ status: 0, stderr: '' })
      const stream = new TerminalStream(first.master)
      let seen = ''
      stream.on('data', chunk => {
        seen += chunk
      })
      const shows = async (wanted: RegExp): Promise<unknown> =>
        await until(
          `${wanted}`,
          () => (wanted.test(seen) ? true : undefined),
          () => seen,
        )
      await shows(/^\/dev\/pts\/0\r\n[0-9a-f]+:5:.*\r\n/)
      stream.write('over the socket\n')
      await shows(/over the socket\r\n.*over the socket\r\n/s)
      const words = ['--tty', '--detach', '--console-socket', socket, bundle.id, 'sh', '-c', 'tty; echo further']
      expect(await shown(await receive(['exec', ...words]))).toBe('/dev/pts/1\r\nfurther\r\n')
      expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
      stream.destroy()
      expect(bundle.left()).toEqual([])
    },
  )

  test(
    'CN-17 a detached program that gets our terminal is told of, one that does not is not',
    needs(host),
    async () => {
      using bundle = new Bundle(host, sh('exec sleep 1000', false))
      const seat = await sit(bundle, ['run', '--detach', bundle.id], inShell)
      await seat.shows('ended 0')
      expect(seat.shown).toMatch(/standard input and standard output and standard error .* is this terminal.*TIOCSTI/)
      expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
      const log = openSync(bundle.file('out'), 'w+')
      expect(bundle.run(['run', '--detach', bundle.id], { stdio: ['ignore', log, log] })).toMatchObject({ status: 0 })
      closeSync(log)
      expect(readFileSync(bundle.file('out'), 'utf8')).toBe('')
      expect(bundle.run(['delete', '--force', bundle.id])).toMatchObject({ status: 0 })
      await seat.running.killed()
    },
  )
})

describe.each(either)('on $name', host => {
  test(
    'CN-12 EV-122 a mode that has no meaning is refused, with those that have, and nothing is left',
    needs(host),
    () => {
      using bundle = new Bundle(host, sh('true', true))
      const refused = (args: readonly string[], message: RegExp): void => {
        expect(bundle.detached(args)).toMatchObject({ status: 1, stderr: expect.stringMatching(message) })
        expect(bundle.left()).toEqual([])
      }
      refused(['create', bundle.id], /process\.terminal: .*--console-socket; or stay in the foreground/)
      refused(['run', '--detach', bundle.id], /process\.terminal: .*--console-socket; or stay in the foreground/)
      refused(['run', '--console-socket', '/run/s', bundle.id], /--console-socket: .*--detach.*leave the socket out/)
      refused(['create', '--console-socket', '/no/socket', bundle.id], /ENOENT.*'\/no\/socket'/)
      bundle.write(sh('true', false))
      refused(['create', '--console-socket', '/run/s', bundle.id], /--console-socket: .*set process\.terminal/)
    },
  )

  test('CN-12 EV-122 exec: --tty and --detach need a socket, a socket needs both', needs(host), () => {
    using bundle = new Bundle(host)
    bundle.sleeping()
    const refused = (flags: readonly string[], message: RegExp): void =>
      expect(bundle.detached(['exec', ...flags, bundle.id, 'true'])).toMatchObject({
        status: 255,
        stderr: expect.stringMatching(message),
      })
    refused(['--tty', '--detach'], /--tty: .*--console-socket; or stay in the foreground/)
    refused(['--detach', '--console-socket', '/run/s'], /--console-socket: .*set --tty/)
    refused(['--tty', '--console-socket', '/run/s'], /--console-socket: .*add --detach/)
  })

  test(
    'CN-17 CVE-2016-10124 CVE-2017-5226 what a program pushes into a terminal never reaches ours',
    needs(host, 'program:gcc'),
    async () => {
      using rootfs = copyOfBusyboxRootfs()
      compilePusher(join(rootfs.path, 'bin'))
      for (const [terminal, pushed] of [
        [false, 'pushed 0 0 0 0'],
        [true, 'pushed 6 6 6 6'],
      ] as const) {
        using bundle = new Bundle(host, sh('pusher', terminal, rootfs.path))
        const seat = await sit(bundle, ['run', bundle.id], inShell)
        await seat.shows('ended 0')
        expect(seat.shown).toContain(pushed)
        expect(await seat.hasInput()).toBe(false)
        await seat.running.killed()
      }
      using bundle = new Bundle(host, sh('exec sleep 1000', false, rootfs.path))
      bundle.detached(['run', '--detach', bundle.id])
      const seat = await sit(bundle, ['exec', '--tty', bundle.id, 'pusher'], inShell)
      await seat.shows('ended 0')
      expect(seat.shown).toContain('pushed 6 6 6 6')
      expect(await seat.hasInput()).toBe(false)
      await seat.running.killed()
    },
  )
})
