import {
  attributes,
  decodeAttributes,
  encodeAttributes,
  type UnknownAttribute,
  u8,
  u32,
} from '../../message/attributes.js'
import type { QdiscKind } from './kind.js'

/** A queue for each flow, and packets dropped from those that stand: tc-fq_codel(8). What is not given has the kernel's default. */
export interface FqCodelOptions {
  /** Packets that may wait in all. Default: 10240 */
  limitPackets?: number | undefined
  /** Queues that flows are hashed into; it cannot be changed afterwards. Default: 1024 */
  flows?: number | undefined
  /** What a queue sends in its turn. Default: 1514 */
  quantumBytes?: number | undefined
  /** How long packets should wait at most. Default: 5000 */
  targetUs?: number | undefined
  /** How long they may wait longer before some are dropped: the longest round trip. Default: 100000 */
  intervalUs?: number | undefined
  /** Marks packets of connections that know ECN rather than drop them. Default: `true` */
  ecn?: boolean | undefined
  /** From which wait on all packets are marked. */
  ceThresholdUs?: number | undefined
  ceThresholdSelector?: number | undefined
  ceThresholdMask?: number | undefined
  /** Packets that are dropped at once when the limit is reached. Default: 64 */
  dropBatchPackets?: number | undefined
  /** Default: 32 MiB */
  memoryLimitBytes?: number | undefined
  unknown?: readonly UnknownAttribute[] | undefined
}

/** TCA_FQ_CODEL_*. */
const fqCodelAttributes = attributes({
  targetUs: [1, u32],
  limitPackets: [2, u32],
  intervalUs: [3, u32],
  ecn: [4, u32],
  flows: [5, u32],
  quantumBytes: [6, u32],
  ceThresholdUs: [7, u32],
  dropBatchPackets: [8, u32],
  memoryLimitBytes: [9, u32],
  ceThresholdSelector: [10, u8],
  ceThresholdMask: [11, u8],
})

export const fqCodel: QdiscKind<FqCodelOptions> = {
  encode: (options, field) =>
    encodeAttributes(
      fqCodelAttributes,
      { ...options, ecn: options.ecn === undefined ? undefined : Number(options.ecn) },
      field,
    ),

  decode(bytes) {
    const { ecn, ...options } = decodeAttributes(fqCodelAttributes, bytes)
    return ecn === undefined ? options : { ...options, ecn: ecn !== 0 }
  },
}
