import { describeFeatures, type Features } from '@libcontainer/sys'

/** What this package can do, on whatever host. */
export function features(): Features<'files'> {
  return describeFeatures({ files: ['passwd', 'group', 'subuid', 'subgid'] })
}
