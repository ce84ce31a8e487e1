import { isErrno, lockFile, type OwnedFd, stat } from '@libcontainer/sys'
import { ContainerError } from './errors.js'

const LOCK_FILE = 'lock'

/**
 * Holds a container's lock while `act` runs: two processes that act on one container take turns. The lock ends with the process that
 * holds it, however that ends.
 *
 * @param shared - beside others that share it, but not beside one that does not
 * @throws {ContainerError} `ContainerNotExists` when the container was removed before or while it was waited for
 */
export async function withLock<T>(
  id: string,
  directory: string,
  act: () => Promise<T>,
  { shared = false }: { shared?: boolean } = {},
): Promise<T> {
  const lock = await take(id, directory, shared)
  try {
    return await act()
  } finally {
    lock.close()
  }
}

async function take(id: string, directory: string, shared: boolean): Promise<OwnedFd> {
  let lock: OwnedFd
  try {
    lock = await lockFile(`${directory}/${LOCK_FILE}`, { shared })
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    throw new ContainerError('ContainerNotExists', `there is no container '${id}': ${directory} does not exist`)
  }
  // Whoever had it before us may have removed the directory and the file with it.
  const { links } = await stat('', { at: lock })
  if (links > 0) return lock
  lock.close()
  throw new ContainerError('ContainerNotExists', `container '${id}' was removed meanwhile`)
}
