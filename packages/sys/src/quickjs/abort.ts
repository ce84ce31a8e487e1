import * as native from 'lc:host'

type Listener = ((event: AbortEvent) => void) | { handleEvent(event: AbortEvent): void }

interface AbortEvent {
  readonly type: 'abort'
  readonly target: AbortSignal
}

const hidden = Symbol('AbortSignal')

/** The part of DOM's AbortSignal that the core and its callers use, for an engine that has none. */
export class AbortSignal {
  /** Each with whether it is called at most once: by its nature all are. */
  readonly #listeners = new Set<Listener>()
  #aborted = false
  #reason: unknown
  onabort: ((event: AbortEvent) => void) | null = null

  constructor(key?: symbol) {
    if (key !== hidden) throw new TypeError('Illegal constructor')
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }

  addEventListener(type: string, listener: Listener, { signal }: { once?: boolean; signal?: AbortSignal } = {}): void {
    if (type !== 'abort' || signal?.aborted) return
    this.#listeners.add(listener)
    signal?.addEventListener('abort', () => this.removeEventListener('abort', listener))
  }

  removeEventListener(type: string, listener: Listener): void {
    if (type === 'abort') this.#listeners.delete(listener)
  }

  /** Called by the controller: the first reason stays. */
  [hidden](reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason === undefined ? failure('AbortError', 20, 'This operation was aborted') : reason
    const event: AbortEvent = { type: 'abort', target: this }
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    if (this.onabort) listeners.unshift(this.onabort)
    for (const listener of listeners) {
      try {
        if (typeof listener === 'function') listener.call(this, event)
        else listener.handleEvent(event)
      } catch (error) {
        // Uncaught, as for every listener of the DOM; the others are called all the same.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(hidden)
    signal[hidden](reason)
    return signal
  }

  /** Does not keep the process alive, as in Node. */
  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal(hidden)
    native.timer(
      ms,
      () => signal[hidden](failure('TimeoutError', 23, 'The operation was aborted due to timeout')),
      true,
    )
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(hidden)
    const all = [...signals]
    const aborted = all.find(signal => signal.aborted)
    if (aborted) result[hidden](aborted.reason)
    else for (const signal of all) signal.addEventListener('abort', () => result[hidden](signal.reason))
    return result
  }
}

export class AbortController {
  readonly signal = new AbortSignal(hidden)

  abort(reason?: unknown): void {
    this.signal[hidden](reason)
  }
}

/** As a DOMException reads: by name, and by the number in `code`. */
function failure(name: string, code: number, message: string): Error {
  return Object.assign(new Error(message), { name, code })
}
