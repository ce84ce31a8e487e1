import { ConfigInvalid } from '@libcontainer/sys'
import { type FixedCodec, needBytes, struct } from './codec.js'

/** A counter of the kernel: a number where that is exact, else a bigint. */
export type Count = number | bigint

const count: FixedCodec<Count> = {
  size: 8,
  align: 8,
  write(_, value, field) {
    throw new ConfigInvalid(field, value, 'is counted by the kernel, and cannot be set')
  },
  read(view, at, size) {
    needBytes(size, 8)
    const high = view.getUint32(at + 4, true)
    return high < 0x200000 ? high * 0x1_0000_0000 + view.getUint32(at, true) : view.getBigUint64(at, true)
  },
}

/** struct rtnl_link_stats64. What it has beyond the kernel's is 0. */
const layout = struct({
  rxPackets: count,
  txPackets: count,
  rxBytes: count,
  txBytes: count,
  rxErrors: count,
  txErrors: count,
  /** For want of room, or of a protocol that takes them. */
  rxDropped: count,
  txDropped: count,
  multicast: count,
  collisions: count,
  rxLengthErrors: count,
  rxOverErrors: count,
  rxCrcErrors: count,
  rxFrameErrors: count,
  rxFifoErrors: count,
  rxMissedErrors: count,
  txAbortedErrors: count,
  txCarrierErrors: count,
  txFifoErrors: count,
  txHeartbeatErrors: count,
  txWindowErrors: count,
  rxCompressed: count,
  txCompressed: count,
  rxNohandler: count,
  rxOtherhostDropped: count,
})

/** What a link has counted, in packets and bytes. */
export type LinkStatistics = ReturnType<(typeof layout)['read']>
export const statistics64: FixedCodec<LinkStatistics> = layout
