import {
  ConfigInvalid,
  checked,
  exists,
  isErrno,
  kernelString,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  type OwnedFd,
  openFile,
  SyscallError,
} from '@libcontainer/sys'
import { kindsOf, type NamespaceKind, namespaceKinds } from './kinds.js'
import { native } from './native.js'
import { namespacePath } from './set.js'

/** What the kernel says of a namespace. */
export interface NamespaceInfo {
  readonly kind: NamespaceKind
  /** What /proc/<pid>/ns shows, as in `net:[4026531840]`: with the device, the namespace's identity. */
  readonly inode: bigint
  readonly device: bigint
  /** The user, as seen from here, that made the user namespace which owns it; `undefined` where the kernel keeps that from us. */
  readonly ownerUid: number | undefined
  /** The user namespace that owns it (for a user namespace: its parent); `undefined` when that is none of ours or our children's. */
  readonly userNamespace: bigint | undefined
  /** The parent of a user or pid namespace, under the same condition. */
  readonly parent: bigint | undefined
}

/** Asks about the namespace that a descriptor is. @throws {SyscallError} `EINVAL` when it is none */
export async function inspectNamespace(fd: OwnedFd, path?: string): Promise<NamespaceInfo> {
  const result = new BigInt64Array(6)
  checked(await native.async.inspectNamespace(fd.fd, new Uint8Array(result.buffer)), 'ioctl(NS_GET_NSTYPE)', path)
  const info = namespaceInfo(result)
  if (info === undefined)
    throw new SyscallError(22, 'ioctl(NS_GET_NSTYPE)', { path, detail: `unknown type ${result[0]}` })
  return info
}

/** What native/inspect.c tells, in words: `undefined` for a kind that is younger than this package. */
export function namespaceInfo(words: BigInt64Array): NamespaceInfo | undefined {
  const [type, device, inode, owner, user, parent] = [...words] as [bigint, bigint, bigint, bigint, bigint, bigint]
  const kind = kindsOf(Number(type))[0]
  if (kind === undefined) return undefined
  return {
    kind,
    inode,
    device,
    ownerUid: owner < 0n ? undefined : Number(owner),
    userNamespace: user === 0n ? undefined : user,
    parent: parent === 0n ? undefined : parent,
  }
}

/**
 * The namespaces of a process by kind; kinds that the kernel lacks are absent.
 *
 * @param pid - Default: this process
 * @throws {SyscallError} `ESRCH` when there is no such process (or it has exited and waits to be reaped), `EACCES` for another user's
 */
export async function inspect(pid: number | 'self' = 'self'): Promise<Map<NamespaceKind, NamespaceInfo>> {
  if (pid !== 'self') checkPid(pid, 'pid')
  const infos = await Promise.all(namespaceKinds.map(kind => inspectKind(pid, kind)))
  const found = infos.filter(info => info !== undefined)
  if (found.length === 0)
    throw new SyscallError(3, 'open', { path: `/proc/${pid}/ns`, hint: `there is no process ${pid}` })
  return new Map(found.map(info => [info.kind, info]))
}

async function inspectKind(pid: number | 'self', kind: NamespaceKind): Promise<NamespaceInfo | undefined> {
  const path = namespacePath(kind, pid)
  let fd: OwnedFd
  try {
    fd = await openFile(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
  try {
    return await inspectNamespace(fd, path)
  } finally {
    fd.close()
  }
}

/**
 * Opens a namespace, of a process or at a path, and proves that it is of this kind.
 *
 * @param where - a pid, `'self'`, or an absolute path
 * @throws {ConfigInvalid} when it is none, or of another kind: by the kernel's answer, whatever its name
 * @throws {SyscallError} `ENOENT` when nothing is there
 */
export async function openNamespaceFd(where: number | string, kind: NamespaceKind): Promise<OwnedFd> {
  const { fd } = await openVerified(where, kind, 'path')
  return fd
}

/** The same, with what there is to know of it. */
export async function openVerified(
  where: number | string,
  kind: NamespaceKind,
  field: string,
): Promise<{ fd: OwnedFd; info: NamespaceInfo }> {
  const path = pathOf(where, kind)
  const fd = await openAny(path)
  try {
    const info = await inspectNamespace(fd, path)
    if (info.kind !== kind)
      throw new ConfigInvalid(field, path, `is a ${info.kind} namespace, where a ${kind} namespace belongs`)
    return { fd, info }
  } catch (error) {
    fd.close()
    if (isErrno(error, 'EINVAL')) throw new ConfigInvalid(field, path, 'is no namespace', { cause: error })
    throw error
  }
}

/** Opens whatever is there: a fifo or a terminal by mistake neither blocks nor becomes ours. */
export async function openAny(path: string): Promise<OwnedFd> {
  return await openFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
}

function pathOf(where: number | string, kind: NamespaceKind): string {
  if (typeof where === 'number') return namespacePath(kind, checkPid(where, 'pid'))
  return where === 'self' ? namespacePath(kind) : kernelString(where, 'path')
}

/** Refuses what is no process's number, before anything is asked of the kernel. */
export function checkPid(pid: number, field: string): number {
  if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff)
    throw new ConfigInvalid(field, pid, 'must be the number of a process')
  return pid
}

const supported = new Map<NamespaceKind, boolean>()

/** Whether the kernel has namespaces of this kind; asked once. */
export async function isSupported(kind: NamespaceKind): Promise<boolean> {
  let known = supported.get(kind)
  if (known === undefined) {
    known = await exists(namespacePath(kind))
    supported.set(kind, known)
  }
  return known
}
