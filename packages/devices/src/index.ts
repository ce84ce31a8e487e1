export {
  type Access,
  accessDifference,
  accessIntersection,
  accessIsEmpty,
  accessIsValid,
  accessUnion,
} from './access.js'
export { type DeviceEdits, type EditHook, resolveEdits } from './cdi/edits.js'
export { CDI_DIRECTORIES, type CdiProblem, type CdiRegistry, cdiEdits, readCdi } from './cdi/registry.js'
export {
  type CdiContainerEdits,
  type CdiDevice,
  type CdiDeviceNode,
  type CdiHook,
  type CdiIntelRdt,
  type CdiMount,
  type CdiNetDevice,
  type CdiSpec,
  parseCdi,
  parseCdiName,
} from './cdi/spec.js'
export { CDI_VERSIONS } from './cdi/versions.js'
export {
  DEFAULT_ALLOWED_DEVICES,
  DEFAULT_AUTO_CREATED_DEVICES,
  DEFAULT_RULES,
  DEFAULT_SIMPLE_DEVICES,
  DENY_ALL,
} from './defaults.js'
export { type Device, type DeviceRequest, device } from './device.js'
export { driverName, type HostDrivers, hostDrivers, parseMisc } from './drivers.js'
export { type AllowedDevices, allowedAccess, explain, formatExplanation, type Pattern } from './explain.js'
export { features } from './features.js'
export { deviceFromPath, hostDevices, NotADevice } from './host.js'
export { makeDevices } from './make.js'
export { type DeviceName, NAMED_DEVICES, namedDevice } from './named.js'
export { MAX_MAJOR, MAX_MINOR, major, minor, mkdev } from './numbers.js'
export { probe } from './probe.js'
export {
  type DeviceRule,
  deviceRule,
  formatRule,
  parseRule,
  parseRules,
  type RuleRequest,
  ruleOf,
} from './rule.js'
export {
  type DeviceStepOptions,
  deviceSteps,
  type LinkOptions,
  linkSteps,
  ptmxStep,
  removeDeviceSteps,
} from './steps.js'
export { canCgroup, canMknod, isValidType, type NodeType, type RuleType } from './types.js'
