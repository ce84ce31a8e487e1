import {
  applyToCgroups,
  Cgroup,
  DELEGATED_SCOPE,
  type Delegation,
  findDelegation,
  type Limits,
  LimitUnsupported,
} from '@libcontainer/cgroups'
import { isErrno, LibcontainerError } from '@libcontainer/sys'
import { isDefaultCgroupPath } from '../config/resolve.js'
import type { CgroupCreation, CgroupDriver, ContainerCgroup } from './drivers.js'

/** The line that makes limits hold for an ordinary user. */
export const DELEGATION_HINT = `run it below '${DELEGATED_SCOPE}', which gives this user a cgroup of its own (cgroup v2, systemd); or as root`

/**
 * Cgroups for who may write only to what was handed over: a delegated part of cgroup2, if there is one.
 *
 * Where there is none a container has no cgroup, unless its config asks for limits or names one: then the error says so. Device rules are
 * left out: they take an eBPF program that an ordinary user may not load, and without mknod there are no devices but those that were bound.
 */
export const rootlessCgroups: CgroupDriver = {
  async at(where) {
    if (typeof where !== 'string') return await Cgroup.at(where)
    const delegation = await findDelegation()
    if (!isDefaultCgroupPath(where)) return await Cgroup.at(where, { host: delegation?.host })
    if (delegation === undefined) return await noCgroup()
    return await Cgroup.at(below(delegation, where), { host: delegation.host })
  },

  async open(where) {
    if (typeof where !== 'string') return await Cgroup.open(where)
    return await Cgroup.open(Object.fromEntries((await this.at(where)).paths))
  },

  async create(path, { devices: _, ...limits }, options) {
    const delegation = await findDelegation()
    if (delegation === undefined && isDefaultCgroupPath(path)) return await without(limits, options)
    const where = delegation !== undefined && isDefaultCgroupPath(path) ? below(delegation, path) : path
    try {
      return await Cgroup.create(where, limits, { ...options, host: delegation?.host })
    } catch (error) {
      throw delegation === undefined && isErrno(error, 'EACCES', 'EPERM', 'EROFS') ? refusedPath(path, error) : error
    }
  },
}

const below = ({ path }: Delegation, name: string): string => (path === '/' ? name : `${path}${name}`)

/** One without a directory in any hierarchy. */
const noCgroup = (): Promise<ContainerCgroup> => Cgroup.at({})

async function without(limits: Limits, { before = [], results }: CgroupCreation): Promise<ContainerCgroup> {
  const asked = firstLimit(limits)
  if (asked !== undefined) {
    const [field, controller] = asked
    throw new LimitUnsupported(
      `cgroups.${field}`,
      controller,
      'cannot be set: this user has no cgroup to write to',
      DELEGATION_HINT,
    )
  }
  await applyToCgroups(before, results === undefined ? {} : { results })
  return await noCgroup()
}

/** The first limit that is given, as `memory.max`. */
function firstLimit(limits: Limits): readonly [field: string, controller: string] | undefined {
  for (const [controller, values] of Object.entries(limits)) {
    for (const [name, value] of Object.entries((values as object | undefined) ?? {}))
      if (value !== undefined) return [`${controller}.${name}`, controller]
  }
  return undefined
}

function refusedPath(path: string, cause: unknown): LibcontainerError {
  return new LibcontainerError('EACCES', `cgroups.path: this user may not make the cgroup ${path}`, {
    cause,
    hint: `leave the path out, and there is none; or ${DELEGATION_HINT}`,
  })
}
