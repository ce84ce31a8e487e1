import {
  connectUnix,
  encodeUtf8,
  isErrno,
  LibcontainerError,
  type OwnedFd,
  POLLIN,
  poll,
  receiveMessage,
  type Step,
  type SyscallError,
  sendMessage,
  stepError,
  type Waiting,
} from '@libcontainer/sys'
import { takeListener } from './bootstrap.js'
import { hookError } from './hooks.js'
import { parseRecord } from './records.js'
import { execHints } from './steps.js'

export interface ReleaseOptions extends Waiting {
  readonly directory?: OwnedFd | undefined
  /** Takes the listeners of filters, as of `bootstrap`; a rejection leaves the process to the caller. */
  readonly listener?: ((listener: OwnedFd) => Promise<void>) | undefined
}

/**
 * Lets an init that waits in the `created` state go on, and waits until the program runs.
 *
 * @param path - of the socket that its plan listens on; relative to `directory` where given
 * @throws {SyscallError} `ECONNREFUSED` or `ENOENT` when nobody waits there; the failure of the exec itself
 * @throws {LibcontainerError} `HookFailed`
 * @throws {LibcontainerError} `AlreadyStarted` when another caller was faster
 */
export async function release(path: string, { directory, signal, listener }: ReleaseOptions = {}): Promise<void> {
  const connection = await connectUnix(path, undefined, { directory })
  let executing = false
  try {
    // Two bytes 'GO' as a u32, which native/rendezvous.c waits for.
    sendMessage(connection, encodeUtf8('GO\0\0'))
    for (;;) {
      await poll(connection.fd, POLLIN, { signal })
      const message = receiveMessage(connection)
      if (message === undefined) break
      const record = parseRecord(message.bytes, message.fds)
      if (record.kind === 'hook') throw hookError(record.hook)
      if (record.kind === 'failure') throw startError(record.failure)
      if (record.kind === 'listener') await takeListener(record.listener, listener)
      if (record.kind === 'executing') executing = true
    }
  } catch (error) {
    if (!isErrno(error, 'ECONNRESET', 'EPIPE')) throw error
  } finally {
    connection.close()
  }
  if (!executing)
    throw new LibcontainerError('AlreadyStarted', 'the container was started by somebody else, or its init has died')
}

/** The plan is not known here, but all that is left of it is the filter and the program. */
function startError(failure: Uint8Array): SyscallError {
  const number = new DataView(failure.buffer, failure.byteOffset).getUint32(0, true)
  const steps: Step[] = []
  steps[number] = { op: 'execProgram', args: [], about: 'start the program', hints: execHints }
  return stepError(steps, failure)
}
