import { binding } from '@libcontainer/sys'

/** The ops of native/ops.c; what each does is said there. */
interface NetlinkOps {
  openNetlink(protocol: number, namespace: number, room: number, result: Uint8Array): number
  openTun(namespace: number, name: string, flags: number, owner: number, group: number, persistent: number): number
  exchangeNetlink(fd: number, messages: Uint8Array, buffer: Uint8Array, outcome: Uint8Array): number
  joinNetlinkGroup(fd: number, group: number, join: number): number
  isBridge(name: string): number
  requestNetlink(message: Uint8Array, link: string, place: number): number
  makeNetworkNamespace(): number
  shareMounts(directory: string): number
  becomeInNetworkNamespace(
    namespace: number,
    pairs: Uint8Array,
    paths: Uint8Array,
    argv: Uint8Array,
    env: Uint8Array,
  ): number
}

export const native = binding<NetlinkOps>('netlink', import.meta.url)
