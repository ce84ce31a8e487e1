import { binding } from '@libcontainer/sys'

/**
 * The ops of native/ops.c that a host may call; what each does is said there. `setSeccompFilter` is not among them: a
 * filter stays for the life of its thread, so only `init` loads one.
 */
interface SeccompOps {
  seccompActionAvailable(action: number): number
  seccompFlagsAvailable(flags: number): number
  seccompNativeArchitecture(): number
  receiveNotification(listener: number, notification: Uint8Array): number
  sendNotification(listener: number, id: bigint, value: number | bigint, error: number, flags: number): number
  notificationValid(listener: number, id: bigint): number
  readProcessMemory(pid: number, address: bigint, buffer: Uint8Array): number
  addNotificationFd(listener: number, id: bigint, flags: number, fd: number, at: number, fdFlags: number): number
}

export const native = binding<SeccompOps>('seccomp', import.meta.url)
