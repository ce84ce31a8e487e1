import { ConfigInvalid, decodeUtf8, type Waiting } from '@libcontainer/sys'
import { AF_INET, AF_INET6, type Family, familyNumber, familyWord, formatAddress } from '../address/text.js'
import type { ValueOf } from '../message/attributes.js'
import { messageBody, readBody } from '../message/message.js'
import { type WordOf, Words } from '../message/words.js'
import { dumpedList } from '../socket/dump.js'
import type { DumpedList, DumpRequest, NetlinkSocket } from '../socket/socket.js'
import {
  type cookiePair,
  inetAttributes,
  inetMessage,
  inetRequest,
  unixAttributes,
  unixMessage,
  unixRequest,
} from './attributes.js'
import { readTcpInfo, type TcpInfo } from './tcp-info.js'

const SOCK_DIAG_BY_FAMILY = 20
const AF_UNIX = 1
const IPPROTO_TCP = 6
const IPPROTO_UDP = 17

/** TCP_* of the kernel's net/tcp_states.h, which sockets of other protocols have, too: of UDP and of Unix `close` is one that is not connected. */
const socketStates = new Words({
  established: 1,
  'syn-sent': 2,
  'syn-recv': 3,
  'fin-wait-1': 4,
  'fin-wait-2': 5,
  'time-wait': 6,
  close: 7,
  'close-wait': 8,
  'last-ack': 9,
  listen: 10,
  closing: 11,
  'new-syn-recv': 12,
})
export type SocketState = WordOf<typeof socketStates>
const MAX_STATE = 12

/** SOCK_* of Unix sockets. */
const unixTypes = new Words({ stream: 1, dgram: 2, seqpacket: 5 })
export type UnixSocketType = WordOf<typeof unixTypes>

/** What {@link listSockets} lists. */
export type SocketProtocol = 'tcp' | 'udp' | 'unix'

export interface SocketFilter extends Waiting {
  /** Default: all three */
  protocols?: readonly SocketProtocol[] | undefined
  /** Of TCP and UDP. Default: both */
  family?: Family | undefined
  /** Default: all */
  states?: readonly SocketState[] | undefined
}

/** A socket of TCP or UDP. What it does not have is absent. */
export interface InetSocketEntry {
  protocol: 'tcp' | 'udp'
  family: Family
  state: SocketState | number
  localAddress: string
  localPort: number
  /** Of one that is not connected it is all zeros, and the port 0. */
  remoteAddress: string
  remotePort: number
  /** The number of the link that it is bound to. */
  dev?: number
  uid: number
  /** As `/proc/PID/fd` names it: `socket:[INODE]`. 0 of one that no process holds any more. */
  inode: number
  /** What tells it from all others since the machine started. */
  cookie: bigint
  /** Of one that listens: connections that wait to be accepted. */
  receiveQueueBytes: number
  /** Of one that listens: how many connections may wait. */
  sendQueueBytes: number
  /** Of IPv6: it takes no IPv4. */
  ipv6Only?: boolean
  /** The algorithm of congestion control. */
  congestion?: string
  /** Told with CAP_NET_ADMIN. */
  mark?: number
  tcp?: TcpInfo
}

/** A socket of the family AF_UNIX. What it does not have is absent. */
export interface UnixSocketEntry {
  protocol: 'unix'
  type: UnixSocketType | number
  state: SocketState | number
  /** A path as it was bound to, or of an abstract one `@` and the name. Bytes that are no UTF-8 are U+FFFD. */
  name?: string
  uid?: number
  inode: number
  cookie: bigint
  /** The inode of the other end. */
  peer?: number
  /** Of one that listens: the inodes of sockets that wait to be accepted. */
  waiting?: readonly number[]
  /** Bytes that wait; of one that listens: connections. */
  receiveQueueBytes: number
  /** Of one that listens: how many connections may wait. */
  sendQueueBytes: number
}

export type SocketEntry = InetSocketEntry | UnixSocketEntry

/**
 * The sockets of a network namespace, as ss(8) lists them.
 *
 * @param socket - one of the protocol NETLINK_SOCK_DIAG
 * @throws {SyscallError} `ENOENT` for a kernel that lacks the module of a protocol: tcp_diag, udp_diag, unix_diag
 */
export async function listSockets(socket: NetlinkSocket, filter: SocketFilter = {}): Promise<DumpedList<SocketEntry>> {
  const lists = await Promise.all(socketRequests(filter).map(request => socket.list<SocketEntry>(request)))
  return dumpedList(
    lists.flat(),
    lists.some(({ interrupted }) => interrupted),
  )
}

/** What has to be asked: one dump for each protocol and family. @throws {ConfigInvalid} that names the field */
export function socketRequests(filter: SocketFilter): DumpRequest<SocketEntry>[] {
  const { protocols = ['tcp', 'udp', 'unix'], family, states, signal } = filter
  const mask = stateMask(states)
  const families = family === undefined ? [AF_INET, AF_INET6] : [familyNumber(family)]
  return protocols.flatMap((protocol, at): DumpRequest<SocketEntry>[] => {
    if (protocol === 'unix') return [{ ...unixDump(mask), signal }]
    if (protocol !== 'tcp' && protocol !== 'udp')
      throw new ConfigInvalid(`protocols[${at}]`, protocol, 'must be tcp, udp or unix')
    return families.map(number => ({ ...inetDump(protocol, number, mask), signal }))
  })
}

function stateMask(states: readonly SocketState[] | undefined): number {
  if (states === undefined) return (2 << MAX_STATE) - 2
  return states.reduce((mask, state, at) => mask | (1 << socketStates.number(state, `states[${at}]`)), 0)
}

const hints = { ENOENT: 'the kernel lacks the module that tells of these sockets: tcp_diag, udp_diag or unix_diag' }

/** INET_DIAG_INFO, CONG, TOS, TCLASS: the bit of an extension is one less than its number. */
const EXTENSIONS = (1 << 1) | (1 << 3)

function inetDump(protocol: 'tcp' | 'udp', family: number, states: number): DumpRequest<SocketEntry> {
  return {
    type: SOCK_DIAG_BY_FAMILY,
    body: messageBody(inetRequest, {
      family,
      protocol: protocol === 'tcp' ? IPPROTO_TCP : IPPROTO_UDP,
      extensions: protocol === 'tcp' ? EXTENSIONS : 0,
      states,
    }),
    about: `list the sockets of ${protocol}`,
    hints,
    map: ({ payload }) => decodeInetSocket(payload, protocol),
  }
}

/** UDIAG_SHOW_NAME, PEER, ICONS, RQLEN and UID. */
const SHOW = 0x01 | 0x04 | 0x08 | 0x10 | 0x40

function unixDump(states: number): DumpRequest<SocketEntry> {
  return {
    type: SOCK_DIAG_BY_FAMILY,
    body: messageBody(unixRequest, { family: AF_UNIX, states, show: SHOW }),
    about: 'list the sockets of unix',
    hints,
    map: ({ payload }) => decodeUnixSocket(payload),
  }
}

/** The socket in a message of the kernel; `undefined` for one of neither IPv4 nor IPv6. @throws {LibcontainerError} `EPROTO` */
export function decodeInetSocket(payload: Uint8Array, protocol: 'tcp' | 'udp'): InetSocketEntry | undefined {
  const family = familyWord(payload[0])
  if (family === undefined) return undefined
  const { header, attributes: values } = readBody(inetMessage, inetAttributes, payload)
  const { state, sourcePort, destinationPort, source, destination, dev, cookie } = header
  const size = family === 'inet' ? 4 : 16
  const entry: InetSocketEntry = {
    protocol,
    family,
    state: socketStates.word(state),
    localAddress: formatAddress(source.subarray(0, size)),
    localPort: sourcePort,
    remoteAddress: formatAddress(destination.subarray(0, size)),
    remotePort: destinationPort,
    uid: header.uid,
    inode: header.inode,
    cookie: cookieOf(cookie),
    receiveQueueBytes: header.receiveQueue,
    sendQueueBytes: header.sendQueue,
  }
  if (dev !== 0) entry.dev = dev
  if (values.ipv6Only !== undefined && family === 'inet6') entry.ipv6Only = values.ipv6Only !== 0
  if (values.congestion !== undefined && values.congestion !== '') entry.congestion = values.congestion
  if (values.mark !== undefined) entry.mark = values.mark
  if (values.info !== undefined && protocol === 'tcp') entry.tcp = readTcpInfo(values.info)
  return entry
}

/** The Unix socket in a message of the kernel; `undefined` for another. @throws {LibcontainerError} `EPROTO` */
export function decodeUnixSocket(payload: Uint8Array): UnixSocketEntry | undefined {
  if (payload[0] !== AF_UNIX) return undefined
  const { header, attributes } = readBody(unixMessage, unixAttributes, payload)
  const { name, peer, waiting, queue, uid } = attributes
  const entry: UnixSocketEntry = {
    protocol: 'unix',
    type: unixTypes.word(header.type),
    state: socketStates.word(header.state),
    inode: header.inode,
    cookie: cookieOf(header.cookie),
    receiveQueueBytes: queue?.receive ?? 0,
    sendQueueBytes: queue?.send ?? 0,
  }
  if (name !== undefined && name.length > 0) entry.name = shownName(name)
  if (uid !== undefined) entry.uid = uid
  if (peer !== undefined && peer !== 0) entry.peer = peer
  if (waiting !== undefined && waiting.length > 0) entry.waiting = waiting
  return entry
}

const cookieOf = ({ low = 0, high = 0 }: ValueOf<typeof cookiePair>): bigint => BigInt(low) | (BigInt(high) << 32n)

/** The kernel tells a path with or without a NUL that ends it, and of an abstract name the NUL that it begins with. */
function shownName(bytes: Uint8Array): string {
  if (bytes[0] === 0) return `@${decodeUtf8(bytes.subarray(1)).replaceAll('\0', '@')}`
  const end = bytes.indexOf(0)
  return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end))
}
