import { checked } from '../errors/errors.js'
import { native } from '../native.js'
import { isErrno, POLLOUT, poll } from '../process/wait.js'
import { decodeUtf8, encodeUtf8, kernelPath, type Path, shownPath } from '../utf8.js'
import { OwnedFd } from './fd.js'

export const AT_FDCWD = -100
export const AT_REMOVEDIR = 0x200
export const AT_EMPTY_PATH = 0x1000
export const AT_SYMLINK_NOFOLLOW = 0x100

const arm64Flags = { O_DIRECTORY: 0o40000, O_NOFOLLOW: 0o100000 }
const x64Flags = { O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000 }

/** open(2)'s flags of this machine; `O_CLOEXEC` is always added. */
export const O_RDONLY = 0
export const O_WRONLY = 1
export const O_RDWR = 2
export const O_CREAT = 0o100
export const O_EXCL = 0o200
export const O_NOCTTY = 0o400
export const O_TRUNC = 0o1000
export const O_APPEND = 0o2000
export const O_NONBLOCK = 0o4000
export const O_PATH = 0o10000000

/** `O_DIRECTORY` and `O_NOFOLLOW` have other numbers on arm64 than on x86-64. */
export function openFlags(): { readonly O_DIRECTORY: number; readonly O_NOFOLLOW: number } {
  return machine() === 'aarch64' ? arm64Flags : x64Flags
}

let machineName: string | undefined

/** The kernel's word for the architecture, as `uname -m`: `x86_64`, `aarch64`. */
export function machine(): string {
  machineName ??= uname().machine
  return machineName
}

/** uname(2). */
export function uname(): { sysname: string; nodename: string; release: string; version: string; machine: string } {
  const buffer = new Uint8Array(400)
  const used = checked(native.sync.uname(buffer), 'uname')
  const [sysname = '', nodename = '', release = '', version = '', name = ''] = decodeUtf8(
    buffer.subarray(0, used),
  ).split('\0')
  return { sysname, nodename, release, version, machine: name }
}

/** A file, or a directory to work below: what `at` of the functions here takes, relative paths being relative to it. */
export interface At {
  /** A directory's descriptor. Default: the working directory. */
  at?: OwnedFd | undefined
}

const dirfd = ({ at }: At): number => at?.fd ?? AT_FDCWD

/** Opens a file. @param flags - `O_…`, or'ed */
export async function openFile(path: Path, flags = O_RDONLY, mode = 0o666, at: At = {}): Promise<OwnedFd> {
  return new OwnedFd(
    checked(await native.async.openAt(dirfd(at), kernelPath(path), flags, mode), 'openat', shownPath(path)),
  )
}

/** Opens a file at once, on this thread, for reading: one of /proc, where nobody can make an open wait. */
export function openAtOnce(path: string): OwnedFd {
  return new OwnedFd(checked(native.sync.openAt(AT_FDCWD, kernelPath(path), O_RDONLY, 0), 'openat', path))
}

/** Opens a directory for the functions of this module: `O_RDONLY | O_DIRECTORY`, or `O_PATH` for a mere handle. */
export async function openDirectory(
  path: Path,
  { handle = false, ...at }: At & { handle?: boolean } = {},
): Promise<OwnedFd> {
  return await openFile(path, openFlags().O_DIRECTORY | (handle ? O_PATH : O_RDONLY), 0, at)
}

/** A whole file, whatever size it says it has: files of /proc and /sys say 0. */
export async function readBytes(path: Path, at: At = {}): Promise<Uint8Array> {
  const file = kernelPath(path)
  for (let size = 4096; ; size *= 8) {
    const buffer = new Uint8Array(size)
    const got = checked(await native.async.readFile(dirfd(at), file, buffer), 'read', shownPath(path))
    if (got < size) return buffer.subarray(0, got)
  }
}

/** A whole file as text; what is no UTF-8 becomes U+FFFD. */
export async function readText(path: Path, at: At = {}): Promise<string> {
  return decodeUtf8(await readBytes(path, at))
}

/** A text file, or `undefined` where there is none. */
export async function readTextIfPresent(path: Path, at: At = {}): Promise<string | undefined> {
  try {
    return await readText(path, at)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

export interface WriteOptions extends At {
  /** open(2)'s flags. Default: `O_WRONLY | O_CREAT | O_TRUNC`; files of /proc and /sys want `O_WRONLY` alone. */
  flags?: number
  /** Of a file that is created, less the umask. Default: 0644. */
  mode?: number
}

/** Writes a file in one go. */
export async function writeText(path: Path, data: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
  const { flags = O_WRONLY | O_CREAT | O_TRUNC, mode = 0o644 } = options
  const bytes = typeof data === 'string' ? encodeUtf8(data) : data
  checked(await native.async.writeFile(dirfd(options), kernelPath(path), flags, mode, bytes), 'write', shownPath(path))
}

/** The types of directory entries, by d_type. */
const entryTypes = new Map([
  [1, 'fifo'],
  [2, 'character'],
  [4, 'directory'],
  [6, 'block'],
  [8, 'file'],
  [10, 'link'],
  [12, 'socket'],
] as const)

export interface DirectoryEntry {
  /** With U+FFFD where it is no UTF-8. */
  readonly name: string
  /** The name as it is, where it may be no UTF-8: what a path is to be made of then. */
  readonly bytes?: Uint8Array
  readonly type: 'fifo' | 'character' | 'directory' | 'block' | 'file' | 'link' | 'socket' | 'unknown'
}

/** The entries of a directory but `.` and `..`, in the kernel's order. */
export async function listDirectory(path: Path, at: At = {}): Promise<DirectoryEntry[]> {
  const directory = kernelPath(path)
  for (let size = 4096; ; size *= 8) {
    const buffer = new Uint8Array(size)
    const used = await native.async.listDirectory(dirfd(at), directory, buffer)
    if (used === -34 /* ERANGE */) continue
    checked(used, 'getdents64', shownPath(path))
    const entries: DirectoryEntry[] = []
    for (let i = 0; i < used; ) {
      const end = buffer.indexOf(0, i + 1)
      const type = entryTypes.get(buffer[i] as 1) ?? 'unknown'
      const bytes = buffer.subarray(i + 1, end)
      const name = decodeUtf8(bytes)
      entries.push(name.includes('\ufffd') ? { name, type, bytes } : { name, type })
      i = end + 1
    }
    return entries
  }
}

/** What statx(2) says of a file. */
export interface Stat {
  /** Type and permission bits, as st_mode. */
  readonly mode: number
  readonly type: DirectoryEntry['type']
  readonly uid: number
  readonly gid: number
  /** In bytes. */
  readonly size: number
  readonly inode: bigint
  readonly links: number
  /** Of the file system that it lies on. */
  readonly device: { readonly major: number; readonly minor: number }
  /** Of the device that it is. */
  readonly rdev: { readonly major: number; readonly minor: number }
  readonly mountId: bigint
  readonly mtimeNs: bigint
}

/** statx(2). @param follow - whether a link at the end is followed. Default: true */
export async function stat(path: Path, { follow = true, ...at }: At & { follow?: boolean } = {}): Promise<Stat> {
  const result = new BigInt64Array(12)
  checked(await statInto(result, path, follow, at), 'statx', shownPath(path))
  const [mode, uid, gid, size, inode, links, major, minor, rmajor, rminor, mountId, mtimeNs] =
    result as unknown as bigint[]
  const n = Number
  return {
    mode: n(mode),
    type: entryTypes.get((n(mode) >> 12) as 1) ?? 'unknown',
    uid: n(uid),
    gid: n(gid),
    size: n(size),
    inode: inode!,
    links: n(links),
    device: { major: n(major), minor: n(minor) },
    rdev: { major: n(rmajor), minor: n(rminor) },
    mountId: mountId!,
    mtimeNs: mtimeNs!,
  }
}

async function statInto(result: BigInt64Array, path: Path, follow: boolean, at: At): Promise<number> {
  const flags = (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (path === '' ? AT_EMPTY_PATH : 0)
  return await native.async.stat(dirfd(at), kernelPath(path), flags, new Uint8Array(result.buffer))
}

/** Whether something is at `path`, a dangling link too. */
export async function exists(path: Path, at: At = {}): Promise<boolean> {
  const result = await statInto(new BigInt64Array(12), path, false, at)
  if (result === -2 /* ENOENT */ || result === -20 /* ENOTDIR */) return false
  checked(result, 'statx', shownPath(path))
  return true
}

/** The null device, open for reading and writing: there is nothing to wait for. */
export function openNull(): OwnedFd {
  return new OwnedFd(checked(native.sync.openAt(AT_FDCWD, '/dev/null', O_RDWR, 0), 'openat', '/dev/null'))
}

/** Where a link leads, as it is written. */
export async function readLink(path: Path, at: At = {}): Promise<string> {
  const buffer = new Uint8Array(4096)
  const size = checked(await native.async.readLink(dirfd(at), kernelPath(path), buffer), 'readlinkat', shownPath(path))
  return decodeUtf8(buffer.subarray(0, size))
}

/** Gives a file that is open to a user and a group: fchown(2). @throws {SyscallError} `EPERM` without CAP_CHOWN */
export function changeOwner(file: OwnedFd, uid: number, gid: number): void {
  checked(native.sync.changeOwner(file.fd, uid, gid), 'fchown')
}

/** Makes a directory; with `parents` its missing parents too, and one that is there is fine. */
export async function makeDirectory(
  path: Path,
  { mode = 0o777, parents = false, ...at }: At & { mode?: number; parents?: boolean } = {},
): Promise<void> {
  const directory = kernelPath(path)
  const make = (): Promise<number> => native.async.makeDirectory(dirfd(at), directory, mode)
  let result = await make()
  const parent = parents && result === -2 /* ENOENT */ ? parentOf(path) : undefined
  if (parent !== undefined) {
    await makeDirectory(parent, { mode, parents, ...at })
    result = await make()
  }
  if (!parents || result !== -17 /* EEXIST */) checked(result, 'mkdirat', shownPath(path))
}

/** Gives a file or directory exactly this mode, whatever the umask took from the one that it was made with: fchmod(2). */
export async function changeMode(file: OwnedFd, mode: number): Promise<void> {
  checked(await native.async.changeMode(file.fd, mode), 'fchmod')
}

/** The path of the directory that a path's last name stands in, where it tells one. */
function parentOf(path: Path): Path | undefined {
  const slash = typeof path === 'string' ? path.replace(/\/+$/, '').lastIndexOf('/') : path.lastIndexOf(0x2f, -2)
  return slash > 0 ? path.slice(0, slash) : undefined
}

/** Gives a file another name, in place of whatever has it: rename(2). */
export async function rename(from: Path, to: Path, at: At = {}): Promise<void> {
  const [before, after] = [kernelPath(from, 'from'), kernelPath(to, 'to')]
  checked(await native.async.rename(dirfd(at), before, dirfd(at), after, 0), 'rename', shownPath(to))
}

/** Removes a file; one that is absent is fine. */
export async function removeFile(path: Path, at: At = {}): Promise<void> {
  const result = await native.async.unlink(dirfd(at), kernelPath(path), 0)
  if (result !== -2) checked(result, 'unlinkat', shownPath(path))
}

/** Removes a directory with all that is in it; links are removed, not followed, and mounts refused. Absent is fine. */
export async function removeTree(path: Path, at: At = {}): Promise<void> {
  checked(await native.async.removeTree(dirfd(at), kernelPath(path)), 'removeTree', shownPath(path))
}

/** Reads what is there, up to the buffer's size: 0 at the end of file. The descriptor must be ready, or blocking on a pool thread is wanted. */
export async function readFd(fd: number, buffer: Uint8Array): Promise<number> {
  return checked(await native.async.readFd(fd, buffer), 'read')
}

/** Writes all bytes, waiting where the descriptor never waits itself. */
export async function writeFd(fd: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const put = await native.async.writeFd(fd, bytes.subarray(done))
    if (put === -11 /* EAGAIN */) await poll(fd, POLLOUT)
    else done += checked(put, 'write')
  }
}

/** Makes reads and writes answer `EAGAIN` instead of waiting: `O_NONBLOCK`, for all who share the open file. */
export function neverWait(fd: number): void {
  checked(native.sync.setFlags(fd, checked(native.sync.getFlags(fd), 'fcntl(F_GETFL)') | O_NONBLOCK), 'fcntl(F_SETFL)')
}

/** pipe2(2), both ends close-on-exec. */
export function pipe(flags = 0): { read: OwnedFd; write: OwnedFd } {
  const pair = new Int32Array(2)
  checked(native.sync.pipe(flags, new Uint8Array(pair.buffer)), 'pipe2')
  return { read: new OwnedFd(pair[0]!), write: new OwnedFd(pair[1]!) }
}
