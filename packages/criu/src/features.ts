import { describeFeatures, type Features } from '@libcontainer/sys'
import { cgModes, networkLocks } from './messages.js'

/** What this package can do, on whatever host. */
export function features(): Features<'requests' | 'cgroupModes' | 'networkLocks'> {
  return describeFeatures({
    requests: ['version', 'features', 'pre-dump', 'dump', 'restore'],
    cgroupModes: Object.keys(cgModes),
    networkLocks: Object.keys(networkLocks),
  })
}
