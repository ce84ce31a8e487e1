import { describeFeatures, type Features } from '@libcontainer/sys'
import { SPECIAL_KEYRINGS } from './keyrings.js'
import { KEY_HOLDERS, KEY_RIGHTS } from './permissions.js'

/** What this package can do, on whatever host. */
export function features(): Features<'keyrings' | 'rights' | 'holders'> {
  return describeFeatures({ keyrings: Object.keys(SPECIAL_KEYRINGS), rights: KEY_RIGHTS, holders: KEY_HOLDERS })
}
