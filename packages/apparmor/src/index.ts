export { applyProfile, type DefaultProfileOptions, installDefaultProfile } from './classic.js'
export { defaultProfile } from './default-profile.js'
export { type Denial, explainDenial, parseDenial } from './denial.js'
export { features } from './features.js'
export { type AppArmorLabel, type ProfileName, parseLabel } from './label.js'
export { isLoaded, type LoadOptions, type LoadResult, loadProfile, removeProfile } from './load.js'
export { checkProfileName } from './name.js'
export { loadPrivateProfile, type PrivateProfile, type PrivateProfileOptions, privateProfileName } from './private.js'
export { probe } from './probe.js'
export { getLabel, type LabelKind } from './process.js'
export {
  type FileRule,
  type MountRule,
  type NetworkRule,
  type PeerRule,
  type ProfileRules,
  profileText,
  type SignalRule,
} from './profile-text.js'
export { type Confinement, startConfined } from './program.js'
export { isEnabled, type LoadedProfile, listProfiles, type ProfileMode, type Status, status } from './status.js'
export { changeProfileStep, profileOnExecStep } from './steps.js'
