import {
  getAttribute,
  isErrno,
  O_PATH,
  OwnedFd,
  openFile,
  openFlags,
  openInRoot,
  type Root,
  removeAttribute,
  reopen,
  setAttribute,
  verifyInode,
} from '@libcontainer/sys'
import { decodeFileCapabilities, encodeFileCapabilities, type FileCapabilities } from './file-attribute.js'

const ATTRIBUTE = 'security.capability'

export interface FileOptions {
  /** Whether a link at the end of the path is followed; one is no file otherwise. Default: `false`: who holds the path may not choose the file. */
  follow?: boolean | undefined
  /** The directory that the path is resolved in, as {@link openInRoot} does: for a path inside an image. Default: the root of this process. */
  root?: Root | undefined
}

/**
 * The capabilities of a program's file, or `undefined` where it has none.
 *
 * @param file - its path, or the file, open for reading
 * @throws {LibcontainerError} `UnexpectedInode` for what is no regular file
 * @throws {SyscallError} `EACCES` for a file that this process may not read
 */
export async function getFileCapabilities(
  file: string | OwnedFd,
  options: FileOptions = {},
): Promise<FileCapabilities | undefined> {
  const value = await withFile(file, options, open => getAttribute(open, ATTRIBUTE))
  return value === undefined ? undefined : decodeFileCapabilities(value)
}

/**
 * Gives a program's file capabilities, in place of those that it has. Needs `CAP_SETFCAP` over the file's user namespace.
 *
 * A change of the file's owner or contents takes them away again: write first.
 *
 * @param file - its path, or the file, open for reading
 * @throws {ConfigInvalid} before the file is looked at; {@link LibcontainerError} `UnexpectedInode` for what is no regular file
 * @throws {SyscallError} `EPERM` without the capability, `EOPNOTSUPP` where the file system keeps no attributes
 */
export async function setFileCapabilities(
  file: string | OwnedFd,
  capabilities: FileCapabilities,
  options: FileOptions = {},
): Promise<void> {
  const value = encodeFileCapabilities(capabilities)
  await withFile(file, options, open => setAttribute(open, ATTRIBUTE, value))
}

/** Takes a file's capabilities away; one that has none is fine. Errors are those of {@link setFileCapabilities}. */
export async function removeFileCapabilities(file: string | OwnedFd, options: FileOptions = {}): Promise<void> {
  await withFile(file, options, async open => {
    try {
      await removeAttribute(open, ATTRIBUTE)
    } catch (error) {
      if (!isErrno(error, 'ENODATA')) throw error
    }
  })
}

/** Found first, looked at, and only then opened: opening a device or a FIFO could do something, or never come back. */
async function withFile<T>(
  file: string | OwnedFd,
  { follow = false, root }: FileOptions,
  act: (open: OwnedFd) => Promise<T>,
): Promise<T> {
  if (file instanceof OwnedFd) {
    await checkRegular(file)
    return await act(file)
  }
  const flags = O_PATH | (follow ? 0 : openFlags().O_NOFOLLOW)
  const found = root === undefined ? await openFile(file, flags) : await openInRoot(root, file, flags)
  try {
    await checkRegular(found)
    const open = await reopen(found)
    try {
      return await act(open)
    } finally {
      open.close()
    }
  } finally {
    found.close()
  }
}

async function checkRegular(file: OwnedFd): Promise<void> {
  await verifyInode(file, ({ stat: { type } }) =>
    type === 'file' ? undefined : `capabilities are of regular files, and it is a ${type}`,
  )
}
