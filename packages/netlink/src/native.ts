import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c and open.c; what each does is said there. */
interface NetlinkOps {
  openNetlink(protocol: number, namespace: number, room: number, result: Uint8Array): number
  exchangeNetlink(fd: number, messages: Uint8Array, buffer: Uint8Array, outcome: Uint8Array): number
  joinNetlinkGroup(fd: number, group: number, join: number): number
}

export const native = binding<NetlinkOps>('netlink', import.meta.url)
