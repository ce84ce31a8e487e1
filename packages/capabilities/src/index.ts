export { capabilitySets, ENGINE_CAPABILITIES, OCI_CAPABILITIES, SPEC_CAPABILITIES } from './defaults.js'
export { capabilitiesAfterExec, type Execution } from './exec.js'
export {
  type CapabilityExplanation,
  dangerous,
  explain,
  formatExplanation,
  type Reach,
  reachTexts,
} from './explain.js'
export { features } from './features.js'
export { type FileOptions, getFileCapabilities, removeFileCapabilities, setFileCapabilities } from './file.js'
export {
  decodeFileCapabilities,
  encodeFileCapabilities,
  type FileCapabilities,
  formatFileCapabilities,
  parseFileCapabilities,
} from './file-attribute.js'
export {
  type CapabilityMasks,
  type CapabilityNames,
  diffCapabilities,
  fromMask,
  hasCap,
  namesOf,
  SETS,
  type SetDifference,
  type SetName,
  toMask,
} from './masks.js'
export {
  CAPABILITIES,
  type Capability,
  type CapabilityName,
  capabilityName,
  capabilityNumber,
  getAllCapabilities,
  getCapability,
  known,
  type NameStyle,
} from './names.js'
export { probe } from './probe.js'
export { getProcess, getSecureBits, lastCap, parseStatus, supported } from './process.js'
export { formatSecureBits, parseSecureBits, SECURE_BITS, type SecureBit } from './secure-bits.js'
export { type CapabilitySets, type ResolvedCapabilities, type ResolveOptions, resolveCapabilities } from './sets.js'
export {
  type CapabilityStepOptions,
  type CapabilitySteps,
  capabilitySteps,
  clearInherited,
  dropBounding,
  dropCapabilities,
  raiseEffective,
  setAmbient,
  setCapabilities,
  setKeepCaps,
  setSecureBits,
} from './steps.js'
export { formatText, parseText, type TextMasks } from './text.js'
