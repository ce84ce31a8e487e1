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
    return {
      destination,
      type: type || undefined,
      source: source && !source.startsWith('/') && isBind(mount) ? `${base}/${source}` : source || undefined,
      options,
      uidMappings: uidMappings?.length ? uidMappings.map(ranges) : undefined,
      gidMappings: gidMappings?.length ? gidMappings.map(ranges) : undefined,
    }
  })
}

const isBind = ({ type, options = [] }: SpecMount): boolean =>
  type === 'bind' || options.some(option => option === 'bind' || option === 'rbind')

const ranges = ({ containerID, hostID, size }: SpecIdMapping): MountIdRange => ({
  containerId: containerID,
  hostId: hostID,
  size,
})
