import { isErrno, type LockedText, lockAndRead } from '@libcontainer/sys'
import { ContainerError } from './errors.js'
import { STATE_FILE } from './state.js'

export const lockPath = (directory: string): string => `${directory}/lock`

/**
 * Holds a container's lock while `act` runs: two processes that act on one container take turns. The lock ends with the process that
 * holds it, however that ends.
 *
 * @param act - gets the text of its state, if it has one
 * @param shared - beside others that share it, but not beside one that does not
 * @throws {ContainerError} `ContainerNotExists` when the container was removed before or while it was waited for
 */
export async function withLock<T>(
  id: string,
  directory: string,
  act: (state: string | undefined) => Promise<T>,
  { shared = false }: { shared?: boolean } = {},
): Promise<T> {
  const { lock, text } = await take(id, directory, shared)
  try {
    return await act(text)
  } finally {
    lock.close()
  }
}

async function take(id: string, directory: string, shared: boolean): Promise<LockedText> {
  try {
    return await lockAndRead(lockPath(directory), `${directory}/${STATE_FILE}`, { shared })
  } catch (error) {
    throw lockRefusal(id, directory, error)
  }
}

/** Why a container's lock could not be had. ESTALE: whoever had it before has removed the directory, and the lock's file with it. */
export function lockRefusal(id: string, directory: string, error: unknown): unknown {
  if (!isErrno(error, 'ENOENT', 'ESTALE') || error.path !== lockPath(directory)) return error
  return new ContainerError('ContainerNotExists', `there is no container '${id}': ${directory} does not exist`)
}
