import { checked } from '../errors/errors.js'
import { native } from '../native.js'
import { POLLIN, poll } from '../process/wait.js'

const EAGAIN = -11

/** Reads what is there now, up to the buffer's size: 0 at the end of file, `undefined` when there is nothing. Of a descriptor that never waits. */
export async function readNow(fd: number, buffer: Uint8Array): Promise<number | undefined> {
  const got = await native.async.readFd(fd, buffer)
  return got === EAGAIN ? undefined : checked(got, 'read')
}

/** Waits until there is something to read; false when the end came first, after which nothing is waited for. */
export async function readable(fd: number, end: AbortSignal): Promise<boolean> {
  if (end.aborted) return false
  try {
    await poll(fd, POLLIN, { signal: end })
    return true
  } catch (error) {
    if (end.aborted) return false
    throw error
  }
}
