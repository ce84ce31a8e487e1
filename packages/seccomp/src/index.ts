export { type Action, type Flag, type Operator, type Verdict, verdictOf } from './actions.js'
export { type AgentOptions, NotifyAgent } from './agent.js'
export { type Arch, architectures, archOfOci, ociArch } from './architectures.js'
export { checkFilter } from './check-filter.js'
export {
  type ClassicArg,
  type ClassicOptions,
  type ClassicSyscall,
  classicActions,
  fromClassic,
  toClassic,
} from './classic.js'
export { type CompiledFilter, type CompileOptions, compile, MAX_INSTRUCTIONS } from './compile.js'
export { Context } from './context.js'
export { type DefaultProfileOptions, defaultProfile } from './default-profile.js'
export { disassemble } from './disassemble.js'
export {
  type EngineProfile,
  type EngineRule,
  type ResolveOptions,
  type RuleFilter,
  resolveProfile,
} from './engine-profile.js'
export { type EvaluateOptions, evaluate } from './evaluate.js'
export {
  type ExplainedArch,
  type ExplainedCalls,
  type ExplainedRules,
  type Explanation,
  explain,
  explanationText,
} from './explain.js'
export { features, type SeccompFeatures } from './features.js'
export { type Decide, type Decision, NotifyListener } from './listener.js'
export { noUserNamespaces } from './no-user-namespaces.js'
export { type AddFdOptions, Notification } from './notification.js'
export { nsinitProfile, type SecurityLevel } from './nsinit-profiles.js'
export { probe } from './probe.js'
export {
  connectAgent,
  type ProcessState,
  type ReceivedListener,
  receiveListener,
  sendListener,
} from './process-state.js'
export type { Profile, SyscallArg, SyscallRule } from './profile.js'
export { isRaw, type RawProfile, rawSteps } from './raw.js'
export { type SeccompData, simulate } from './simulate.js'
export { filterSteps, type RawFilter, type SeccompStepOptions, seccompSteps } from './steps.js'
export { checkSupport, nativeArch, type SeccompSupport, seccompSupport } from './support.js'
export { syscallName, syscallNumber } from './syscalls.js'
export { type ParseOptions, unknownSyscalls } from './validate.js'
