import { binding, type StartOp } from '@libcontainer/sys'

/** The ops of native/ops.c; what each does is said there. */
interface NamespaceOps {
  openNamespace(path: string, flag: number): number
  setNamespace(fd: number, flag: number): number
  setProcessNamespaces(pidfd: number, flags: number): number
  joinNamespaces(
    user: number,
    cgroup: number,
    ipc: number,
    uts: number,
    net: number,
    time: number,
    pid: number,
    mnt: number,
  ): number
  unshareNamespaces(flags: number): number
  setTimeOffsets(text: Uint8Array): number
  becomeRoot(): number
  takeGroups(groups: Uint8Array): number
  takeIds(uid: number, gid: number): number
  hideMemory(): number
  propagateMounts(flags: number): number
  mountOwnProc(path: string): number
  readonly startInNamespaces: StartOp
  openProcessDirectory(path: string): number
  writeProcessFile(directory: number, name: string, text: Uint8Array): number
  inspectNamespace(fd: number, result: Uint8Array): number
  readNamespaceMaps(fd: number, uids: Uint8Array, gids: Uint8Array): number
  scanNamespaces(table: Uint8Array): number
}

export const native = binding<NamespaceOps>('namespaces', import.meta.url)
