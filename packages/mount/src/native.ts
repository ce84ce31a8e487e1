import { binding } from '@libcontainer/sys'

interface Ops {
  openTree(dirfd: number, path: string, flags: number): number
  moveMount(from: number, fromPath: string, to: number, toPath: string, flags: number): number
  mountSetattr(
    dirfd: number,
    path: string,
    flags: number,
    set: number,
    clear: number,
    propagation: number,
    usernsFd: number,
  ): number
  unmount(path: string, flags: number): number
  isMountPoint(path: string): number
  readMounts(fd: number, buffer: Uint8Array): number
  pollMounts(fd: number): number
  listMounts(of: bigint, after: bigint, namespace: bigint, ids: Uint8Array): number
  statMounts(ids: Uint8Array, mask: number, namespace: bigint, buffer: Uint8Array): number
}

export const native = binding<Ops>('mount', import.meta.url)
