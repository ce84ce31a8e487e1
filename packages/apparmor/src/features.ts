import { describeFeatures, type Features } from '@libcontainer/sys'

/** What this package can do, on whatever host. */
export function features(): Features<'labels' | 'rules'> {
  return describeFeatures({
    labels: ['current', 'exec', 'prev'],
    rules: ['capability', 'network', 'file', 'mount', 'ptrace', 'signal'],
  })
}
