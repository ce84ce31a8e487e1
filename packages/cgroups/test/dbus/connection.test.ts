import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectUnix, LibcontainerError, listenUnix, O_NONBLOCK, type OwnedFd, SOCK_STREAM } from '@libcontainer/sys'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/support/index.js'
import { addressOf, unixSockets } from '../../src/dbus/address.js'
import { BUS, DBusConnection } from '../../src/dbus/connection.js'
import { withDeadline } from '../../src/deadline.js'
import { FakeBus, type FakeBusOptions } from './fake-bus.js'

const CALL = { destination: 'a.b', path: '/a', interface: 'a.b', member: 'Do' } as const

async function connected(options: FakeBusOptions = {}): Promise<{ bus: FakeBus; connection: DBusConnection }> {
  const bus = await FakeBus.listen(options)
  const connection = await DBusConnection.open(bus.path)
  onTestFinished(() => connection.close())
  return { bus, connection }
}

const within = <T>(timeoutMs: number, act: (signal: AbortSignal) => Promise<T>): Promise<T> =>
  withDeadline({ timeoutMs }, () => new LibcontainerError('ETIMEDOUT', 'too late'), act)

describe('CG-71 who a client is', () => {
  const uid = Buffer.from(String(process.geteuid!())).toString('hex')

  test.each([
    ['is known at once', (line: string) => (line === 'AUTH EXTERNAL' ? 'OK 00' : 'ERROR')],
    ['is asked for', (line: string) => (line === 'AUTH EXTERNAL' ? 'DATA' : line === 'DATA' ? 'OK 00' : 'ERROR')],
    ['must be said', (line: string) => (line === `AUTH EXTERNAL ${uid}` ? 'OK 00' : 'REJECTED EXTERNAL')],
  ])('%s', async (_, welcome) => {
    const { connection } = await connected({ welcome })
    expect(await connection.call(CALL)).toEqual([])
  })

  test('may be refused', async () => {
    const bus = await FakeBus.listen({ welcome: () => 'REJECTED' })
    await expect(DBusConnection.open(bus.path)).rejects.toMatchObject({ code: 'EACCES', hint: /XDG_RUNTIME_DIR/ })
  })
})

describe('CG-71 systemd’s own socket', () => {
  test.each([
    ['asks who this is', (line: string) => (line === 'AUTH EXTERNAL' ? 'DATA' : 'OK 00')],
    ['knows at once, as older ones do', () => 'OK 00'],
  ])('%s, and the first call is not read together with what comes before', async (_, welcome) => {
    const bus = await FakeBus.listen({ systemd: true, welcome })
    const connection = await DBusConnection.open(bus.path, { bus: false })
    onTestFinished(() => connection.close())
    expect(await within(5000, signal => connection.call(CALL, { signal }))).toEqual([])
  })

  test.each([
    ['at once', () => 'REJECTED EXTERNAL'],
    ['when it is said', (line: string) => (line === 'AUTH EXTERNAL' ? 'DATA' : 'REJECTED EXTERNAL')],
  ])('refuses %s', async (_, welcome) => {
    const bus = await FakeBus.listen({ systemd: true, welcome })
    await expect(DBusConnection.open(bus.path, { bus: false })).rejects.toMatchObject({ code: 'EACCES' })
  })
})

describe('CG-71 calls', () => {
  test.each([true, false])(
    'are answered in the order of bytes of the service: little-endian %s',
    async littleEndian => {
      const { bus, connection } = await connected({ littleEndian })
      bus.answer = ({ body }, answer) => answer.return('sa{sv}', [body[0]!, [['k', { type: 't', value: 5n }]]])
      const [text, map] = await connection.call({ ...CALL, signature: 's', body: ['hé'] })
      expect([text, map]).toEqual(['hé', [['k', { type: 't', value: 5n }]]])
    },
  )

  test('many at once get each its own answer, whatever their order', async () => {
    const { bus, connection } = await connected()
    const late: (() => void)[] = []
    bus.answer = ({ body }, answer) => {
      late.push(() => answer.return('u', body))
      if (late.length === 50) for (const one of late.reverse()) one()
    }
    const numbers = Array.from({ length: 50 }, (_, i) => i)
    const answers = await Promise.all(numbers.map(i => connection.call({ ...CALL, signature: 'u', body: [i] })))
    expect(answers).toEqual(numbers.map(i => [i]))
  })

  test('an error has the name that the service gives it', async () => {
    const { bus, connection } = await connected()
    bus.answer = (_, answer) => answer.error('org.freedesktop.systemd1.NoSuchUnit', 'Unit x.scope not loaded.')
    await expect(connection.call(CALL)).rejects.toMatchObject({
      name: 'DBusError',
      code: 'org.freedesktop.systemd1.NoSuchUnit',
      member: 'Do',
      message: 'Do: Unit x.scope not loaded. (org.freedesktop.systemd1.NoSuchUnit)',
    })
  })

  test('arguments that are not of their types are refused before anything is sent', async () => {
    const { bus, connection } = await connected()
    await expect(connection.call({ ...CALL, signature: 'u', body: ['x'] })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      field: 'arguments[0]',
    })
    expect(bus.calls).toEqual([])
  })

  test('a message of megabytes arrives, both ways', async () => {
    const { bus, connection } = await connected()
    bus.answer = ({ body }, answer) => answer.return('ay', body)
    const bytes = new Uint8Array(3_000_000).map((_, i) => i)
    const [back] = await connection.call({ ...CALL, signature: 'ay', body: [bytes] })
    expect(Buffer.compare(back as Uint8Array, bytes)).toBe(0)
  })
})

describe('LR-12 a service that does not do what it should', () => {
  test('no answer: ETIMEDOUT, and the connection goes on', async () => {
    const { bus, connection } = await connected()
    const kept: (() => void)[] = []
    bus.answer = (_, answer) => void kept.push(() => answer.return())
    await expect(within(50, signal => connection.call(CALL, { signal }))).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      message: 'too late',
    })
    // Its late answer is nobody's.
    for (const reply of kept) reply()
    bus.answer = (_, answer) => answer.return('s', ['now'])
    expect(await connection.call(CALL)).toEqual(['now'])
  })

  test('a signal ends the wait with its own reason', async () => {
    const { bus, connection } = await connected()
    const stop = new AbortController()
    bus.answer = () => stop.abort(new Error('enough'))
    await expect(connection.call(CALL, { signal: stop.signal })).rejects.toThrow('enough')
    await expect(connection.call(CALL, { signal: stop.signal })).rejects.toThrow('enough')
  })

  test('an answer in pieces is put together', async () => {
    const { bus, connection } = await connected()
    bus.answer = async (_, answer) => {
      const bytes = answer.bytes('ss', ['in', 'pieces'])
      for (const byte of bytes) {
        answer.raw(Uint8Array.of(byte))
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    expect(await connection.call(CALL)).toEqual(['in', 'pieces'])
  })

  test('half an answer and the end: it is told that the call had gone out', async () => {
    const { bus, connection } = await connected()
    bus.answer = (_, answer) => {
      answer.raw(answer.bytes('s', ['never whole']).subarray(0, 20))
      setImmediate(answer.end)
    }
    await expect(connection.call(CALL)).rejects.toMatchObject({ code: 'ECONNRESET', sent: true })
    expect(connection.closed).toBe(true)
    await expect(connection.call(CALL)).rejects.toMatchObject({ code: 'ECONNRESET', sent: false })
  })

  test('garbage ends the connection, and says so', async () => {
    const { bus, connection } = await connected()
    bus.answer = (_, answer) => answer.raw(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(connection.call(CALL)).rejects.toMatchObject({
      code: 'ECONNRESET',
      message: /has no order of bytes/,
      cause: { code: 'EPROTO' },
    })
  })

  test.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\n\n'],
    ['no end of a line', 'x'.repeat(10_000)],
    ['nothing at all', ''],
  ])('what is no bus: %s', async (_, text) => {
    using directory = temporaryDirectory('no-bus-')
    const path = join(directory.path, 'socket')
    const server = createServer(socket => socket.on('error', () => {}).end(text)).listen(path)
    await once(server, 'listening')
    try {
      await expect(within(5000, signal => DBusConnection.open(path, { signal }))).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:EPROTO|ECONNRESET)$/),
      })
    } finally {
      server.close()
    }
  })

  test('nobody there, and nobody who accepts', async () => {
    using directory = temporaryDirectory('deaf-')
    const path = join(directory.path, 'socket')
    await expect(DBusConnection.open(path)).rejects.toMatchObject({ code: 'ENOENT' })
    const waiting: OwnedFd[] = []
    using listener = listenUnix(path, SOCK_STREAM)
    try {
      await expect(within(50, signal => DBusConnection.open(path, { signal }))).rejects.toMatchObject({
        code: 'ETIMEDOUT',
      })
      // Until its queue is full: then connecting itself would wait.
      for (;;) waiting.push(await connectUnix(path, SOCK_STREAM | O_NONBLOCK))
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' })
      await expect(within(50, signal => DBusConnection.open(path, { signal }))).rejects.toMatchObject({
        code: 'ETIMEDOUT',
      })
    } finally {
      for (const socket of waiting) socket.close()
      listener.close()
    }
    await expect(DBusConnection.open(path)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('one that does not read: a call that does not go out is ended, and so is the connection', async () => {
    const { bus, connection } = await connected()
    bus.connections[0]!.pause()
    const body = [new Uint8Array(20_000_000)]
    const call = within(100, signal => connection.call({ ...CALL, signature: 'ay', body }, { signal }))
    const behind = connection.call(CALL)
    behind.catch(() => {})
    await expect(call).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    await expect(behind).rejects.toMatchObject({ code: 'ECONNRESET', sent: false })
  })
})

test('CG-71 a program ends although its connection is open, and not while a call waits', async () => {
  const bus = await FakeBus.listen()
  bus.answer = (_, answer) => void setTimeout(() => answer.return('s', ['late']), 300)
  using directory = temporaryDirectory('program-')
  const url = new URL('../../dist/dbus/connection.js', import.meta.url)
  const program = join(directory.path, 'program.mjs')
  writeFileSync(
    program,
    `import { DBusConnection } from ${JSON.stringify(url.href)}
     const connection = await DBusConnection.open(${JSON.stringify(bus.path)})
     console.log(...(await connection.call(${JSON.stringify(CALL)})))`,
  )
  const child = spawn(process.execPath, [program], { cwd: fileURLToPath(new URL('..', import.meta.url)) })
  let said = ''
  child.stdout.on('data', text => {
    said += text
  })
  const [code] = await once(child, 'close')
  expect({ code, said }).toEqual({ code: 0, said: 'late\n' })
})

describe('CG-71 addresses', () => {
  test.each([
    ['unix:path=/run/dbus/system_bus_socket', ['/run/dbus/system_bus_socket']],
    ['unix:path=/a%20b,guid=00;unix:abstract=c', ['/a b', '@c']],
    ['tcp:host=x,port=1;unix:path=/d', ['/d']],
    ['unix:tmpdir=/tmp', []],
    ['', []],
  ])('%s', (address, sockets) => {
    expect(unixSockets(address)).toEqual(sockets)
  })

  test('a path that needs it is escaped', () => {
    expect(unixSockets(addressOf('/run/ä=b,c;d'))).toEqual(['/run/ä=b,c;d'])
  })

  test.each(['x', 'unix:path', '/run/bus'])('no address: %s', address => {
    expect(() => unixSockets(address)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }))
  })
})

describe('CG-71 a real bus', () => {
  const missing = spawnSync('dbus-daemon', ['--version']).status !== 0
  test.skipIf(missing)(`dbus-daemon: names, signals, errors${missing ? ': it is not installed' : ''}`, async () => {
    using directory = temporaryDirectory('bus-')
    const path = join(directory.path, 'bus')
    const config = join(directory.path, 'bus.conf')
    writeFileSync(
      config,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
       <busconfig><type>session</type><listen>${addressOf(path)}</listen><auth>EXTERNAL</auth>
       <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
    )
    const daemon = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--print-address'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void daemon.kill('SIGKILL'))
    await once(daemon.stdout, 'data')
    const [one, two] = await Promise.all([DBusConnection.open(path), DBusConnection.open(path)])
    onTestFinished(() => one.close())

    const [owned] = await one.call({ ...BUS, member: 'RequestName', signature: 'su', body: ['a.b', 0] })
    expect(owned).toBe(1)
    const [owner] = await two.call({ ...BUS, member: 'GetNameOwner', signature: 's', body: ['a.b'] })
    expect(owner).toMatch(/^:1\.\d+$/)
    const [uid] = await one.call({ ...BUS, member: 'GetConnectionUnixUser', signature: 's', body: [owner!] })
    expect(uid).toBe(process.geteuid!())
    await expect(one.call({ ...BUS, member: 'GetNameOwner', signature: 's', body: ['c.d'] })).rejects.toMatchObject({
      code: 'org.freedesktop.DBus.Error.NameHasNoOwner',
    })

    const rule = "type='signal',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='a.b'"
    await two.call({ ...BUS, member: 'AddMatch', signature: 's', body: [rule] })
    const heard = new Promise(resolve =>
      two.onSignal(({ member, body }) => member === 'NameOwnerChanged' && resolve(body)),
    )
    await one.call({ ...BUS, member: 'ReleaseName', signature: 's', body: ['a.b'] })
    expect(await heard).toEqual(['a.b', owner, ''])

    const gone = new Promise(resolve => two.onSignal(() => {}, resolve))
    daemon.kill('SIGKILL')
    expect(await gone).toMatchObject({ code: 'ECONNRESET' })
  })
})
