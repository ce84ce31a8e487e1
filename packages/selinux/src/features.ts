import { describeFeatures, type Features } from '@libcontainer/sys'
import { MOUNT_LABEL_KINDS } from './context.js'
import { LABEL_KINDS } from './thread-label.js'

/** What this package can do, on whatever host. */
export function features(): Features<'labels' | 'mountLabels'> {
  return describeFeatures({ labels: LABEL_KINDS, mountLabels: MOUNT_LABEL_KINDS })
}
