import { attributes, type ValuesOf } from '../../message/attributes.js'
import { u16 } from '../../message/codec.js'
import { anyOf, oneOf } from './codecs.js'

/** IFLA_IPVLAN_*, of ipvlan and ipvtap. */
export const ipvlanTable = attributes({
  /** Default of the kernel: `l3`. */
  mode: [1, oneOf(u16, { l2: 0, l3: 1, l3s: 2 })],
  /** Without one, links of the same lower link reach each other. */
  flags: [2, anyOf(u16, { private: 1, vepa: 2 })],
})
export type IpvlanOptions = ValuesOf<typeof ipvlanTable>
