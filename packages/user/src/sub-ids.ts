import { readTextIfPresent } from '@libcontainer/sys'
import { entries, type Source } from './lines.js'

/** A line of /etc/subuid or /etc/subgid: ids that a user may map into a user namespace. subuid(5). */
export interface SubIdRange {
  /** The user's name, or uid in digits. */
  readonly user: string
  readonly start: number
  readonly count: number
}

/** One past the highest id of the kernel. */
const ID_LIMIT = 4294967295

/** The ranges of a subuid or subgid file. A line that is no range of valid ids is left out, as newuidmap(1) does. */
export function parseSubIds(source: Source): SubIdRange[] {
  const ranges: SubIdRange[] = []
  for (const [user = '', start = '', count = '', ...rest] of entries(source)) {
    if (user === '' || rest.length > 0 || !/^[0-9]+$/.test(start) || !/^[0-9]+$/.test(count)) continue
    const range = { user, start: Number(start), count: Number(count) }
    if (range.count > 0 && range.start + range.count <= ID_LIMIT) ranges.push(range)
  }
  return ranges
}

/** The ranges of one user, who may stand in the file by name or by uid. */
export function subIdRanges(
  source: Source,
  user: { name?: string | undefined; uid?: number | undefined },
): SubIdRange[] {
  const uid = user.uid === undefined ? undefined : String(user.uid)
  return parseSubIds(source).filter(range => range.user === user.name || range.user === uid)
}

/** The host's subordinate user ids of a user; none where the file is missing. */
export async function subUids(user: { name?: string; uid?: number }, path = '/etc/subuid'): Promise<SubIdRange[]> {
  return subIdRanges(await readTextIfPresent(path), user)
}

/** The host's subordinate group ids of a user; none where the file is missing. */
export async function subGids(user: { name?: string; uid?: number }, path = '/etc/subgid'): Promise<SubIdRange[]> {
  return subIdRanges(await readTextIfPresent(path), user)
}
