import type { Mount } from '@libcontainer/mount'
import { refuseLater } from './refuse.js'
import type { SpecMount } from './spec.js'

/**
 * `mounts` of a config.json as mounts.
 *
 * @param base - where relative sources of binds start: a bundle
 * @throws {ConfigInvalid} for what is of the specification and not done yet
 */
export function mountsOf(mounts: readonly SpecMount[] = [], base: string): Mount[] {
  return mounts.map((mount, i) => {
    const { destination, type, source, options, uidMappings, gidMappings } = mount
    refuseLater(`mounts[${i}].uidMappings`, uidMappings, '@libcontainer/mount')
    refuseLater(`mounts[${i}].gidMappings`, gidMappings, '@libcontainer/mount')
    const isBind = type === 'bind' || (options ?? []).some(option => option === 'bind' || option === 'rbind')
    const below = isBind && source && !source.startsWith('/') ? `${base}/${source}` : source
    return {
      destination,
      ...(type ? { type } : {}),
      ...(below ? { source: below } : {}),
      ...(options ? { options } : {}),
    }
  })
}
