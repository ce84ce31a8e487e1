import { callAgain } from '../again.js'
import { checked } from '../errors/errors.js'
import { OwnedFd } from '../files/fd.js'
import { O_NONBLOCK } from '../files/files.js'
import { native } from '../native.js'
import { kernelString } from '../utf8.js'

export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_SEQPACKET = 5
export const MSG_DONTWAIT = 0x40

const MAX_FDS = 16
/** In milliseconds: whoever accepts nothing for so long stands still. */
const PATIENCE = 30_000

/** socketpair(2) of UNIX sockets, both close-on-exec. */
export function socketPair(type = SOCK_SEQPACKET): [OwnedFd, OwnedFd] {
  const pair = new Int32Array(2)
  checked(native.sync.socketPair(type, new Uint8Array(pair.buffer)), 'socketpair')
  return [new OwnedFd(pair[0]!), new OwnedFd(pair[1]!)]
}

/**
 * Sends one message, with descriptors (at most 16), without waiting: `EAGAIN` when the peer does not read.
 *
 * @returns how many bytes went; of a stream that may be fewer than all, and the descriptors are with the first of them
 */
export function sendMessage(socket: OwnedFd, bytes: Uint8Array, fds: readonly number[] = []): number {
  const rights = new Uint8Array(new Int32Array(fds).buffer)
  return checked(native.sync.sendMessage(socket.fd, bytes, rights, MSG_DONTWAIT), 'sendmsg')
}

/** Sends as much of a stream as goes without waiting, and says how many bytes that was: `EAGAIN` when it is none, `EPIPE` when nobody reads. */
export function sendSome(socket: OwnedFd, bytes: Uint8Array): number {
  return checked(native.sync.sendMessage(socket.fd, bytes, new Uint8Array(), MSG_DONTWAIT), 'sendmsg')
}

export interface Message {
  readonly bytes: Uint8Array
  readonly fds: readonly OwnedFd[]
}

/** What messages are taken into before they are copied: room for the largest, made anew for each, would keep the engine's collector busy. */
let scratch: Uint8Array | undefined

/** Takes one message that is there: `undefined` at the end of the connection. Wait for `POLLIN` first; `EAGAIN` when there is none. */
export function receiveMessage(socket: OwnedFd, size = 65536): Message | undefined {
  if (scratch === undefined || scratch.length < size) scratch = new Uint8Array(size)
  const buffer = scratch.subarray(0, size)
  const rights = new Int32Array(1 + MAX_FDS)
  const got = checked(
    native.sync.receiveMessage(socket.fd, buffer, new Uint8Array(rights.buffer), MSG_DONTWAIT),
    'recvmsg',
  )
  const fds = Array.from(rights.subarray(1, 1 + rights[0]!), fd => new OwnedFd(fd))
  if (got === 0 && fds.length === 0) return undefined
  return { bytes: buffer.slice(0, got), fds }
}

interface InDirectory {
  /** The directory that `path` is a name in: names of any length of path work, while sun_path holds 107 bytes. */
  directory?: OwnedFd | undefined
}

const place = (path: string, { directory }: InDirectory): [number, string] => [
  directory?.fd ?? -1,
  kernelString(path, 'path'),
]

/** A UNIX socket at a path that listens, or with `SOCK_DGRAM` receives. @param mode - of its file; connecting needs write permission. Default: 0600 */
export function listenUnix(
  path: string,
  type = SOCK_SEQPACKET,
  { mode = 0o600, ...in_ }: InDirectory & { mode?: number } = {},
): OwnedFd {
  return new OwnedFd(checked(native.sync.listenUnix(...place(path, in_), type, mode), 'listen', path))
}

/**
 * A connection to the UNIX socket at a path, or at the abstract name behind `@`: `ECONNREFUSED` when nobody listens any more, `EAGAIN` when whoever
 * does has accepted none for half a minute, and no more may wait; with `O_NONBLOCK` in the type at once, and the socket has that flag.
 */
export async function connectUnix(path: string, type = SOCK_SEQPACKET, in_: InDirectory = {}): Promise<OwnedFd> {
  const [directory, name] = place(path, in_)
  const attempt = (): Promise<number> => native.async.connectUnix(directory, name, type)
  const result = (type & O_NONBLOCK) === 0 ? await callAgain(attempt, PATIENCE) : await attempt()
  return new OwnedFd(checked(result, 'connect', path))
}

/** Accepts a connection that waits, and says who made it. */
export function acceptUnix(socket: OwnedFd): { connection: OwnedFd; pid: number; uid: number; gid: number } {
  const peer = new Int32Array(3)
  const connection = new OwnedFd(checked(native.sync.acceptUnix(socket.fd, new Uint8Array(peer.buffer)), 'accept4'))
  return { connection, pid: peer[0]!, uid: peer[1]!, gid: peer[2]! }
}
