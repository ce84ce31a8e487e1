import type { Mount, MountIdRange } from '@libcontainer/mount'
import type { SpecIdMapping, SpecMount } from './spec.js'

/**
 * `mounts` of a config.json as mounts.
 *
 * @param base - where relative sources of binds start: a bundle
 */
export function mountsOf(mounts: readonly SpecMount[] = [], base: string): Mount[] {
  return mounts.map(mount => {
    const { destination, type, source, options, uidMappings, gidMappings } = mount
    const isBind = type === 'bind' || (options ?? []).some(option => option === 'bind' || option === 'rbind')
    const below = isBind && source && !source.startsWith('/') ? `${base}/${source}` : source
    return {
      destination,
      ...(type ? { type } : {}),
      ...(below ? { source: below } : {}),
      ...(options ? { options } : {}),
      ...(uidMappings?.length ? { uidMappings: uidMappings.map(ranges) } : {}),
      ...(gidMappings?.length ? { gidMappings: gidMappings.map(ranges) } : {}),
    }
  })
}

const ranges = ({ containerID, hostID, size }: SpecIdMapping): MountIdRange => ({
  containerId: containerID,
  hostId: hostID,
  size,
})
