import { hostId, type IdMap, type IdMaps, type Namespace } from '@libcontainer/namespaces'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'
import type { ProcessSpec } from '../config/process-spec.js'
import { problemOf } from './apart.js'

/** What is wrong with a config for somebody who may not administer the system. Pure. */
export function rootlessProblems(config: ContainerConfig, namespaces: readonly Namespace[]): ConfigInvalid[] {
  const user = namespaces.find(({ kind }) => kind === 'user')
  if (user !== undefined) return mappedMountProblems(config)
  return [
    new ConfigInvalid(
      'namespaces',
      config.namespaces,
      "must hold 'user': an ordinary user gets no other kind without it",
      {
        hint: "add 'user', whose maps are then made of the ids that this user has; or run as root",
      },
    ),
  ]
}

/** The kernel asks for rights over the file system, which belongs to the host. */
function mappedMountProblems({ mounts = [], rootIdMap }: ContainerConfig): ConfigInvalid[] {
  const problem = 'cannot be had by an ordinary user: root alone maps the ids of a mount'
  const root = rootIdMap === undefined ? [] : [new ConfigInvalid('rootIdMap', rootIdMap, problem)]
  const binds = mounts.flatMap(({ options = [], uidMappings, gidMappings, userNamespace }, i) => {
    const word = options.find(option => /^r?idmap(=|$)/.test(option))
    const asked = word ?? userNamespace ?? (uidMappings?.length || gidMappings?.length ? 'uidMappings' : undefined)
    return asked === undefined ? [] : [new ConfigInvalid(`mounts[${i}].options`, asked, problem)]
  })
  return [...root, ...binds]
}

/**
 * What is wrong with `uid=` and `gid=` of file systems that are mounted in a new user namespace: they name ids of the container, and the kernel
 * takes none that is not mapped. Pure.
 */
export function mountIdProblems({ mounts = [], uidMappings = [], gidMappings = [] }: ContainerConfig): ConfigInvalid[] {
  return mounts.flatMap(({ type, options = [] }, i) => {
    if (type === 'bind' || options.some(option => /^r?bind$/.test(option))) return []
    return options.flatMap((option, j) =>
      option.split(',').flatMap(part => {
        const [, name, id] = /^(uid|gid)=([0-9]+)$/.exec(part) ?? []
        if (name === undefined) return []
        const map = name === 'uid' ? uidMappings : gidMappings
        return problemOf(() => hostId(map, Number(id), `mounts[${i}].options[${j}]: ${part}`)) ?? []
      }),
    )
  })
}

/**
 * Refuses the ids of a process that its user namespace does not have, which the kernel would refuse with a mere EINVAL. Pure.
 *
 * @throws {ConfigInvalid} naming the id
 */
export function checkMapped(maps: IdMaps | undefined, { uid, gid, groups = [] }: ProcessIds): void {
  if (maps === undefined) return
  check(maps.uid, 'uid', uid, 'process.user')
  check(maps.gid, 'gid', gid, 'process.user')
  for (const group of groups) check(maps.gid, 'gid', group, 'process.additionalGroups')
}

/**
 * The same of what a process names by number, before anything is made; and groups beside its own, where the kernel forbids setgroups(2):
 * an ordinary user could get rid of a group by it that shuts it out.
 */
export function checkIds(
  { user, additionalGroups = [] }: ProcessSpec,
  maps: IdMaps | undefined,
  unprivileged: boolean,
): void {
  if (maps === undefined) return
  if (unprivileged && additionalGroups.length > 0 && isSingle(maps.gid)) {
    throw new ConfigInvalid(
      'process.additionalGroups',
      additionalGroups,
      'cannot be had by an ordinary user with one group id',
      {
        hint: 'ids must be lent to this user in /etc/subuid and /etc/subgid, and newuidmap and newgidmap be installed',
      },
    )
  }
  const groups = additionalGroups.filter(group => typeof group === 'number')
  const ids = typeof user === 'object' ? { uid: user.uid, gid: user.gid ?? 0 } : { uid: 0, gid: 0 }
  checkMapped(maps, { ...ids, groups })
}

const isSingle = ([first, ...others]: readonly IdMap[]): boolean => first?.size === 1 && others.length === 0

export interface ProcessIds {
  readonly uid: number
  readonly gid: number
  readonly groups?: readonly number[] | undefined
}

function check(map: readonly IdMap[], kind: 'uid' | 'gid', id: number, field: string): void {
  if (map.some(({ containerId, size }) => id >= containerId && id - containerId < size)) return
  throw new ConfigInvalid(field, id, `unmapped ${kind} ${id} in user namespace`, {
    hint: `add a line for it to ${kind}Mappings; an ordinary user has the ids that /etc/sub${kind} lends`,
  })
}
