import * as native from 'lc:host'

/** The part of the Encoding Standard that the core uses, for an engine that has none: UTF-8 alone. */
export class TextEncoder {
  readonly encoding = 'utf-8'

  encode(text = ''): Uint8Array<ArrayBuffer> {
    return native.encodeUtf8(String(text))
  }
}

export class TextDecoder {
  readonly encoding = 'utf-8'
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  /** The start of a sequence that the next piece of a stream may end. */
  #rest: Uint8Array = new Uint8Array(0)
  #begun = false

  constructor(label = 'utf-8', { fatal = false, ignoreBOM = false }: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^\s*utf-?8\s*$/i.test(label)) throw new RangeError(`the encoding '${label}' is not supported: only utf-8 is`)
    this.fatal = fatal
    this.ignoreBOM = ignoreBOM
  }

  decode(input: Uint8Array | ArrayBuffer = new Uint8Array(0), { stream = false }: { stream?: boolean } = {}): string {
    const piece = input instanceof Uint8Array ? input : new Uint8Array(input)
    const bytes = this.#rest.length === 0 ? piece : concatenated(this.#rest, piece)
    const whole = stream ? bytes.length - unfinished(bytes) : bytes.length
    this.#rest = bytes.slice(whole)
    const text = native.decodeUtf8(bytes.subarray(0, whole))
    if (this.fatal && !isUtf8(text, bytes.subarray(0, whole)))
      throw new TypeError('the encoded data was not valid utf-8')
    const first = !this.#begun
    this.#begun = stream && (this.#begun || text !== '')
    return first && !this.ignoreBOM && text.startsWith('\ufeff') ? text.slice(1) : text
  }
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** How many bytes at the end start a sequence that more bytes may finish. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      // A start that can no longer become a character decodes to one U+FFFD, now or later.
      return length > back && native.decodeUtf8(bytes.subarray(bytes.length - back)).length === 1 ? back : 0
    }
    if (byte < 0x80) return 0
  }
  return 0
}

function isUtf8(text: string, bytes: Uint8Array): boolean {
  if (!text.includes('\ufffd')) return true
  const again = native.encodeUtf8(text)
  return again.length === bytes.length && again.every((byte, i) => byte === bytes[i])
}
