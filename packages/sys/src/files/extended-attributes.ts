import { ConfigInvalid, checked } from '../errors/errors.js'
import { native } from '../native.js'
import { isErrno } from '../process/wait.js'
import { decodeUtf8, encodeUtf8, kernelString } from '../utf8.js'
import { OwnedFd } from './fd.js'
import { AT_FDCWD } from './files.js'

export interface AttributeOptions {
  /** Whether a link at the end of the path is followed. Default: `true`; of no matter to an open file. */
  follow?: boolean
}

/** A path, or a file that is open for reading or writing: the kernel answers `EBADF` of a mere handle (`O_PATH`). */
export type AttributeFile = string | OwnedFd

const ERANGE = -34
/** The kernel's own bound for a value, and for a list of names. */
const MAX_SIZE = 65536

/** The names of a file's extended attributes, such as `security.selinux`. @see listxattr(2) */
export async function listAttributes(file: AttributeFile, { follow = true }: AttributeOptions = {}): Promise<string[]> {
  const [fd, path] = located(file)
  const ask = (buffer: Uint8Array): Promise<number> => native.async.listAttributes(fd, path, buffer, follow ? 1 : 0)
  return decodeUtf8(await grown(ask, 'listxattr', path))
    .split('\0')
    .slice(0, -1)
}

/**
 * The value of an extended attribute, or `undefined` where the file has none of this name.
 *
 * @throws {SyscallError} `EOPNOTSUPP` where the file system keeps none
 * @see getxattr(2)
 */
export async function getAttribute(
  file: AttributeFile,
  name: string,
  { follow = true }: AttributeOptions = {},
): Promise<Uint8Array | undefined> {
  const [[fd, path], key] = [located(file), kernelString(name, 'name')]
  const ask = (buffer: Uint8Array): Promise<number> => native.async.getAttribute(fd, path, key, buffer, follow ? 1 : 0)
  try {
    return await grown(ask, 'getxattr', path)
  } catch (error) {
    if (isErrno(error, 'ENODATA')) return undefined
    throw error
  }
}

/** setxattr(2)'s flags: the attribute must not be there yet, or must be there. */
export const XATTR_CREATE = 1
export const XATTR_REPLACE = 2

/** Sets an extended attribute. @see setxattr(2) */
export async function setAttribute(
  file: AttributeFile,
  name: string,
  value: string | Uint8Array,
  { follow = true, flags = 0 }: AttributeOptions & { flags?: number } = {},
): Promise<void> {
  const bytes = typeof value === 'string' ? encodeUtf8(value) : value
  const [[fd, path], key] = [located(file), kernelString(name, 'name')]
  checked(await native.async.setAttribute(fd, path, key, bytes, flags, follow ? 1 : 0), 'setxattr', path || undefined)
}

/** Removes an extended attribute. @throws {SyscallError} `ENODATA` where there is none of this name */
export async function removeAttribute(
  file: AttributeFile,
  name: string,
  { follow = true }: AttributeOptions = {},
): Promise<void> {
  const [[fd, path], key] = [located(file), kernelString(name, 'name')]
  checked(await native.async.removeAttribute(fd, path, key, follow ? 1 : 0), 'removexattr', path || undefined)
}

/** Whether the file system at `path` keeps extended attributes. @param name - of a namespace that matters. Default: `user.` */
export async function attributesEnabled(file: AttributeFile, name = 'user.libcontainer'): Promise<boolean> {
  try {
    await getAttribute(file, name)
    return true
  } catch (error) {
    if (isErrno(error, 'EOPNOTSUPP', 'ENOSYS')) return false
    throw error
  }
}

/** As the ops want it: the path counts unless it is empty. */
function located(file: AttributeFile): [fd: number, path: string] {
  if (file instanceof OwnedFd) return [file.fd, '']
  if (kernelString(file, 'path') === '') throw new ConfigInvalid('path', file, 'must name a file')
  return [AT_FDCWD, file]
}

async function grown(ask: (buffer: Uint8Array) => Promise<number>, call: string, path: string): Promise<Uint8Array> {
  for (let size = 256; ; size = MAX_SIZE) {
    const buffer = new Uint8Array(size)
    const got = await ask(buffer)
    if (got === ERANGE && size < MAX_SIZE) continue
    return buffer.subarray(0, checked(got, call, path || undefined))
  }
}
