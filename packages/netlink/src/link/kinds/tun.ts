import { attributes, type ValuesOf } from '../../message/attributes.js'
import { u8, u32 } from '../../message/codec.js'
import { oneOf, onOff, told } from './codecs.js'

const on = told(onOff(u8))

/** IFLA_TUN_*: the kernel tells them, and makes such links by ioctl(2) alone. */
export const tunTable = attributes({
  owner: [1, told(u32)],
  group: [2, told(u32)],
  type: [3, told(oneOf(u8, { tun: 1, tap: 2 }))],
  /** Packets have struct tun_pi before them. */
  packetInformation: [4, on],
  vnetHeader: [5, on],
  persistent: [6, on],
  multiQueue: [7, on],
  queues: [8, told(u32)],
  disabledQueues: [9, told(u32)],
})
export type TunOptions = ValuesOf<typeof tunTable>
