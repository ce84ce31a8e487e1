export type { Amount, Limit } from './amount.js'
export { Cgroup, type CreateOptions, type SetOptions, type WaitOptions } from './cgroup.js'
export { type ClassicDevice, type ClassicLimits, type ClassicRule, limitsFromClassic } from './classic.js'
export { linearWeightFromShares, sharesFromWeight, swapFromMemsw, weightFromShares } from './convert.js'
export type { CpuLimits } from './cpu.js'
export { type CpusetLimits, parseList } from './cpuset.js'
export { DELEGATED_SCOPE, type Delegation, findDelegation } from './delegation.js'
export { DevicePolicy } from './device-policy.js'
export { assembleDeviceProgram } from './device-program.js'
export { checkDeviceRule, type DeviceRule, formatDeviceRule, parseDeviceRule } from './device-rule.js'
export { LimitUnsupported } from './errors.js'
export { features } from './features.js'
export type { FreezerState } from './freezer.js'
export { frozenOf } from './frozen.js'
export {
  type CgroupHost,
  cgroupHost,
  describeHost,
  findCgroupMountpoint,
  findCgroupMountpointDir,
  getAllSubsystems,
  getCgroupMounts,
  getInitCgroupDir,
  getThisCgroupDir,
  type Hierarchy,
  type HostTexts,
  parseCgroupFile,
  parseSubsystems,
} from './host.js'
export type { HugetlbLimits } from './hugetlb.js'
export { checkLimits, type Limits } from './limits.js'
export type { MemoryLimits } from './memory.js'
export type { PressureLevel } from './memory-pressure.js'
export { cgroupOf } from './of-process.js'
export type { OomEvent } from './oom-events.js'
export type { PidsLimits } from './pids.js'
export { cleanPath, type Place } from './place.js'
export type { Planned, PlannedProgram, PlannedWrite } from './plan.js'
export { probe } from './probe.js'
export type { CgroupStats, CpuStats, CpusetStats, MemoryStats, PidsStats, StatsController } from './stats.js'
export { absentStep, applyToCgroups, removeStep } from './steps.js'
export type { UnifiedFiles } from './unified.js'
