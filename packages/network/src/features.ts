import { describeFeatures, type Features } from '@libcontainer/sys'
import { networkTypes } from './registry.js'
import { userModeHelpers } from './types.js'

/** What this package can do, on whatever host. */
export function features(): Features<'networks' | 'helpers'> {
  return describeFeatures({ networks: networkTypes(), helpers: [...userModeHelpers] })
}
