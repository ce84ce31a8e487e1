import { checked } from '../errors/errors.js'
import { native } from '../native.js'
import { decodeUtf8, kernelString, nulTerminated } from '../utf8.js'
import { AT_FDCWD, type At } from './files.js'

/** The beginning of a file, and whose it is. */
export interface FileHead {
  readonly text: string
  readonly uid: number
  /** Type and permission bits, as st_mode. */
  readonly mode: number
}

/** How many files a call reads: so that its buffer stays small. */
const AT_ONCE = 128
/** What is told of each file: its size or a negative errno, uid and mode. */
const WORDS = 3

/**
 * The beginnings of many files, by few native calls: in the order of the paths, and for one that cannot be read its errno, negative. Links at
 * the end of a path are not followed.
 *
 * @param most - bytes of each
 */
export async function readHeads(
  paths: readonly string[],
  most: number,
  { at }: At = {},
): Promise<(FileHead | number)[]> {
  const heads: (FileHead | number)[] = []
  const count = Math.min(paths.length, AT_ONCE)
  const words = new Int32Array(count * WORDS)
  const told = new Uint8Array(words.buffer)
  const buffer = new Uint8Array(count * most)
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    const some = paths.slice(from, from + AT_ONCE)
    // All at once: a check of each would take as long as reading it.
    kernelString(some.join(''), 'paths')
    const used = checked(
      await native.async.readHeads(at?.fd ?? AT_FDCWD, nulTerminated(some), most, told, buffer),
      'read',
    )
    const bytes = buffer.subarray(0, used)
    const all = decodeUtf8(bytes)
    // Of ASCII a place among the bytes is one in the text.
    const textOf = all.length === used ? all.slice.bind(all) : partsOf(bytes)
    let start = 0
    for (let word = 0; word < some.length * WORDS; word += WORDS) {
      const size = words[word]!
      if (size < 0) {
        heads.push(size)
        continue
      }
      const text = textOf(start, start + size)
      heads.push({ text, uid: words[word + 1]! >>> 0, mode: words[word + 2]! })
      start += size
    }
  }
  return heads
}

const partsOf =
  (bytes: Uint8Array) =>
  (start: number, end: number): string =>
    decodeUtf8(bytes.subarray(start, end))
