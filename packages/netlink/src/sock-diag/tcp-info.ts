import { counter, struct, u8, u32 } from '../message/attributes.js'
import { viewOf } from '../message/wire.js'

/** How a connection fares: what tcp(7) calls TCP_INFO. Of an older kernel the last ones are 0. */
export interface TcpInfo {
  rttUs: number
  rttvarUs: number
  /** The smallest that was seen. */
  minRttUs: number
  /** When what was sent is taken for lost. */
  rtoUs: number
  /** What a segment may hold, in bytes. */
  sendMss: number
  receiveMss: number
  pathMtu: number
  /** In segments. */
  congestionWindow: number
  slowStartThreshold: number
  /** Segments that are on their way. */
  unacked: number
  lost: number
  /** Segments that were sent again, in all. */
  retransmits: number
  bytesAcked: number
  bytesReceived: number
  bytesSent: number
  bytesRetransmitted: number
  deliveryRateBytesPerSecond: number
  pacingRateBytesPerSecond: number
}

/** struct tcp_info of linux/tcp.h. */
const tcpInfo = struct({
  state: u8,
  caState: u8,
  retransmitsNow: u8,
  probes: u8,
  backoff: u8,
  options: u8,
  windowScales: u8,
  bits: u8,
  rto: u32,
  ato: u32,
  sendMss: u32,
  receiveMss: u32,
  unacked: u32,
  sacked: u32,
  lost: u32,
  retrans: u32,
  fackets: u32,
  lastDataSent: u32,
  lastAckSent: u32,
  lastDataReceived: u32,
  lastAckReceived: u32,
  pathMtu: u32,
  receiveThreshold: u32,
  rtt: u32,
  rttvar: u32,
  slowStartThreshold: u32,
  congestionWindow: u32,
  advertisedMss: u32,
  reordering: u32,
  receiveRtt: u32,
  receiveSpace: u32,
  totalRetrans: u32,
  pacingRate: counter,
  maxPacingRate: counter,
  bytesAcked: counter,
  bytesReceived: counter,
  segmentsOut: u32,
  segmentsIn: u32,
  notSentBytes: u32,
  minRtt: u32,
  dataSegmentsIn: u32,
  dataSegmentsOut: u32,
  deliveryRate: counter,
  busyTime: counter,
  receiveWindowLimited: counter,
  sendBufferLimited: counter,
  delivered: u32,
  deliveredCe: u32,
  bytesSent: counter,
  bytesRetransmitted: counter,
})

/** What INET_DIAG_INFO holds. */
export function readTcpInfo(bytes: Uint8Array): TcpInfo {
  const info = tcpInfo.read(viewOf(bytes), bytes.byteOffset, bytes.length)
  return {
    rttUs: info.rtt,
    rttvarUs: info.rttvar,
    minRttUs: info.minRtt,
    rtoUs: info.rto,
    sendMss: info.sendMss,
    receiveMss: info.receiveMss,
    pathMtu: info.pathMtu,
    congestionWindow: info.congestionWindow,
    slowStartThreshold: info.slowStartThreshold,
    unacked: info.unacked,
    lost: info.lost,
    retransmits: info.totalRetrans,
    bytesAcked: info.bytesAcked,
    bytesReceived: info.bytesReceived,
    bytesSent: info.bytesSent,
    bytesRetransmitted: info.bytesRetransmitted,
    deliveryRateBytesPerSecond: info.deliveryRate,
    pacingRateBytesPerSecond: info.pacingRate,
  }
}
