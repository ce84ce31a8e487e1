import { describeFeatures } from '@libcontainer/sys'
import { ACTIONS, type Action, FLAGS, type Flag, OPERATORS, type Operator } from './actions.js'
import { architectures, ociArch } from './architectures.js'

/** The lists of the `seccomp` part of OCI's features document. */
export type SeccompFeatures = Readonly<{
  actions: readonly Action[]
  operators: readonly Operator[]
  archs: readonly string[]
  knownFlags: readonly Flag[]
}>

/** What this package can compile, on whatever host. */
export function features(): SeccompFeatures {
  return describeFeatures({
    actions: Object.keys(ACTIONS) as Action[],
    operators: OPERATORS,
    archs: architectures.map(ociArch),
    knownFlags: Object.keys(FLAGS) as Flag[],
  })
}
