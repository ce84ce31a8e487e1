import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c; what each does is said there. */
interface NamespaceOps {
  openNamespace(path: string, flag: number): number
  setNamespace(fd: number, flag: number): number
  setProcessNamespaces(pidfd: number, flags: number): number
  unshareNamespaces(flags: number): number
  setTimeOffsets(text: Uint8Array): number
  becomeRoot(): number
  openProcessDirectory(path: string): number
  writeProcessFile(directory: number, name: string, text: Uint8Array): number
  inspectNamespace(fd: number, result: Uint8Array): number
  readNamespaceMaps(fd: number, uids: Uint8Array, gids: Uint8Array): number
}

export const native = binding<NamespaceOps>('namespaces', import.meta.url)
