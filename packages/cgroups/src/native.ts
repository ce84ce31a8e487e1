import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c; what each does is said there. Lists are strings, each ended by NUL. */
export interface CgroupOps {
  openCgroup(mount: string, path: string, flags: number): number
  makeCgroup(mount: string, path: string, controllers: string, inherited: string, flags: number): number
  unmakeCgroup(mount: string, path: string, levels: number): number
  confirmNoCgroups(list: Uint8Array): number
  removeCgroups(list: Uint8Array): number
  writeCgroup(mount: string, file: string, lines: string): number
  confirmCgroup(mount: string, file: string, value: string): number
  readCgroups(list: Uint8Array, buffer: Uint8Array): number
  readCgroupSets(directories: Uint8Array, sets: Uint8Array, sizes: Uint8Array, text: Uint8Array): number
  readEvents(fd: number, buffer: Uint8Array): number
  joinCgroups(pid: number, list: Uint8Array): number
  listProcesses(mount: string, path: string, below: number, buffer: Uint8Array): number
  listCgroups(mount: string, path: string, recursive: number, buffer: Uint8Array): number
  chownCgroup(mount: string, path: string, uid: number, gid: number, files: Uint8Array): number
  signalCgroup(mount: string, path: string, signal: number): number
  freezeCgroup1(mount: string, path: string): number
  notifyCgroup1(mount: string, path: string, file: string, argument: string): number
  watchCgroup(inotify: number, mount: string, path: string, files: Uint8Array, numbers: Uint8Array): number
  attachDeviceProgram(mount: string, path: string, instructions: Uint8Array): number
  forkPlaceholder(result: Uint8Array): number
  startInCgroup(
    request: Uint8Array,
    result: Uint8Array,
    paths: Uint8Array,
    argv: Uint8Array,
    env: Uint8Array,
    cwd: string,
  ): number
}

export const native = binding<CgroupOps>('cgroups', import.meta.url)
