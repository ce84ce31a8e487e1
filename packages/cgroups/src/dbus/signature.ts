import { ConfigInvalid } from '@libcontainer/sys'

/** One complete type of D-Bus: its letter, and what it holds. A dict entry has the letter `{`, a struct `(`. */
export interface DBusType {
  readonly code: string
  readonly inner: readonly DBusType[]
}

/** By letter: where a value begins, as a multiple of bytes. */
export const alignments: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  h: 4,
  s: 4,
  o: 4,
  a: 4,
  x: 8,
  t: 8,
  d: 8,
  '(': 8,
  '{': 8,
}

/** Of arrays within arrays, and of structs within structs: the specification's bounds. */
const MAX_DEPTH = 32
const MAX_LENGTH = 255
const parsed = new Map<string, readonly DBusType[]>()

/** The types that a signature lists. @throws {ConfigInvalid} for what is none */
export function parseSignature(text: string, field = 'signature'): readonly DBusType[] {
  const known = parsed.get(text)
  if (known !== undefined) return known
  const fail = (problem: string): never => {
    throw new ConfigInvalid(field, text, problem)
  }
  if (text.length > MAX_LENGTH) fail(`must have at most ${MAX_LENGTH} letters`)
  let at = 0
  const one = (arrays: number, structs: number): DBusType => {
    const code = text[at++]
    if (code === undefined || !Object.hasOwn(alignments, code)) return fail('is no list of D-Bus types')
    if (code === 'a') {
      if (arrays === MAX_DEPTH) fail(`has more than ${MAX_DEPTH} arrays in each other`)
      return { code, inner: [text[at] === '{' ? entry(arrays + 1, structs) : one(arrays + 1, structs)] }
    }
    if (code === '{') fail('has a dict entry outside of an array')
    if (code !== '(') return { code, inner: [] }
    if (structs === MAX_DEPTH) fail(`has more than ${MAX_DEPTH} structs in each other`)
    const inner: DBusType[] = []
    while (text[at] !== ')') inner.push(one(arrays, structs + 1))
    at++
    if (inner.length === 0) fail('has a struct without fields')
    return { code, inner }
  }
  const entry = (arrays: number, structs: number): DBusType => {
    at++
    const key = one(arrays, structs + 1)
    if (key.inner.length > 0 || key.code === 'v') fail('has a dict whose keys are no plain values')
    const value = one(arrays, structs + 1)
    if (text[at++] !== '}') fail('has a dict entry of other than two types')
    return { code: '{', inner: [key, value] }
  }
  const types: DBusType[] = []
  while (at < text.length) types.push(one(0, 0))
  // The signatures of a program are few; those that others send are not ours to keep.
  if (parsed.size < 64) parsed.set(text, types)
  return types
}
