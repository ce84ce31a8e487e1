import { ids, isErrno, O_WRONLY, openFile, readText, SyscallError, stat } from '@libcontainer/sys'
import { type CgroupHost, cgroupHost, hierarchyOf } from './host.js'
import { parentOf, placeAt } from './place.js'

/** A part of the unified hierarchy that this user may use: everything below one cgroup. */
export interface Delegation {
  /** The host as far as it may be used: the unified hierarchy alone, with the controllers that reach down to here. */
  readonly host: CgroupHost
  /** The cgroup below which others can be made, as an absolute path of the hierarchy; `/` is its top. */
  readonly path: string
}

/** The line that gives an ordinary user a cgroup of its own where systemd runs. */
export const DELEGATED_SCOPE = 'systemd-run --user --scope -p Delegate=yes'

/**
 * The delegated subtree that this process is in; `undefined` when there is none.
 *
 * A process can be moved only below what its user may write to, and that is cgroup2 alone: version 1 has no safe delegation. With
 * controllers, a cgroup that holds processes can hand none on, so that new ones go beside this process's own cgroup if they may.
 */
export async function findDelegation(options: { host?: CgroupHost } = {}): Promise<Delegation | undefined> {
  const host = options.host ?? (await cgroupHost())
  const unified = hierarchyOf(host, '')
  if (unified === undefined) return undefined
  const { own } = unified
  const candidates = own === '' ? [''] : [parentOf(own), own]
  for (const path of candidates) {
    const { directory } = placeAt(unified, path)
    if (!(await mayUse(directory))) continue
    const controllers = (await readText(`${directory}/cgroup.controllers`)).split(/\s+/).filter(Boolean)
    // Those that this very cgroup already hands on, where its own processes keep it from handing on more.
    const within = path === own && own !== '' ? await handedOn(directory) : controllers
    return { host: { mode: 'v2', hierarchies: [{ ...unified, controllers: within }] }, path: `/${path}` }
  }
  return undefined
}

/** Whether cgroups can be made in it and processes moved below it: both are its owner's to do. */
async function mayUse(directory: string): Promise<boolean> {
  try {
    const { uid, mode } = await stat(directory)
    if (uid !== ids().euid || (mode & 0o200) === 0) return false
    const procs = await openFile(`${directory}/cgroup.procs`, O_WRONLY)
    procs.close()
    return true
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT')) return false
    throw error
  }
}

async function handedOn(directory: string): Promise<string[]> {
  try {
    return (await readText(`${directory}/cgroup.subtree_control`)).split(/\s+/).filter(Boolean)
  } catch (error) {
    if (error instanceof SyscallError) return []
    throw error
  }
}
