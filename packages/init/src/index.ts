export {
  type BootstrapOptions,
  type Bootstrapped,
  bootstrap,
  type Child,
  InitDied,
  type Rendezvous,
  type Request,
  type TakeListener,
  type Timing,
} from './bootstrap.js'
export { features } from './features.js'
export { filterHooks, type HookStep, runHook } from './hooks.js'
export * from './landlock.js'
export * from './memory-policy.js'
export { probe } from './probe.js'
export { InitProgram, initProgram, overlayInit, type ProgramCarrier, reaperProgram } from './program.js'
export type { Answer, AskedFile } from './records.js'
export { type ReleaseOptions, release } from './release.js'
export { parseResourceLimit, resourceLimits } from './resource-limits.js'
export * from './scheduling.js'
export * from './steps.js'
