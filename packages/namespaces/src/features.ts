import { describeFeatures, type Features } from '@libcontainer/sys'
import { namespaceKinds } from './kinds.js'
import { CLOCKS } from './time-offsets.js'

/** What this package can do, on whatever host. */
export function features(): Features<'namespaces' | 'clocks'> {
  return describeFeatures({ namespaces: namespaceKinds, clocks: CLOCKS })
}
