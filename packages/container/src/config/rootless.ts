import { findDelegation } from '@libcontainer/cgroups'
import { findMapHelpers, type IdMap, type IdMaps, mapWriter } from '@libcontainer/namespaces'
import { readText, statusField } from '@libcontainer/sys'
import { lookupUid, NoPasswdEntries, type SubIdRange, subGids, subUids } from '@libcontainer/user'
import { hostFacts } from '../plan/facts.js'
import type { ContainerConfig } from './config.js'
import { withMappedIds } from './mapped-ids.js'
import { namespacesOf, userNamespaceOf } from './namespace-requests.js'

/**
 * The id maps of an ordinary user's containers where the config says none: root inside is the user itself, and the ids above it are those
 * that /etc/subuid and /etc/subgid lend, if newuidmap and newgidmap can give them; else there is root alone.
 */
export async function defaultIdMaps(): Promise<IdMaps> {
  const { euid, egid } = await mapWriter()
  const [uids, gids] = (await canLend()) ? await lentIds(euid) : [[], []]
  const both = uids.length > 0 && gids.length > 0
  return { uid: lentMap(euid, both ? uids : []), gid: lentMap(egid, both ? gids : []) }
}

/** The programs are there, and an exec may give them root's rights. */
async function canLend(): Promise<boolean> {
  const [helpers, status] = await Promise.all([findMapHelpers(), readText('/proc/self/status')])
  return helpers !== undefined && statusField(status, 'NoNewPrivs') !== '1'
}

async function lentIds(uid: number): Promise<[uids: SubIdRange[], gids: SubIdRange[]]> {
  try {
    const { name } = await lookupUid(uid)
    return await Promise.all([subUids({ name, uid }), subGids({ name, uid })])
  } catch (error) {
    // newuidmap(1) does nothing for somebody without a name.
    if (error instanceof NoPasswdEntries) return [[], []]
    throw error
  }
}

/** As many lines as fit into the page that the kernel takes, with numbers of ten digits. */
const MAX_RANGES = 100

/** Root inside is `own`; then come the ranges, one behind the other. Ids that are listed twice are mapped once. */
export function lentMap(own: number, ranges: readonly SubIdRange[]): IdMap[] {
  const map: IdMap[] = [{ containerId: 0, hostId: own, size: 1 }]
  let next = 1
  for (const { start, count } of ranges.slice(0, MAX_RANGES)) {
    const taken = map.some(({ hostId, size }) => start < hostId + size && hostId < start + count)
    // (uid_t)-1 is no id, inside neither.
    if (taken || next + count > 0xffffffff) continue
    map.push({ containerId: next, hostId: start, size: count })
    next += count
  }
  return map
}

/**
 * What an ordinary user's config means where it says nothing: a user namespace, and its maps. For anybody else it stays as it is.
 *
 * A config that lists its namespaces without `user` is not changed, and then refused: see {@link rootlessConfig}.
 */
export async function withRootlessDefaults(config: ContainerConfig): Promise<ContainerConfig> {
  if (!(await hostFacts()).unprivileged || typeof config !== 'object' || config === null) return config
  const namespaces = config.namespaces ?? ['user', ...namespacesOf({ ...config, namespaces: undefined })]
  return await withMaps({ ...config, namespaces })
}

/**
 * A config that an ordinary user can run, from one that root could: with a user namespace of its own, maps for it, no ids in its mounts that
 * these lack, and no place among the host's cgroups where this user has none. For anybody else it stays as it is. Limits stay: they hold in a delegated cgroup, and else
 * are refused.
 */
export async function rootlessConfig(config: ContainerConfig): Promise<ContainerConfig> {
  if (!(await hostFacts()).unprivileged) return config
  const namespaces = namespacesOf(config)
  const user = namespaces.some(({ kind }) => kind === 'user') ? [] : [{ kind: 'user' } as const]
  const mapped = await withMaps({ ...config, namespaces: [...user, ...namespaces] })
  const { mounts, cgroups } = mapped
  return {
    ...mapped,
    ...(mounts === undefined ? {} : { mounts: mounts.map(mount => withMappedIds(mount, mapped)) }),
    ...(cgroups?.path === undefined || (await mayBe(cgroups.path)) ? {} : { cgroups: { ...cgroups, path: undefined } }),
  }
}

/** A path from the top is the host's; one below the cgroup of this process is the user's where that was delegated. */
async function mayBe(path: string): Promise<boolean> {
  return !path.startsWith('/') && (await findDelegation()) !== undefined
}

async function withMaps(config: ContainerConfig): Promise<ContainerConfig> {
  const { uidMappings, gidMappings } = config
  if (uidMappings !== undefined || gidMappings !== undefined) return config
  const user = userNamespaceOf(config)
  if (user === undefined || user.path !== undefined) return config
  const maps = await defaultIdMaps()
  return { ...config, uidMappings: maps.uid, gidMappings: maps.gid }
}

/** Whether this process needs a user namespace for a container: it may not administer the system. */
export async function isUnprivileged(): Promise<boolean> {
  return (await hostFacts()).unprivileged
}
