import { ids, readTextIfPresent } from '@libcontainer/sys'
import { NoGroupEntries, NoPasswdEntries } from './errors.js'
import { findGroup, findUser, type GroupEntry, type PasswdEntry } from './passwd.js'

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
  return await userOf(name, `user '${name}'`, files)
}

/** The entry of a user's id. @throws {NoPasswdEntries} */
export async function lookupUid(uid: number, files?: LookupFiles): Promise<PasswdEntry> {
  return await userOf(uid, `uid ${uid}`, files)
}

/** The entry of the group that this process runs as. @throws {NoGroupEntries} */
export async function currentGroup(files?: LookupFiles): Promise<GroupEntry> {
  return await lookupGid(ids().gid, files)
}

/** The entry of a group's name. @throws {NoGroupEntries} */
export async function lookupGroup(name: string, files?: LookupFiles): Promise<GroupEntry> {
  return await groupOf(name, `group '${name}'`, files)
}

/** The entry of a group's id. @throws {NoGroupEntries} */
export async function lookupGid(gid: number, files?: LookupFiles): Promise<GroupEntry> {
  return await groupOf(gid, `gid ${gid}`, files)
}

async function userOf(who: string | number, what: string, files: LookupFiles = {}): Promise<PasswdEntry> {
  const entry = findUser(await readTextIfPresent(files.passwd ?? '/etc/passwd'), who)
  if (!entry) throw new NoPasswdEntries(what)
  return entry
}

async function groupOf(which: string | number, what: string, files: LookupFiles = {}): Promise<GroupEntry> {
  const entry = findGroup(await readTextIfPresent(files.group ?? '/etc/group'), which)
  if (!entry) throw new NoGroupEntries(what)
  return entry
}
