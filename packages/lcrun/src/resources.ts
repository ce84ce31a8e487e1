import type { ContainerCgroups } from '@libcontainer/container'
import { defined } from '@libcontainer/sys'

type Memory = NonNullable<ContainerCgroups['memory']>
type Cpu = NonNullable<ContainerCgroups['cpu']>

/** What a cgroup has that nobody has given a share. */
const DEFAULT_SHARES = 1024

/**
 * The limits that `update` sets, when these are asked for. What belongs together goes together: a quota with its period, memory with what it may use
 * beside swap; the one that is not asked for stays what it was. Device rules stay as they are. Pure.
 *
 * @param saved - the limits that the container has
 */
export function updatedLimits(asked: ContainerCgroups, saved: ContainerCgroups): ContainerCgroups {
  const { devices: _, path: __, memory, cpu, ...others } = asked
  return {
    ...others,
    ...(memory === undefined ? {} : { memory: updatedMemory(memory, saved.memory ?? {}) }),
    ...(cpu === undefined ? {} : { cpu: updatedCpu(cpu, saved.cpu ?? {}) }),
  }
}

function updatedMemory(asked: Memory, { max, memswMax }: Memory): Memory {
  if (asked.max === undefined && asked.memswMax === undefined) return asked
  return { ...defined({ max, memswMax }), ...defined(asked) }
}

function updatedCpu(asked: Cpu, { quotaUs = 'max', periodUs, shares, idle }: Cpu): Cpu {
  const bandwidth = asked.quotaUs === undefined && asked.periodUs === undefined ? {} : defined({ quotaUs, periodUs })
  // What runs only when nobody else wants to has no share: it is as if none had been given, then and afterwards.
  const reset = asked.idle === true && asked.shares === undefined && shares !== undefined && !idle
  return { ...bandwidth, ...(reset ? { shares: DEFAULT_SHARES } : {}), ...defined(asked) }
}
