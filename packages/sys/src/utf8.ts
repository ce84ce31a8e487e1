import * as host from '#host'
import { ConfigInvalid } from './errors.js'

/** A string as the bytes that the kernel gets. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return host.encodeUtf8(text)
}

/** Bytes of the kernel as a string; what is not UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return host.decodeUtf8(bytes)
}

/** ES2024's, which Node.js 20 has. */
type WellFormed = string & { isWellFormed(): boolean }

/** Refuses a string that would not reach the kernel as it stands: with a NUL byte (it would end there) or a lone surrogate. */
export function kernelString(text: string, field: string): string {
  if (typeof text !== 'string') throw new ConfigInvalid(field, text, 'must be a string')
  if (text.includes('\0')) throw new ConfigInvalid(field, text, 'must not hold a NUL byte')
  if (!(text as WellFormed).isWellFormed()) {
    throw new ConfigInvalid(field, text, 'must not hold a lone surrogate, which has no UTF-8')
  }
  return text
}

/** Strings one after another, each ended by NUL: how ops take `argv` and `environ`. */
export function nulTerminated(strings: readonly string[]): Uint8Array<ArrayBuffer> {
  return encodeUtf8(strings.length === 0 ? '' : `${strings.join('\0')}\0`)
}
