import type { OwnedFd, SyscallError, Waiting } from '@libcontainer/sys'
import type { NetlinkRequest } from './message.js'
import type { NetlinkMessage } from './wire.js'

/** A network namespace: a pid, a path, a name of ip-netns(8) (without a slash), or a descriptor, which stays the caller's. */
export type NamespaceTarget = number | string | OwnedFd

export interface SocketOptions extends Waiting {
  /** Default: NETLINK_ROUTE */
  readonly protocol?: number | undefined
  /** Default: that of this process */
  readonly namespace?: NamespaceTarget | undefined
}

export interface DumpRequest<T> extends NetlinkRequest {
  /** Makes an entry of a message, whose payload is only there during the call; `undefined` leaves it out. */
  readonly map: (message: NetlinkMessage) => T | undefined
}

/** Entries as they come. Ask for them once. */
export interface Dump<T> extends AsyncIterable<T> {
  /** The kernel's table has changed meanwhile: entries may be missing, or there twice. Known when the last has come. */
  readonly interrupted: boolean
}

/** All entries; `interrupted` where the table has changed during each of several attempts. */
export type DumpedList<T> = T[] & { readonly interrupted: boolean }

/** How one request of a batch went: the kernel goes on behind one that it refuses. */
export interface BatchAnswer {
  /** What it answered beside the acknowledgement. */
  readonly answer?: NetlinkMessage | undefined
  readonly error?: SyscallError | undefined
}

/** A netlink socket in a network namespace. */
export declare class NetlinkSocket {
  static open(options?: SocketOptions): Promise<NetlinkSocket>
  /** Sends one message; the first that answers it (a copy), or `undefined` when it was acknowledged alone. */
  request(request: NetlinkRequest): Promise<NetlinkMessage | undefined>
  /** Sends several in one system call; the answers in their order. Throws for none of them. */
  batch(requests: readonly NetlinkRequest[], waiting?: Waiting): Promise<readonly BatchAnswer[]>
  /** Streams the entries of a table. A socket of its own carries it, so that others go on meanwhile. */
  dump<T>(request: DumpRequest<T>): Dump<T>
  /** All entries of a table at once: the fastest, and asked again where the table changed meanwhile. */
  list<T>(request: DumpRequest<T>): Promise<DumpedList<T>>
  /** Another socket of a protocol in the same namespace. */
  sibling(options?: Omit<SocketOptions, 'namespace'>): Promise<NetlinkSocket>
  get closed(): boolean
  /** Ends it, and dumps that go on; requests that wait are refused. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}
