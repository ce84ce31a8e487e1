import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import {
  type Console,
  ConsoleSocket,
  clearOnlcr,
  connectConsoleSocket,
  consoleSteps,
  copyWindowSize,
  getTermios,
  getWindowSize,
  isTerminal,
  MemoryLog,
  newConsole,
  openAndDupSteps,
  type RelayOptions,
  receiveTerminal,
  relay,
  restoreTerminals,
  sendTerminal,
  setRawMode,
  setupConsoleSteps,
  setWindowSize,
  useTerminalStep,
} from '@libcontainer/console'
import { onWindowChange, TerminalStream } from '@libcontainer/console/node'
import {
  OwnedFd,
  POLLIN,
  pipe,
  poll,
  receiveMessage,
  type Step,
  sendMessage,
  slot,
  socketPair,
} from '@libcontainer/sys'
import { afterAll, afterEach, expect, test } from 'vitest'
import { requires } from '../../../test/support/index.js'
import { Driver, type DriverRun } from '../../sys/test/driver.js'

const needs = requires('root', 'program:gcc')
const driver = new Driver(['console'])
const directory = mkdtempSync(join(tmpdir(), 'libcontainer-console-'))
const children = new Set<ChildProcess>()
const cleanups: (() => void)[] = []

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  children.clear()
  for (const clean of cleanups.splice(0)) clean()
})
afterAll(() => {
  driver.close()
  rmSync(directory, { recursive: true, force: true })
})

const session: Step = { op: 'driverSession', args: [], about: 'lead a session' }

async function pty(size = { rows: 24, columns: 80 }): Promise<Console> {
  const made = await newConsole(0, 0, { size })
  cleanups.push(() => made.close())
  return made
}

/** A program on the slave of a pty, as a shell starts one: a session of its own, the slave its terminal. */
function onTerminal(terminal: Console, argv: string[]): ChildProcess {
  const child = spawn('setsid', ['--ctty', ...argv], {
    stdio: [terminal.slave.fd, terminal.slave.fd, terminal.slave.fd],
  })
  children.add(child)
  terminal.slave.close()
  return child
}

const shell = (terminal: Console, script: string): ChildProcess => onTerminal(terminal, ['sh', '-c', script])

async function readAll(terminal: Console): Promise<string> {
  const parts: Buffer[] = []
  const buffer = new Uint8Array(65536)
  for (let got = await terminal.read(buffer); got > 0; got = await terminal.read(buffer))
    parts.push(Buffer.from(buffer.slice(0, got)))
  return Buffer.concat(parts).toString()
}

/** Reads until the text holds `wanted`. */
async function readUntil(terminal: Console, wanted: string | RegExp, text = ''): Promise<string> {
  const buffer = new Uint8Array(4096)
  while (!text.match(wanted)) {
    const got = await terminal.read(buffer, { signal: AbortSignal.timeout(25_000) })
    if (got === 0) throw new Error(`ended without ${wanted}: ${text}`)
    text += Buffer.from(buffer.subarray(0, got)).toString()
  }
  return text
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('CN-01 a new console has a path, an owner and mode 0600, and carries bytes both ways', needs, async () => {
  const terminal = await newConsole(4242, 4343)
  cleanups.push(() => terminal.close())
  const { uid, gid, mode } = statSync(terminal.path)
  expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 4242, gid: 4343, mode: 0o600 })
  expect(readlinkSync(`/proc/self/fd/${terminal.slave.fd}`)).toBe(terminal.path)
  for (const fd of [terminal.fd, terminal.slave.fd]) {
    expect(Number(/^flags:\t(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]) & 2).toBe(2)
  }
  expect(readFileSync('/proc/self/stat', 'utf8').split(' ')[6]).toBe(
    readFileSync('/proc/self/stat', 'utf8').split(' ')[6],
  )

  shell(terminal, 'read line; echo "got $line"')
  await terminal.write(bytes('hello\n'))
  expect(await readAll(terminal)).toBe('hello\r\ngot hello\r\n')
  await expect(newConsole(-1, 0)).rejects.toThrow(/^uid/)
  await expect(newConsole(0, 2 ** 32 - 1)).rejects.toThrow(/^gid/)
})

test(
  'CN-02 a terminal of the host becomes the /dev/console of a container: for root alone, and the same device',
  needs,
  async () => {
    const terminal = await newConsole(4242, 4343)
    cleanups.push(() => terminal.close())
    const { rdev, dev } = statSync(terminal.path)
    const setup = (label?: string): Promise<string> =>
      stdoutOf(
        inRoot(setupConsoleSteps({ root: slot('root'), path: terminal.path, label }), 'umount dev/pts', {
          argv: ['stat', '-c', '%t:%T %u:%g %a %d', 'dev/console'],
        }),
      )
    expect(await setup()).toBe(`${(rdev >> 8).toString(16)}:${(rdev & 0xff).toString(16)} 0:0 600 ${dev}\n`)
    expect(statSync(terminal.path)).toMatchObject({ uid: 0, gid: 0 })
    await expect(setup('no label')).rejects.toThrow(/^2 (22|95) fsetxattr/)
  },
)

test(
  'CN-03 a terminal by path becomes descriptors 0 to 2, kept over exec, and nothing else stays open',
  needs,
  async () => {
    const terminal = await pty()
    const argv = ['sh', '-c', 'echo begin; ls -l /proc/self/fd; echo end']
    const child = driver.start([session, ...openAndDupSteps(terminal.path)], {
      argv,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    children.add(child)
    const text = await readUntil(terminal, /end\r\n/)
    const open = [...text.matchAll(/(\d+) -> (.*)\r/g)].map(([, fd, path]) => `${fd} ${path}`)
    // The slave itself, close-on-exec, is gone.
    expect(open.slice(0, 3)).toEqual([0, 1, 2].map(fd => `${fd} ${terminal.path}`))
    expect(open.filter(line => line.endsWith(terminal.path)).length).toBe(3)
  },
)

/** Runs a plan beside a small root with a devpts of its own, in a mount namespace of its own; `prepare` is shell, in the root. */
function inRoot(steps: readonly Step[], prepare: string, run: DriverRun = {}): ChildProcess {
  const script = `
    set -e; cd "$0"; mount -t tmpfs none "$0"; cd "$0"; mkdir -p dev/pts
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 none dev/pts
    ${prepare}
    exec 9<. ; exec "$@"`
  const wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, directory]
  const child = driver.start(steps, { ...run, wrapper, slots: { ...run.slots, root: 9 } })
  children.add(child)
  return child
}

/** What a program prints, or what it complains of. */
async function stdoutOf(child: ChildProcess): Promise<string> {
  const [out, errors] = await Promise.all([textOf(child.stdout!), textOf(child.stderr!)])
  if (errors !== '') throw new Error(errors)
  return out
}

const size = { rows: 33, columns: 77 }
const facts =
  'stty size; cat /proc/self/stat; stat -L -c "owner %u:%g %t" /proc/self/fd/0; stat -L -c "console %t:%T" dev/console; stat -L -c "stdin %t:%T" /proc/self/fd/0'

/** What the program of a container with a terminal prints on it. */
async function inContainer(prepare: string, change: (steps: Step[]) => Step[] = steps => steps): Promise<string> {
  const [ours, theirs] = socketPair()
  cleanups.push(
    () => ours.close(),
    () => theirs.close(),
  )
  const send = [{ op: 'driverSend', args: [slot('socket'), slot('consoleMaster')], about: 'send the master' }]
  const steps = change([...consoleSteps({ root: slot('root'), size, uid: 4242, send }), session, useTerminalStep()])
  const stdio: DriverRun['stdio'] = ['ignore', 'pipe', 'pipe', theirs.fd]
  const child = inRoot(steps, prepare, { argv: ['sh', '-c', facts], stdio, slots: { socket: 3 } })
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', text => {
    errors += text
  })
  const ended = once(child, 'close')
  await once(child, 'spawn')
  theirs.close()
  await poll(ours.fd, POLLIN)
  const master = receiveMessage(ours)?.fds[0]
  if (master === undefined) {
    await ended
    throw new Error(errors)
  }
  const stream = new TerminalStream(master)
  let text = ''
  for await (const chunk of stream) text += chunk
  await ended
  if (errors !== '') throw new Error(errors)
  return text
}

test(
  'CN-04, CN-05, CN-06, CN-13 a container’s terminal: made in its own devpts, owned, bound on /dev/console, controlling',
  needs,
  async () => {
    const text = await inContainer('')
    expect(text).toMatch(/^33 77\r$/m)
    // tty_nr 136:0: the first pty of this devpts, however many the host has; the session is its own.
    const [pid, , , , , sid, tty] = /^(\d+ \(cat\).*)\r$/m.exec(text)![1]!.split(' ')
    expect(Number(tty)).toBe(136 * 256)
    expect(Number(sid)).toBeLessThanOrEqual(Number(pid))
    expect(text).toContain('owner 4242:5 88')
    expect(/console (.*)\r/.exec(text)![1]).toBe('88:0')
    expect(/stdin (.*)\r/.exec(text)![1]).toBe('88:0')
  },
)

test('CN-04 where TIOCGPTPEER is refused the slave is found by its verified name', needs, async () => {
  const byName = (steps: Step[]): Step[] =>
    steps.map(step => (step.op === 'openConsolePeer' ? (step.onError!.ENOSYS as Step) : step))
  expect(await inContainer('', byName)).toMatch(/console 88:0/)
})

test('CN-05 an existing file is covered, also on a read-only root', needs, async () => {
  expect(await inContainer('echo old > dev/console')).toMatch(/console 88:0/)
  expect(await inContainer('echo old > dev/console; mount -o remount,ro "$0"')).toMatch(/console 88:0/)
})

test('CVE-2026-88264, CN-05 a link at /dev/console is never followed, wherever it leads', needs, async () => {
  const existing = join(directory, '..', `libcontainer-victim-${process.pid}`)
  writeFileSync(existing, 'untouched')
  cleanups.push(() => rmSync(existing, { force: true }))
  const missing = `${existing}-missing`
  for (const target of [existing, missing, '/etc/passwd', 'pts/ptmx', '../dev/console']) {
    for (const readOnly of ['', 'mount -o remount,ro "$0"']) {
      await expect(inContainer(`ln -s ${target} dev/console; ${readOnly}`)).rejects.toThrow(
        /^5 40 openat2 .*symbolic link/,
      )
    }
  }
  expect(readFileSync(existing, 'utf8')).toBe('untouched')
  expect(existsSync(missing)).toBe(false)
  await expect(inContainer('mount -o remount,ro "$0"')).rejects.toThrow(/^5 30 openat2/)
  await expect(inContainer('mkdir dev/console')).rejects.toThrow(/^5 21 openat2/)
})

test('CVE-2025-52565, CN-04 a /dev/pts that is no devpts, or whose ptmx was covered, is refused', needs, async () => {
  await expect(inContainer('umount dev/pts')).rejects.toThrow(/^0 18 fstatfs it is on no devpts/)
  await expect(inContainer('umount dev/pts; mknod dev/pts/ptmx c 5 2')).rejects.toThrow(/^0 18 fstatfs/)
  await expect(inContainer('touch file; mount --bind file dev/pts/ptmx')).rejects.toThrow(/^0 18 openat2/)
  await expect(inContainer('mount --bind /dev/ptmx dev/pts/ptmx')).rejects.toThrow(/^0 18 openat2/)
  await expect(inContainer('umount dev/pts; rmdir dev/pts; ln -s /dev/pts dev/pts')).rejects.toThrow(
    /^0 (2|40) openat2/,
  )
  await expect(inContainer('umount dev/pts; rmdir dev/pts')).rejects.toThrow(/^0 2 openat2/)
})

test(
  'CN-06 UT-12 without a session of its own a process gets no controlling terminal, and says so',
  needs,
  async () => {
    await expect(inContainer('', steps => steps.filter(step => step !== session))).rejects.toThrow(
      / 1 ioctl\(TIOCSCTTY\)/,
    )
  },
)

test('CN-07 a master travels over a console socket, both ways, at a path of any length', needs, async () => {
  const long = join(directory, ...Array.from({ length: 6 }, () => 'd'.repeat(40)))
  mkdirSync(long, { recursive: true })
  for (const path of [join(directory, 'socket'), join(long, 'console.sock')]) {
    const terminal = await pty()
    const socket = await ConsoleSocket.listen(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const [received] = await Promise.all([socket.receive(), sendTerminal(path, terminal.fd, '/dev/pts/ptmx')])
    cleanups.push(() => received.master.close())
    expect(received.name).toBe('/dev/pts/ptmx')
    setWindowSize(received.master.fd, { rows: 7, columns: 9 })
    expect(terminal.size).toMatchObject({ rows: 7, columns: 9 })
    await expect(ConsoleSocket.listen(path)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await socket.close()
    expect(existsSync(path)).toBe(false)
    await expect(sendTerminal(path, terminal.fd)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'connect' })
  }
})

test('CN-07 a peer that sends no terminal, two, or a file is refused, and no descriptor stays', needs, async () => {
  const path = join(directory, 'bad')
  const terminal = await pty()
  const socket = await ConsoleSocket.listen(path)
  const { read, write } = pipe()
  cleanups.push(
    () => read.close(),
    () => write.close(),
    () => void socket.close(),
  )
  const open = (): number => readdirSync('/proc/self/fd').length
  const attempt = async (fds: number[]): Promise<unknown> => {
    const connection = await connectConsoleSocket(path)
    try {
      sendMessage(connection, bytes('x'), fds)
    } finally {
      connection.close()
    }
    return await socket.receive()
  }
  const before = open()
  await expect(attempt([])).rejects.toMatchObject({ code: 'EPROTO', message: expect.stringMatching(/no descriptor/) })
  await expect(attempt([terminal.fd, terminal.fd])).rejects.toThrow(/2 descriptors/)
  await expect(attempt([read.fd])).rejects.toThrow(/no terminal/)
  expect(open()).toBe(before)
})

test('CN-07 waiting for a terminal can be given up, and leaves no socket', needs, async () => {
  const path = join(directory, 'given-up')
  await expect(receiveTerminal(path, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({
    name: 'TimeoutError',
  })
  expect(existsSync(path)).toBe(false)
})

test('CN-08 a size is set, read, copied, and told to the program by SIGWINCH', needs, async () => {
  const terminal = await pty()
  const other = await pty({ rows: 50, columns: 132 })
  shell(terminal, 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done')
  await readUntil(terminal, 'ready')
  copyWindowSize(other.slave.fd, terminal.fd)
  expect(await readUntil(terminal, /\d+ \d+/)).toMatch(/50 132/)
  expect(getWindowSize(terminal.fd)).toEqual({ rows: 50, columns: 132, xpixel: 0, ypixel: 0 })
  expect(() => getWindowSize(openedNull())).toThrow(expect.objectContaining({ code: 'ENOTTY' }))
})

function openedNull(): number {
  const fd = openSync('/dev/null', 'r+')
  cleanups.push(() => closeSync(fd))
  return fd
}

test('CN-08 SIGWINCH calls back until it is no longer wanted', needs, async () => {
  let calls = 0
  const stop = onWindowChange(() => {
    calls++
  })
  process.kill(process.pid, 'SIGWINCH')
  while (calls === 0) await new Promise(resolve => setTimeout(resolve, 5))
  stop()
  expect(process.listenerCount('SIGWINCH')).toBe(0)
})

test('CN-09 raw mode is what stty calls raw, and restoring gives back every byte', needs, async () => {
  const terminal = await pty()
  const before = getTermios(terminal.fd)
  const mode = setRawMode(terminal.slave.fd)
  const raw = getTermios(terminal.fd)
  expect(raw.lflag & 0x800b).toBe(0)
  expect(raw.oflag & 1).toBe(0)
  mode.restore()
  mode.restore()
  expect(getTermios(terminal.fd)).toEqual(before)

  setRawMode(terminal.slave.fd, { keepOutput: true })
  expect(getTermios(terminal.fd).oflag).toBe(before.oflag)
  restoreTerminals()
  expect(getTermios(terminal.fd)).toEqual(before)
  expect(isTerminal(openedNull())).toBe(false)
  expect(() => setRawMode(openedNull())).toThrow(expect.objectContaining({ code: 'ENOTTY' }))
})

/** A module that imports by the packages' names, as a user's does. */
function program(source: string): string {
  const path = join(new URL('.', import.meta.url).pathname, `.program-${process.pid}-${cleanups.length}.mjs`)
  writeFileSync(path, source)
  cleanups.push(() => rmSync(path, { force: true }))
  return path
}

test(
  'CN-09, LR-11 the terminal is restored on exit, on an uncaught error, and on a deadly signal, which still kills',
  needs,
  async () => {
    for (const [end, code, signal] of [
      ['process.exit(3)', 3, null],
      ['throw new Error("on purpose")', 1, null],
      ['process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)', null, 'SIGTERM'],
      ['process.kill(process.pid, "SIGHUP"); setInterval(() => {}, 1000)', null, 'SIGHUP'],
      ['process.kill(process.pid, "SIGALRM"); setInterval(() => {}, 1000)', null, 'SIGALRM'],
      ['Promise.reject(new Error("on purpose"))', 1, null],
    ] as const) {
      const terminal = await pty()
      const before = getTermios(terminal.fd)
      // Not on its standard streams: those Node.js itself gives back. It ends when it is told, and not before it was looked at.
      const path = program(`
      import { setRawMode } from '@libcontainer/console'
      import { restoreOnExit } from '@libcontainer/console/node'
      import { openSync, read, writeSync } from 'node:fs'
      const terminal = openSync('/dev/tty', 'r+')
      restoreOnExit()
      setRawMode(terminal)
      writeSync(terminal, 'raw')
      read(terminal, Buffer.alloc(1), 0, 1, null, () => { ${end} })`)
      const child = shell(terminal, `exec ${process.execPath} ${path} 9<&0 </dev/null >/dev/null 2>&1`)
      const ended = once(child, 'exit')
      await readUntil(terminal, 'raw')
      expect(getTermios(terminal.fd)).not.toEqual(before)
      await terminal.write(bytes('x'))
      const [gotCode, gotSignal] = await ended
      expect([gotCode, gotSignal]).toEqual([code, signal])
      expect(getTermios(terminal.fd)).toEqual(before)
    }
  },
)

test('CN-10 the user’s terminal is standard error, output, input, else /dev/tty, else none', needs, async () => {
  const find = program(`
    import { findTerminal, getWindowSize } from '@libcontainer/console'
    import { writeFileSync } from 'node:fs'
    const found = await findTerminal()
    writeFileSync(process.argv[2], found ? (found.fd > 2 ? 'tty' : String(found.fd)) + ' ' + getWindowSize(found.fd).columns : 'none')
    found?.close()`)
  const result = join(directory, 'found')
  const found = async (redirections: string): Promise<string> => {
    const terminal = await pty()
    const child = shell(terminal, `exec ${process.execPath} ${find} ${result} ${redirections}`)
    await once(child, 'exit')
    return readFileSync(result, 'utf8')
  }
  expect(await found('')).toBe('2 80')
  expect(await found('2>/dev/null')).toBe('1 80')
  expect(await found('2>/dev/null >/dev/null')).toBe('0 80')
  expect(await found('2>/dev/null >/dev/null </dev/null')).toBe('tty 80')
  const none = spawn('setsid', ['--wait', process.execPath, find, result], { stdio: 'ignore' })
  await once(none, 'exit')
  expect(readFileSync(result, 'utf8')).toBe('none')
})

test('CN-11 without ONLCR a newline stays one byte', needs, async () => {
  const terminal = await pty()
  clearOnlcr(terminal.fd)
  shell(terminal, 'echo one; echo two')
  expect(await readAll(terminal)).toBe('one\ntwo\n')
})

test('CN-14 all that a program wrote before it exited is read, then comes the end', needs, async () => {
  const terminal = await pty()
  const child = shell(terminal, 'stty -onlcr; head -c 1000000 /dev/zero | tr "\\0" x; echo end')
  const text = await readAll(terminal)
  expect(text.length).toBe(1_000_004)
  expect(text.endsWith('end\n')).toBe(true)
  if (child.exitCode === null) await once(child, 'exit')
  expect(await terminal.read(new Uint8Array(1))).toBe(0)
})

test('CN-15 a stream: echo, resize, end of input, and the end when the program ends', needs, async () => {
  const terminal = await pty()
  shell(terminal, 'stty size; cat; stty size; echo bye')
  const stream = new TerminalStream(new OwnedFd(terminal.master.release()))
  const sizes: unknown[] = []
  stream.on('resize', size => sizes.push(size))
  stream.write('hello\n')
  stream.resize({ rows: 10, columns: 20 })
  stream.end()
  let text = ''
  for await (const chunk of stream) text += chunk
  expect(text).toMatch(/hello\r\n(.*\r\n)?hello\r\n/)
  expect(text).toMatch(/10 20\r\nbye\r\n$/)
  expect(sizes).toEqual([{ rows: 10, columns: 20, xpixel: 0, ypixel: 0 }])
  expect(stream.destroyed).toBe(true)
})

test('CN-15 back-pressure: a program waits for a reader that does not read, and loses nothing', needs, async () => {
  const terminal = await pty()
  const child = shell(terminal, 'stty -onlcr; i=0; while [ $i -lt 40000 ]; do echo line $i; i=$((i+1)); done')
  const stream = new TerminalStream(new OwnedFd(terminal.master.release()))
  await once(stream, 'readable')
  await new Promise(resolve => setTimeout(resolve, 200))
  expect(child.exitCode).toBe(null)
  expect(stream.readableLength).toBeLessThan(256 * 1024)
  let text = ''
  for await (const chunk of stream) text += chunk
  expect(text).toBe(Array.from({ length: 40000 }, (_, i) => `line ${i}\n`).join(''))
})

test('CN-15 destroying the stream hangs the program up', needs, async () => {
  const terminal = await pty()
  const child = shell(terminal, 'echo ready; exec sleep 100')
  const ended = once(child, 'exit')
  await readUntil(terminal, 'ready')
  new TerminalStream(new OwnedFd(terminal.master.release())).destroy()
  expect((await ended)[1]).toBe('SIGHUP')
})

/** The user's side of a relay: a terminal that the test types on. */
async function userTerminal(): Promise<Console> {
  return await pty({ rows: 40, columns: 100 })
}

test(
  'CN-09, CN-11, CN-14 a relay: raw while it lasts, typed keys go in, output comes out, modes come back',
  needs,
  async () => {
    const user = await userTerminal()
    const before = getTermios(user.fd)
    const inside = await pty()
    const child = onTerminal(inside, ['sh'])
    const done = relay(inside.master, { input: user.slave.fd, output: user.slave.fd })
    expect(getTermios(user.fd).lflag & 0x800b).toBe(0)
    expect(getTermios(inside.fd).oflag & 4).toBe(0)

    await user.write(bytes('stty size; echo $((6*7))\n'))
    const text = await readUntil(user, /42\r\n/)
    expect(text).toMatch(/40 100\r\n42\r\n/)
    // Job control: an interrupt is a byte here, and a signal in there.
    // The word comes from the program in the foreground, and not from the echo of what was typed.
    await user.write(bytes(`sh -c 'echo $((40+4)) up; exec sleep 50'\n`))
    await readUntil(user, '44 up')
    await user.write(Uint8Array.of(3))
    await user.write(bytes('echo alive; exit 7\n'))
    await done
    expect((await readUntil(user, /alive\r\n/)).length).toBeGreaterThan(0)
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(7)
    expect(getTermios(user.fd)).toEqual(before)
  },
)

test('CN-08 NS-18 a relay follows the user’s size', needs, async () => {
  const user = await userTerminal()
  const inside = await pty()
  shell(inside, 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done')
  let changed = (): void => undefined
  let subscribed = 0
  const onResize: RelayOptions['onResize'] = callback => {
    changed = callback
    subscribed++
    return () => {
      subscribed--
    }
  }
  const done = relay(inside.master, { input: user.slave.fd, output: user.slave.fd, onResize })
  await readUntil(user, 'ready')
  user.resize({ rows: 11, columns: 22 })
  changed()
  await done
  expect(await readUntil(user, /11 22/)).toBeTruthy()
  expect(subscribed).toBe(0)
})

test('CN-08 a relay that is given up by whoever is told of the size ends at once', needs, async () => {
  const user = await userTerminal()
  const inside = await pty()
  const over = new AbortController()
  const onResize = (): (() => void) => {
    over.abort(new Error('enough'))
    return () => undefined
  }
  const done = relay(inside.master, { input: user.slave.fd, output: user.slave.fd, onResize, signal: over.signal })
  const late = new Promise(resolve => setTimeout(resolve, 5000, 'late'))
  expect(await Promise.race([done.catch((error: Error) => error.message), late])).toBe('enough')
})

/** Runs a relay whose user side is pipes; answers all output. */
async function piped(inside: Console, input: string | undefined, options: Partial<RelayOptions> = {}): Promise<string> {
  const out = pipe()
  const read = new OwnedFd(out.read.release())
  const keys = pipe()
  cleanups.push(
    () => read.close(),
    () => out.write.close(),
    () => keys.read.close(),
    () => keys.write.close(),
  )
  const text = collect(read)
  const writing = input === undefined ? undefined : feed(keys.write, input)
  try {
    await relay(inside.master, { input: keys.read.fd, output: out.write.fd, ...options })
  } finally {
    out.write.close()
    keys.read.close()
    await writing
  }
  return await text
}

function collect(read: OwnedFd): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const child = spawn('cat', { stdio: [read.fd, 'pipe', 'inherit'] })
    child.stdout!.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    child.on('close', () => resolve(text)).on('error', reject)
  })
}

function feed(write: OwnedFd, text: string): Promise<unknown> {
  const child = spawn('cat', { stdio: ['pipe', write.fd, 'inherit'] })
  children.add(child)
  child.stdin!.on('error', () => undefined).end(text)
  write.close()
  return once(child, 'close')
}

test(
  'CN-14 half-close: the end of the input is passed on, and output is complete, with plain newlines',
  needs,
  async () => {
    const inside = await pty()
    shell(inside, 'stty -echo; cat; echo bye')
    expect(await piped(inside, 'one\ntwo\n')).toMatch(/(one\ntwo\n)+bye\n$/)
  },
)

test('a relay takes its input from a file, and from nothing', needs, async () => {
  const file = join(directory, 'typed')
  writeFileSync(file, 'echo from-$((1+1))-file\n')
  const inside = await pty()
  onTerminal(inside, ['sh'])
  const fd = openSync(file, 'r')
  cleanups.push(() => closeSync(fd))
  expect(await piped(inside, undefined, { input: fd })).toContain('from-2-file\n')

  const closed = await pty()
  onTerminal(closed, ['sh', '-c', 'cat; echo done'])
  expect(await piped(closed, undefined, { input: openedNull() })).toMatch(/done\n$/)
})

test('BY-08 a relay keeps what it passes on, and what it passes to nobody', needs, async () => {
  const heard = await pty()
  onTerminal(heard, ['sh', '-c', 'echo one; echo two'])
  const log = new MemoryLog(1024)
  const passed = await piped(heard, undefined, { log })
  expect(passed).toMatch(/^one\r?\ntwo\r?\n$/)
  expect(Buffer.from(log.read()).toString()).toBe(passed)
  log.clear()
  const alone = await pty()
  onTerminal(alone, ['sh', '-c', 'echo three'])
  await relay(alone.master, { log })
  expect(Buffer.from(log.read()).toString()).toMatch(/^three\r?\n$/)
})

test('much goes both ways at once without a standstill', needs, async () => {
  const inside = await pty()
  shell(inside, 'stty -echo; cat; echo bye')
  const lines = Array.from({ length: 20000 }, (_, i) => `line number ${i}\n`).join('')
  const text = await piped(inside, lines)
  expect(text.length).toBeGreaterThanOrEqual(lines.length + 4)
  expect(text.endsWith('line number 19999\nbye\n')).toBe(true)
})

test(
  'CN-14 when the program has ended a relay passes on what is there and ends, though something keeps the terminal open',
  needs,
  async () => {
    const inside = await pty()
    const child = shell(inside, '(trap "" HUP; exec setsid sleep 3) & head -c 50000 /dev/zero | tr "\\0" y; echo last')
    const started = Date.now()
    const text = await piped(inside, undefined, { until: once(child, 'exit') })
    expect(text.length).toBe(50_005)
    expect(text.endsWith('last\n')).toBe(true)
    expect(Date.now() - started).toBeLessThan(2500)
  },
)

test('CN-14 a relay that is told of the end ends, though something writes on and on', needs, async () => {
  const inside = await pty()
  shell(inside, 'yes')
  const { read, write } = pipe()
  cleanups.push(() => write.close())
  // It reads slower than is written, so that there is always more.
  const slow = 'while [ "$(head -c 4096 | wc -c)" -gt 0 ]; do :; done'
  children.add(spawn('sh', ['-c', slow], { stdio: [read.fd, 'ignore', 'inherit'] }))
  read.close()
  const until = new Promise(resolve => setTimeout(resolve, 200))
  await relay(inside.master, { output: write.fd, until, signal: AbortSignal.timeout(25_000) })
})

test('CN-09 a relay that is given up, or whose output is refused, restores the terminal', needs, async () => {
  const user = await userTerminal()
  const before = getTermios(user.fd)
  const inside = await pty()
  shell(inside, 'echo started; sleep 100')
  const abort = new AbortController()
  const done = relay(inside.master, { input: user.slave.fd, output: user.slave.fd, signal: abort.signal })
  await readUntil(user, 'started')
  abort.abort(new Error('given up'))
  await expect(done).rejects.toThrow('given up')
  expect(getTermios(user.fd)).toEqual(before)

  const noisy = await pty()
  shell(noisy, 'yes')
  const { read, write } = pipe()
  read.close()
  cleanups.push(() => write.close())
  await expect(relay(noisy.master, { input: user.slave.fd, output: write.fd })).rejects.toMatchObject({ code: 'EPIPE' })
  expect(getTermios(user.fd)).toEqual(before)
})
