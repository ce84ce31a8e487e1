import { checked, decodeUtf8, SyscallError } from '@libcontainer/sys'
import { ERANGE, isGone } from './errnos.js'
import { listOf, type Place } from './host/place.js'
import { native } from './native.js'

/** A file of a cgroup to read. */
export interface FileOf {
  readonly place: Place
  readonly file: string
}

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
  const list = listOfFiles(files)
  return textsOf(await filling(buffer => native.async.readCgroups(list, buffer), 'read', undefined, size), files.length)
}

/** The same at once, for a few short files that the kernel tells without waiting for anything. */
export function readFilesNow(files: readonly FileOf[]): (string | number)[] {
  const buffer = new Uint8Array(4096)
  const used = checked(native.sync.readCgroups(listOfFiles(files), buffer), 'read', files[0]?.place.directory)
  return textsOf(buffer.subarray(0, used), files.length)
}

function listOfFiles(files: readonly FileOf[]): Uint8Array {
  let i = 0
  return listOf(
    files.map(({ place }) => place),
    () => files[i++]!.file,
  )
}

function textsOf(bytes: Uint8Array, count: number): (string | number)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  return Array.from({ length: count }, () => {
    const size = view.getInt32(at, true)
    at += 4
    if (size < 0) return size
    at += size
    return decodeUtf8(bytes.subarray(at - size, at))
  })
}

let soon: { readonly file: FileOf; readonly take: (text: string | number | PromiseLike<never>) => void }[] = []

/** As {@link readFiles} for one file, by one native call with all others that are asked for in the same moment. */
export function readSoon(file: FileOf): Promise<string | number> {
  return new Promise(take => {
    if (soon.push({ file, take }) > 1) return
    void Promise.resolve().then(async () => {
      const asked = soon
      soon = []
      const all = readFiles(
        asked.map(one => one.file),
        asked.length * 256,
      )
      try {
        const texts = await all
        for (let i = 0; i < asked.length; i++) asked[i]!.take(texts[i]!)
      } catch {
        for (const one of asked) one.take(all as Promise<never>)
      }
    })
  })
}

/** The text of one file; `undefined` where it or its cgroup is absent or going. */
export async function readFileOf(place: Place, file: string): Promise<string | undefined> {
  const [text] = await readFiles([{ place, file }])
  if (typeof text === 'string') return text
  if (isGone(text!)) return undefined
  throw new SyscallError(text!, 'read', { path: `${place.directory}/${file}` })
}

/** Lines of `key number`, as memory.stat and cpu.stat have them. */
export function parseFlat(text: string): Map<string, number> {
  const values = new Map<string, number>()
  for (let at = 0; at < text.length; ) {
    const end = endOfLine(text, at)
    const space = text.indexOf(' ', at)
    if (space > at && space < end) values.set(text.slice(at, space), Number(text.slice(space + 1, end)))
    at = end + 1
  }
  return values
}

/** The same where numbers may have 64 bits, such as v1's limits of "all pages": one that no double holds exactly is a bigint. */
export function parseExact(text: string): Map<string, number | bigint> {
  const values: Map<string, number | bigint> = parseFlat(text)
  for (const [key, value] of values) {
    if (Number.isSafeInteger(value) || !Number.isInteger(value)) continue
    // Of a key that comes twice the last value counts, here too.
    const at = text.lastIndexOf(`\n${key} `) + 1
    const digits = text.slice(at + key.length + 1, endOfLine(text, at))
    if (/^\d+$/.test(digits)) values.set(key, BigInt(digits))
  }
  return values
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}
