import { checkDeviceRules, type DeviceRule } from '../devices/rule.js'
import { type Checks, checkFields } from './amount.js'
import { type CpuLimits, cpuChecks } from './cpu.js'
import { type CpusetLimits, cpusetChecks } from './cpuset.js'
import { checkHugetlb, type HugetlbLimits } from './hugetlb.js'
import { type IoLimits, ioChecks } from './io.js'
import { type MemoryLimits, memoryChecks } from './memory.js'
import { checkMisc, type MiscLimits } from './misc.js'
import { type NetClsLimits, type NetPrioLimits, netClsChecks, netPrioChecks } from './net.js'
import { type PidsLimits, pidsChecks } from './pids.js'
import { checkRdma, type RdmaLimits } from './rdma.js'
import { checkUnified, type UnifiedFiles } from './unified.js'

/**
 * What a cgroup may use, in the words and units of the kernel's own files (cgroup v2's where both versions have one).
 * A field that is not given leaves its file alone; 0 is a value like any other.
 */
export interface Limits {
  memory?: MemoryLimits | undefined
  cpu?: CpuLimits | undefined
  cpuset?: CpusetLimits | undefined
  pids?: PidsLimits | undefined
  /** Disks: the controller `io` of v2, `blkio` of v1. */
  io?: IoLimits | undefined
  hugetlb?: HugetlbLimits | undefined
  rdma?: RdmaLimits | undefined
  misc?: MiscLimits | undefined
  netCls?: NetClsLimits | undefined
  netPrio?: NetPrioLimits | undefined
  /** Which devices may be used: ordered rules, on top of denying all. Not given: as the parent cgroup. */
  devices?: readonly DeviceRule[] | undefined
  /** Raw files of cgroup v2, written last. */
  unified?: UnifiedFiles | undefined
}

const checks: Checks<Limits> = {
  memory: (field, value) => checkFields(field, value as MemoryLimits, memoryChecks),
  cpu: (field, value) => checkFields(field, value as CpuLimits, cpuChecks),
  cpuset: (field, value) => checkFields(field, value as CpusetLimits, cpusetChecks),
  pids: (field, value) => checkFields(field, value as PidsLimits, pidsChecks),
  io: (field, value) => checkFields(field, value as IoLimits, ioChecks),
  hugetlb: checkHugetlb,
  rdma: checkRdma,
  misc: checkMisc,
  netCls: (field, value) => checkFields(field, value as NetClsLimits, netClsChecks),
  netPrio: (field, value) => checkFields(field, value as NetPrioLimits, netPrioChecks),
  devices: checkDeviceRules,
  unified: checkUnified,
}

/** What can be limited: the fields of {@link Limits}. */
export const limitNames: readonly string[] = Object.keys(checks)

/** Refuses limits that no host could set. @throws {ConfigInvalid} with the field */
export function checkLimits(limits: Limits, field = ''): void {
  checkFields(field, limits, checks)
}
