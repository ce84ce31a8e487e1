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
  return [...entries(source)].map(passwdEntry).filter(filter)
}

/** The entries of a group file, in its order. */
export function parseGroup(source: Source, filter: Filter<GroupEntry> = everything): GroupEntry[] {
  return [...entries(source)].map(groupEntry).filter(filter)
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

function passwdEntry([name = '', password = '', uid, gid, gecos = '', home = '', shell = '']: string[]): PasswdEntry {
  return { name, password, uid: idOf(uid), gid: idOf(gid), gecos, home, shell }
}

function groupEntry([name = '', password = '', gid, members = '']: string[]): GroupEntry {
  return { name, password, gid: idOf(gid), members: members.split(',').filter(member => member !== '') }
}

function everything(): boolean {
  return true
}
