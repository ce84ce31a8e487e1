import { DELEGATED_SCOPE, probe } from '@libcontainer/cgroups'
import type { ContainerConfig } from '@libcontainer/container'
import { type Availability, exists, ids } from '@libcontainer/sys'

/** What a shell may use. */
const MEMORY_MIB = 256
const PROCESSES = 100

export interface ShellLimits {
  /** Those that can be set. */
  readonly cgroups: NonNullable<ContainerConfig['cgroups']>
  /** What does not hold, why not, and below it the line that makes it hold. Empty where all do. */
  readonly warnings: readonly string[]
}

/** The limits of a shell, as far as this host lets this user have them. @param command - how the shell was asked for, to be run again */
export async function shellLimits(command: string): Promise<ShellLimits> {
  const { memory, pids } = await probe()
  const lacking: [string, Extract<Availability, { available: false }>][] = []
  if (!memory.available) lacking.push([`memory (${MEMORY_MIB} MiB)`, memory])
  if (!pids.available) lacking.push([`processes (${PROCESSES})`, pids])
  const cgroups = {
    ...(memory.available ? { memory: { max: MEMORY_MIB * 2 ** 20 } } : {}),
    ...(pids.available ? { pids: { max: PROCESSES } } : {}),
  }
  if (lacking.length === 0) return { cgroups, warnings: [] }
  const what = lacking.map(([name]) => name).join(' and ')
  const [[, { reason }]] = lacking as [(typeof lacking)[0]]
  return {
    cgroups,
    warnings: [`no limit holds for ${what}: ${reason}`, `to make it hold: ${await limitsRemedy(command)}`],
  }
}

/**
 * The line that lets a command have limits. An ordinary user's cgroup comes from systemd, where that keeps to version 2; elsewhere only root has
 * one.
 */
export async function limitsRemedy(command: string): Promise<string> {
  if (ids().euid === 0) return 'mount the controllers: mount -t cgroup2 none /sys/fs/cgroup'
  const systemd = await exists('/run/systemd/system')
  const unified = await exists('/sys/fs/cgroup/cgroup.controllers')
  return systemd && unified ? `${DELEGATED_SCOPE} ${command}` : `sudo ${command}`
}
