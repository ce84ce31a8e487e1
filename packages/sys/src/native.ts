import { binding } from './binding.js'
import type { StartOp } from './process/start.js'
import type { Path } from './utf8.js'

/** The ops of native/ops.c; what each does is said there. Paths are relative to a directory's descriptor, or to `AT_FDCWD`. */
export interface SysOps {
  close(fd: number): number
  openAt(dirfd: number, path: Path, flags: number, mode: number): number
  dup(fd: number, atLeast: number): number
  dupTo(fd: number, place: number): number
  readFd(fd: number, buffer: Uint8Array): number
  writeFd(fd: number, bytes: Uint8Array): number
  readFile(dirfd: number, path: Path, buffer: Uint8Array): number
  readHeads(dirfd: number, paths: Uint8Array, most: number, heads: Uint8Array, bytes: Uint8Array): number
  writeFile(dirfd: number, path: Path, flags: number, mode: number, bytes: Uint8Array): number
  listDirectory(dirfd: number, path: Path, buffer: Uint8Array): number
  stat(dirfd: number, path: Path, flags: number, result: Uint8Array): number
  statFilesystem(fd: number, result: Uint8Array): number
  confirmPlainDirectory(path: string): number
  confirmAbsent(dirfd: number, path: string): number
  confirmContent(dirfd: number, path: string, bytes: Uint8Array): number
  readLink(dirfd: number, path: Path, buffer: Uint8Array): number
  makeDirectory(dirfd: number, path: Path, mode: number): number
  unlink(dirfd: number, path: Path, flags: number): number
  removeTree(dirfd: number, path: Path): number
  rename(fromDirfd: number, from: Path, toDirfd: number, to: Path, flags: number): number
  changeMode(fd: number, mode: number): number
  changeOwner(fd: number, uid: number, gid: number): number
  lock(fd: number, operation: number): number
  confirmLinked(fd: number): number
  pipe(flags: number, pair: Uint8Array): number
  memfd(name: string, bytes: Uint8Array): number
  programFd(bytes: Uint8Array, name: string): number
  overlayFd(directory: string, name: string): number
  spawn(request: Uint8Array, result: Uint8Array, args: Uint8Array): number
  readonly startProgram: StartOp
  openNotices(): number
  watch(inotify: number, path: string, events: number): number
  unwatch(inotify: number, number: number): number
  readNotices(inotify: number, buffer: Uint8Array): number
  pidfdOpen(pid: number): number
  pidfdSendSignal(pidfd: number, signal: number): number
  pidfdGetfd(pidfd: number, fd: number): number
  splitHugePages(pidfd: number, start: number, end: number, size: number): number
  waitPidfd(pidfd: number, result: Uint8Array): number
  pidfdExitCode(pidfd: number): number
  kill(pid: number, signal: number): number
  prlimit(pid: number, resource: number, set: Uint8Array, old: Uint8Array): number
  clock(clock: number): number
  ids(result: Uint8Array): number
  uname(buffer: Uint8Array): number
  getFlags(fd: number): number
  setFlags(fd: number, flags: number): number
  signalFd(mask: number | bigint): number
  unblockSignals(mask: number | bigint): number
  socketPair(type: number, pair: Uint8Array): number
  sendMessage(socket: number, bytes: Uint8Array, fds: Uint8Array, flags: number): number
  receiveMessage(socket: number, buffer: Uint8Array, fds: Uint8Array, flags: number): number
  listenUnix(dirfd: number, name: string, type: number, mode: number): number
  connectUnix(dirfd: number, name: string, type: number): number
  acceptUnix(socket: number, peer: Uint8Array): number
  openInRoot(root: number, path: Path, flags: number): number
  createInRoot(root: number, path: Path, flags: number, mode: number): number
  makeDirectoriesInRoot(root: number, path: Path, mode: number): number
  symlinkInRoot(root: number, target: Path, path: Path): number
  reopen(fd: number, flags: number): number
  openProcfs(pids: number): number
  openInProcfs(procfs: number, path: string, flags: number): number
  getAttribute(fd: number, path: Path, name: string, buffer: Uint8Array, follow: number): number
  setAttribute(fd: number, path: Path, name: string, value: Uint8Array, flags: number, follow: number): number
  listAttributes(fd: number, path: Path, buffer: Uint8Array, follow: number): number
  removeAttribute(fd: number, path: Path, name: string, follow: number): number
  getParentDeathSignal(): number
  keepParentDeathSignal(signal: number): number
  getSubreaper(): number
  setSubreaper(on: number): number
  reapOthers(pidfd: number): number
  clockTicks(): number
  randomBytes(buffer: Uint8Array): number
  closeExecFrom(first: number): number
  tryCall(number: number): number
  namespaceType(fd: number): number
  bindNamespace(namespace: number, file: number): number
  unbindNamespace(fd: number): number
  landlockVersion(): number
}

export const native = binding<SysOps>('sys', import.meta.url)
