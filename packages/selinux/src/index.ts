export { getBoolean, listBooleans, type PolicyBoolean } from './booleans.js'
export { canonicalizeContext, checkContext, computeCreateContext, copyLevel } from './checks.js'
export { getPidLabel, getProcessLabel, setFileCreateLabel, setProcessLabel } from './classic.js'
export { type ContainerContexts, containerContexts, parseContainerContexts } from './container-contexts.js'
export {
  type Context,
  formatContext,
  formatMountLabel,
  MOUNT_LABEL_KINDS,
  type MountLabelKind,
  parseContext,
} from './context.js'
export {
  defaultContexts,
  defaultContextWithLevel,
  parseSeusers,
  type SelinuxUser,
  type SelinuxUserOptions,
  seUserByName,
} from './default-context.js'
export { type Denial, explainDenial, parseDenial } from './denial.js'
export { features } from './features.js'
export { type FileLabelOptions, getFileLabel, setFileLabel } from './files.js'
export { disableSecOpt, dupSecOpt, type LabelOptions, parseLabelOptions } from './label-options.js'
export {
  type ContainerLabels,
  genLabels,
  type InitLabelsOptions,
  initLabels,
  releaseLabel,
  reserveLabel,
} from './labels.js'
export {
  type CategoryRun,
  contains,
  dominates,
  formatLevel,
  formatRange,
  glbLub,
  intToMcs,
  type Level,
  parseLevel,
  parseRange,
  type Range,
} from './level.js'
export { probe } from './probe.js'
export { getLabel, peerLabel, setThreadLabel } from './process.js'
export { type Labelling, startLabelled } from './program.js'
export { type RelabelOptions, type RelabelResult, relabel } from './relabel.js'
export { RelabelError, type RelabelProgress } from './relabel-error.js'
export {
  clearLevels,
  type ReservationOptions,
  releaseLevel,
  reserveLevel,
  reserveUniqueLevel,
} from './reservations.js'
export { setDisabled } from './selinuxfs.js'
export {
  defaultMode,
  getEnforce,
  isEnabled,
  isMls,
  MODE_NUMBERS,
  type Mode,
  policyName,
  policyRoot,
  type Status,
  setEnforce,
  status,
} from './status.js'
export { labelStep } from './steps.js'
export type { LabelKind } from './thread-label.js'
