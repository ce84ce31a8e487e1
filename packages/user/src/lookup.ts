import { ids, readTextIfPresent } from '@libcontainer/sys'
import { NoGroupEntries, NoPasswdEntries } from './errors.js'
import { type Filter, type GroupEntry, type PasswdEntry, parseGroup, parsePasswd } from './passwd.js'

/** Where the lookups read. Default: the host's own files. */
export interface LookupFiles {
  passwd?: string | undefined
  group?: string | undefined
}

/** The entry of the user that this process runs as. @throws {NoPasswdEntries} */
export async function currentUser(files?: LookupFiles): Promise<PasswdEntry> {
  return lookupUid(ids().uid, files)
}

/** The entry of a user's name. @throws {NoPasswdEntries} */
export async function lookupUser(name: string, files?: LookupFiles): Promise<PasswdEntry> {
  return firstUser(entry => entry.name === name, `user '${name}'`, files)
}

/** The entry of a user's id. @throws {NoPasswdEntries} */
export async function lookupUid(uid: number, files?: LookupFiles): Promise<PasswdEntry> {
  return firstUser(entry => entry.uid === uid, `uid ${uid}`, files)
}

/** The entry of the group that this process runs as. @throws {NoGroupEntries} */
export async function currentGroup(files?: LookupFiles): Promise<GroupEntry> {
  return lookupGid(ids().gid, files)
}

/** The entry of a group's name. @throws {NoGroupEntries} */
export async function lookupGroup(name: string, files?: LookupFiles): Promise<GroupEntry> {
  return firstGroup(entry => entry.name === name, `group '${name}'`, files)
}

/** The entry of a group's id. @throws {NoGroupEntries} */
export async function lookupGid(gid: number, files?: LookupFiles): Promise<GroupEntry> {
  return firstGroup(entry => entry.gid === gid, `gid ${gid}`, files)
}

async function firstUser(filter: Filter<PasswdEntry>, what: string, files: LookupFiles = {}): Promise<PasswdEntry> {
  const [entry] = parsePasswd(await readTextIfPresent(files.passwd ?? '/etc/passwd'), filter)
  if (!entry) throw new NoPasswdEntries(what)
  return entry
}

async function firstGroup(filter: Filter<GroupEntry>, what: string, files: LookupFiles = {}): Promise<GroupEntry> {
  const [entry] = parseGroup(await readTextIfPresent(files.group ?? '/etc/group'), filter)
  if (!entry) throw new NoGroupEntries(what)
  return entry
}
