import { Duplex, type DuplexOptions } from 'node:stream'
import { checked, type OwnedFd } from '@libcontainer/sys'
import { native } from '../native.js'
import { readMaster, writeMaster } from '../pty.js'
import { endOfInput } from '../termios.js'
import { getWindowSize, setWindowSize, type WindowSize } from '../window-size.js'

export type TerminalStreamOptions = Pick<DuplexOptions, 'readableHighWaterMark' | 'writableHighWaterMark'>

/**
 * A master as a stream: what a program writes can be read, what is written it reads.
 *
 * Nothing is read ahead of the reader, so that a program waits for whoever shows its output. `end` comes when every slave is closed and all
 * output has been read; `end()` sends the end-of-input character, and reading goes on. The event `resize` tells of a call of `resize`.
 */
export class TerminalStream extends Duplex {
  readonly #master: OwnedFd
  readonly #closing = new AbortController()

  /** @param master - becomes the stream's own */
  constructor(master: OwnedFd, options: TerminalStreamOptions = {}) {
    super({ ...options, allowHalfOpen: true, autoDestroy: true })
    this.#master = master
    checked(native.sync.neverWait(master.fd), 'fcntl(F_SETFL)')
  }

  get size(): Required<WindowSize> {
    return getWindowSize(this.#master.fd)
  }

  resize(size: WindowSize): void {
    setWindowSize(this.#master.fd, size)
    this.emit('resize', this.size)
  }

  override _read(size: number): void {
    const buffer = new Uint8Array(Math.max(size, 1024))
    readMaster(this.#master, buffer, { signal: this.#closing.signal }).then(
      got => this.push(got === 0 ? null : Buffer.from(buffer.buffer, 0, got)),
      error => this.#failed(error),
    )
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    writeMaster(this.#master, chunk, { signal: this.#closing.signal }).then(
      // The program has gone: what it did not read is nobody's, and the stream's end is told by reading.
      () => done(),
      error => (this.destroyed ? done() : done(error)),
    )
  }

  override _final(done: (error?: Error | null) => void): void {
    const end = endOfInput(this.#master.fd)
    if (end === undefined) done()
    else this._write(Uint8Array.of(end), '', done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#closing.abort()
    this.#master.close()
    done(error)
  }

  #failed(error: Error): void {
    if (!this.destroyed) this.destroy(error)
  }
}
