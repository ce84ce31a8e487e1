import { LibcontainerError, onAbort, POLLIN, poll, SyscallError } from '@libcontainer/sys'
import { readAcknowledgement, refusal } from './acknowledgement.js'
import type { NetlinkRequest } from './message.js'
import type { OpenSocket } from './open.js'
import { ENOBUFS, Receiver } from './receive.js'
import {
  aligned,
  HEADER_SIZE,
  messagesOf,
  type NetlinkMessage,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_OVERRUN,
  writeMessage,
} from './wire.js'

export interface DumpRequest<T> extends NetlinkRequest {
  /** Makes an entry of a message, whose payload is only there during the call; `undefined` leaves it out. */
  readonly map: (message: NetlinkMessage) => T | undefined
}

/** Entries as they come. Ask for them once. */
export interface Dump<T> extends AsyncIterable<T> {
  /** The kernel's table has changed meanwhile: entries may be missing, or there twice. Known when the last has come. */
  readonly interrupted: boolean
}

/** All entries; `interrupted` where the table has changed during each of several attempts. */
export type DumpedList<T> = T[] & { readonly interrupted: boolean }

/** What a dump is that goes on: it ends by the signal, and says when it has. */
export interface Running {
  readonly signal: AbortSignal
  readonly end: () => void
}

/** Sockets that carry dumps: one at a time each, since the kernel has one state of a dump for a socket. */
export interface Carriers {
  take(signal: AbortSignal): Promise<Carrier>
  /** Takes one back. @param clean - nothing is left to be received */
  give(carrier: Carrier, clean: boolean): void
}

/** A socket with its buffers: while one is read, the kernel fills the other. */
export class Carrier {
  readonly socket: OpenSocket
  readonly receivers: readonly [Receiver, Receiver] = [new Receiver(BUFFER), new Receiver(BUFFER)]
  sequence = 0

  constructor(socket: OpenSocket) {
    this.socket = socket
  }
}

/** Some thirty of the kernel's datagrams. */
const BUFFER = 1024 * 1024
const ATTEMPTS = 5
const NOTHING = new Uint8Array()

/** One pass over a table: batches of messages, until the kernel is done. */
class Pass {
  interrupted = false
  #done = false
  readonly #carrier: Carrier
  readonly #request: NetlinkRequest
  readonly #signal: AbortSignal
  #turn: 0 | 1 = 0
  #coming: Promise<unknown>

  constructor(carrier: Carrier, request: NetlinkRequest, signal: AbortSignal) {
    this.#carrier = carrier
    this.#request = request
    this.#signal = signal
    carrier.sequence = (carrier.sequence + 1) >>> 0 || 1
    this.#coming = this.#exchange(encode(request, carrier.sequence))
  }

  /** The next batch of datagrams, which stays as it is until the one after the next is asked for; `undefined` at the end. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#done) return undefined
      const receiver = this.#carrier.receivers[this.#turn]
      const failure = await raced(this.#coming, this.#signal)
      if (failure !== undefined) throw this.#failed(failure as SyscallError)
      if (receiver.error !== 0) throw this.#failed(receiveError(receiver.error))
      const { received, drained } = receiver
      if (drained && received.length === 0) {
        await poll(this.#carrier.socket.fd.fd, POLLIN, { signal: this.#signal })
        this.#coming = this.#exchange(NOTHING)
        continue
      }
      this.#turn = this.#turn === 0 ? 1 : 0
      this.#coming = this.#exchange(NOTHING)
      return received
    }
  }

  /** Whether a message is an entry. Notes the end, and throws what the kernel refuses. */
  isEntry(message: NetlinkMessage): boolean {
    if (this.#done || message.sequence !== this.#carrier.sequence || message.port !== this.#carrier.socket.port)
      return false
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) this.interrupted = true
    if (message.type !== NLMSG_DONE && message.type !== NLMSG_ERROR) return message.type > NLMSG_OVERRUN
    this.#done = true
    const found = readAcknowledgement(message)
    if (found.errno !== 0) throw refusal(found, this.#request)
    return false
  }

  /** Waits for the call that goes on, so that nobody else's messages get into these buffers. @returns whether nothing is left */
  async end(): Promise<boolean> {
    await this.#coming
    return this.#done
  }

  async #exchange(messages: Uint8Array): Promise<unknown> {
    return await this.#carrier.receivers[this.#turn].exchange(this.#carrier.socket.fd.fd, messages)
  }

  #failed(error: SyscallError): SyscallError {
    const { about, path } = this.#request
    return new SyscallError(error.errno, error.syscall, { step: about, path, hint: error.hint })
  }
}

const receiveError = (errno: number): SyscallError =>
  new SyscallError(errno, 'recvmsg', {
    hint: errno === ENOBUFS ? 'the kernel has dropped entries: ask again, or raise net.core.rmem_max' : undefined,
  })

function encode({ type, flags = 0, body }: NetlinkRequest, sequence: number): Uint8Array {
  const payload = body instanceof Uint8Array ? body : body.bytes
  const bytes = new Uint8Array(aligned(HEADER_SIZE + payload.length))
  writeMessage(bytes, 0, { type, flags: flags | NLM_F_REQUEST | NLM_F_DUMP, sequence, port: 0, payload })
  return bytes
}

/** What a promise comes to, unless the signal comes first. */
async function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let deaf = (): void => {}
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        deaf = onAbort(signal, () => reject(signal.reason))
      }),
    ])
  } finally {
    deaf()
  }
}

/** All entries. A table that changes while it is dumped is dumped again. */
export async function dumpToList<T>(
  carriers: Carriers,
  request: DumpRequest<T>,
  signal: AbortSignal,
): Promise<DumpedList<T>> {
  for (let attempt = 1; ; attempt++) {
    const carrier = await carriers.take(signal)
    const pass = new Pass(carrier, request, signal)
    const entries: T[] = []
    try {
      for (let batch = await pass.next(); batch !== undefined; batch = await pass.next())
        for (const message of messagesOf(batch)) {
          if (!pass.isEntry(message)) continue
          const entry = request.map(message)
          if (entry !== undefined) entries.push(entry)
        }
    } finally {
      giveBack(carriers, carrier, pass)
    }
    if (pass.interrupted && attempt < ATTEMPTS) continue
    return Object.defineProperty(entries, 'interrupted', { value: pass.interrupted }) as DumpedList<T>
  }
}

/** When its last call has ended: the descriptor must not become somebody else's before. */
function giveBack(carriers: Carriers, carrier: Carrier, pass: Pass): void {
  pass.end().then(
    clean => carriers.give(carrier, clean),
    () => carriers.give(carrier, false),
  )
}

/** Entries one after another, decoded when they are asked for. */
export class DumpStream<T> implements Dump<T> {
  interrupted = false
  #asked = false
  readonly #carriers: Carriers
  readonly #request: DumpRequest<T>
  readonly #begin: () => Running

  constructor(carriers: Carriers, request: DumpRequest<T>, begin: () => Running) {
    this.#carriers = carriers
    this.#request = request
    this.#begin = begin
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    if (this.#asked) throw new LibcontainerError('EALREADY', 'a dump is read once: ask the kernel again')
    this.#asked = true
    const { signal, end } = this.#begin()
    try {
      // What was handed out cannot be taken back: again only where that is nothing yet.
      let again = true
      for (let attempt = 1; again; attempt++) again = yield* this.#pass(signal, attempt < ATTEMPTS)
    } finally {
      end()
    }
  }

  async *#pass(signal: AbortSignal, mayRepeat: boolean): AsyncGenerator<T, boolean, undefined> {
    const carrier = await this.#carriers.take(signal)
    const pass = new Pass(carrier, this.#request, signal)
    let given = false
    try {
      for (let batch = await pass.next(); batch !== undefined; batch = await pass.next())
        for (const message of messagesOf(batch)) {
          if (!pass.isEntry(message)) continue
          if (pass.interrupted && !given && mayRepeat) return true
          const entry = this.#request.map(message)
          if (entry === undefined) continue
          given = true
          yield entry
          signal.throwIfAborted()
        }
      this.interrupted = pass.interrupted
      return pass.interrupted && !given && mayRepeat
    } finally {
      giveBack(this.#carriers, carrier, pass)
    }
  }
}
