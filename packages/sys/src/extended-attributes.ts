import { checked } from './errors.js'
import { native } from './native.js'
import { decodeUtf8, encodeUtf8, kernelString } from './utf8.js'
import { isErrno } from './wait.js'

export interface AttributeOptions {
  /** Whether a link at the end of the path is followed. Default: `true` */
  follow?: boolean
}

const ERANGE = -34
/** The kernel's own bound for a value, and for a list of names. */
const MAX_SIZE = 65536

/** The names of a file's extended attributes, such as `security.selinux`. @see listxattr(2) */
export async function listAttributes(path: string, { follow = true }: AttributeOptions = {}): Promise<string[]> {
  kernelString(path, 'path')
  const bytes = await grown(buffer => native.async.listAttributes(path, buffer, follow ? 1 : 0), 'listxattr', path)
  return decodeUtf8(bytes).split('\0').slice(0, -1)
}

/**
 * The value of an extended attribute, or `undefined` where the file has none of this name.
 *
 * @throws {SyscallError} `EOPNOTSUPP` where the file system keeps none
 * @see getxattr(2)
 */
export async function getAttribute(
  path: string,
  name: string,
  { follow = true }: AttributeOptions = {},
): Promise<Uint8Array | undefined> {
  const [file, key] = [kernelString(path, 'path'), kernelString(name, 'name')]
  try {
    return await grown(buffer => native.async.getAttribute(file, key, buffer, follow ? 1 : 0), 'getxattr', path)
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
  path: string,
  name: string,
  value: string | Uint8Array,
  { follow = true, flags = 0 }: AttributeOptions & { flags?: number } = {},
): Promise<void> {
  const bytes = typeof value === 'string' ? encodeUtf8(value) : value
  const [file, key] = [kernelString(path, 'path'), kernelString(name, 'name')]
  checked(await native.async.setAttribute(file, key, bytes, flags, follow ? 1 : 0), 'setxattr', path)
}

/** Removes an extended attribute. @throws {SyscallError} `ENODATA` where there is none of this name */
export async function removeAttribute(
  path: string,
  name: string,
  { follow = true }: AttributeOptions = {},
): Promise<void> {
  const [file, key] = [kernelString(path, 'path'), kernelString(name, 'name')]
  checked(await native.async.removeAttribute(file, key, follow ? 1 : 0), 'removexattr', path)
}

/** Whether the file system at `path` keeps extended attributes. @param name - of a namespace that matters. Default: `user.` */
export async function attributesEnabled(path: string, name = 'user.libcontainer'): Promise<boolean> {
  try {
    await getAttribute(path, name)
    return true
  } catch (error) {
    if (isErrno(error, 'EOPNOTSUPP', 'ENOSYS')) return false
    throw error
  }
}

async function grown(ask: (buffer: Uint8Array) => Promise<number>, call: string, path: string): Promise<Uint8Array> {
  for (let size = 256; ; size = MAX_SIZE) {
    const buffer = new Uint8Array(size)
    const got = await ask(buffer)
    if (got === ERANGE && size < MAX_SIZE) continue
    return buffer.subarray(0, checked(got, call, path))
  }
}
