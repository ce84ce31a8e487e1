export type { CgroupStats } from '@libcontainer/cgroups'
export { ContainerBuilder, container, type InitBuilder, type TenantBuilder } from './builder.js'
export type { CgroupOption } from './cgroup-option.js'
export type { CheckpointImage, CheckpointOptions, RestoreOptions, RestoreSpec } from './checkpoint/options.js'
export type { Command } from './command.js'
export {
  type ContainerCgroups,
  type ContainerConfig,
  defaultMaskedPaths,
  defaultReadonlyPaths,
  type NamespaceRequest,
  type ResourceLimit,
} from './config.js'
export { Container } from './container.js'
export type { DestroyOptions } from './destroy.js'
export { type WithEdits, withEdits } from './device-edits.js'
export {
  type Dialect,
  type DialectConfig,
  type DialectSource,
  detectDialect,
  type ProcessDefaults,
  type ReadOptions,
  readConfig,
  readConfig2014,
  readConfig2015,
  readConfig2026,
  readOwnConfig,
  writeConfig2014,
  writeConfig2015,
  writeConfig2026,
} from './dialects/index.js'
export type { CgroupCreation, CgroupDriver, ContainerCgroup } from './drivers.js'
export { ContainerError, type ErrorCode, errorCodes, PoststopError } from './errors.js'
export type { ContainerEvent } from './events.js'
export type { Executor, Payload } from './executor.js'
export { Factory, type FactoryOptions } from './factory.js'
export { features } from './features.js'
export { create, load } from './functions.js'
export { type Hook, type HookFunction, type HookOutput, type HookPoint, type Hooks, hookPoints } from './hooks.js'
export { checkId } from './id.js'
export type { InitOption } from './init-option.js'
export { initializeIO, type ProcessIO } from './initialize-io.js'
export type { InterfaceStats } from './network.js'
export { bundleOf, OCI_VERSION, type OciState } from './oci-state.js'
export { type ContainerSummary, type OverviewOptions, overview } from './overview.js'
export { type ContainerPlan, plan } from './plan.js'
export { prepare } from './prepare.js'
export { probe } from './probe.js'
export { Process, type ProcessResult } from './process.js'
export {
  type CpuAffinity,
  DEFAULT_PATH,
  type HostTerminal,
  type ProcessSpec,
  type Stdio,
  type TerminalSize,
  type UserRequest,
} from './process-spec.js'
export { type ContainerReport, containerReport } from './report.js'
export { type ResolvedConfig, resolveConfig } from './resolve.js'
export { defaultIdMaps, isUnprivileged, rootlessConfig } from './rootless.js'
export { DELEGATION_HINT } from './rootless-cgroups.js'
export type { LimitsChange, LimitsRequest } from './set.js'
export type { SignalOptions } from './signal.js'
export type { ContainerState } from './state.js'
export type { Status } from './status.js'
export { type Status2015, statuses, statuses2015, statusFrom2015, statusText, statusTo2015 } from './status-names.js'
export { checkTransition, mayBecome, TransitionError, type TransitionStatus } from './transitions.js'
export { validate } from './validate.js'
export { validateShape } from './validate-shape.js'
export type { WaitOptions } from './wait.js'
export { configWarnings } from './warnings.js'
