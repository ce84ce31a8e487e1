import { ConfigInvalid } from './errors.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A string as the bytes that the kernel gets. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  // A plan has dozens of short ASCII strings, for which a loop costs a tenth of TextEncoder's way out of the engine.
  if (text.length < 128) {
    const bytes = new Uint8Array(text.length)
    let i = 0
    for (let code = 0; i < text.length; i++) {
      code = text.charCodeAt(i)
      if (code > 127) break
      bytes[i] = code
    }
    if (i === text.length) return bytes
  }
  return encoder.encode(text) as Uint8Array<ArrayBuffer>
}

/** Bytes of the kernel as a string; what is not UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Refuses a string that would not reach the kernel as it stands: with a NUL byte (it would end there) or a lone surrogate. */
export function kernelString(text: string, field: string): string {
  if (typeof text !== 'string') throw new ConfigInvalid(field, text, 'must be a string')
  if (text.includes('\0')) throw new ConfigInvalid(field, text, 'must not hold a NUL byte')
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)) {
    throw new ConfigInvalid(field, text, 'must not hold a lone surrogate, which has no UTF-8')
  }
  return text
}

/** Strings one after another, each ended by NUL: how ops take `argv` and `environ`. */
export function nulTerminated(strings: readonly string[]): Uint8Array<ArrayBuffer> {
  return encodeUtf8(strings.map(text => `${text}\0`).join(''))
}
