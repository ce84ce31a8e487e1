import { describeFeatures, type Features } from '@libcontainer/sys'
import { ACTIONS, FLAGS, OPERATORS } from './actions.js'
import { architectures, ociArch } from './architectures.js'

/** What this package can compile, on whatever host: the lists of the `seccomp` part of OCI's features document. */
export function features(): Features<'actions' | 'operators' | 'archs' | 'knownFlags'> {
  return describeFeatures({
    actions: Object.keys(ACTIONS),
    operators: OPERATORS,
    archs: architectures.map(ociArch),
    knownFlags: Object.keys(FLAGS),
  })
}
