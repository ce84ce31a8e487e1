import { attributes, be16, bytes, bytesOf, packed, string, struct, u8, u16, u32 } from './attributes.js'

/** A number of 64 bits that is no number of 64 bits: two of 32, the lower first. */
export const cookiePair = struct({ low: u32, high: u32 })

/** struct inet_diag_sockid of linux/inet_diag.h. */
const socketId = {
  sourcePort: be16,
  destinationPort: be16,
  source: bytesOf(16),
  destination: bytesOf(16),
  dev: u32,
  cookie: cookiePair,
} as const

/** struct inet_diag_req_v2. */
export const inetRequest = struct({ family: u8, protocol: u8, extensions: u8, pad: u8, states: u32, ...socketId })

/** struct inet_diag_msg. */
export const inetMessage = struct(
  {
    family: u8,
    state: u8,
    timer: u8,
    retransmits: u8,
    ...socketId,
    expires: u32,
    receiveQueue: u32,
    sendQueue: u32,
    uid: u32,
    inode: u32,
  },
  { whole: true },
)

/** INET_DIAG_*. */
export const inetAttributes = attributes({
  memory: [1, bytes],
  info: [2, bytes],
  vegas: [3, bytes],
  congestion: [4, string],
  tos: [5, u8],
  trafficClass: [6, u8],
  socketMemory: [7, bytes],
  shutdown: [8, u8],
  protocol: [10, u8],
  ipv6Only: [11, u8],
  mark: [15, u32],
  classId: [17, u32],
  ulp: [19, bytes],
  cgroup: [21, bytes],
  options: [22, bytes],
})

/** struct unix_diag_req and struct unix_diag_msg of linux/unix_diag.h. */
export const unixRequest = struct({
  family: u8,
  protocol: u8,
  pad: u16,
  states: u32,
  inode: u32,
  show: u32,
  cookie: cookiePair,
})
export const unixMessage = struct(
  { family: u8, type: u8, state: u8, pad: u8, inode: u32, cookie: cookiePair },
  { whole: true },
)

/** UNIX_DIAG_*. */
export const unixAttributes = attributes({
  name: [0, bytes],
  vfs: [1, struct({ inode: u32, dev: u32 })],
  peer: [2, u32],
  waiting: [3, packed(u32)],
  queue: [4, struct({ receive: u32, send: u32 })],
  memory: [5, bytes],
  shutdown: [6, u8],
  uid: [7, u32],
})
