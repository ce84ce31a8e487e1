import { describeFeatures, type Features } from '@libcontainer/sys'
import { DEFAULT_SIMPLE_DEVICES } from './defaults.js'

/** What this package can do, on whatever host. */
export function features(): Features<'nodeTypes' | 'ruleTypes' | 'defaultDevices'> {
  return describeFeatures({
    nodeTypes: ['c', 'b', 'p'],
    ruleTypes: ['a', 'b', 'c'],
    defaultDevices: DEFAULT_SIMPLE_DEVICES.map(({ path }) => path),
  })
}
