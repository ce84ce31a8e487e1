import { LibcontainerError, type OwnedFd, onAbort, POLLIN, poll, SyscallError, type Waiting } from '@libcontainer/sys'
import { readAcknowledgement, refusal } from '../message/acknowledgement.js'
import { bytesOf, type NetlinkRequest } from '../message/message.js'
import {
  aligned,
  HEADER_SIZE,
  messagesOf,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  writeMessage,
} from '../message/wire.js'
import { ENOBUFS, Receiver } from './receive.js'

/** What one request comes to. */
export interface Outcome {
  readonly answer?: NetlinkMessage | undefined
  readonly error?: unknown
}

interface Waiter {
  readonly request: NetlinkRequest
  readonly sequence: number
  readonly settle: (outcome: Outcome) => void
  answer: NetlinkMessage | undefined
}

/** Of one call, which ends before anything that is asked meanwhile goes. */
const MOST_MESSAGES = 1024
const MOST_BYTES = 131072
/** Twice what one answer may take: see native/ops.c. */
const BUFFER = 262144
/** Of sockets that were closed: many live for a few requests. */
const spare: Receiver[] = []
const MOST_SPARE = 4

/**
 * Requests and their acknowledgements over one socket, several in flight: what is asked while the kernel works on others goes with the next call.
 * The kernel's work is done within sendto, which waits for its locks: that is off the thread.
 */
export class Exchange {
  readonly #socket: OwnedFd
  readonly #port: number
  readonly #receiver = spare.pop() ?? new Receiver(BUFFER)
  readonly #queue: Waiter[] = []
  readonly #sent = new Map<number, Waiter>()
  #sequence = 0
  #running: Promise<void> | undefined
  #wake: AbortController | undefined
  #closed = false

  constructor(socket: OwnedFd, port: number) {
    this.#socket = socket
    this.#port = port
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Does not reject: what went wrong is in the outcome. */
  send(request: NetlinkRequest, { signal }: Waiting = {}): Promise<Outcome> {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve({ error: signal.reason })
      if (this.#closed) return resolve({ error: closedError() })
      const settle = (outcome: Outcome): void => {
        deaf()
        resolve(outcome)
      }
      const waiter: Waiter = { request, sequence: this.#nextSequence(), settle, answer: undefined }
      this.#queue.push(waiter)
      const deaf = onAbort(signal, () => this.#forget(waiter, signal?.reason))
      this.#start()
    })
  }

  /** Refuses whatever waits. The socket is closed when nobody uses it any more: see {@link ended}. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#queue.length + this.#sent.size > 0) this.#failAll(closedError())
    this.#wake?.abort()
    if (this.#running === undefined) this.#release()
  }

  /** When a call that was going on has ended, and the socket with it. */
  async ended(): Promise<void> {
    await this.#running
  }

  /** When nobody uses them any more. */
  #release(): void {
    this.#socket.close()
    this.#receiver.lost = false
    if (spare.length < MOST_SPARE) spare.push(this.#receiver)
  }

  #nextSequence(): number {
    this.#sequence = this.#sequence === 0xffff_ffff ? 1 : this.#sequence + 1
    return this.#sequence
  }

  #forget(waiter: Waiter, reason: unknown): void {
    const place = this.#queue.indexOf(waiter)
    if (place >= 0) this.#queue.splice(place, 1)
    this.#sent.delete(waiter.sequence)
    waiter.settle({ error: reason })
    if (this.#sent.size === 0) this.#wake?.abort()
  }

  #failAll(cause: unknown): void {
    for (const waiter of [...this.#queue.splice(0), ...this.#sent.values()]) waiter.settle({ error: cause })
    this.#sent.clear()
  }

  #start(): void {
    this.#wake?.abort()
    this.#running ??= (async () => {
      // What is asked at once goes at once.
      await undefined
      try {
        await this.#run()
      } catch (error) {
        this.#failAll(error)
      } finally {
        this.#running = undefined
        if (this.#closed) this.#release()
      }
      if (!this.#closed && this.#queue.length > 0) this.#start()
    })()
  }

  async #run(): Promise<void> {
    while (!this.#closed && (this.#queue.length > 0 || this.#sent.size > 0)) {
      const batch = this.#take()
      const refused = await this.#receiver.exchange(this.#socket.fd, encode(batch))
      this.#sendAgain(batch, refused)
      this.#read()
      if (this.#receiver.drained && this.#queue.length === 0 && this.#sent.size > 0) await this.#readable()
    }
  }

  /** What goes next, which counts as sent. */
  #take(): readonly Waiter[] {
    const batch: Waiter[] = []
    let size = 0
    for (const waiter of this.#queue) {
      size += sizeOf(waiter.request)
      // One that is too large goes alone, and alone is refused.
      if (batch.length > 0 && (size > MOST_BYTES || batch.length === MOST_MESSAGES)) break
      batch.push(waiter)
    }
    this.#queue.splice(0, batch.length)
    for (const waiter of batch) this.#sent.set(waiter.sequence, waiter)
    return batch
  }

  /** What has not reached the kernel goes again, but for the first of it where that was refused. */
  #sendAgain(batch: readonly Waiter[], error: SyscallError | undefined): void {
    let end = 0
    const rest = batch.filter(({ request }) => {
      end += sizeOf(request)
      return end > this.#receiver.sent
    })
    const refused = error === undefined ? undefined : rest.shift()
    if (error !== undefined && refused !== undefined && this.#sent.delete(refused.sequence))
      refused.settle({ error: sendError(error, refused.request) })
    this.#queue.unshift(...rest.filter(({ sequence }) => this.#sent.delete(sequence)))
  }

  #read(): void {
    const { received, error } = this.#receiver
    for (const message of messagesOf(received)) if (message.port === this.#port) this.#answer(message)
    // The queue was full: whatever the kernel answered since is gone, and only what is in the queue comes still.
    if (error === ENOBUFS) this.#receiver.lost = true
    else if (error !== 0) this.#failSent(new SyscallError(error, 'recvmsg'))
    if (!this.#receiver.lost || !this.#receiver.drained) return
    this.#receiver.lost = false
    this.#failSent(lostAnswer())
  }

  #failSent(error: SyscallError): void {
    const waiters = [...this.#sent.values()]
    this.#sent.clear()
    for (const { settle } of waiters) settle({ error })
  }

  #answer(message: NetlinkMessage): void {
    const waiter = this.#sent.get(message.sequence)
    if (waiter === undefined) return
    if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
      // The buffer is filled again before whoever asked reads it.
      waiter.answer ??= { ...message, payload: message.payload.slice() }
      return
    }
    this.#sent.delete(message.sequence)
    const found = readAcknowledgement(message)
    if (found.errno === 0) waiter.settle({ answer: waiter.answer })
    else waiter.settle({ error: refusal(found, waiter.request) })
  }

  /** Waits for an answer that comes later, or for a request that goes meanwhile. */
  async #readable(): Promise<void> {
    this.#wake = new AbortController()
    try {
      await poll(this.#socket.fd, POLLIN, { signal: this.#wake.signal })
    } catch (error) {
      if (!this.#wake.signal.aborted) throw error
    } finally {
      this.#wake = undefined
    }
  }
}

/** Made for who has something to be told: its stack takes longer than the rest of closing. */
export const closedError = (): LibcontainerError =>
  new LibcontainerError('ECONNABORTED', 'the netlink socket was closed')

const sizeOf = ({ body }: NetlinkRequest): number => aligned(HEADER_SIZE + bytesOf(body).length)

function encode(batch: readonly Waiter[]): Uint8Array {
  if (batch.length === 0) return NOTHING
  const size = batch.reduce((sum, { request }) => sum + sizeOf(request), 0)
  const bytes = new Uint8Array(size)
  let at = 0
  for (const { request, sequence } of batch) {
    const flags = (request.flags ?? 0) | NLM_F_REQUEST | NLM_F_ACK
    at += writeMessage(bytes, at, { type: request.type, flags, sequence, port: 0, payload: bytesOf(request.body) })
  }
  return bytes
}

const NOTHING = new Uint8Array()

const sendError = (error: SyscallError, { about, path }: NetlinkRequest): SyscallError =>
  new SyscallError(error.errno, error.syscall, { step: about, path })

const lostAnswer = (): SyscallError =>
  new SyscallError(ENOBUFS, 'recvmsg', {
    detail: 'the answer was lost',
    hint: 'the request may have been carried out: look before you repeat it',
  })
