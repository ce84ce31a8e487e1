import {
  type GroupEntry,
  getAdditionalGroups,
  getExecUser,
  type PasswdEntry,
  parseGroup,
  parsePasswd,
} from '@libcontainer/user'
import { answer, hold, same, textOf } from '../support/oracles.js'

const MAX_ID = 2147483647

const idsAre = (...ids: readonly number[]): boolean => ids.every(id => Number.isInteger(id) && id >= 0 && id <= MAX_ID)

const passwdLine = ({ name, password, uid, gid, gecos, home, shell }: PasswdEntry): string =>
  `${name}:${password}:${uid ?? ''}:${gid ?? ''}:${gecos}:${home}:${shell}\n`
const groupLine = ({ name, password, gid, members }: GroupEntry): string =>
  `${name}:${password}:${gid ?? ''}:${members.join(',')}\n`

/** Whether a line of these fields is read as it stands: one that is blank, a comment, or has blanks at its ends is not. */
const stands = (line: string): boolean =>
  line.trim() === line.slice(0, -1) && !line.startsWith('#') && line.trim() !== ''

function checkFiles(passwd: string, group: string): void {
  const users = parsePasswd(passwd)
  const groups = parseGroup(group)
  hold(users.length <= passwd.length && groups.length <= group.length, 'more entries than characters')
  hold(
    ![...users, ...groups].some(entry => Object.values(entry).join().includes('\0')),
    'a NUL on its way to the kernel',
  )
  same(parsePasswd(new TextEncoder().encode(passwd)), users, 'bytes and text')
  for (const user of users.filter(user => stands(passwdLine(user))))
    same(parsePasswd(passwdLine(user)), [user], 'a user written and read again')
  for (const entry of groups.filter(entry => stands(groupLine(entry))))
    same(parseGroup(groupLine(entry)), [entry], 'a group written and read again')
}

/** What a specification means, by the plainest reading of the files: libcontainer's rules, one after another. */
function checkSpec(spec: string, passwd: string, group: string): void {
  const found = answer(() => getExecUser(spec, {}, passwd, group))
  if (found === undefined) return
  const { uid, gid, groups, home } = found
  hold(idsAre(uid, gid, ...groups) && groups.length === new Set(groups).size, `no ids: ${JSON.stringify(found)}`)
  hold(typeof home === 'string' && home !== '' && !home.includes('\0'), 'no home')
  const [user = '', wanted] = spec.split(':')
  // An image must not make somebody else of a number: CVE-2016-3697.
  if (/^\d+$/.test(user)) same(uid, Number(user), `the user of ${spec}`)
  if (wanted !== undefined && /^\d+$/.test(wanted)) same(gid, Number(wanted), `the group of ${spec}`)
  const entry = parsePasswd(passwd).find(each =>
    /^\d+$/.test(user) || user === '' ? each.uid === Number(user) : each.name === user,
  )
  if (entry !== undefined) same([uid, home], [entry.uid, entry.home || '/'], `the entry of ${spec}`)
  if (wanted === undefined && entry !== undefined) {
    const member = parseGroup(group).filter(({ members }) => members.includes(entry.name))
    same(groups, [...new Set(member.map(each => each.gid))], `the groups of ${spec}`)
  }
}

/** A specification, a passwd and a group file, each ended by an empty line. */
export function fuzz(data: Uint8Array): void {
  const [spec = '', passwd = '', group = ''] = textOf(data).split('\n\n', 3)
  checkFiles(passwd, group)
  checkSpec(spec, passwd, group)
  const names = spec.split(',')
  const groups = answer(() => getAdditionalGroups(names, group))
  if (groups !== undefined) hold(idsAre(...groups) && groups.length <= names.length, 'no groups')
}

export function seeds(): string[] {
  const passwd =
    'root:x:0:0:root:/root:/bin/sh\n# no\nwww:x:33:33:www:/var/www:/usr/sbin/nologin\n1000:x:0:0::/:\nshort:x\nbig:x:4294967295:1::/:/'
  const group = 'root:x:0:\nadm:x:4:www,short\nwww:x:33:\n7:x:0:www\nbroken:x:x:www'
  return ['www', '1000', '1000:adm', 'www:www', '', ':4', '0:2147483648', 'short', 'www:broken'].map(
    spec => `${spec}\n\n${passwd}\n\n${group}`,
  )
}
