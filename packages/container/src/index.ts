export type { CgroupStats } from '@libcontainer/cgroups'
export { ContainerBuilder, container, type InitBuilder, type TenantBuilder } from './builder.js'
export type { CgroupCreation, CgroupDriver, ContainerCgroup } from './cgroups/drivers.js'
export type { CgroupOption } from './cgroups/option.js'
export { DELEGATION_HINT } from './cgroups/rootless.js'
export type { CheckpointImage, CheckpointOptions, RestoreOptions, RestoreSpec } from './checkpoint/options.js'
export {
  type ContainerCgroups,
  type ContainerConfig,
  defaultMaskedPaths,
  defaultReadonlyPaths,
  type NamespaceRequest,
  type ResourceLimit,
} from './config/config.js'
export { type WithEdits, withEdits } from './config/device-edits.js'
export type { Executor, Payload } from './config/executor.js'
export { checkId } from './config/id.js'
export type { InitOption } from './config/init-option.js'
export {
  type CpuAffinity,
  DEFAULT_PATH,
  type HostTerminal,
  type ProcessSpec,
  type Stdio,
  type TerminalSize,
  type UserRequest,
} from './config/process-spec.js'
export { type ResolvedConfig, resolveConfig } from './config/resolve.js'
export { defaultIdMaps, isUnprivileged, rootlessConfig } from './config/rootless.js'
export { Container } from './container.js'
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
export { ContainerError, type ErrorCode, errorCodes, PoststopError } from './errors.js'
export { Factory, type FactoryOptions } from './factory.js'
export { features } from './features.js'
export { create, load } from './functions.js'
export type { InterfaceStats } from './network/network.js'
export { type ContainerPlan, plan } from './plan/plan.js'
export { probe } from './probe.js'
export { Process, type ProcessResult } from './process.js'
export type { DestroyOptions } from './running/destroy.js'
export type { ContainerEvent } from './running/events.js'
export type { MonitorOptions, StatusChange } from './running/monitor.js'
export { reaper } from './running/reaper.js'
export type { LimitsChange, LimitsRequest } from './running/set.js'
export type { SignalOptions } from './running/signal.js'
export type { StopOptions } from './running/stop.js'
export type { WaitOptions } from './running/wait.js'
export {
  planSandbox,
  type Sandbox,
  type SandboxBind,
  type SandboxFacts,
  type SandboxOptions,
  type SandboxResult,
  type SandboxRun,
  sandbox,
  sandboxFacts,
} from './sandbox/index.js'
export { attach } from './start/attach.js'
export type { Command } from './start/command.js'
export { type Hook, type HookFunction, type HookOutput, type HookPoint, type Hooks, hookPoints } from './start/hooks.js'
export { initializeIO, type ProcessIO } from './start/initialize-io.js'
export { prepare } from './start/prepare.js'
export { defaultStateRoot } from './state/default-root.js'
export { bundleOf, OCI_VERSION, type OciState } from './state/oci-state.js'
export { removeOrphaned } from './state/orphaned.js'
export { type ContainerSummary, type OverviewOptions, overview } from './state/overview.js'
export { type ContainerReport, containerReport } from './state/report.js'
export type { ContainerState } from './state/state.js'
export type { Status } from './state/status.js'
export {
  type Status2015,
  statuses,
  statuses2015,
  statusFrom2015,
  statusText,
  statusTo2015,
} from './state/status-names.js'
export { checkTransition, mayBecome, TransitionError, type TransitionStatus } from './state/transitions.js'
export { validateShape } from './validate/shape.js'
export { validate } from './validate/validate.js'
export { configWarnings } from './validate/warnings.js'
