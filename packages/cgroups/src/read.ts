import { checked, decodeUtf8, SyscallError } from '@libcontainer/sys'
import { native } from './native.js'
import { listOf, type Place } from './place.js'

/** A file of a cgroup to read. */
export interface FileOf {
  readonly place: Place
  readonly file: string
}

const ERANGE = -34

/** Calls an op that fills a buffer, with larger ones until it fits. */
export async function filling(
  call: (buffer: Uint8Array) => Promise<number>,
  syscall: string,
  path?: string,
  size = 16384,
): Promise<Uint8Array> {
  for (; ; size *= 4) {
    const buffer = new Uint8Array(size)
    const used = await call(buffer)
    if (used === ERANGE) continue
    return buffer.subarray(0, checked(used, syscall, path))
  }
}

/**
 * The texts of many files by one native call. A file that cannot be read is its errno, negative.
 *
 * @param size - what they are expected to hold together; more is fine
 */
export async function readFiles(files: readonly FileOf[], size = 2048): Promise<(string | number)[]> {
  if (files.length === 0) return []
  const places = files.map(({ place }) => place)
  let i = 0
  const list = listOf(places, () => files[i++]!.file)
  const bytes = await filling(buffer => native.async.readCgroups(list, buffer), 'read', undefined, size)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  return files.map(() => {
    const size = view.getInt32(at, true)
    at += 4
    if (size < 0) return size
    at += size
    return decodeUtf8(bytes.subarray(at - size, at))
  })
}

/** The text of one file; `undefined` where it or its cgroup is absent or going. */
export async function readFileOf(place: Place, file: string): Promise<string | undefined> {
  const [text] = await readFiles([{ place, file }])
  if (typeof text === 'string') return text
  if (text === -2 || text === -19) return undefined
  throw new SyscallError(text!, 'read', { path: `${place.directory}/${file}` })
}

/** Lines of `key number`, as memory.stat and cpu.stat have them. */
export function parseFlat(text: string): Map<string, number> {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    if (space > 0) values.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  return values
}

/** The same where numbers may have 64 bits, such as v1's limits of "all pages": one that no double holds exactly is a bigint. */
export function parseExact(text: string): Map<string, number | bigint> {
  const values = new Map<string, number | bigint>(parseFlat(text))
  for (const [, key, digits] of text.matchAll(/^(\S+) (\d{16,})$/gm)) {
    if (!Number.isSafeInteger(Number(digits))) values.set(key!, BigInt(digits!))
  }
  return values
}
