import { exists, ids, type LibcontainerError, removeTree } from '@libcontainer/sys'
import { findCgroup, recordedCgroup } from '../cgroups/cgroup.js'
import type { CgroupDriver, ContainerCgroup, Drivers } from '../cgroups/drivers.js'
import { releaseScratch } from '../checkpoint/leftovers.js'
import { ContainerError } from '../errors.js'
import { releaseClass } from '../intelrdt/class.js'
import { releaseNetworking } from '../network/network.js'
import { withBareLock } from './lock.js'
import { markRemoved } from './removed-meanwhile.js'
import { STATE_FILE } from './state.js'
import { confirmEnded } from './trust.js'

export interface WithoutState {
  readonly id: string
  readonly directory: string
  /** Why it could not be loaded. */
  readonly error: LibcontainerError
  readonly warn?: ((message: string) => void) | undefined
}

/**
 * Removes a container whose state is no help: a cgroup and the directory are all that an aborted start can have left. False when there was no
 * state, and there is one by now.
 */
export async function removeWithoutState(
  drivers: Drivers,
  { id, directory, error, warn }: WithoutState,
  meanwhile: () => Promise<void>,
): Promise<boolean> {
  const act = async (): Promise<boolean> => {
    if (error.code === 'ContainerNotExists' && (await exists(`${directory}/${STATE_FILE}`))) return false
    const cgroup = await killRecorded(drivers.cgroups, id, directory)
    await cgroup?.destroy()
    await releaseClass({ id, directory, drivers })
    await releaseNetworking({ directory, warn })
    await releaseScratch(directory)
    await confirmEnded(id, directory)
    await removeTree(directory)
    return true
  }
  try {
    return await withBareLock(id, directory, act, { meanwhile })
  } catch (error) {
    // Somebody else was faster.
    if (error instanceof ContainerError && error.code === 'ContainerNotExists') return true
    throw error
  }
}

/** Ends whoever holds the lock of a container that has no state: its hooks and what it has started so far are killed, and it is told why. */
export async function endCreator(driver: CgroupDriver, id: string, directory: string): Promise<void> {
  await markRemoved(directory)
  await killRecorded(driver, id, directory)
}

/** Kills what is in the cgroup that is recorded, or usual. */
async function killRecorded(driver: CgroupDriver, id: string, directory: string): Promise<ContainerCgroup | undefined> {
  const cgroup = await findCgroup(driver, await recordedCgroup(id, directory))
  if (cgroup === undefined) return undefined
  if ((await cgroup.processes()).includes(ids().pid))
    throw new ContainerError('SystemError', `the record of '${id}' names the cgroup of this very process`, {
      hint: `remove ${directory} yourself`,
    })
  await cgroup.kill()
  return cgroup
}
