import { attributes, be16, bytes, bytesOf, packed, string, struct, u8, u16, u32 } from '../message/attributes.js'

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

/** INET_DIAG_*: those that are told. */
export const inetAttributes = attributes({
  info: [2, bytes],
  congestion: [4, string],
  ipv6Only: [11, u8],
  mark: [15, u32],
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

/** UNIX_DIAG_*: those that are told. */
export const unixAttributes = attributes({
  name: [0, bytes],
  peer: [2, u32],
  waiting: [3, packed(u32)],
  queue: [4, struct({ receive: u32, send: u32 })],
  uid: [7, u32],
})
