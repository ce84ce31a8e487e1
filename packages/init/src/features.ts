import { describeFeatures, type Features } from '@libcontainer/sys'
import { resourceLimits } from './resource-limits.js'

/** What this package can do, on whatever host. */
export function features(): Features<'resourceLimits'> {
  return describeFeatures({ resourceLimits: Object.keys(resourceLimits) })
}
