import { readTextIfPresent, SyscallError } from '@libcontainer/sys'

/** A file of the host; `undefined` where it is absent, and where we may not read it. */
export async function readQuietly(path: string): Promise<string | undefined> {
  try {
    return await readTextIfPresent(path)
  } catch (error) {
    if (error instanceof SyscallError) return undefined
    throw error
  }
}
