import { readText } from '@libcontainer/sys'

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

/** `true` keeps a mount, `false` passes it over, `'last'` keeps it and ends the reading. */
export type MountFilter = (mount: MountInfo) => boolean | 'last'

/** Those at `path` or below it. */
export function atOrBelow(path: string): MountFilter {
  const prefix = path.endsWith('/') ? path : `${path}/`
  return ({ mountPoint }) => mountPoint === path || mountPoint.startsWith(prefix)
}

/** The first of the list at exactly `path`. Where several are, {@link seenAt} tells which one hides the others. */
export function firstAt(path: string): MountFilter {
  return ({ mountPoint }) => (mountPoint === path ? 'last' : false)
}

/** Those that `path` lies on or below: its parents, and one at itself. */
export function parentsOf(path: string): MountFilter {
  return ({ mountPoint }) =>
    mountPoint === path || path.startsWith(mountPoint.endsWith('/') ? mountPoint : `${mountPoint}/`)
}

/** Those of these types of file system. */
export function ofType(...types: readonly string[]): MountFilter {
  return ({ type }) => types.includes(type)
}

/** The mount that is seen at `path`: of several, the one that no other is mounted on. The order of the list does not tell. */
export function seenAt(mounts: readonly MountInfo[], path: string): MountInfo | undefined {
  const there = mounts.filter(({ mountPoint }) => mountPoint === path)
  const covered = new Set(there.map(({ parent }) => parent))
  return there.find(({ id }) => !covered.has(id))
}

/** Parses the text of a mountinfo file. Throws a `TypeError` that shows the line for what is none. */
export function parseMountInfo(text: string, filter: MountFilter = () => true): MountInfo[] {
  const mounts: MountInfo[] = []
  for (let from = 0; from < text.length; ) {
    let end = text.indexOf('\n', from)
    if (end < 0) end = text.length
    if (end > from) {
      const mount = parseLine(text.slice(from, end))
      const kept = filter(mount)
      if (kept) mounts.push(mount)
      if (kept === 'last') break
    }
    from = end + 1
  }
  return mounts
}

function parseLine(line: string): MountInfo {
  const fields = line.split(' ')
  const dash = fields.indexOf('-', 6)
  const device = /^(\d{1,10}):(\d{1,10})$/.exec(fields[2] ?? '')
  const tags = fields.slice(6, dash)
  if (
    dash < 0 ||
    fields.length < dash + 4 ||
    device === null ||
    ![fields[0], fields[1], ...groups(tags)].every(isNumber)
  ) {
    throw new TypeError(`not a line of mountinfo: ${JSON.stringify(line.slice(0, 200))}`)
  }
  return {
    id: Number(fields[0]),
    parent: Number(fields[1]),
    major: Number(device[1]),
    minor: Number(device[2]),
    root: unescaped(fields[3]!),
    mountPoint: unescaped(fields[4]!),
    options: fields[5]!.split(','),
    ...optional(tags),
    type: unescaped(fields[dash + 1]!),
    source: unescaped(fields[dash + 2]!),
    // A file system may put a space into its options unescaped.
    superOptions: fields
      .slice(dash + 3)
      .join(' ')
      .split(','),
  }
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^\d{1,10}$/.test(text)

/** The numbers of peer groups, as far as they are told. */
const groups = (tags: readonly string[]): (string | undefined)[] =>
  tags.filter(tag => /^(?:shared|master|propagate_from)(?::|$)/.test(tag)).map(tag => tag.split(':', 2)[1])

interface OptionalFields {
  shared?: number
  master?: number
  propagateFrom?: number
  unbindable?: true
}

/** Kernels may add tags: unknown ones are no error. */
function optional(tags: readonly string[]): OptionalFields {
  const found: OptionalFields = {}
  for (const tag of tags) {
    const [name, value] = tag.split(':', 2)
    if (name === 'shared') found.shared = Number(value)
    else if (name === 'master') found.master = Number(value)
    else if (name === 'propagate_from') found.propagateFrom = Number(value)
    else if (name === 'unbindable') found.unbindable = true
  }
  return found
}

/** The kernel writes space, tab, newline, backslash and `#` as a backslash and three octal digits. */
function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
    : text
}

/**
 * The mounts that a process sees.
 *
 * @param pid - a process, or `'self'` for this one
 * @throws {SyscallError} `ENOENT` for no such process, `EINVAL` for one that has ended
 */
export async function readMountInfo(pid: number | 'self' = 'self', filter?: MountFilter): Promise<MountInfo[]> {
  return parseMountInfo(await readText(`/proc/${pid}/mountinfo`), filter)
}
