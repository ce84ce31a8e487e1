import { ConfigInvalid, checkProgram as check, type ProgramOptions as Options } from '@libcontainer/sys'

/** How a program is run by `enter` and `unshare`. */
export interface ProgramOptions extends Options {
  /** Who it runs as, by ids inside. Default: root of the user namespace; without one, whoever this process is. */
  readonly user?: ProgramUser | undefined
}

export interface ProgramUser {
  readonly uid: number
  /** Default: the same number. */
  readonly gid?: number | undefined
  /** The supplementary groups. Default: none. */
  readonly groups?: readonly number[] | undefined
}

/** (uid_t)-1 is nobody. */
const NO_ID = 0xffffffff
/** NGROUPS_MAX. */
const MAX_GROUPS = 65536

/** Refuses what no program can be run with, before anything is made. */
export function checkProgram(argv: readonly string[], options: ProgramOptions): void {
  check(argv, options)
  if (options.user !== undefined) checkUser(options.user)
}

function checkUser(user: ProgramUser): void {
  if (user === null || typeof user !== 'object') throw new ConfigInvalid('user', user, 'must be { uid, gid, groups }')
  const { uid, gid = uid, groups = [], ...others } = user
  for (const [name, value] of Object.entries(others))
    throw new ConfigInvalid(`user.${name}`, value, 'must be one of uid, gid, groups')
  if (!Array.isArray(groups) || groups.length > MAX_GROUPS)
    throw new ConfigInvalid('user.groups', groups, `must be a list of at most ${MAX_GROUPS} groups`)
  for (const [name, id] of [['uid', uid], ['gid', gid], ...groups.map((id, i) => [`groups[${i}]`, id])] as const) {
    if (!Number.isInteger(id) || Number(id) < 0 || Number(id) >= NO_ID)
      throw new ConfigInvalid(`user.${name}`, id, 'must be an id, from 0 to 4294967294')
  }
}
