import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c and native/relabel.c; what each does is said there. */
export interface SelinuxOps {
  getThreadLabel(file: string, buffer: Uint8Array): number
  setThreadLabel(file: string, label: string): number
  peerLabel(socket: number, buffer: Uint8Array): number
  relabelDirectories(
    root: number,
    label: Uint8Array,
    refused: Uint8Array,
    paths: Uint8Array,
    progress: Uint8Array,
  ): number
  fileLabel(file: number, buffer: Uint8Array): number
  relabelFile(file: number, label: Uint8Array): number
}

export const native = binding<SelinuxOps>('selinux', import.meta.url)
