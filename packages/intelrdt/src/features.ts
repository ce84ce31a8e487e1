import { describeFeatures, type Features } from '@libcontainer/sys'

/** What this package can do, on whatever host. */
export function features(): Features<'resources' | 'counters'> {
  return describeFeatures({
    resources: ['L3', 'L3CODE', 'L3DATA', 'L2', 'L2CODE', 'L2DATA', 'MB', 'SMBA'],
    counters: ['llc_occupancy', 'mbm_total_bytes', 'mbm_local_bytes'],
  })
}
