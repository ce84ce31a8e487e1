import { checked } from './errors.js'
import { AT_FDCWD, type At } from './files.js'
import { native } from './native.js'
import { decodeUtf8, kernelString, nulTerminated } from './utf8.js'

/** The beginning of a file, and whose it is. */
export interface FileHead {
  readonly text: string
  readonly uid: number
  /** Type and permission bits, as st_mode. */
  readonly mode: number
}

/** How many files a call reads: so that its buffer stays small. */
const AT_ONCE = 128
/** Of what stands before the bytes of each file: its size or a negative errno, uid and mode. */
const HEADER = 12

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
  const buffer = new Uint8Array(Math.min(paths.length, AT_ONCE) * (most + HEADER))
  const view = new DataView(buffer.buffer)
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    const some = paths.slice(from, from + AT_ONCE)
    // All at once: a check of each would take as long as reading it.
    kernelString(some.join(''), 'paths')
    checked(await native.async.readHeads(at?.fd ?? AT_FDCWD, nulTerminated(some), most, buffer), 'read')
    let place = 0
    for (let i = 0; i < some.length; i++) {
      const size = view.getInt32(place, true)
      const start = place + HEADER
      place = size < 0 ? start : start + size
      if (size < 0) heads.push(size)
      else
        heads.push({
          text: decodeUtf8(buffer.subarray(start, place)),
          uid: view.getUint32(start - 8, true),
          mode: view.getUint32(start - 4, true),
        })
    }
  }
  return heads
}
