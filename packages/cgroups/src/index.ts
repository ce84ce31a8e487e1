export type { Amount, Limit } from './amount.js'
export { Cgroup, type WaitOptions } from './cgroup.js'
export {
  type CgroupEvent,
  type CgroupEventType,
  type EventsOptions,
  eventsOf,
} from './cgroup-events.js'
export type { SetOptions } from './change.js'
export { type ClassicDevice, type ClassicLimits, type ClassicRule, limitsFromClassic } from './classic.js'
export * as classic from './classic-functions.js'
export type { ClassicDisk, ClassicFurther } from './classic-further.js'
export {
  bfqWeightFromIo,
  ioWeightFromBlkio,
  linearWeightFromShares,
  sharesFromWeight,
  swapFromMemsw,
  weightFromShares,
} from './convert.js'
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
export { type HugetlbLimits, type HugetlbPageLimits, hugePageSizes } from './hugetlb.js'
export type { IoDeviceLimits, IoLimits } from './io.js'
export type { Keyed } from './keyed.js'
export { type Limited, limit } from './limit.js'
export { checkLimits, type Limits } from './limits.js'
export type { CreateOptions } from './make.js'
export type { MemoryLimits } from './memory.js'
export type { PressureLevel } from './memory-pressure.js'
export type { MiscLimits } from './misc.js'
export type { NetClsLimits, NetPrioLimits } from './net.js'
export { cgroupOf } from './of-process.js'
export type { OomEvent } from './oom-events.js'
export type { PidsLimits } from './pids.js'
export { type CgroupPlaces, cleanPath, type Place } from './place.js'
export type { Planned, PlannedProgram, PlannedWrite } from './plan.js'
export type { PressureKind, PressureResource } from './pressure.js'
export { probe } from './probe.js'
export { type ProvideOptions, provide } from './provide.js'
export type { RdmaDeviceLimits, RdmaLimits } from './rdma.js'
export { type CgroupStats, type StatsController, statsControllers, statsOf } from './stats.js'
export type { CpuStats, CpuTime } from './stats-cpu.js'
export type { BlkioEntry, BlkioTables, IoDeviceStats, IoStats } from './stats-io.js'
export { classicStats, eventStats } from './stats-json.js'
export type { MemoryCounter, MemoryStats, NumaCount } from './stats-memory.js'
export type {
  CpusetStats,
  FreezerStats,
  HugetlbPageStats,
  HugetlbStats,
  MiscResourceStats,
  MiscStats,
  PidsStats,
  RdmaDeviceStats,
  RdmaStats,
} from './stats-more.js'
export type { Pressure, Stall } from './stats-source.js'
export { absentStep, applyToCgroups, removeStep } from './steps.js'
export type { UnifiedFiles } from './unified.js'
export { type Usage, usageOf } from './usage.js'
