import type { Waiting } from '@libcontainer/sys'
import type { ProcessResult } from '../process.js'

/** What happens to a container, as one of its objects sees it. */
export type ContainerEvent =
  /** Its program runs. */
  | { readonly type: 'start'; readonly pid: number }
  /** Its first process has ended; how is known to its parent alone. */
  | { readonly type: 'exit'; readonly result: ProcessResult | undefined }
  /** It was out of memory. `kills`: how many of its processes that has ended so far. */
  | { readonly type: 'oom'; readonly kills: number }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  /** It was removed: the last event. */
  | { readonly type: 'destroyed' }

/** Hands events to whoever listens, each from when it began to. */
export class Events {
  readonly #listeners = new Set<Listener>()
  readonly #listened: () => void
  readonly #unheard: () => void

  /** @param listened - called when there is a listener more @param unheard - when there is none any more */
  constructor(listened: () => void, unheard: () => void) {
    this.#listened = listened
    this.#unheard = unheard
  }

  get heard(): boolean {
    return this.#listeners.size > 0
  }

  emit(event: ContainerEvent): void {
    for (const listener of this.#listeners) listener.push(event)
    if (event.type === 'destroyed') this.#listeners.clear()
  }

  /** Listens at once; the events wait to be read. Ends behind `destroyed`, and with the reason of `signal`. */
  listen({ signal }: Waiting = {}): AsyncIterableIterator<ContainerEvent> {
    signal?.throwIfAborted()
    const listener = new Listener(() => {
      if (this.#listeners.delete(listener) && !this.heard) this.#unheard()
    }, signal)
    this.#listeners.add(listener)
    this.#listened()
    return listener
  }
}

class Listener implements AsyncIterableIterator<ContainerEvent> {
  readonly #events: ContainerEvent[] = []
  readonly #gone: () => void
  readonly #signal: AbortSignal | undefined
  #waiting: (() => void)[] = []
  #over = false

  constructor(gone: () => void, signal: AbortSignal | undefined) {
    this.#gone = gone
    this.#signal = signal
    signal?.addEventListener('abort', this.#end, { once: true })
  }

  push(event: ContainerEvent): void {
    this.#events.push(event)
    if (event.type === 'destroyed') this.#end()
    else this.#wake()
  }

  async next(): Promise<IteratorResult<ContainerEvent>> {
    for (;;) {
      this.#signal?.throwIfAborted()
      const event = this.#events.shift()
      if (event !== undefined) return { done: false, value: event }
      if (this.#over) return { done: true, value: undefined }
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  async return(): Promise<IteratorResult<ContainerEvent>> {
    this.#events.length = 0
    this.#end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  readonly #end = (): void => {
    if (this.#over) return
    this.#over = true
    this.#signal?.removeEventListener('abort', this.#end)
    this.#gone()
    this.#wake()
  }
}
