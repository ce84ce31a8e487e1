/*
 * JSON with 64-bit integers, which a double cannot hold: RLIM_INFINITY is common in OCI configurations. Beyond 2^53 an integer becomes a
 * bigint, in both engines alike; all other text is the engine's own business, which is much faster.
 */

/** A token that matters: a string, which may look like anything inside, or a number. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs

/**
 * Parses JSON; an integer that no number holds exactly becomes a bigint. Of a repeated key the last value counts, and `__proto__` is a key as any.
 *
 * @throws {SyntaxError} the engine's own
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (!/\d{16}/.test(text)) return value
  const quoted = text.replace(tokens, token => (isLarge(token) ? `"${token}"` : token))
  return quoted === text ? value : restored(value, JSON.parse(quoted))
}

function isLarge(token: string): boolean {
  return token.length >= 16 && /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token))
}

/** Walks both trees, which differ only where a number of the one is a string of the other: there the digits count. */
function restored(value: unknown, quoted: unknown): unknown {
  if (typeof value === 'number') return typeof quoted === 'string' ? BigInt(quoted) : value
  if (typeof value !== 'object' || value === null) return value
  const target = value as Record<string, unknown>
  const source = quoted as Record<string, unknown>
  // Each key is the object's own already, so that assigning to `__proto__` sets that property and nothing else.
  for (const key of Object.keys(target)) target[key] = restored(target[key], source[key])
  return value
}

/** JSON of a value in which bigints are integers, as {@link parseJson} reads them. @param indent - as JSON.stringify's third */
export function stringifyJson(value: unknown, indent?: number | string): string {
  try {
    return JSON.stringify(value, undefined, indent)
  } catch {
    // A bigint, which the engine refuses; or a fault that shows again.
    return stringifyIntegers(value, indent)
  }
}

function stringifyIntegers(value: unknown, indent?: number | string): string {
  const plain = JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? 0 : item), indent)
  let mark = 'integer:'
  while (plain.includes(mark)) mark = `_${mark}`
  const marked = JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? `${mark}${item}` : item),
    indent,
  )
  return marked.replace(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1')
}
