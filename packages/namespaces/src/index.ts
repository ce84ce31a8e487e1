export { Program, type ProgramOutput } from '@libcontainer/sys'
export { type CheckedNamespaces, checkNamespaces, type JoinTarget, joinTarget } from './check.js'
export { type EnterTarget, enter } from './enter.js'
export { type ExecInConfig, type ExecInState, execIn } from './exec-in.js'
export { features } from './features.js'
export {
  checkIdMap,
  containerId,
  hostId,
  type IdMap,
  type IdMaps,
  identityMap,
  idMapText,
  mergeIdMap,
  parseIdMap,
  sameIdMap,
} from './id-map.js'
export { inspect, inspectNamespace, isSupported, type NamespaceInfo, openNamespaceFd } from './inspect.js'
export {
  cloneFlag,
  flagsOf,
  getNamespace,
  getNamespaceFlags,
  kindsOf,
  type NamespaceEntry,
  type NamespaceKind,
  namespaceKind,
  namespaceKinds,
  ociName,
} from './kinds.js'
export { type HostNamespace, listNamespaces } from './list.js'
export { findMapHelpers, type MapHelpers } from './map-helpers.js'
export { type MappedUserNamespace, mappedUserNamespace } from './mapped-user-namespace.js'
export {
  obstacleOf,
  readUserNamespaceFacts,
  type UserNamespaceFacts,
  type UserNamespaceObstacle,
  userNamespaceObstacle,
} from './obstacle.js'
export { type PinnedNamespace, pinNamespace, pinnedNamespaces, unpinNamespace } from './pin.js'
export {
  type NamespaceFacts,
  type NamespacePlan,
  type ProcessJoinPlan,
  planNamespaces,
  planProcessJoin,
} from './plan.js'
export { probe } from './probe.js'
export type { ProgramOptions, ProgramUser } from './program.js'
export { cloneFlags, type Namespace, NamespaceSet, namespacePath } from './set.js'
export {
  becomeRootStep,
  joinNamespacesStep,
  openNamespaceStep,
  type Propagation,
  setNamespaceStep,
  setProcessNamespacesStep,
  timeOffsetsStep,
  unshareStep,
} from './steps.js'
export { checkTimeOffsets, hasTimeOffsets, type TimeOffset, type TimeOffsets, timeOffsetsText } from './time-offsets.js'
export { makeNamespaces, type UnshareConfig, unshare } from './unshare.js'
export { inUserNamespace, readMaps } from './user-namespace.js'
export { type NamespacesConfig, validateNamespaces } from './validate.js'
export {
  idMapSteps,
  type MapMode,
  type MapWriter,
  mapMode,
  mapWriter,
  type OwnWriter,
  writeIdMaps,
  writeTimeOffsets,
} from './write-maps.js'
