import { exists, generateRandomName, ids, isErrno, LibcontainerError, readText } from '@libcontainer/sys'
import { Cgroup } from '../cgroup.js'
import { LimitUnsupported } from '../errors.js'
import type { Limits } from '../limits/limits.js'
import { DELEGATED_SCOPE, type Delegation, findDelegation } from './delegation.js'
import { type CgroupHost, cgroupHost, hierarchyOf } from './host.js'

export interface ProvideOptions {
  /** Where it is to be: as for `Cgroup.create`. Default: a name of its own, below the cgroup of this process, or in what was delegated to this user */
  readonly path?: string | undefined
  /**
   * Where this user was given the cgroup of this process alone, as in a container: moves the processes that are in it, all of them, into a
   * cgroup `leaf` below it first. A cgroup v2 that holds processes hands no controllers on. Default: `false`
   */
  readonly leaf?: boolean | undefined
}

/**
 * Makes a cgroup for somebody who does not care where: for root beside or below this process' own, for an ordinary user in what was delegated.
 *
 * @throws {LibcontainerError} `NotDelegated` for an ordinary user who was given none; the hint is the line that helps
 */
export async function provide(limits: Limits, { path, leaf = false }: ProvideOptions = {}): Promise<Cgroup> {
  if (leaf) await makeRoom(await cgroupHost({ refresh: true }))
  const host = await cgroupHost()
  const name = path ?? generateRandomName(`limit-${ids().pid}-`, 8)
  try {
    return await Cgroup.create(name, limits, { host })
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS') || path !== undefined) throw error
    const delegation = await findDelegation({ host })
    if (delegation === undefined) throw notDelegated(host.mode, error)
    return await createBelow(delegation, name, limits)
  }
}

/** In what was delegated. */
async function createBelow({ path, host }: Delegation, name: string, limits: Limits): Promise<Cgroup> {
  try {
    return await Cgroup.create(`${path}/${name}`, limits, { host })
  } catch (error) {
    const unified = hierarchyOf(host, '')!
    if (!(error instanceof LimitUnsupported) || path !== `/${unified.own}`) throw error
    const has = (await readText(`${unified.mountpoint}${path}/cgroup.controllers`)).split(/\s+/)
    if (!has.includes(error.controller)) throw error
    throw new LimitUnsupported(
      error.field,
      error.controller,
      `the cgroup ${path} of this process has the controller ${error.controller}, but hands none on while it holds processes`,
      "let them be moved into one below it: the option leaf, or --leaf of 'cgroups run'",
    )
  }
}

/** Empties this process' own cgroup into one below it, where it is all that this user was given. */
async function makeRoom(host: CgroupHost): Promise<void> {
  const unified = hierarchyOf(host, '')
  const delegation = await findDelegation({ host })
  if (unified === undefined || delegation?.path !== `/${unified.own}`) return
  // The top of all cgroups has no type. It hands controllers on with processes in it, and these are the kernel's.
  if (!(await exists(`${unified.mountpoint}/${unified.own}/cgroup.type`))) return
  await (await Cgroup.open(delegation.path, { host: delegation.host })).moveToLeaf()
  await cgroupHost({ refresh: true })
}

function notDelegated(mode: string, cause: Error): LibcontainerError {
  const hint =
    mode === 'v2'
      ? `run it below: ${DELEGATED_SCOPE}`
      : 'run it as root; version 1 cannot be delegated, and with cgroup v2 alone (systemd.unified_cgroup_hierarchy=1 at boot) it can: ' +
        DELEGATED_SCOPE
  return new LibcontainerError('NotDelegated', 'this user may make no cgroup: it is not root, and was given none', {
    hint,
    cause,
  })
}
