import { ConfigInvalid, LibcontainerError } from '../errors/errors.js'
import type { OwnedFd } from '../files/fd.js'
import { POLLIN, poll, type Waiting } from '../process/wait.js'
import { decodeUtf8, encodeUtf8, kernelString } from '../utf8.js'
import { receiveMessage, sendMessage } from './socket.js'

/** The longest name that goes with a descriptor, in bytes. */
export const MAX_FD_NAME = 4096

/** Sends one descriptor with a name, which says to the receiver what it is: SCM_RIGHTS of unix(7). It stays the sender's, too. */
export function sendFd(socket: OwnedFd, file: OwnedFd, name: string): void {
  const bytes = encodeUtf8(kernelString(name, 'name'))
  if (bytes.length === 0)
    throw new ConfigInvalid('name', name, 'must not be empty: a message needs a byte to carry a descriptor')
  if (bytes.length > MAX_FD_NAME) throw new ConfigInvalid('name', name, `must not be longer than ${MAX_FD_NAME} bytes`)
  sendMessage(socket, bytes, [file.fd])
}

/**
 * Waits for one descriptor and its name. It is close-on-exec, and the caller's.
 *
 * @throws {LibcontainerError} `ERR_FD_MESSAGE` when the peer hangs up, or sends none or several: what came is closed
 * @throws {SyscallError} `EMSGSIZE` for a name that is too long
 */
export async function receiveFd(socket: OwnedFd, waiting: Waiting = {}): Promise<{ file: OwnedFd; name: string }> {
  await poll(socket.fd, POLLIN, waiting)
  const message = receiveMessage(socket, MAX_FD_NAME)
  const [file, ...more] = message?.fds ?? []
  if (file !== undefined && more.length === 0) return { file, name: decodeUtf8(message!.bytes) }
  for (const each of message?.fds ?? []) each.close()
  throw new LibcontainerError(
    'ERR_FD_MESSAGE',
    message === undefined
      ? 'the peer hung up instead of sending a descriptor'
      : `the message carries ${message.fds.length || 'no'} descriptor${message.fds.length === 0 ? '' : 's'} instead of one`,
  )
}
