import { ignored } from '../link/kinds/codecs.js'
import {
  attributes,
  bytes,
  counter,
  flag,
  nested,
  s32,
  string,
  struct,
  u8,
  u16,
  u32,
  type ValuesOf,
} from '../message/attributes.js'

export const RTM_NEWQDISC = 36
export const RTM_DELQDISC = 37
export const RTM_GETQDISC = 38
export const RTM_NEWTCLASS = 40
export const RTM_DELTCLASS = 41
export const RTM_GETTCLASS = 42

/** struct tcmsg of linux/rtnetlink.h. */
export const tcHeader = struct(
  { family: u8, pad1: u8, pad2: u16, dev: s32, handle: u32, parent: u32, info: u32 },
  { whole: true },
)

const basic = struct({ bytes: counter, packets: u32 })
const queue = struct({ length: u32, backlog: u32, drops: u32, requeues: u32, overlimits: u32 })

/** TCA_STATS_* of linux/gen_stats.h: those that are told. */
const statisticsAttributes = attributes({
  basic: [1, basic],
  queue: [3, queue],
  packets: [8, counter],
})

/** TCA_*. What `options` holds is the kind's own. */
export const tcAttributes = attributes({
  kind: [1, string],
  options: [2, bytes],
  /** The same as `statistics`, in an older struct. */
  oldStatistics: [3, ignored],
  estimator: [5, ignored],
  statistics: [7, nested(statisticsAttributes)],
  sizeTable: [8, ignored],
  invisible: [10, flag],
  offload: [12, ignored],
  ingressBlock: [13, u32],
  egressBlock: [14, u32],
})

/** What a queueing discipline or class has counted since it was made. */
export interface TcStatistics {
  bytes: number
  packets: number
  drops: number
  /** How often the limit held a packet back. */
  overlimits: number
  requeues: number
  /** Packets that wait. */
  queueLength: number
  backlogBytes: number
}

/** Zero for what the kernel does not tell. */
export function readStatistics(values: ValuesOf<typeof statisticsAttributes> | undefined): TcStatistics {
  return {
    bytes: values?.basic?.bytes ?? 0,
    // 64 bits of them stand apart, since the struct has 32.
    packets: values?.packets ?? values?.basic?.packets ?? 0,
    drops: values?.queue?.drops ?? 0,
    overlimits: values?.queue?.overlimits ?? 0,
    requeues: values?.queue?.requeues ?? 0,
    queueLength: values?.queue?.length ?? 0,
    backlogBytes: values?.queue?.backlog ?? 0,
  }
}
