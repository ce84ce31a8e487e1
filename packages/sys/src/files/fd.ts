import { native } from '../native.js'

/**
 * A descriptor with one owner. Close it once: by `close()`, by `using`, or hand it on by `release()`.
 */
export class OwnedFd {
  #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  /** The descriptor's number. Throws once it is closed or released, so that a recycled number is never used. */
  get fd(): number {
    if (this.#fd < 0) throw new TypeError('the descriptor is closed')
    return this.#fd
  }

  get closed(): boolean {
    return this.#fd < 0
  }

  /** Gives the descriptor away: the caller must close it. */
  release(): number {
    const fd = this.fd
    this.#fd = -1
    return fd
  }

  /** Closes the descriptor; a second call does nothing. */
  close(): void {
    if (this.#fd < 0) return
    native.sync.close(this.release())
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
