import { onAbort, POLLIN, poll, SyscallError } from '@libcontainer/sys'
import { readAcknowledgement, refusal } from '../message/acknowledgement.js'
import { bytesOf, type NetlinkRequest } from '../message/message.js'
import {
  aligned,
  HEADER_SIZE,
  type NetlinkMessage,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_OVERRUN,
  writeMessage,
} from '../message/wire.js'
import type { DumpRequest } from './dump.js'
import type { OpenSocket } from './open.js'
import { ENOBUFS, Receiver } from './receive.js'

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

/** A socket that carries one dump after another. */
export interface Carrier {
  readonly socket: OpenSocket
  /** Of its last request. */
  sequence: number
}

/** While one is read, the kernel fills the other. */
type Buffers = readonly [Receiver, Receiver]

/** Some thirty of the kernel's datagrams. */
const BUFFER = 1024 * 1024
const NOTHING = new Uint8Array()
/** Buffers for the next dump, of whatever socket: sockets are many, and dumps at the same time few. */
const spare: Buffers[] = []
const MOST_SPARE = 2

/** One pass over a table: batches of messages, until the kernel is done. */
export class Pass {
  interrupted = false
  #done = false
  readonly carrier: Carrier
  readonly #request: DumpRequest<unknown>
  readonly #signal: AbortSignal
  readonly #buffers = spare.pop() ?? ([new Receiver(BUFFER), new Receiver(BUFFER)] as const)
  #turn: 0 | 1 = 0
  #coming: Promise<unknown>

  constructor(carrier: Carrier, request: DumpRequest<unknown>, signal: AbortSignal) {
    this.carrier = carrier
    this.#request = request
    this.#signal = signal
    carrier.sequence = (carrier.sequence + 1) >>> 0 || 1
    this.#coming = this.#exchange(encode(request, carrier.sequence))
  }

  /** The next batch of datagrams, which stays as it is until the one after the next is asked for; `undefined` at the end. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#done) return undefined
      const receiver = this.#buffers[this.#turn]
      const failure = await raced(this.#coming, this.#signal)
      if (failure !== undefined) throw this.#failed(failure as SyscallError)
      if (receiver.error !== 0) throw this.#failed(receiveError(receiver.error))
      const { received, drained } = receiver
      if (drained && received.length === 0) {
        await poll(this.carrier.socket.fd.fd, POLLIN, { signal: this.#signal })
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
    if (this.#done || message.sequence !== this.carrier.sequence || message.port !== this.carrier.socket.port)
      return false
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) this.interrupted = true
    if (message.type !== NLMSG_DONE && message.type !== NLMSG_ERROR) return message.type > NLMSG_OVERRUN
    this.#done = true
    const found = readAcknowledgement(message)
    if (found.errno !== 0 && found.errno !== this.#request.none) throw refusal(found, this.#request)
    return false
  }

  /** Waits for the call that goes on, so that nobody else's messages get into these buffers. @returns whether nothing is left */
  async end(): Promise<boolean> {
    await this.#coming
    if (spare.length < MOST_SPARE) spare.push(this.#buffers)
    return this.#done
  }

  async #exchange(messages: Uint8Array): Promise<unknown> {
    return await this.#buffers[this.#turn].exchange(this.carrier.socket.fd.fd, messages)
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
  const payload = bytesOf(body)
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

/** When its last call has ended: the descriptor must not become somebody else's before. */
export function giveBack(carriers: Carriers, pass: Pass): void {
  const { carrier } = pass
  pass.end().then(
    clean => carriers.give(carrier, clean),
    () => carriers.give(carrier, false),
  )
}
