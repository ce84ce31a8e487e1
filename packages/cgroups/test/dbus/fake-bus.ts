import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../../../../test/support/index.js'
import {
  type DBusMessage,
  decodeMessage,
  ERROR,
  encodeMessage,
  METHOD_RETURN,
  messageSize,
  SIGNAL,
} from '../../src/dbus/message.js'
import type { DBusValue } from '../../src/dbus/value.js'

/** What the other side of a call may do with it. */
export interface Answer {
  /** The answer, in the bytes of a message. */
  bytes(signature: string, body: readonly DBusValue[]): Buffer
  return(signature?: string, body?: readonly DBusValue[]): void
  error(name: string, text: string): void
  raw(bytes: Uint8Array): void
  end(): void
}

export interface FakeBusOptions {
  /** What it says to each line of a client before `BEGIN`. Default: lets everybody in */
  readonly welcome?: (line: string) => string
  /** As systemd's own socket: what is read together with `BEGIN` lies until more comes; this one reads late, by which much comes together. */
  readonly systemd?: boolean
  readonly littleEndian?: boolean
  /** Answers what is no call of the bus itself. */
  readonly answer?: (call: DBusMessage, answer: Answer) => void
}

/** Listens as a bus does, and does what a test says: also what no bus would do. Ends with the test. */
export class FakeBus {
  readonly path: string
  readonly calls: DBusMessage[] = []
  readonly connections: Socket[] = []
  /** The unique name of the service behind it. */
  owner = ':1.1'
  answer: (call: DBusMessage, answer: Answer) => void
  #serial = 100
  #paused = false
  readonly #options: FakeBusOptions
  readonly #server: Server

  private constructor(path: string, options: FakeBusOptions) {
    this.path = path
    this.#options = options
    this.answer = options.answer ?? ((_, answer) => answer.return())
    this.#server = createServer(socket => this.#serve(socket))
  }

  static async listen(options: FakeBusOptions = {}): Promise<FakeBus> {
    const directory = temporaryDirectory('fake-bus-')
    const bus = new FakeBus(join(directory.path, 'socket'), options)
    await new Promise<void>(resolve => bus.#server.listen(bus.path, resolve))
    onTestFinished(() => {
      for (const socket of bus.connections) socket.destroy()
      bus.#server.close()
      directory[Symbol.dispose]()
    })
    return bus
  }

  /** Reads nothing that new clients send, until it is told to. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    for (const socket of this.connections) socket.resume()
  }

  /** Sends a signal to every client. */
  signal(member: string, signature: string, body: readonly DBusValue[], sender = this.owner): void {
    const of = { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager' }
    const bytes = this.#encode({ type: SIGNAL, serial: this.#serial++, ...of, sender, member, signature, body })
    for (const socket of this.connections) if (!socket.destroyed) socket.write(bytes)
  }

  #encode(message: DBusMessage): Buffer {
    return Buffer.from(encodeMessage(message, { littleEndian: this.#options.littleEndian ?? true }))
  }

  #serve(socket: Socket): void {
    this.connections.push(socket)
    let unread = Buffer.alloc(0)
    let begun = false
    const { welcome = () => 'OK 0123456789abcdef', systemd = false } = this.#options
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes])
      if (systemd && !begun) {
        socket.pause()
        setTimeout(() => socket.resume(), 50)
      }
      while (!begun) {
        const end = unread.indexOf('\r\n')
        if (end < 0) return
        const line = unread.subarray(0, end).toString().replace('\0', '')
        unread = unread.subarray(end + 2)
        if (line !== 'BEGIN') {
          socket.write(`${welcome(line)}\r\n`)
          continue
        }
        begun = true
        if (systemd) return
      }
      for (;;) {
        const size = messageSize(unread)
        if (size === undefined || unread.length < size) return
        this.#take(socket, decodeMessage(unread.subarray(0, size)))
        unread = unread.subarray(size)
      }
    })
    if (this.#paused) socket.pause()
  }

  #take(socket: Socket, call: DBusMessage): void {
    const reply = { serial: this.#serial++, replySerial: call.serial, sender: this.owner }
    const answer: Answer = {
      bytes: (signature, body) => this.#encode({ ...reply, type: METHOD_RETURN, signature, body }),
      return: (signature = '', body = []) => void socket.write(answer.bytes(signature, body)),
      error: (errorName, text) =>
        void socket.write(this.#encode({ ...reply, type: ERROR, errorName, signature: 's', body: [text] })),
      raw: bytes => void socket.write(bytes),
      end: () => socket.destroy(),
    }
    if (call.destination === 'org.freedesktop.DBus') {
      if (call.member === 'Hello') answer.return('s', [':1.99'])
      else if (call.member === 'GetNameOwner') answer.return('s', [this.owner])
      else answer.return()
      return
    }
    this.calls.push(call)
    this.answer(call, answer)
  }
}
