import type { Mount } from '@libcontainer/mount'
import { refuseLater } from './refuse.js'
import type { SpecMount } from './spec.js'

/** @param bundle - where relative sources of binds start */
export function mountsOf(mounts: readonly SpecMount[] = [], bundle: string): Mount[] {
  return mounts.map((mount, i) => {
    const { destination, type, source, options, uidMappings, gidMappings } = mount
    refuseLater(`mounts[${i}].uidMappings`, uidMappings, '@libcontainer/mount')
    refuseLater(`mounts[${i}].gidMappings`, gidMappings, '@libcontainer/mount')
    const isBind = type === 'bind' || (options ?? []).some(option => option === 'bind' || option === 'rbind')
    const below = isBind && source && !source.startsWith('/') ? `${bundle}/${source}` : source
    return {
      destination,
      ...(type ? { type } : {}),
      ...(below ? { source: below } : {}),
      ...(options ? { options } : {}),
    }
  })
}
