import { describeFeatures, type Features } from '@libcontainer/sys'

/** What this package can do, on whatever host: where a terminal comes from, and who holds its other side. */
export function features(): Features<'terminals' | 'masters'> {
  return describeFeatures({ terminals: ['host', 'container'], masters: ['relay', 'socket'] })
}
