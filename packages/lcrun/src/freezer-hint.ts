import { ContainerError, DELEGATION_HINT } from '@libcontainer/container'
import { isErrno } from '@libcontainer/sys'

/** Tells an ordinary user who may not stop a cgroup how it comes into his hands. */
export async function withFreezerHint(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    const refused = error instanceof ContainerError && isErrno(error.cause, 'EACCES', 'EPERM', 'EROFS')
    if (!refused || error.hint !== undefined) throw error
    throw new ContainerError(error.code, error.message, { cause: error.cause, hint: DELEGATION_HINT })
  }
}
