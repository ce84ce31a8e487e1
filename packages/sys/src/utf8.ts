import * as host from '#host'
import { ConfigInvalid } from './errors/errors.js'

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

/**
 * Refuses a string that would not reach the kernel as it stands: with a NUL byte (it would end there) or a lone surrogate.
 *
 * @param part - what `field` goes on with: put together for an error alone
 */
export function kernelString(text: string, field: string, part = ''): string {
  if (typeof text !== 'string') throw new ConfigInvalid(field + part, text, 'must be a string')
  if (text.includes('\0')) throw new ConfigInvalid(field + part, text, 'must not hold a NUL byte')
  if (!(text as WellFormed).isWellFormed()) {
    throw new ConfigInvalid(field + part, text, 'must not hold a lone surrogate, which has no UTF-8')
  }
  return text
}

/** A path: text, or the bytes of one that is not UTF-8. The kernel takes any byte but NUL. */
export type Path = string | Uint8Array

/** A path as ops take it: text as {@link kernelString} lets it pass, bytes with the NUL that ends them. */
export function kernelPath(path: Path, field = 'path'): Path {
  if (!(path instanceof Uint8Array)) return kernelString(path, field)
  if (path.includes(0)) throw new ConfigInvalid(field, shownPath(path), 'must not hold a NUL byte')
  const ended = new Uint8Array(path.length + 1)
  ended.set(path)
  return ended
}

/** A path as an error shows it: what is no UTF-8 becomes U+FFFD. */
export function shownPath(path: Path): string {
  return typeof path === 'string' ? path : decodeUtf8(path)
}

/** Strings one after another, each ended by NUL: how ops take `argv` and `environ`. */
export function nulTerminated(strings: readonly string[]): Uint8Array<ArrayBuffer> {
  return encodeUtf8(strings.length === 0 ? '' : `${strings.join('\0')}\0`)
}
