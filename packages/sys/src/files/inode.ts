import { checked, LibcontainerError } from '../errors/errors.js'
import { native } from '../native.js'
import type { OwnedFd } from './fd.js'
import { type Stat, stat } from './files.js'

/** What a descriptor is, as the kernel says. */
export interface Inode {
  readonly stat: Stat
  /** The file system's magic number: statfs(2), `f_type`. */
  readonly filesystem: number
  /** How it is mounted: statfs(2), `f_flags`. */
  readonly mountFlags: number
}

/** Some of statfs(2)'s magic numbers: those of file systems that a container must not confuse. */
export const filesystems = Object.freeze({
  proc: 0x9fa0,
  sysfs: 0x62656572,
  tmpfs: 0x01021994,
  devpts: 0x1cd1,
  cgroup: 0x27e0eb,
  cgroup2: 0x63677270,
  mqueue: 0x19800202,
  nsfs: 0x6e736673,
  overlay: 0x794c7630,
  resctrl: 0x07655821,
  selinux: 0xf97cff8c,
})

/** What a descriptor is; a handle (`O_PATH`) will do. */
export async function inspectInode(file: OwnedFd): Promise<Inode> {
  const result = new BigInt64Array(2)
  checked(await native.async.statFilesystem(file.fd, new Uint8Array(result.buffer)), 'fstatfs')
  // Signed or not is the architecture's business: a magic number has 32 bits.
  return {
    stat: await stat('', { at: file }),
    filesystem: Number(BigInt.asUintN(32, result[0]!)),
    mountFlags: Number(result[1]),
  }
}

/**
 * Makes sure that a descriptor is what was meant, after it was opened: what a path led to can no longer change.
 *
 * @param problem - says what is wrong with it, or answers `undefined`
 * @throws {LibcontainerError} `UnexpectedInode`
 */
export async function verifyInode(file: OwnedFd, problem: (inode: Inode) => string | undefined): Promise<Inode> {
  const inode = await inspectInode(file)
  const wrong = problem(inode)
  if (wrong !== undefined)
    throw new LibcontainerError('UnexpectedInode', `the opened file is not what was meant: ${wrong}`)
  return inode
}
