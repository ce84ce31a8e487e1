import { checked, decodeUtf8, nulTerminated } from '@libcontainer/sys'
import { ERANGE } from '../errnos.js'
import { native } from '../native.js'

/** The files that are read of every cgroup, in one hierarchy. */
export interface FileSet {
  readonly mountpoint: string
  readonly files: readonly string[]
}

/** What was read of a cgroup: the text of a file by its number, in the order of the sets; an errno, negative, where it could not be read. */
export type Texts = (file: number) => string | number

/** Cgroups of one native call, which one thread reads while another's are parsed. */
const CHUNK = 32
/** As many calls at a time: reading is the kernel's work, and it has more than one processor. */
const LANES = 4
/** Bytes of a file, more or less; it grows where they hold more. */
let perFile = 128

/**
 * Reads the same files of many cgroups, off the thread, by few calls; each cgroup's are handed on as soon as they are there.
 *
 * @param paths - of each cgroup, one path for each set, below its mount point
 * @param each - called for each cgroup by its number
 */
export async function readSets(
  sets: readonly FileSet[],
  paths: readonly (readonly string[])[],
  each: (cgroup: number, texts: Texts) => void,
): Promise<void> {
  if (sets.length === 0 || paths.length === 0) return
  const files = nulTerminated(sets.flatMap(set => [...set.files, '']))
  const mountpoints = sets.map(({ mountpoint }) => mountpoint)
  const count = sets.reduce((sum, set) => sum + set.files.length, 0)
  let next = 0
  const lane = async (): Promise<void> => {
    // One buffer for all the calls of a lane: what it holds is decoded before the next.
    const room = { text: new Uint8Array(perFile * count * Math.min(CHUNK, paths.length) + 4096) }
    for (;;) {
      const first = next
      const chunk = paths.slice(first, first + CHUNK)
      if (chunk.length === 0) return
      next += chunk.length
      const sizes = new Int32Array(count * chunk.length)
      const bytes = await readChunk(nulTerminated([...mountpoints, ...chunk.flat()]), files, sizes, room)
      split(bytes, sizes, count, (i, texts) => each(first + i, texts))
    }
  }
  await Promise.all(Array.from({ length: Math.min(LANES, Math.ceil(paths.length / CHUNK)) }, lane))
}

async function readChunk(
  directories: Uint8Array,
  files: Uint8Array,
  sizes: Int32Array,
  room: { text: Uint8Array<ArrayBuffer> },
): Promise<Uint8Array> {
  for (;;) {
    const used = await native.async.readCgroupSets(directories, files, new Uint8Array(sizes.buffer), room.text)
    if (used !== ERANGE) return room.text.subarray(0, checked(used, 'read'))
    room.text = new Uint8Array(2 * room.text.length)
    perFile = Math.max(perFile, Math.ceil(room.text.length / sizes.length))
  }
}

/** Finds the texts in what was read. All is decoded at once; a byte is a letter, but for names of devices that somebody made up. */
function split(
  bytes: Uint8Array,
  sizes: Int32Array,
  count: number,
  each: (cgroup: number, texts: Texts) => void,
): void {
  const all = decodeUtf8(bytes)
  const plain = all.length === bytes.length
  const starts = new Int32Array(count)
  let first = 0
  const texts: Texts = file => {
    const size = sizes[first + file]!
    if (size < 0) return size
    const start = starts[file]!
    return plain ? all.slice(start, start + size) : decodeUtf8(bytes.subarray(start, start + size))
  }
  let at = 0
  for (let cgroup = 0; first < sizes.length; cgroup++, first += count) {
    for (let file = 0; file < count; file++) {
      starts[file] = at
      at += Math.max(sizes[first + file]!, 0)
    }
    each(cgroup, texts)
  }
}
