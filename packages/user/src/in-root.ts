import {
  ConfigInvalid,
  isErrno,
  O_PATH,
  type OwnedFd,
  openDirectory,
  openInRoot,
  readFd,
  reopen,
  stat,
} from '@libcontainer/sys'
import { type ExecUser, getAdditionalGroups, getExecUser } from './exec-user.js'

/** In bytes, of a file of users or groups: no host has more, and an image must not take this process's memory. */
export const MAX_FILE = 16 * 1024 * 1024

/**
 * {@link getExecUser} by the files of a root filesystem, which are an image's and so hostile: links lead nowhere but inside, only regular
 * files are read, and a missing file has no entries.
 *
 * @param root - the root filesystem's directory: a path, or a descriptor
 * @throws {ConfigInvalid} as {@link getExecUser}, and for a file that is none, or larger than 16 MiB
 */
export async function getExecUserInRoot(
  root: OwnedFd | string,
  spec: string,
  defaults: Partial<ExecUser> = {},
  field = 'user',
): Promise<ExecUser> {
  const [passwd, group] = await readFiles(root, ['/etc/passwd', '/etc/group'])
  return getExecUser(spec, defaults, passwd, group, field)
}

/** {@link getAdditionalGroups} by the group file of a root filesystem, read as by {@link getExecUserInRoot}. */
export async function getAdditionalGroupsInRoot(
  root: OwnedFd | string,
  groups: readonly (string | number)[],
  field = 'additionalGroups',
): Promise<number[]> {
  const [file] = await readFiles(root, ['/etc/group'])
  return getAdditionalGroups(groups, file, field)
}

/** All of them in one root, whatever its path leads to meanwhile. */
async function readFiles(root: OwnedFd | string, paths: readonly string[]): Promise<(Uint8Array | undefined)[]> {
  const directory = typeof root === 'string' ? await openDirectory(root, { handle: true }) : root
  try {
    return await Promise.all(paths.map(path => readIfPresent(directory, path)))
  } finally {
    if (directory !== root) directory.close()
  }
}

async function readIfPresent(root: OwnedFd, path: string): Promise<Uint8Array | undefined> {
  let handle: OwnedFd
  try {
    handle = await openInRoot(root, path, O_PATH)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
  try {
    // Looked at before it is opened: opening a FIFO would wait, and opening a device does what that device does.
    const { type, size } = await stat('', { at: handle })
    if (type !== 'file') throw new ConfigInvalid('rootfs', path, `must be a file, and is a ${type}`)
    if (size > MAX_FILE) throw new ConfigInvalid('rootfs', path, `must not be larger than ${MAX_FILE} bytes`)
    const file = await reopen(handle)
    try {
      return await readWhole(file, size)
    } finally {
      file.close()
    }
  } finally {
    handle.close()
  }
}

/** As much as it said it had: what grows meanwhile is cut off. */
async function readWhole(file: OwnedFd, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let done = 0
  for (let got = 1; got > 0 && done < size; done += got) got = await readFd(file.fd, bytes.subarray(done))
  return bytes.subarray(0, done)
}
