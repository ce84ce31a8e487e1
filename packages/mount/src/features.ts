import { describeFeatures, type Features } from '@libcontainer/sys'
import { knownMountOptions } from './options.js'
import { propagationWords } from './propagation.js'

/** What this package can do, on whatever host. */
export function features(): Features<'options' | 'propagation'> {
  return describeFeatures({ options: knownMountOptions, propagation: propagationWords })
}
