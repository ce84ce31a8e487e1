import { applyToCgroups, Cgroup, removeStep } from '@libcontainer/cgroups'
import {
  closeStep,
  confirmContentStep,
  lockSteps,
  OwnedFd,
  removeFileStep,
  removeTreeStep,
  SyscallError,
  slot,
} from '@libcontainer/sys'
import type { CgroupDriver } from '../cgroups/drivers.js'
import { hasNetworking } from '../network/network.js'
import { lockPath } from '../state/lock.js'
import { type ContainerState, STATE_FILE } from '../state/state.js'

/**
 * Removes a container whose first process has been waited for, in one call off the thread, where nothing is in the way: its state is
 * as it was written, and nobody is left in its cgroup.
 *
 * @returns false where something is, to be looked at step by step
 */
export async function removeAtOnce(
  driver: CgroupDriver,
  directory: string,
  { cgroup_paths, config }: ContainerState,
  text: string,
): Promise<boolean> {
  // A driver of somebody's own, resctrl, and networks have more to do than to remove directories.
  if (driver !== Cgroup || config.intelRdt !== undefined || hasNetworking(config)) return false
  const { places } = await driver.at(cgroup_paths)
  const results = new Map<string, number>()
  try {
    await applyToCgroups(
      [
        ...lockSteps(lockPath(directory), 'lock', { now: true }),
        confirmContentStep(`${directory}/${STATE_FILE}`, text),
        removeStep(places),
        // Before what it refers to: whoever reads it just now sees that it is gone, not that it contradicts what is there.
        removeFileStep(`${directory}/${STATE_FILE}`),
        removeTreeStep(directory),
        // Here, since the lock's file is gone for good with it, which a disk takes its time for.
        closeStep(slot('lock'), 'the lock'),
      ],
      { results },
    )
    return true
  } catch (error) {
    const lock = results.get('lock')
    if (lock !== undefined) new OwnedFd(lock).close()
    if (error instanceof SyscallError) return false
    throw error
  }
}
