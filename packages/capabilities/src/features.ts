import { describeFeatures, type Features } from '@libcontainer/sys'
import { SETS } from './masks.js'
import { CAPABILITIES } from './names.js'
import { SECURE_BITS } from './secure-bits.js'

/** What this package can do, on whatever host. */
export function features(): Features<'capabilities' | 'sets' | 'secureBits' | 'fileRevisions'> {
  return describeFeatures({
    capabilities: CAPABILITIES,
    sets: SETS,
    secureBits: SECURE_BITS,
    fileRevisions: ['2', '3'],
  })
}
