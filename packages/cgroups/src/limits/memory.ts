import { ConfigInvalid } from '@libcontainer/sys'
import { LimitUnsupported } from '../errors.js'
import { type Amount, type Checks, checkAmount, checkFlag, checkLimit, type Limit } from './amount.js'
import { swapFromMemsw } from './convert.js'
import { bounded, type CgroupWrite, type When } from './write.js'

/** Limits of memory, in bytes. A field that is not given leaves its file alone. */
export interface MemoryLimits {
  /** `memory.max` (v1: `memory.limit_in_bytes`): beyond it the kernel reclaims, and then kills. */
  max?: Limit | undefined
  /** `memory.high`: beyond it processes are slowed down and reclaimed from. v2 only. */
  high?: Limit | undefined
  /** `memory.low` (v1: `memory.soft_limit_in_bytes`): spared while others have something to give. */
  low?: Limit | undefined
  /** `memory.min`: never reclaimed. v2 only. */
  min?: Limit | undefined
  /** `memory.swap.max`: swap alone. On v1, whose file holds the sum, it needs `max` beside it. */
  swapMax?: Limit | undefined
  /** `memory.swap.high`: beyond it processes that swap are slowed down. v2 only. */
  swapHigh?: Limit | undefined
  /** v1's `memory.memsw.limit_in_bytes`: memory and swap together. On v2 it needs `max` beside it. */
  memswMax?: Limit | undefined
  /** `memory.zswap.max`: what compressed pages may take. v2 only, Linux 5.19. */
  zswapMax?: Limit | undefined
  /** `memory.zswap.writeback`: whether they may go on to the disk. v2 only, Linux 6.8. */
  zswapWriteback?: boolean | undefined
  /** `memory.oom.group`: whether an OOM kill takes the whole cgroup. v2 only. */
  oomGroup?: boolean | undefined
  /** `memory.swappiness`, 0 to 100. v1 only. */
  swappiness?: Amount | undefined
  /** `memory.oom_control`: whether processes wait for memory instead of being killed. v1 only. */
  oomKillDisable?: boolean | undefined
  /** `memory.use_hierarchy`: whether what is below counts. v2 always does, and so does v1 since Linux 5.11. */
  useHierarchy?: boolean | undefined
  /** `memory.kmem.limit_in_bytes`: of the kernel's own. v1 only, obeyed before Linux 5.16; refused where it would change nothing. */
  kernelMax?: Limit | undefined
  /** `memory.kmem.tcp.limit_in_bytes`: buffers of TCP. v1 only. */
  kernelTcpMax?: Limit | undefined
}

export const memoryChecks: Checks<MemoryLimits> = {
  max: checkLimit,
  high: checkLimit,
  low: checkLimit,
  min: checkLimit,
  swapMax: checkLimit,
  memswMax: checkLimit,
  swapHigh: checkLimit,
  zswapMax: checkLimit,
  zswapWriteback: checkFlag,
  oomGroup: checkFlag,
  swappiness: (field, value) => checkAmount(field, value, 0, 100),
  oomKillDisable: checkFlag,
  useHierarchy: checkFlag,
  kernelMax: checkLimit,
  kernelTcpMax: checkLimit,
}

export function memoryWrites(limits: MemoryLimits, version: 1 | 2, when: When): CgroupWrite[] {
  const { swapMax, memswMax } = limits
  if (swapMax !== undefined && memswMax !== undefined) {
    throw new ConfigInvalid('memory.memswMax', memswMax, 'says the same as memory.swapMax: give one of them')
  }
  return version === 1 ? writes1(limits, when) : writes2(limits)
}

function writes1(limits: MemoryLimits, when: When): CgroupWrite[] {
  for (const field of ['high', 'min', 'oomGroup', 'swapHigh', 'zswapMax', 'zswapWriteback'] as const) {
    if (limits[field] !== undefined) throw missing(field, 'v1', "cgroup v1's memory controller has no such limit")
  }
  const { max, low, swappiness, oomKillDisable, useHierarchy, kernelMax, kernelTcpMax } = limits
  const memsw = memswOf(limits)
  const part: CgroupWrite[] = max === undefined ? [] : [{ file: 'memory.limit_in_bytes', value: bytes1(max) }]
  const sum: CgroupWrite[] = memsw === undefined ? [] : [{ file: MEMSW, value: bytes1(memsw) }]
  // Memory without a limit has room only under a sum without one.
  if (max === 'max' && memsw === undefined && when === 'set') sum.push({ file: MEMSW, value: '-1', skip: ['ENOENT'] })
  // The sum may not be below the part. In a new cgroup both are unlimited: the part comes first.
  const writes = when === 'create' ? [...part, ...sum] : bounded([...sum, ...part])
  // Only what is empty can change its mind about it: before all else.
  if (useHierarchy !== undefined) writes.unshift({ file: 'memory.use_hierarchy', value: useHierarchy ? '1' : '0' })
  const kernel = { 'memory.kmem.limit_in_bytes': kernelMax, 'memory.kmem.tcp.limit_in_bytes': kernelTcpMax }
  for (const [file, value] of Object.entries(kernel)) {
    if (value !== undefined) writes.push({ file, value: bytes1(value), confirm: value !== 'max' })
  }
  if (low !== undefined) writes.push({ file: 'memory.soft_limit_in_bytes', value: bytes1(low) })
  if (swappiness !== undefined) writes.push({ file: 'memory.swappiness', value: String(swappiness) })
  if (oomKillDisable !== undefined) writes.push({ file: 'memory.oom_control', value: oomKillDisable ? '1' : '0' })
  return writes
}

const MEMSW = 'memory.memsw.limit_in_bytes'

/** v1's sum of memory and swap. */
function memswOf({ max, swapMax, memswMax }: MemoryLimits): Limit | undefined {
  if (memswMax !== undefined && memswMax !== 'max' && (max === 'max' || (max !== undefined && memswMax < max))) {
    throw new ConfigInvalid('memory.memswMax', memswMax, `is below memory.max (${max}), which is a part of it`)
  }
  if (memswMax !== undefined) return memswMax
  if (swapMax === undefined || swapMax === 'max') return swapMax
  if (max !== undefined && max !== 'max') return BigInt(max) + BigInt(swapMax)
  throw new ConfigInvalid('memory.swapMax', swapMax, 'needs a memory.max beside it: cgroup v1 limits the sum of both')
}

function writes2(limits: MemoryLimits): CgroupWrite[] {
  for (const field of ['swappiness', 'oomKillDisable', 'kernelMax', 'kernelTcpMax'] as const) {
    if (limits[field] !== undefined) throw missing(field, 'v2', "cgroup v2's memory controller has no such setting")
  }
  if (limits.useHierarchy === false) {
    throw missing('useHierarchy', 'v2', 'cgroup v2 always counts what is below')
  }
  const { max, high, low, min, memswMax, oomGroup, swapHigh, zswapMax, zswapWriteback } = limits
  const swap = memswMax === undefined ? limits.swapMax : swapFromMemsw(max, memswMax)
  const writes: CgroupWrite[] = []
  const add = (file: string, value: Limit | undefined): void => {
    if (value !== undefined) writes.push({ file, value: String(value) })
  }
  add('memory.min', min)
  add('memory.low', low)
  // Swap first: what a smaller memory.max pushes out goes where it may, or nowhere.
  if (swap !== undefined) {
    // Without swap in the kernel the file is absent, and nothing of it can be used anyway.
    const absent = swap === 'max' || BigInt(swap) === 0n ? { skip: ['ENOENT'] } : {}
    writes.push({ file: 'memory.swap.max', value: String(swap), ...absent })
  }
  add('memory.swap.high', swapHigh)
  add('memory.zswap.max', zswapMax)
  if (zswapWriteback !== undefined) writes.push({ file: 'memory.zswap.writeback', value: zswapWriteback ? '1' : '0' })
  add('memory.high', high)
  add('memory.max', max)
  if (oomGroup !== undefined) writes.push({ file: 'memory.oom.group', value: oomGroup ? '1' : '0' })
  return writes
}

const bytes1 = (limit: Limit): string => (limit === 'max' ? '-1' : String(limit))

const missing = (field: string, version: string, problem: string): LimitUnsupported =>
  new LimitUnsupported(
    `memory.${field}`,
    'memory',
    problem,
    version === 'v1'
      ? 'it needs the memory controller on cgroup v2: boot with systemd.unified_cgroup_hierarchy=1'
      : undefined,
  )
