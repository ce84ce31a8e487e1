import { Cgroup } from '@libcontainer/cgroups'
import { isErrno, type OwnedFd, openPidfd, processStat, signalPidfd } from '@libcontainer/sys'
import type { ContainerState } from './state.js'

/** By either freezer of a hybrid host. */
export async function isFrozen({ cgroup_paths }: ContainerState): Promise<boolean> {
  const cgroup = await Cgroup.at(cgroup_paths)
  return (await cgroup.freezerState()) === 'FROZEN'
}

/** Whether the process that the state names is alive: it, and not a later one with its number. */
export async function lives({ init_process_pid, init_process_start }: ContainerState): Promise<boolean> {
  const stat = await processStat(init_process_pid)
  return stat !== undefined && String(stat.startTime) === init_process_start && stat.state !== 'Z' && stat.state !== 'X'
}

export function end(init: OwnedFd): void {
  try {
    signalPidfd(init, 9)
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

/** A descriptor of the first process; checked after it is open, so that it cannot be a later one's. */
export async function openInit(state: ContainerState): Promise<OwnedFd | undefined> {
  try {
    const pidfd = openPidfd(state.init_process_pid)
    if (await lives(state)) return pidfd
    pidfd.close()
    return undefined
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EINVAL')) return undefined
    throw error
  }
}
