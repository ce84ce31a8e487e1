import { ConfigInvalid } from '@libcontainer/sys'
import type { Codec } from '../message/codec.js'

/** A counter of the kernel: a number where that is exact, else a bigint. */
export type Count = number | bigint

/** What a link has counted, in packets and bytes: struct rtnl_link_stats64. What it has beyond the kernel's is 0. */
export interface LinkStatistics {
  readonly rxPackets: Count
  readonly txPackets: Count
  readonly rxBytes: Count
  readonly txBytes: Count
  readonly rxErrors: Count
  readonly txErrors: Count
  /** For want of room, or of a protocol that takes them. */
  readonly rxDropped: Count
  readonly txDropped: Count
  readonly multicast: Count
  readonly collisions: Count
  readonly rxLengthErrors: Count
  readonly rxOverErrors: Count
  readonly rxCrcErrors: Count
  readonly rxFrameErrors: Count
  readonly rxFifoErrors: Count
  readonly rxMissedErrors: Count
  readonly txAbortedErrors: Count
  readonly txCarrierErrors: Count
  readonly txFifoErrors: Count
  readonly txHeartbeatErrors: Count
  readonly txWindowErrors: Count
  readonly rxCompressed: Count
  readonly txCompressed: Count
  readonly rxNohandler: Count
  readonly rxOtherhostDropped: Count
}

export const statistics64: Codec<LinkStatistics> = {
  write(_, value, field) {
    throw new ConfigInvalid(field, value, 'is counted by the kernel, and cannot be set')
  },
  read(view, at, size) {
    const count = (index: number): Count => {
      const place = at + index * 8
      if (index * 8 + 8 > size) return 0
      const high = view.getUint32(place + 4, true)
      return high < 0x200000 ? high * 0x1_0000_0000 + view.getUint32(place, true) : view.getBigUint64(place, true)
    }
    return {
      rxPackets: count(0),
      txPackets: count(1),
      rxBytes: count(2),
      txBytes: count(3),
      rxErrors: count(4),
      txErrors: count(5),
      rxDropped: count(6),
      txDropped: count(7),
      multicast: count(8),
      collisions: count(9),
      rxLengthErrors: count(10),
      rxOverErrors: count(11),
      rxCrcErrors: count(12),
      rxFrameErrors: count(13),
      rxFifoErrors: count(14),
      rxMissedErrors: count(15),
      txAbortedErrors: count(16),
      txCarrierErrors: count(17),
      txFifoErrors: count(18),
      txHeartbeatErrors: count(19),
      txWindowErrors: count(20),
      rxCompressed: count(21),
      txCompressed: count(22),
      rxNohandler: count(23),
      rxOtherhostDropped: count(24),
    }
  },
}
