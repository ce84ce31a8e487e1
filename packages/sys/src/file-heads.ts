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
    for (const path of some) kernelString(path, 'path')
    checked(await native.async.readHeads(at?.fd ?? AT_FDCWD, nulTerminated(some), most, buffer), 'read')
    for (let i = 0, place = 0; i < some.length; i++) {
      const size = view.getInt32(place, true)
      const start = place + HEADER
      place = start + Math.max(0, size)
      heads.push(
        size < 0
          ? size
          : {
              text: decodeUtf8(buffer.subarray(start, place)),
              uid: view.getUint32(start - 8, true),
              mode: view.getUint32(start - 4, true),
            },
      )
    }
  }
  return heads
}
