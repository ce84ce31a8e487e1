import { checked, OwnedFd, type Waiting } from '@libcontainer/sys'
import { native } from '../native.js'

const EPERM = -1

/** A socket of the kernel's, and the port by which it answers. */
export interface OpenSocket {
  readonly fd: OwnedFd
  readonly port: number
}

/** In bytes, of what the kernel keeps for us: of answers some hundreds, of events a burst. */
export const ROOM = 1024 * 1024

/**
 * A netlink socket in a namespace. It is made there by a process of its own; this one stays where it is.
 *
 * @param namespace - `undefined` for that of this process
 * @throws {SyscallError} `EPERM` where this process may not enter it, `EINVAL` when it is no network namespace, `EPROTONOSUPPORT`
 */
export async function openSocket(
  protocol: number,
  namespace: OwnedFd | undefined,
  { signal }: Waiting = {},
  room = ROOM,
): Promise<OpenSocket> {
  signal?.throwIfAborted()
  const port = new Uint32Array(1)
  const into = new Uint8Array(port.buffer)
  // In this process's own namespace nothing of it can wait, and a change of threads takes ten times as long.
  const result =
    namespace === undefined
      ? native.sync.openNetlink(protocol, -1, room, into)
      : await native.async.openNetlink(protocol, namespace.fd, room, into)
  const refused = namespace !== undefined && result === EPERM
  const fd = new OwnedFd(
    checked(result, refused ? 'setns' : 'socket', undefined, {
      step: `open a socket of netlink's protocol ${protocol}${namespace === undefined ? '' : ' in a network namespace'}`,
      hint: refused ? 'it needs CAP_SYS_ADMIN in the user namespace that owns it' : undefined,
    }),
  )
  if (signal?.aborted) fd.close()
  signal?.throwIfAborted()
  return { fd, port: port[0]! }
}
