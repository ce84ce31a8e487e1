import {
  ConfigInvalid,
  checked,
  kernelString,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  OwnedFd,
  openFile,
  type Waiting,
} from '@libcontainer/sys'
import { native } from './native.js'

/** A network namespace: a pid, a path, a name of ip-netns(8) (without a slash), or a descriptor, which stays the caller's. */
export type NamespaceTarget = number | string | OwnedFd

/** Where ip-netns(8) keeps its namespaces by name. */
export const NETNS_DIRECTORY = '/run/netns'

/** Opens a namespace, which its descriptor names from then on, whatever becomes of the path. @throws {ConfigInvalid} for what names none */
export async function openNamespace(target: NamespaceTarget, field = 'namespace'): Promise<OwnedFd> {
  return await openFile(namespacePathOf(target, field), O_RDONLY | O_NONBLOCK | O_NOCTTY)
}

function namespacePathOf(target: NamespaceTarget, field: string): string {
  if (target instanceof OwnedFd) return `/proc/self/fd/${target.fd}`
  if (typeof target === 'number') {
    if (!Number.isInteger(target) || target < 1 || target > 0x7fff_ffff)
      throw new ConfigInvalid(field, target, 'must be the number of a process')
    return `/proc/${target}/ns/net`
  }
  kernelString(target, field)
  if (target.includes('/')) return target
  if (target === '' || target === '.' || target === '..')
    throw new ConfigInvalid(field, target, 'must be a pid, a path, a name of ip-netns(8), or a descriptor')
  return `${NETNS_DIRECTORY}/${target}`
}

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
  const result = await native.async.openNetlink(protocol, namespace?.fd ?? -1, room, new Uint8Array(port.buffer))
  const fd = new OwnedFd(checked(result, 'socket', undefined, { detail: `netlink protocol ${protocol}` }))
  if (signal?.aborted) fd.close()
  signal?.throwIfAborted()
  return { fd, port: port[0]! }
}
