import { checked, decodeUtf8, type OwnedFd, openFile, POLLPRI, unescapedField } from '@libcontainer/sys'
import type { MountFilter } from './mount-filters.js'
import { native } from './native.js'

/** One line of /proc/<pid>/mountinfo: a mount of a namespace. See proc_pid_mountinfo(5). */
export interface MountInfo {
  readonly id: number
  /** The mount it is attached to; that of the namespace's root is outside the list. */
  readonly parent: number
  /** The device's number. */
  readonly major: number
  readonly minor: number
  /** What of the file system is shown: a directory or file of it. */
  readonly root: string
  readonly mountPoint: string
  /** The mount's own options: `rw`, `nosuid`, … */
  readonly options: readonly string[]
  /** The peer group it shares with. */
  readonly shared?: number
  /** The peer group it receives from. */
  readonly master?: number
  /** The nearest dominant peer group below the reader's root. */
  readonly propagateFrom?: number
  readonly unbindable?: true
  /** `tmpfs`, `fuse.sshfs`, … */
  readonly type: string
  /** What the file system says it was made from; may be empty. */
  readonly source: string
  /** The file system's options. */
  readonly superOptions: readonly string[]
}

/** The mount that is seen at `path`: of several, the one that no other is mounted on. The order of the list does not tell. */
export function seenAt(mounts: readonly MountInfo[], path: string): MountInfo | undefined {
  const there = mounts.filter(({ mountPoint }) => mountPoint === path)
  const covered = new Set(there.map(({ parent }) => parent))
  return there.find(({ id }) => !covered.has(id))
}

/** Parses the text of a mountinfo file. Throws a `TypeError` that shows the line for what is none. */
export function parseMountInfo(text: string, filter?: MountFilter): MountInfo[] {
  const parser = new MountInfoParser(filter)
  parser.parse(text)
  return parser.mounts
}

/** Longer lists of options are not compared with others'. */
const MAX_SHARED = 1000

/** Of a number of 32 bits. */
const MAX_DIGITS = 10

/** Goes through whole lines, field by field: a table may have tens of thousands of them. */
export class MountInfoParser {
  /** What the filter has kept. */
  mounts: MountInfo[] = []
  readonly #filter: MountFilter | undefined
  /** Most mounts have the options of another. */
  readonly #lists = new Map<string, readonly string[]>()
  #text = ''
  #from = 0
  #at = 0
  #end = 0

  constructor(filter?: MountFilter) {
    this.#filter = filter
  }

  /** `true` when the filter has called one the last. */
  parse(text: string): boolean {
    this.#text = text
    const needle = this.#filter?.needle
    for (let from = 0; from < text.length; from = this.#end + 1) {
      if (needle !== undefined) {
        const at = text.indexOf(needle, from)
        if (at < 0) break
        from = text.lastIndexOf('\n', at) + 1
      }
      const end = text.indexOf('\n', from)
      this.#from = this.#at = from
      this.#end = end < 0 ? text.length : end
      if (this.#end === from) continue
      const mount = this.#line()
      const kept = this.#filter === undefined || this.#filter(mount)
      if (kept) this.mounts.push(mount)
      if (kept === 'last') return true
    }
    return false
  }

  #line(): MountInfo {
    const id = this.#number(' ')
    const parent = this.#number(' ')
    const major = this.#number(':')
    const minor = this.#number(' ')
    const root = unescapedField(this.#field())
    const mountPoint = unescapedField(this.#field())
    const options = this.#list(this.#field())
    const tagsAt = this.#at
    while (this.#field() !== '-');
    const tagsEnd = this.#at - 2
    const type = unescapedField(this.#field())
    const source = unescapedField(this.#field())
    if (this.#at > this.#end) throw this.#refusal()
    // A file system may put a space into its options unescaped: they are all that is left.
    const superOptions = this.#list(this.#text.slice(this.#at, this.#end))
    const mount: MountInfo & OptionalFields = {
      id,
      parent,
      major,
      minor,
      root,
      mountPoint,
      options,
      type,
      source,
      superOptions,
    }
    if (tagsEnd > tagsAt && !addTags(mount, this.#text.slice(tagsAt, tagsEnd - 1))) throw this.#refusal()
    return mount
  }

  #field(): string {
    const at = this.#at
    if (at > this.#end) throw this.#refusal()
    let space = this.#text.indexOf(' ', at)
    if (space < 0 || space > this.#end) space = this.#end
    this.#at = space + 1
    return this.#text.slice(at, space)
  }

  /** Decimal digits and nothing else, up to the mark. */
  #number(mark: string): number {
    const from = this.#at
    let value = 0
    let at = from
    for (; at < this.#end; at++) {
      const digit = this.#text.charCodeAt(at) - 48
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    if (at === from || at - from > MAX_DIGITS || at >= this.#end || this.#text[at] !== mark) throw this.#refusal()
    this.#at = at + 1
    return value
  }

  #list(text: string): readonly string[] {
    let list = this.#lists.get(text)
    if (list === undefined) {
      list = Object.freeze(text.split(','))
      if (text.length <= MAX_SHARED) this.#lists.set(text, list)
    }
    return list
  }

  #refusal(): TypeError {
    const line = this.#text.slice(this.#from, Math.min(this.#end, this.#from + 200))
    return new TypeError(`not a line of mountinfo: ${JSON.stringify(line)}`)
  }
}

interface OptionalFields {
  shared?: number
  master?: number
  propagateFrom?: number
  unbindable?: true
}

/** Kernels may add tags: unknown ones are no error. `false` for a peer group without a number. */
function addTags(found: OptionalFields, tags: string): boolean {
  for (let at = 0; at < tags.length; ) {
    let end = tags.indexOf(' ', at)
    if (end < 0) end = tags.length
    let colon = tags.indexOf(':', at)
    if (colon < 0 || colon > end) colon = end
    const name = groups.get(tags.slice(at, colon))
    if (name !== undefined) {
      const value = tags.slice(colon + 1, end)
      if (!/^\d{1,10}$/.test(value)) return false
      found[name] = Number(value)
    } else if (end - at === 10 && tags.startsWith('unbindable', at)) found.unbindable = true
    at = end + 1
  }
  return true
}

const groups = new Map<string, 'shared' | 'master' | 'propagateFrom'>([
  ['shared', 'shared'],
  ['master', 'master'],
  ['propagate_from', 'propagateFrom'],
])

/** What is asked of the kernel at a time: some 300 lines, later a quarter of what was read, so that who looks for one of the first need not wait for all. */
const FIRST = 1 << 15
const CHUNK = 1 << 20

/** How often a table is read that changes meanwhile: then it is as good as it gets. */
const TRIES = 8

/**
 * The mounts that a process sees: all of one moment, unless the table changes again and again while it is read.
 *
 * @param pid - a process, or `'self'` for this one
 * @throws {SyscallError} `ENOENT` for no such process, `EINVAL` for one that has ended
 */
export async function readMountInfo(pid: number | 'self' = 'self', filter?: MountFilter): Promise<MountInfo[]> {
  for (let tries = 1; ; tries++) {
    const mounts: MountInfo[] = []
    let changed = false
    for await (const some of chunks(pid, filter, fd => (changed = hasChanged(fd)))) mounts.push(...some)
    if (!changed || tries === TRIES) return mounts
  }
}

/**
 * The same one by one, with no more of the table in memory than is read at a time. What is mounted or unmounted meanwhile may be missed, or be told twice.
 */
export async function* streamMountInfo(pid: number | 'self' = 'self', filter?: MountFilter): AsyncGenerator<MountInfo> {
  for await (const some of chunks(pid, filter)) yield* some
}

/** Since it was opened: the kernel tells it as an exceptional condition. */
function hasChanged({ fd }: OwnedFd): boolean {
  return (native.sync.pollMounts(fd) & POLLPRI) !== 0
}

async function* chunks(
  pid: number | 'self',
  filter: MountFilter | undefined,
  atEnd?: (file: OwnedFd) => void,
): AsyncGenerator<readonly MountInfo[]> {
  const path = `/proc/${pid}/mountinfo`
  const file = await openFile(path)
  try {
    const parser = new MountInfoParser(filter)
    const buffer = new Uint8Array(CHUNK)
    for (let kept = 0, total = 0; ; ) {
      const room = buffer.subarray(kept, kept + Math.max(FIRST, total >> 2))
      const got = checked(await native.async.readMounts(file.fd, room), 'read', path)
      const have = kept + got
      total += got
      const ended = got < room.length
      // A line that is not whole yet waits for its rest.
      const end = ended ? have : buffer.lastIndexOf(10, have - 1) + 1
      const last = parser.parse(decodeUtf8(buffer.subarray(0, end)))
      if (parser.mounts.length > 0) yield parser.mounts
      if (last) return
      if (ended) break
      parser.mounts = []
      buffer.copyWithin(0, end, have)
      kept = have - end
    }
    atEnd?.(file)
  } finally {
    file.close()
  }
}
