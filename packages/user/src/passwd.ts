import { entries, idOf, type Source, streamedEntries } from './lines.js'

/** A line of a passwd file: passwd(5). */
export interface PasswdEntry {
  readonly name: string
  readonly password: string
  /**
   * `undefined` where the line has no id or none that is a number. libcontainer took 0 for it until 2015, which made
   * every short line an account of root.
   */
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly gecos: string
  readonly home: string
  readonly shell: string
}

/** A line of a group file: group(5). */
export interface GroupEntry {
  readonly name: string
  readonly password: string
  readonly gid: number | undefined
  readonly members: readonly string[]
}

export type Filter<T> = (entry: T) => boolean

/** The entries of a passwd file, in its order. What a short line lacks is `''`, or `undefined` for an id. */
export function parsePasswd(source: Source, filter: Filter<PasswdEntry> = everything): PasswdEntry[] {
  return [...chosen(entries(source), passwdEntry, filter)]
}

/** The entries of a group file, in its order. */
export function parseGroup(source: Source, filter: Filter<GroupEntry> = everything): GroupEntry[] {
  return [...chosen(entries(source), groupEntry, filter)]
}

/** The first entry of a name or an id in a passwd file: without a look at the others, of which an image may have millions. */
export function findUser(source: Source, who: string | number): PasswdEntry | undefined {
  return first(
    entries(source, String(who)),
    passwdEntry,
    ({ name, uid }) => who === (typeof who === 'string' ? name : uid),
  )
}

/** The first entry of a name or an id in a group file. */
export function findGroup(source: Source, which: string | number): GroupEntry | undefined {
  return first(
    entries(source, String(which)),
    groupEntry,
    ({ name, gid }) => which === (typeof which === 'string' ? name : gid),
  )
}

/** {@link parsePasswd} over a stream of bytes: one entry at a time, lines of any length. */
export async function* streamPasswd(
  chunks: AsyncIterable<Uint8Array>,
  filter: Filter<PasswdEntry> = everything,
): AsyncGenerator<PasswdEntry> {
  for await (const fields of streamedEntries(chunks)) {
    const entry = passwdEntry(fields)
    if (filter(entry)) yield entry
  }
}

/** {@link parseGroup} over a stream of bytes. */
export async function* streamGroup(
  chunks: AsyncIterable<Uint8Array>,
  filter: Filter<GroupEntry> = everything,
): AsyncGenerator<GroupEntry> {
  for await (const fields of streamedEntries(chunks)) {
    const entry = groupEntry(fields)
    if (filter(entry)) yield entry
  }
}

/** One at a time: what is not chosen is not kept. */
function* chosen<T>(lines: Iterable<string[]>, make: (fields: string[]) => T, filter: Filter<T>): Generator<T> {
  for (const fields of lines) {
    const entry = make(fields)
    if (filter(entry)) yield entry
  }
}

function first<T>(lines: Iterable<string[]>, make: (fields: string[]) => T, filter: Filter<T>): T | undefined {
  for (const entry of chosen(lines, make, filter)) return entry
  return undefined
}

function passwdEntry([name = '', password = '', uid, gid, gecos = '', home = '', shell = '']: string[]): PasswdEntry {
  return { name, password, uid: idOf(uid), gid: idOf(gid), gecos, home, shell }
}

function groupEntry([name = '', password = '', gid, members = '']: string[]): GroupEntry {
  return { name, password, gid: idOf(gid), members: members.split(',').filter(member => member !== '') }
}

function everything(): boolean {
  return true
}
