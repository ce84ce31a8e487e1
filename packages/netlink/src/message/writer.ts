import { viewOf } from './wire.js'

/** Of writers that are done, all 0. A buffer of its own for each message would cost more than writing it. */
const spare: Uint8Array<ArrayBuffer>[] = []
const MOST_SPARE = 4
const ROOM = 4096

/** Bytes that grow while they are written, little-endian, as all machines are that this runs on. */
export class ByteWriter {
  #bytes = spare.pop() ?? new Uint8Array(ROOM)
  #view: DataView | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** What was written. The writer is not to be used any more. */
  finish(): Uint8Array<ArrayBuffer> {
    const written = this.#bytes.slice(0, this.#size)
    if (spare.length < MOST_SPARE && this.#bytes.length === ROOM) spare.push(this.#bytes.fill(0, 0, this.#size))
    return written
  }

  /** Room for so many bytes, which are 0, and where it begins. It may replace what {@link view} answers. */
  grow(by: number): number {
    const at = this.#size
    this.#size += by
    if (this.#size > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#size, this.#bytes.length * 2))
      bytes.set(this.#bytes.subarray(0, at))
      this.#bytes = bytes
      this.#view = undefined
    }
    return at
  }

  /** Zeros up to a multiple of 4. */
  align(): void {
    this.grow(-this.#size & 3)
  }

  /** Of all that was written. Ask again after each {@link grow}. */
  get view(): DataView {
    this.#view ??= viewOf(this.#bytes)
    return this.#view
  }

  append(bytes: Uint8Array): void {
    const at = this.grow(bytes.length)
    this.#bytes.set(bytes, at)
  }
}
