import type { Mount } from '@libcontainer/mount'
import type { ContainerConfig } from './config.js'

type Maps = Pick<ContainerConfig, 'uidMappings' | 'gidMappings'>

/** A mount without the `uid=` and `gid=` that name nobody in the container: they are root's then. */
export function withMappedIds(mount: Mount, { uidMappings = [], gidMappings = [] }: Maps): Mount {
  const { options } = mount
  if (options === undefined || options.some(option => /^r?bind$/.test(option))) return mount
  const isMapped = (option: string): boolean => {
    const [, kind, id] = /^([ug])id=([0-9]+)$/.exec(option) ?? []
    if (kind === undefined) return true
    const map = kind === 'u' ? uidMappings : gidMappings
    return map.some(({ containerId, size }) => Number(id) >= containerId && Number(id) - containerId < size)
  }
  const kept = options.map(option => option.split(',').filter(isMapped).join(',')).filter(option => option !== '')
  return { ...mount, options: kept }
}
