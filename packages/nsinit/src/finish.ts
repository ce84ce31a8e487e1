import { ContainerError, type ContainerState } from '@libcontainer/container'
import { type OwnedFd, openDirectory, SyscallError } from '@libcontainer/sys'
import { lockContainer } from './lock.js'
import { openFactory, type Place } from './place.js'
import { removeStateCopy } from './state-copy.js'

/** A container, by the process that was its first: an id can be that of a later one. */
export interface Ended extends Pick<Place, 'id' | 'stateRoot' | 'path'> {
  readonly pid: number
  /** As the state has it. */
  readonly start: string
}

export const endedOf = (place: Place, state: ContainerState): Ended => ({
  id: place.id,
  stateRoot: place.stateRoot,
  path: place.path,
  pid: state.init_process_pid,
  start: state.init_process_start,
})

/** Removes what is left of a container whose first process has ended: all others, cgroups, state, and the copy of it. */
export async function finish(ended: Ended): Promise<void> {
  const { id, path, pid, start } = ended
  const factory = await openFactory(ended)
  const lock = await lockContainer(ended)
  try {
    const container = await factory.load(id)
    const state = await container.state()
    // Somebody has removed it already, and started another one.
    if (state.init_process_pid !== pid || state.init_process_start !== start) return
    await container.destroy()
    const directory = await directoryOf(path)
    if (directory !== undefined) await removeStateCopy(directory)
    directory?.close()
  } catch (error) {
    if (!(error instanceof ContainerError) || error.code !== 'ContainerNotExists') throw error
  } finally {
    await lock.release()
  }
}

/** Whoever has moved the directory away meanwhile has taken the copy along. */
async function directoryOf(path: string): Promise<OwnedFd | undefined> {
  try {
    return await openDirectory(path, { handle: true })
  } catch (error) {
    if (error instanceof SyscallError) return undefined
    throw error
  }
}
