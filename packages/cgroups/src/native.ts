import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c; what each does is said there. Lists are strings, each ended by NUL. */
export interface CgroupOps {
  openCgroup(mount: string, path: string, flags: number): number
  makeCgroup(mount: string, path: string, controllers: string, inherited: string, mustBeNew: number): number
  unmakeCgroup(mount: string, path: string, levels: number): number
  confirmNoCgroups(list: Uint8Array): number
  removeCgroups(list: Uint8Array): number
  writeCgroup(mount: string, file: string, lines: string): number
  readCgroups(list: Uint8Array, buffer: Uint8Array): number
  readEvents(fd: number, buffer: Uint8Array): number
  joinCgroups(pid: number, list: Uint8Array): number
  listProcesses(mount: string, path: string, below: number, buffer: Uint8Array): number
  signalCgroup(mount: string, path: string, signal: number): number
  freezeCgroup1(mount: string, path: string): number
  notifyCgroup1(mount: string, path: string, file: string, argument: string): number
  watchCgroup(mount: string, path: string, file: string): number
  attachDeviceProgram(mount: string, path: string, instructions: Uint8Array): number
}

export const native = binding<CgroupOps>('cgroups', import.meta.url)
