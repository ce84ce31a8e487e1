import { describeFeatures, type Features } from '@libcontainer/sys'
import { limitNames } from './limits/limits.js'

/** What this package can do, on whatever host. */
export function features(): Features<'versions' | 'drivers' | 'limits'> {
  return describeFeatures({ versions: ['v1', 'v2', 'hybrid'], drivers: ['cgroupfs', 'systemd'], limits: limitNames })
}
