import { ConfigInvalid, kernelString } from '@libcontainer/sys'
import { entries, idOf, type Source, textOf } from './lines.js'
import { checkedId, entryId, numericId } from './number.js'
import { findGroup, findUser } from './passwd.js'

/** Who a process runs as. */
export interface ExecUser {
  readonly uid: number
  readonly gid: number
  /** The supplementary groups, in the order of the group file. */
  readonly groups: readonly number[]
  readonly home: string
}

/** What holds where the specification and the files say nothing. */
export const ROOT_USER: ExecUser = { uid: 0, gid: 0, groups: [], home: '/' }

/**
 * Who `spec` means in a root filesystem, by the contents of its own passwd and group files.
 *
 * `spec` is `''` (the defaults), `user` or `user:group`, each part a name or a number; an empty user before a group
 * means the default one. A number is never taken for a name, and need not be in the files. The user's entry gives uid,
 * gid and home; without a group in `spec`, the groups that list the user become the supplementary ones.
 *
 * @param passwd - the file's contents; `undefined` where it is missing
 * @param field - where `spec` stands in the request, for errors
 * @throws {ConfigInvalid} for an unknown name or a malformed specification; {@link IdOutOfRange} for a number
 *   beyond 0 to 2147483647
 */
export function getExecUser(
  spec: string,
  defaults: Partial<ExecUser> = {},
  passwd?: Source,
  group?: Source,
  field = 'user',
): ExecUser {
  const [userPart, groupPart] = splitSpec(spec, field)
  const standard = { ...ROOT_USER, ...defaults }
  const wantedUid = numericId(userPart, field)
  const user = findUser(passwd, wantedUid ?? (userPart === '' ? standard.uid : userPart))
  if (!user && userPart !== '' && wantedUid === undefined) {
    throw new ConfigInvalid(field, spec, `no user '${userPart}' in the container's passwd file`)
  }
  const uid = user ? entryId(user.uid, field, user.name) : (wantedUid ?? standard.uid)
  const home = user?.home || standard.home

  if (groupPart !== undefined) {
    return { uid, gid: groupId(group, groupPart, field, spec), groups: [...standard.groups], home }
  }
  const gid = user ? entryId(user.gid, field, user.name) : standard.gid
  const groups = user ? groupsOf(group, user.name, field) : []
  return { uid, gid, groups: groups.length > 0 ? groups : [...standard.groups], home }
}

/**
 * The ids of additional groups, in the order given and each once.
 *
 * @param groups - names, which must be in the file, or numbers, which need not
 * @param file - the contents of the container's group file; `undefined` where it is missing
 * @throws {ConfigInvalid} for an unknown name; {@link IdOutOfRange} for a number beyond 0 to 2147483647
 */
export function getAdditionalGroups(
  groups: readonly (string | number)[],
  file?: Source,
  field = 'additionalGroups',
): number[] {
  const text = groups.some(group => typeof group === 'string') ? textOf(file) : ''
  const ids = groups.map((group, i) => {
    const at = `${field}[${i}]`
    if (typeof group === 'number') return checkedId(group, at)
    checkPart(group, at, group)
    return numericId(group, at) ?? namedGroup(text, group, at, group)
  })
  return [...new Set(ids)]
}

function splitSpec(spec: string, field: string): [user: string, group: string | undefined] {
  kernelString(spec, field)
  if (spec === '') return ['', undefined]
  const parts = spec.split(':')
  if (parts.length > 2) throw new ConfigInvalid(field, spec, 'must be user or user:group')
  const [user = '', group] = parts
  if (user !== '') checkPart(user, field, spec)
  if (group !== undefined) checkPart(group, field, spec)
  return [user, group]
}

function checkPart(part: string, field: string, spec: string): void {
  kernelString(part, field)
  if (part === '') throw new ConfigInvalid(field, spec, 'must not hold an empty name')
  if (part.trim() !== part) throw new ConfigInvalid(field, spec, 'must not begin or end with white space')
}

/** setgroups(2)'s bound. */
const MAX_GROUPS = 65536

/** The ids of the groups that list a user, each once, in the order of the file. */
function groupsOf(file: Source, user: string, field: string): number[] {
  const ids = new Set<number>()
  // No member has such a name: a comma parts them.
  if (user === '' || user.includes(',')) return []
  for (const [name = '', , gid, members = ''] of entries(file, user)) {
    if (!`,${members},`.includes(`,${user},`)) continue
    ids.add(entryId(idOf(gid), field, name))
    if (ids.size > MAX_GROUPS) throw new ConfigInvalid(field, user, `must not be in more than ${MAX_GROUPS} groups`)
  }
  return [...ids]
}

function groupId(file: Source, part: string, field: string, spec: string): number {
  return numericId(part, field) ?? namedGroup(file, part, field, spec)
}

function namedGroup(file: Source, name: string, field: string, spec: string): number {
  const found = findGroup(file, name)
  if (!found) throw new ConfigInvalid(field, spec, `no group '${name}' in the container's group file`)
  return entryId(found.gid, field, found.name)
}
