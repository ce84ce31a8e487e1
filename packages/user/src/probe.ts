import { type Availability, ids, type Probe, probeEach, readTextIfPresent, unavailable } from '@libcontainer/sys'
import { findUser } from './passwd.js'
import { type SubIdRange, subGids, subUids } from './sub-ids.js'

/** Which files of users this host has, and whether this process's user stands there and has subordinate ids (`subuid`, `subgid`). */
export async function probe(): Promise<Probe<'passwd' | 'group' | 'user' | 'subuid' | 'subgid'>> {
  const user = async (): Promise<{ uid: number; name?: string }> => {
    const { uid } = ids()
    const entry = findUser(await readTextIfPresent('/etc/passwd'), uid)
    return entry === undefined ? { uid } : { uid, name: entry.name }
  }
  return await probeEach({
    passwd: () => present('/etc/passwd'),
    group: () => present('/etc/group'),
    user: async () => {
      const { uid, name } = await user()
      return name ?? unavailable(`/etc/passwd has no entry of uid ${uid}`)
    },
    subuid: async () => ranges('/etc/subuid', await subUids(await user())),
    subgid: async () => ranges('/etc/subgid', await subGids(await user())),
  })
}

async function present(path: string): Promise<Availability> {
  if ((await readTextIfPresent(path)) !== undefined) return { available: true }
  return unavailable(`${path} does not exist`)
}

function ranges(path: string, found: readonly SubIdRange[]): Availability {
  const count = found.reduce((sum, range) => sum + range.count, 0)
  if (count > 0) return { available: true, detail: `${count} ids` }
  return unavailable(`${path} has no ids for this user`, `add a line such as NAME:100000:65536 to ${path}`)
}
