import { exists, isErrno, writeText } from '@libcontainer/sys'
import { ContainerError } from '../errors.js'

/** Beside the state. */
const MARK = 'removing'

/** Tells whoever holds the container's lock, before its processes are killed, that this is why. */
export async function markRemoved(directory: string): Promise<void> {
  try {
    await writeText(`${directory}/${MARK}`, '', { mode: 0o600 })
  } catch (error) {
    // Removed just now.
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/** What a start fails with whose container is being removed by force, or was removed; `undefined` of one that is there. */
export async function removedMeanwhile(
  id: string,
  directory: string,
  cause: unknown,
): Promise<ContainerError | undefined> {
  if ((await exists(directory)) && !(await exists(`${directory}/${MARK}`))) return undefined
  return wasRemoved(id, cause)
}

/** What is said of a container that another one removed while it was acted on. */
export function wasRemoved(id: string, cause: unknown): ContainerError {
  return new ContainerError(
    'ContainerNotExists',
    `container '${id}' does not exist any more: it was removed meanwhile`,
    { cause },
  )
}
