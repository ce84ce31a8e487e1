import {
  decodeUtf8,
  encodeUtf8,
  filesystems,
  type Inode,
  inspectInode,
  isErrno,
  LibcontainerError,
  O_RDWR,
  type OwnedFd,
  openDirectory,
  openFile,
  readFd,
  readTextIfPresent,
  SyscallError,
  writeFd,
} from '@libcontainer/sys'
import { readThreadLabel } from './thread-label.js'

const USUAL = '/sys/fs/selinux'
const ST_RDONLY = 1

let disabled = false

/** Makes this process take SELinux for switched off from now on: what asks answers so, what labels does nothing. */
export function setDisabled(): void {
  disabled = true
}

/** Where selinuxfs is, or why there is none to be used. */
export type Found = { readonly path: string; readonly reason?: undefined } | { readonly reason: string }

/** Looks for selinuxfs, by the type of the file system: an image can have a directory of that name. */
export async function findSelinuxfs(): Promise<Found> {
  if (disabled) return { reason: 'this process has called setDisabled()' }
  const found = await mountPoint()
  if (found === undefined) {
    const known = /\tselinuxfs$/m.test((await readTextIfPresent('/proc/filesystems')) ?? '')
    if (known) return { reason: `selinuxfs is not mounted: mount -t selinuxfs none ${USUAL}` }
    return {
      reason:
        'the kernel has no SELinux, or it is switched off: boot with lsm=…,selinux, or selinux=1 security=selinux',
    }
  }
  const { path, inode } = found
  if ((inode.mountFlags & ST_RDONLY) !== 0)
    return { reason: `${path} is mounted read-only: what runs here is not to know of SELinux` }
  if (readThreadLabel('current') === 'kernel')
    return { reason: 'the kernel has no policy of SELinux yet: load_policy -i loads that of /etc/selinux/config' }
  return { path }
}

/** Where selinuxfs is. @throws {LibcontainerError} `SelinuxOff` */
export async function selinuxfs(): Promise<string> {
  const { reason, ...found } = await findSelinuxfs()
  if (reason !== undefined) throw new LibcontainerError('SelinuxOff', `SELinux is off: ${reason}`)
  return (found as { path: string }).path
}

/** What the kernel answers to a request that is written to one of its files. */
export async function transact(
  name: string,
  request: string,
  hints: Readonly<Record<string, string>>,
): Promise<string> {
  const path = `${await selinuxfs()}/${name}`
  try {
    const file = await openFile(path, O_RDWR)
    try {
      await writeFd(file.fd, encodeUtf8(request))
      const answer = new Uint8Array(4096)
      return decodeUtf8(answer.subarray(0, await readFd(file.fd, answer))).replace(/\0.*$/s, '')
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error
    throw new SyscallError(error.errno, error.syscall, { path, detail: request, hint: hints[error.code] })
  }
}

async function mountPoint(): Promise<{ path: string; inode: Inode } | undefined> {
  const usual = await inodeOf(USUAL)
  if (usual !== undefined) return { path: USUAL, inode: usual }
  const mounts = (await readTextIfPresent('/proc/self/mountinfo')) ?? ''
  for (const line of mounts.split('\n')) {
    const path = line.includes(' - selinuxfs ') ? line.split(' ')[4] : undefined
    const inode = path === undefined ? undefined : await inodeOf(path)
    if (inode !== undefined) return { path: path!, inode }
  }
  return undefined
}

/** That of a directory of selinuxfs. */
async function inodeOf(path: string): Promise<Inode | undefined> {
  let directory: OwnedFd
  try {
    directory = await openDirectory(path, { handle: true })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined
    throw error
  }
  try {
    const inode = await inspectInode(directory)
    return inode.filesystem === filesystems.selinux ? inode : undefined
  } finally {
    directory.close()
  }
}
