import { describeFeatures, type Features } from '@libcontainer/sys'
import { DEFAULT_SIMPLE_DEVICES } from './defaults.js'
import { NAMED_DEVICES } from './named.js'

/** What this package can do, on whatever host. */
export function features(): Features<'nodeTypes' | 'ruleTypes' | 'defaultDevices' | 'namedDevices'> {
  return describeFeatures({
    nodeTypes: ['c', 'b', 'p'],
    ruleTypes: ['a', 'b', 'c'],
    defaultDevices: DEFAULT_SIMPLE_DEVICES.map(({ path }) => path),
    namedDevices: Object.keys(NAMED_DEVICES),
  })
}
