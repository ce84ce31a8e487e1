import { describeFeatures, type Features } from '@libcontainer/sys'
import { CDI_VERSIONS } from './cdi/versions.js'
import { DEFAULT_SIMPLE_DEVICES } from './defaults.js'
import { NAMED_DEVICES } from './named.js'

/** What this package can do, on whatever host. */
export function features(): Features<'nodeTypes' | 'ruleTypes' | 'defaultDevices' | 'namedDevices' | 'cdiVersions'> {
  return describeFeatures({
    nodeTypes: ['c', 'b', 'p'],
    ruleTypes: ['a', 'b', 'c'],
    defaultDevices: DEFAULT_SIMPLE_DEVICES.map(({ path }) => path),
    cdiVersions: CDI_VERSIONS,
    namedDevices: Object.keys(NAMED_DEVICES),
  })
}
