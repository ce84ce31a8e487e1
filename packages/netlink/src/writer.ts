/** Bytes that grow while they are written, little-endian, as all machines are that this runs on. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #size = 0

  constructor(room = 256) {
    this.#bytes = new Uint8Array(room)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get size(): number {
    return this.#size
  }

  /** What was written. The writer is not to be used any more. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size)
  }

  /** Room for so many bytes, which are 0, and where it begins. It may replace what {@link view} answers. */
  grow(by: number): number {
    const at = this.#size
    this.#size += by
    if (this.#size > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(this.#size, this.#bytes.length * 2))
      bytes.set(this.#bytes.subarray(0, at))
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer)
    }
    return at
  }

  /** Zeros up to a multiple of 4. */
  align(): void {
    this.grow(-this.#size & 3)
  }

  /** Of all that was written. Ask again after each {@link grow}. */
  get view(): DataView {
    return this.#view
  }

  append(bytes: Uint8Array): void {
    const at = this.grow(bytes.length)
    this.#bytes.set(bytes, at)
  }
}
