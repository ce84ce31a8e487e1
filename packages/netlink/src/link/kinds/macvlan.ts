import { mac } from '../../address/codecs.js'
import { attributes, listOf, type ValuesOf } from '../../message/attributes.js'
import { s32, u16, u32 } from '../../message/codec.js'
import { anyOf, oneOf, told } from './codecs.js'

/** IFLA_MACVLAN_*, of macvlan and macvtap. */
export const macvlanTable = attributes({
  /** Default of the kernel: `vepa`. */
  mode: [1, oneOf(u32, { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 })],
  flags: [2, anyOf(u16, { nopromisc: 1, nodst: 2 })],
  /** What is done to the addresses that the mode `source` lets in. */
  macMode: [3, oneOf(u32, { add: 0, del: 1, flush: 2, set: 3 })],
  mac: [4, mac],
  /** Let in by the mode `source`. */
  macs: [5, listOf(mac, { type: 4 })],
  macCount: [6, told(u32)],
  broadcastQueueLength: [7, u32],
  broadcastQueueLengthUsed: [8, told(u32)],
  broadcastCutoff: [9, s32],
})
export type MacvlanOptions = ValuesOf<typeof macvlanTable>
