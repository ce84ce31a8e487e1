import { holding, type Waiting } from '@libcontainer/sys'

/** Where what listens to the kernel puts what it has to tell. */
export interface Sink<T> {
  /** News of the same kind replace those that nobody has read yet. */
  tell(kind: string, news: T): void
  end(): void
  fail(error: unknown): void
}

/** Begins to listen, and answers how to stop it. */
export type Source<T> = (sink: Sink<T>) => () => void

/**
 * What one source tells, to be read whenever the reader likes: of each kind the newest, so that a slow reader costs no memory. An awaited
 * `next` keeps the program from ending, listening alone does not.
 */
export class EventStream<T> implements AsyncIterableIterator<T>, Sink<T> {
  readonly #news = new Map<string, T>()
  readonly #signal: AbortSignal | undefined
  readonly #stop: () => void = () => undefined
  #waiting: (() => void)[] = []
  #failure: { readonly error: unknown } | undefined
  #over = false

  /** Listens when this returns; what keeps the source from it is thrown. */
  constructor(source: Source<T>, { signal }: Waiting = {}) {
    this.#signal = signal
    if (signal?.aborted) {
      this.fail(signal.reason)
      return
    }
    this.#stop = source(this)
    if (this.#over) this.#stop()
    else signal?.addEventListener('abort', this.#abort, { once: true })
  }

  tell(kind: string, news: T): void {
    if (this.#over) return
    this.#news.delete(kind)
    this.#news.set(kind, news)
    this.#wake()
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#stop()
    this.#wake()
  }

  fail(error: unknown): void {
    if (this.#over) return
    this.#failure = { error }
    this.end()
  }

  async next(): Promise<IteratorResult<T>> {
    for (;;) {
      for (const [kind, value] of this.#news) {
        this.#news.delete(kind)
        return { done: false, value }
      }
      const failure = this.#failure
      this.#failure = undefined
      if (failure !== undefined) throw failure.error
      if (this.#over) return { done: true, value: undefined }
      await holding(new Promise<void>(resolve => this.#waiting.push(resolve)))
    }
  }

  async return(): Promise<IteratorResult<T>> {
    this.#news.clear()
    this.end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  readonly #abort = (): void => {
    this.#news.clear()
    this.fail(this.#signal?.reason)
  }
}
