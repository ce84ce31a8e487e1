import { LibcontainerError } from '@libcontainer/sys'
import { messagesOf, type NetlinkMessage } from '../message/wire.js'
import { ATTEMPTS, type Dump, type DumpRequest } from './dump.js'
import { type Carriers, giveBack, Pass, type Running } from './pass.js'

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

  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined> {
    if (this.#asked) throw new LibcontainerError('EALREADY', 'a dump is read once: ask the kernel again')
    this.#asked = true
    return new Entries(this.#carriers, this.#request, this.#begin(), interrupted => {
      this.interrupted = interrupted
    })
  }
}

/** Written by hand: an async generator would take three times as long for each of a hundred thousand entries. */
class Entries<T> implements AsyncIterator<T, undefined, undefined> {
  readonly #carriers: Carriers
  readonly #request: DumpRequest<T>
  readonly #running: Running
  readonly #tell: (interrupted: boolean) => void
  #pass: Pass | undefined
  #attempt = 0
  /** Of the batch that is being read. */
  #messages: Iterator<NetlinkMessage> | undefined
  #given = false
  #again = false
  #over = false
  /** A call of the kernel that goes on: whoever asks meanwhile comes after it. */
  #coming: Promise<IteratorResult<T, undefined>> | undefined

  constructor(carriers: Carriers, request: DumpRequest<T>, running: Running, tell: (interrupted: boolean) => void) {
    this.#carriers = carriers
    this.#request = request
    this.#running = running
    this.#tell = tell
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const coming = this.#coming
    if (coming !== undefined) return coming.then(({ done }) => (done ? END : this.next()))
    if (this.#over) return Promise.resolve(END)
    try {
      this.#running.signal.throwIfAborted()
      const entry = this.#take()
      if (entry !== undefined) return Promise.resolve({ value: entry, done: false })
    } catch (error) {
      this.#finish()
      return Promise.reject(error)
    }
    this.#coming = this.#advance()
    return this.#coming
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#finish()
    return END
  }

  /** The next entry of the batch that is here. */
  #take(): T | undefined {
    const pass = this.#pass
    while (this.#messages !== undefined && pass !== undefined) {
      const { value, done } = this.#messages.next()
      if (done) this.#messages = undefined
      else if (pass.isEntry(value)) {
        // What was handed out cannot be taken back: from the start only where that is nothing yet.
        this.#again = pass.interrupted && !this.#given && this.#attempt < ATTEMPTS
        if (this.#again) this.#messages = undefined
        else {
          const entry = this.#request.map(value)
          if (entry !== undefined) {
            this.#given = true
            return entry
          }
        }
      }
    }
    return undefined
  }

  async #advance(): Promise<IteratorResult<T, undefined>> {
    try {
      for (;;) {
        if (this.#again) this.#release()
        this.#again = false
        this.#pass ??= await this.#start()
        // Left meanwhile.
        if (this.#over) {
          this.#release()
          return END
        }
        const batch = await this.#pass.next()
        if (this.#over) return END
        if (batch === undefined) {
          this.#again = this.#pass.interrupted && !this.#given && this.#attempt < ATTEMPTS
          if (this.#again) continue
          this.#tell(this.#pass.interrupted)
          this.#finish()
          return END
        }
        this.#messages = messagesOf(batch)
        const value = this.#take()
        if (value !== undefined) return { value, done: false }
      }
    } catch (error) {
      this.#finish()
      throw error
    } finally {
      this.#coming = undefined
    }
  }

  async #start(): Promise<Pass> {
    this.#attempt++
    const { signal } = this.#running
    return new Pass(await this.#carriers.take(signal), this.#request, signal)
  }

  #release(): void {
    if (this.#pass !== undefined) giveBack(this.#carriers, this.#pass)
    this.#pass = undefined
    this.#messages = undefined
  }

  #finish(): void {
    this.#over = true
    this.#release()
    this.#running.end()
  }
}

const END = { value: undefined, done: true } as const
