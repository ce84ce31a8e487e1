import { decodeUtf8, isErrno, nulTerminated, readTextIfPresent, type Step } from '@libcontainer/sys'
import type { Place } from '../host/place.js'
import { native } from '../native.js'
import { filling } from '../read.js'

/** The paths of the cgroups below a place, relative to it; parents come before their children. One that is gone has none. */
export async function listBelow({ hierarchy, path, directory }: Place, recursive: boolean): Promise<string[]> {
  try {
    const bytes = await filling(
      buffer => native.async.listCgroups(hierarchy.mountpoint, path, recursive ? 1 : 0, buffer),
      'getdents64',
      directory,
    )
    return decodeUtf8(bytes).split('\0').filter(Boolean)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV')) return []
    throw error
  }
}

/** What is given away of a cgroup by kernels that do not say it. */
const DELEGATED = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads']

/** The files of a v2 cgroup that its new owner may write to, as the kernel lists them (Linux 4.15). */
export async function delegatedFiles(list = '/sys/kernel/cgroup/delegate'): Promise<string[]> {
  const names = (await readTextIfPresent(list))?.split(/\s+/).filter(Boolean)
  return names === undefined || names.length === 0 ? DELEGATED : names
}

/** The steps that give a cgroup to a user: of the unified hierarchy alone, since version 1 has no safe delegation. */
export function delegateSteps(places: readonly Place[], files: readonly string[], uid: number, gid: number): Step[] {
  return places
    .filter(({ hierarchy }) => hierarchy.version === 2)
    .map(({ hierarchy, path, directory }) => ({
      op: 'chownCgroup',
      args: [hierarchy.mountpoint, path, uid, gid, nulTerminated(files)],
      about: `give ${directory} to user ${uid}`,
      path: directory,
      hints: { EPERM: 'CAP_CHOWN gives files away, and a user namespace only to the users that it maps' },
    }))
}
