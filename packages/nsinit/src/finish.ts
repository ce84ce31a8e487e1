import { type Container, ContainerError } from '@libcontainer/container'
import { type OwnedFd, openDirectory, SyscallError } from '@libcontainer/sys'
import { lockContainer } from './lock.js'
import { openFactory, type Place } from './place.js'
import { loadRecord } from './record.js'
import { removeStateCopy } from './state-copy.js'

/** A container that this nsinit has made. */
export interface Made extends Pick<Place, 'id' | 'stateRoot' | 'path' | 'named'> {
  /** Of its record. */
  readonly token: string
}

/** The command line that {@link finish} is called by; the status follows. */
export const finishWords = ({ id, stateRoot, path, named, token }: Made): string[] => [
  ...['nsinit', '--root', stateRoot, 'finish', '--id', id],
  ...['--', token, named ? '' : path],
]

/** Removes what is left of a container whose first process has ended: all others, cgroups, state, and the copy of it. */
export async function finish(made: Made, container?: Container): Promise<void> {
  const lock = await lockContainer(made)
  try {
    // Somebody may have removed it already, and started another one.
    if ((await loadRecord(made))?.token !== made.token) return
    const own = container ?? (await (await openFactory(made)).load(made.id))
    // It may go on, by restore.
    if ((await own.status2015()) === 'Checkpointed') return
    await own.destroy()
    if (made.named) return
    const directory = await directoryOf(made.path)
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
