import type { CheckedMount, MountIdMap, RelativeIdRange } from '@libcontainer/mount'
import { checkIdMap, hostId, type IdMap, type IdMaps } from '@libcontainer/namespaces'
import { ConfigInvalid } from '@libcontainer/sys'
import type { ContainerConfig } from '../config/config.js'

type Ids = Pick<ContainerConfig, 'uidMappings' | 'gidMappings'>

/**
 * The maps of a mount's own, as ids of the host; `undefined` for those of a user namespace that is there, or will be. Pure.
 *
 * @param field - the mount's, for errors
 * @throws {ConfigInvalid} for maps that the kernel would refuse, and ids that the container's user namespace does not have
 */
export function ownMaps({ maps }: MountIdMap, config: Ids, field: string): IdMaps | undefined {
  if (maps === undefined) return undefined
  const resolved = {
    uid: absolute(maps.uid, config.uidMappings, `${field}.uidMappings`),
    gid: absolute(maps.gid, config.gidMappings, `${field}.gidMappings`),
  }
  checkIdMap(resolved.uid, `${field}.uidMappings`)
  checkIdMap(resolved.gid, `${field}.gidMappings`)
  return resolved
}

function absolute(ranges: readonly RelativeIdRange[], map: readonly IdMap[] | undefined, field: string): IdMap[] {
  return ranges.map(({ relative, ...range }, i) => {
    if (!relative) return range
    if (map === undefined)
      throw new ConfigInvalid(
        `${field}[${i}]`,
        range.hostId,
        'is relative (@) to the maps of the container, which has none',
      )
    return { ...range, hostId: hostId(map, range.hostId, `${field}[${i}].hostId`) }
  })
}

/**
 * What cannot be meant by a mount whose ids are mapped, in this container. Pure.
 *
 * @param at - what says that they are. Default: its options
 * @throws {ConfigInvalid}
 */
export function checkMountIds(
  { idMap, field, at = `${field}.options` }: Pick<CheckedMount, 'idMap' | 'field'> & { readonly at?: string },
  config: Ids,
  hasUser: boolean,
): void {
  if (idMap === undefined) return
  if (ownMaps(idMap, config, field) === undefined && idMap.path === undefined && !hasUser)
    throw new ConfigInvalid(
      at,
      'idmap',
      'has no ids to map by: give uidMappings and gidMappings, or the container a user namespace, whose maps are taken',
    )
}
