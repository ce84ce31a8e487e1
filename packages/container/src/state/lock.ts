import { isErrno, type LockedText, lockAndApply, lockAndRead, tryAgain } from '@libcontainer/sys'
import { ContainerError } from '../errors.js'
import { STATE_FILE } from './state.js'

export const lockPath = (directory: string): string => `${directory}/lock`

export interface LockOptions {
  /** Beside others that share it, but not beside one that does not. Default: false. */
  readonly shared?: boolean | undefined
  /** Called while somebody else holds it, each time before it is tried again; what it throws ends the waiting. */
  readonly meanwhile?: (() => Promise<void>) | undefined
}

/**
 * Holds a container's lock while `act` runs: two processes that act on one container take turns. The lock ends with the process that
 * holds it, however that ends.
 *
 * @param act - gets the text of its state, if it has one
 * @throws {ContainerError} `ContainerNotExists` when the container was removed before or while it was waited for
 */
export async function withLock<T>(
  id: string,
  directory: string,
  act: (state: string | undefined) => Promise<T>,
  { shared = false, meanwhile }: LockOptions = {},
): Promise<T> {
  const take = (): Promise<LockedText> =>
    lockAndRead(lockPath(directory), `${directory}/${STATE_FILE}`, { now: true, shared })
  const { lock, text } = await untilFree(id, directory, take, meanwhile)
  try {
    return await act(text)
  } finally {
    lock.close()
  }
}

/** The same where the state is of no use, and may not even be a file. */
export async function withBareLock<T>(
  id: string,
  directory: string,
  act: () => Promise<T>,
  { meanwhile }: Pick<LockOptions, 'meanwhile'>,
): Promise<T> {
  const lock = await untilFree(id, directory, () => lockAndApply(lockPath(directory), [], { now: true }), meanwhile)
  try {
    return await act()
  } finally {
    lock.close()
  }
}

/** How long somebody else may hold it, in milliseconds: whoever takes longer stands still. */
const PATIENCE = 30_000

/** Takes a container's lock: tries until nobody else holds it, so that what was waited for can be looked at again and again, and signals come through. */
export async function untilFree<T>(
  id: string,
  directory: string,
  take: () => Promise<T>,
  meanwhile?: () => Promise<void>,
): Promise<T> {
  const ask = async (): Promise<T | undefined> => {
    try {
      return await take()
    } catch (error) {
      if (isErrno(error, 'EAGAIN') && error.path === lockPath(directory)) return undefined
      throw lockRefusal(id, directory, error)
    }
  }
  const taken = await tryAgain(ask, PATIENCE, meanwhile)
  if (taken !== undefined) return taken
  throw new ContainerError('SystemError', `somebody else has held the lock of '${id}' for ${PATIENCE / 1000} s`, {
    hint: `who does: fuser -v ${lockPath(directory)}`,
  })
}

/** Why a container's lock could not be had. ESTALE: whoever had it before has removed the directory, and the lock's file with it. */
function lockRefusal(id: string, directory: string, error: unknown): unknown {
  if (!isErrno(error, 'ENOENT', 'ESTALE') || error.path !== lockPath(directory)) return error
  return new ContainerError('ContainerNotExists', `there is no container '${id}': ${directory} does not exist`)
}
