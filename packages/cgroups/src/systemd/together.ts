import { unlessAborted } from '../deadline.js'

/** What those do together who come while it is being done: one acts, the others wait for that. */
export class Together<T> {
  #done: Promise<T> | undefined

  /** What was done, or is being done. */
  get done(): Promise<T> | undefined {
    return this.#done
  }

  forget(): void {
    this.#done = undefined
  }

  /**
   * What was done already where that holds, else what `act` does. One failure is nobody else's: whoever acted may have been told to give up.
   *
   * @param holds - whether what was done before is of use still
   */
  async do(act: () => Promise<T>, signal: AbortSignal, holds: (value: T) => boolean = () => true): Promise<T> {
    // Between the last look and the act nothing is awaited: nobody else acts meanwhile.
    for (let seen: Promise<T> | undefined; this.#done !== undefined && this.#done !== seen; ) {
      seen = this.#done
      const before = await unlessAborted(
        seen.then(
          value => ({ value }),
          () => undefined,
        ),
        signal,
      )
      if (before !== undefined && holds(before.value)) return before.value
    }
    const doing = act()
    this.#done = doing
    try {
      return await doing
    } catch (error) {
      if (this.#done === doing) this.#done = undefined
      throw error
    }
  }
}
