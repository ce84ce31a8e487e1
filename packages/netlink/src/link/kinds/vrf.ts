import { attributes, type ValuesOf } from '../../message/attributes.js'
import { u32 } from '../../message/codec.js'
import { told } from './codecs.js'

/** IFLA_VRF_*. */
export const vrfTable = attributes({
  /** Of routes: 1 to 4294967295. */
  table: [1, u32],
})
export type VrfOptions = ValuesOf<typeof vrfTable>

/** IFLA_VRF_PORT_*: what a link has in a VRF. */
export const vrfPortTable = attributes({ table: [1, told(u32)] })
export type VrfPortOptions = ValuesOf<typeof vrfPortTable>
