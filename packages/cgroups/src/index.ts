export { Cgroup, type WaitOptions } from './cgroup.js'
export { type ClassicDevice, type ClassicLimits, type ClassicRule, limitsFromClassic } from './classic/classic.js'
export * as classic from './classic/functions.js'
export type { ClassicDisk, ClassicFurther } from './classic/further.js'
export { DevicePolicy } from './devices/policy.js'
export { assembleDeviceProgram } from './devices/program.js'
export { checkDeviceRule, type DeviceRule, formatDeviceRule, parseDeviceRule } from './devices/rule.js'
export { LimitUnsupported } from './errors.js'
export {
  type CgroupEvent,
  type CgroupEventType,
  type EventsOptions,
  eventsOf,
} from './events/cgroup-events.js'
export type { PressureLevel } from './events/memory-pressure.js'
export type { OomEvent } from './events/oom-events.js'
export type { PressureKind, PressureResource } from './events/pressure.js'
export { features } from './features.js'
export { DELEGATED_SCOPE, type Delegation, findDelegation } from './host/delegation.js'
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
} from './host/host.js'
export { type CgroupPlaces, cleanPath, type Place } from './host/place.js'
export { type ProvideOptions, provide } from './host/provide.js'
export { type Limited, limit } from './limit.js'
export type { Amount, Limit } from './limits/amount.js'
export type { SetOptions } from './limits/change.js'
export {
  bfqWeightFromIo,
  ioWeightFromBlkio,
  linearWeightFromShares,
  sharesFromWeight,
  swapFromMemsw,
  weightFromShares,
} from './limits/convert.js'
export type { CpuLimits } from './limits/cpu.js'
export { type CpusetLimits, parseList } from './limits/cpuset.js'
export { type HugetlbLimits, type HugetlbPageLimits, hugePageSizes } from './limits/hugetlb.js'
export type { IoDeviceLimits, IoLimits } from './limits/io.js'
export type { Keyed } from './limits/keyed.js'
export { checkLimits, type Limits } from './limits/limits.js'
export type { MemoryLimits } from './limits/memory.js'
export type { MiscLimits } from './limits/misc.js'
export type { NetClsLimits, NetPrioLimits } from './limits/net.js'
export type { PidsLimits } from './limits/pids.js'
export type { Planned, PlannedProgram, PlannedWrite } from './limits/plan.js'
export type { RdmaDeviceLimits, RdmaLimits } from './limits/rdma.js'
export type { UnifiedFiles } from './limits/unified.js'
export type { CreateOptions } from './make.js'
export { cgroupOf } from './of-process.js'
export { probe } from './probe.js'
export type { FreezerState } from './processes/freezer.js'
export { frozenOf } from './processes/frozen.js'
export type { CpuStats, CpuTime } from './stats/cpu.js'
export type { BlkioEntry, BlkioTables, IoDeviceStats, IoStats } from './stats/io.js'
export { classicStats, eventStats } from './stats/json.js'
export type { MemoryCounter, MemoryStats, NumaCount } from './stats/memory.js'
export { type MetricsOptions, type MetricsSource, openMetrics } from './stats/metrics.js'
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
} from './stats/more.js'
export { OPEN_METRICS_TYPE } from './stats/open-metrics.js'
export type { Pressure, Stall } from './stats/source.js'
export { type CgroupStats, type StatsController, statsControllers, statsOf } from './stats/stats.js'
export { type Usage, usageOf } from './stats/usage.js'
export { absentStep, applyToCgroups, removeStep } from './steps.js'
