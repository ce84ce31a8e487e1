import {
  ConfigInvalid,
  encodeUtf8,
  isErrno,
  kernelString,
  namespaceType,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  OwnedFd,
  openFile,
  SyscallError,
} from '@libcontainer/sys'

/** Where ip-netns(8) keeps named network namespaces. */
export const NETNS_DIRECTORY = '/run/netns'

/**
 * A network namespace: a number is a process's, a string that begins with `/` a path, any other string a name of ip-netns(8), a descriptor itself. A
 * `Netns` is one, too.
 */
export type NamespaceTarget =
  | number
  | string
  | OwnedFd
  | { readonly fd: number | OwnedFd }
  | { readonly pid: number }
  | { readonly path: string }
  | { readonly name: string }

/**
 * The path at which a namespace can be opened. Pure.
 *
 * @throws {ConfigInvalid} for what is no namespace by its form
 */
export function pathOfNamespace(namespace: NamespaceTarget, field = 'namespace'): string {
  if (typeof namespace === 'number') return `/proc/${checkPid(namespace, field)}/ns/net`
  if (typeof namespace === 'string')
    return namespace.startsWith('/') ? checkPath(namespace, field) : netnsPath(namespace, { field })
  if (namespace === null || typeof namespace !== 'object')
    throw new ConfigInvalid(field, namespace, 'must be a pid, a path, a name, or a descriptor of a network namespace')
  if (namespace instanceof OwnedFd) return `/proc/self/fd/${namespace.fd}`
  if ('fd' in namespace) return `/proc/self/fd/${checkFd(namespace.fd, `${field}.fd`)}`
  if ('pid' in namespace) return `/proc/${checkPid(namespace.pid, `${field}.pid`)}/ns/net`
  if ('path' in namespace) return checkPath(namespace.path, `${field}.path`)
  if ('name' in namespace) return netnsPath(namespace.name, { field: `${field}.name` })
  throw new ConfigInvalid(field, namespace, 'must have one of fd, pid, path, name')
}

/** Where a name is pinned. Pure. @throws {ConfigInvalid} for what is no name of a file */
export function netnsPath(
  name: string,
  { directory = NETNS_DIRECTORY, field = 'name' }: { directory?: string | undefined; field?: string } = {},
): string {
  if (kernelString(name, field) === '' || name === '.' || name === '..' || name.includes('/'))
    throw new ConfigInvalid(field, name, 'must be a name of a network namespace: not empty, . or .., without a slash')
  if (encodeUtf8(name).length > NAME_MAX)
    throw new ConfigInvalid(field, name, `is longer than the ${NAME_MAX} bytes of a file's name`)
  return `${checkPath(directory, 'directory').replace(/\/+$/, '')}/${name}`
}

const NAME_MAX = 255
const PATH_MAX = 4096

function checkPid(pid: number, field: string): number {
  if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff)
    throw new ConfigInvalid(field, pid, 'must be the number of a process')
  return pid
}

function checkFd(fd: number | OwnedFd, field: string): number {
  const number = fd instanceof OwnedFd ? fd.fd : fd
  if (!Number.isInteger(number) || number < 0 || number > 0x7fffffff)
    throw new ConfigInvalid(field, fd, 'must be a descriptor')
  return number
}

function checkPath(path: string, field: string): string {
  if (!kernelString(path, field).startsWith('/')) throw new ConfigInvalid(field, path, 'must be an absolute path')
  if (encodeUtf8(path).length >= PATH_MAX)
    throw new ConfigInvalid(field, path, `is longer than the ${PATH_MAX - 1} bytes of a path`)
  return path
}

const CLONE_NEWNET = 0x40000000

/**
 * Opens a network namespace, and proves by the kernel's answer that it is one. The descriptor is the namespace from then on, whatever becomes of the name,
 * the file or the process.
 *
 * @returns a descriptor of the caller's own, also where it gave one
 * @throws {ConfigInvalid} when it is none
 * @throws {SyscallError} `ENOENT` when nothing is there, `EACCES` for the process of another user
 */
export async function openNamespace(namespace: NamespaceTarget, field = 'namespace'): Promise<OwnedFd> {
  const path = pathOfNamespace(namespace, field)
  const fd = await open(path, namespace)
  try {
    if ((await namespaceType(fd, path)) !== CLONE_NEWNET)
      throw new ConfigInvalid(field, path, 'is a namespace of another kind, where a network namespace belongs')
    return fd
  } catch (error) {
    fd.close()
    if (!isErrno(error, 'EINVAL')) throw error
    throw new ConfigInvalid(field, path, 'is no namespace', { cause: error })
  }
}

async function open(path: string, namespace: NamespaceTarget): Promise<OwnedFd> {
  try {
    // What is a fifo or a terminal by mistake neither blocks nor becomes ours.
    return await openFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    throw new SyscallError(error.errno, error.syscall, {
      path,
      hint: hintOf(error.code, path, namespace),
      cause: error,
    })
  }
}

function hintOf(code: string, path: string, namespace: NamespaceTarget): string | undefined {
  if (code === 'EACCES') return 'the namespaces of another user’s process need CAP_SYS_PTRACE'
  if (code !== 'ENOENT') return undefined
  const isPid = typeof namespace === 'number' || (typeof namespace === 'object' && 'pid' in namespace)
  if (isPid) return 'the process has ended, or never was'
  return path.startsWith(`${NETNS_DIRECTORY}/`)
    ? 'there is no network namespace of that name: netlink netns list'
    : undefined
}
